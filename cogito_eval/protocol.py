"""How an item is asked: the paper's plain prompt, the benchmark's own, the training format, or cogito-nano's.

Circular evaluation asks a multiple choice question once for every rotation of its options.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from cogito_core.console import UsageError
from cogito_core.engines.base import Chat, Message
from cogito_core.prompts import PROMPTS, build_chat
from cogito_core.sample import Picture
from cogito_eval.benchmark import Benchmark
from cogito_eval.item import LETTERS, Item

Protocol = Literal["auto", "paper", "own", "training", "nano"]
PROTOCOLS: tuple[Protocol, ...] = ("auto", "paper", "own", "training", "nano")

_CORE_PROMPT = {"paper": "eval", "training": "train", "nano": "nano"}
_BY_DEFAULT = {"eval": "paper", "train": "training", "nano": "nano", "own": "own"}


def resolve_protocol(protocol: str, benchmark: Benchmark) -> str:
    """The protocol that `auto` means for a benchmark; any other is itself.

    Raises UsageError for an unknown protocol, or `own` where the benchmark ships no prompt.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"--protocol is one of {', '.join(PROTOCOLS)}, not '{protocol}'")
    chosen = _BY_DEFAULT[benchmark.prompt.default] if protocol == "auto" else protocol
    if chosen == "own" and not benchmark.prompt.own and benchmark.hook("own_prompt") is None:
        raise UsageError(f"{benchmark.name} has no prompt of its own; use --protocol paper")
    return chosen


def prompt_key(protocol: str, benchmark: Benchmark) -> str:
    """What names the exact prompt text in a result: name and version, or the benchmark's own."""
    core = _CORE_PROMPT.get(protocol)
    return PROMPTS[core].key if core else f"own/{benchmark.name}"


def ask(item: Item, pictures: tuple[Picture, ...], protocol: str, benchmark: Benchmark) -> Chat:
    """The chat that asks an item under a protocol."""
    core = _CORE_PROMPT.get(protocol)
    if core is not None:
        return build_chat(core, item.question, pictures)
    hook = benchmark.hook("own_prompt")
    if hook is not None:
        text = hook(item)
    else:
        # Not str.format: questions are full of braces.
        text = benchmark.prompt.own.replace("{choices}", item.lettered).replace("{problem}", item.problem)
    return Chat((Message("user", text),), pictures)


def rotations(item: Item) -> Iterator[Item]:
    """The item with its options rotated by 0, 1, 2, ... places, ids marked `#r1`, `#r2`; others as they are.

    Only items whose options are apart from the question can be rotated.
    """
    yield item
    if item.kind != "choice" or len(item.choices) < 2 or item.shown_choices:
        return
    n = len(item.choices)
    place = LETTERS.index(item.gold)
    for shift in range(1, n):
        # The option at position i moves to position i - shift.
        moved = item.choices[shift:] + item.choices[:shift]
        aliases = tuple(LETTERS[(LETTERS.index(letter) - shift) % n] for letter in item.aliases)
        yield replace(item, id=f"{item.id}#r{shift}", choices=moved, gold=LETTERS[(place - shift) % n],
                      aliases=aliases, official={}, rotation_of=item.id)
