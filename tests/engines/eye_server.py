"""A fake vision server for the self-check."""

from __future__ import annotations

import base64
import io

from PIL import Image

from .fake_server import FakeServer, read_chat, reply


class EyeServer(FakeServer):
    """A fake vision server: what it answers, and how many tokens a picture costs, depends on the picture it got."""

    def __init__(self, *, sees: str = "colour", picture_tokens: int = 16, context: int = 4096, **kwargs) -> None:
        self.sees = sees
        self.picture_tokens = picture_tokens
        self.context = context
        super().__init__(**kwargs)

    def models(self):
        return super().models() | {"max_model_len": self.context}

    def reply(self, body, text, **kwargs):
        out = reply(body, text, **kwargs)
        _, pictures = read_chat(body)
        out["usage"]["prompt_tokens"] = 10 + self.picture_tokens * len(pictures)
        if self.sees == "colour":
            out["choices"][0]["message"]["content"] = self.colour(pictures)
        elif self.sees == "wrongly":
            out["choices"][0]["message"]["content"] = f"a cat {len(str(pictures))} {self.colour(pictures)[::-1]}"
        else:
            out["choices"][0]["message"]["content"] = "I see nothing."
        return out

    @staticmethod
    def colour(pictures):
        if not pictures:
            return "none"
        red, _, blue = Image.open(io.BytesIO(base64.b64decode(pictures[0].split(",")[1]))).getpixel((5, 5))
        return "Red." if red > blue else "Blue."
