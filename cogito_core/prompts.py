"""Prompts, in our own words, with the facts of the paper's.

`train`: the paper frames a dialogue, asks for stepwise reasoning with checks and reflection, the reasoning in
<think>, the answer in <answer>, the key result boxed; its code adds that a multiple choice answer is the
option's letter (VL-Cogito, Appendix and official stage scripts). `eval`: deliberately plain, one box, no tags
(Table 6). `nano`: the question alone, because cogito-nano has seen no instructions.
"""

from __future__ import annotations

from dataclasses import dataclass

from cogito_core.console import CogitoError
from cogito_core.engines.base import Chat, Message
from cogito_core.sample import Picture


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system text and a template of the user text in which `{problem}` is replaced."""

    name: str
    system: str
    user: str
    version: int = 1

    @property
    def key(self) -> str:
        """What enters a cache key: a changed text must never meet old answers."""
        return f"{self.name}/v{self.version}"


_TRAIN_SYSTEM = (
    "The user asks a question about one or more pictures and you solve it. "
    "Look at the pictures and read the question with care, then reason step by step. "
    "After each step check that it holds; where you find a mistake, say so and correct it before going on. "
    "Write the reasoning between <think> and </think>, then the final answer between <answer> and </answer>, "
    "with its key result in \\boxed{}. If the question offers lettered options, box only the letter of the "
    "right one. The form is: <think> reasoning </think> <answer> the answer is \\boxed{result} </answer>"
)

_EVAL_USER = (
    "{problem}\nSolve the problem step by step, then give the final answer in one \\boxed{{}}. "
    "If options are offered, box the single letter of the right one."
)

PROMPTS: dict[str, Prompt] = {
    "train": Prompt("train", _TRAIN_SYSTEM, "{problem}"),
    "eval": Prompt("eval", "", _EVAL_USER),
    "nano": Prompt("nano", "", "{problem}"),
}


def build_chat(prompt_name: str, problem: str, images: tuple[Picture, ...]) -> Chat:
    """The chat that asks `problem` in the words of a prompt.

    Raises:
        CogitoError: there is no such prompt.
    """
    prompt = PROMPTS.get(prompt_name)
    if prompt is None:
        raise CogitoError(f"there is no prompt '{prompt_name}'; known: {', '.join(PROMPTS)}")
    # Not str.format on the problem: LaTeX is full of braces.
    head, _, tail = prompt.user.partition("{problem}")
    user = head.replace("{{}}", "{}") + problem + tail.replace("{{}}", "{}")
    messages = [Message("system", prompt.system)] if prompt.system else []
    return Chat((*messages, Message("user", user)), images)
