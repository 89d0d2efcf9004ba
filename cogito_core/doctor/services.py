"""What can be asked: the embedded engine, vLLM, a server, the Hub; and which keys are set (never their values)."""

from __future__ import annotations

import importlib.util
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from cogito_core.console import CogitoError
from cogito_core.doctor.check import Check
from cogito_core.masking import SECRET_VARIABLES, mask

_SERVER = "vllm serve Qwen/Qwen2.5-VL-7B-Instruct --port 8000"


def check_embedded() -> Check:
    """One answer of nano from the transformers engine; the real thing, not only its import."""
    name = "engine transformers"
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            return Check(name, "missing", f"{package} is not installed", "pip install 'cogito-vlm[local]'")
    from cogito_core.engines import open_engine
    from cogito_core.engines.base import Chat, Message, Request, Sampling

    chat = Chat((Message("user", "How many circles are there?"),), ())
    started = time.monotonic()
    try:
        engine = open_engine("transformers", "nano")
        try:
            (result,) = engine.generate([Request("doctor", chat, (0,), Sampling(temperature=0.0, max_tokens=32))])
        finally:
            engine.close()
    except Exception as error:  # whatever a broken torch raises is the finding
        return Check(name, "broken", f"nano does not answer: {type(error).__name__}: {error}",
                     "pip install --force-reinstall 'cogito-vlm[local]'")
    if result.error is not None:
        return Check(name, "broken", f"nano does not answer: {result.error}", "run again with --debug")
    seconds = time.monotonic() - started
    return Check(name, "ok", f"nano wrote {result.answers[0].n_tokens} tokens, {seconds:.1f} s with loading")


def check_vllm() -> Check:
    """Whether vLLM can run in this process; it is not started, which would take a GPU and a minute."""
    if importlib.util.find_spec("vllm") is None:
        return Check("engine vllm", "missing", "vllm is not installed here; a server elsewhere does as well",
                     "pip install 'cogito-vlm[vllm]'")
    return Check("engine vllm", "ok", "vllm is installed (not started)")


def check_server(spec: str | None, model: str) -> Check:
    """Ask a server, or any engine, for the colour of two pictures; without one, how to start and to name one."""
    if spec is None:
        return Check("engine openai", "note", "no server was named, so none was asked",
                     f"{_SERVER}, then cogito-data doctor --engine openai:http://HOST:8000/v1 "
                     "--model Qwen/Qwen2.5-VL-7B-Instruct")
    from cogito_core.engines import open_engine
    from cogito_core.engines.check import check_engine

    name = f"engine {mask(spec)}"
    try:
        engine = open_engine(spec, model)
        try:
            report = check_engine(engine)
        finally:
            engine.close()
    except CogitoError as error:
        return Check(name, "broken", mask(str(error)), _SERVER if spec.startswith("openai") else "")
    sees = "names the colours of pictures" if report.recognised else "takes pictures, but did not name their colours"
    said = f"{model} {sees}; " + "; ".join((f"{report.picture_tokens} tokens a small picture", *report.warnings))
    return Check(name, "ok" if report.recognised and not report.warnings else "note", said)


def check_hub(timeout_s: float = 3.0) -> Check:
    """Whether the Hugging Face Hub answers, and whether a token is set."""
    from huggingface_hub import constants, get_token

    token = "a token is set" if get_token() else "no token is set (gated repositories need one: hf auth login)"
    if constants.HF_HUB_OFFLINE:
        said = f"HF_HUB_OFFLINE is set: only what is on this machine is used; {token}"
        return Check("hub", "note", said, "unset HF_HUB_OFFLINE")
    try:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        with urllib.request.urlopen(request, timeout=timeout_s):
            pass
    except urllib.error.HTTPError:
        pass  # it answered
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or reason
        said = f"{mask(constants.ENDPOINT)} does not answer within {timeout_s:.0f} s ({why}); {token}"
        return Check("hub", "note", said, "work from local copies (--from ROOT), or set HTTPS_PROXY or HF_ENDPOINT")
    return Check("hub", "ok", f"{mask(constants.ENDPOINT)} answers; {token}")


def check_keys() -> Iterator[Check]:
    """Which secret variables are set, by name only."""
    names = [name for name in SECRET_VARIABLES if os.environ.get(name)]
    yield Check("keys", "ok" if names else "note", f"set: {', '.join(names)}" if names else
                "none is set (a hosted server wants COGITO_API_KEY or OPENAI_API_KEY, the Hub HF_TOKEN)")
