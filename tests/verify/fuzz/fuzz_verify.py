"""A coverage-guided fuzzer (atheris, libFuzzer) for the reader, extraction and judging.

    python -m tests.verify.fuzz.seeds FOLDER                                  # begin with the suite
    python -m tests.verify.fuzz.fuzz_verify FOLDER -max_total_time=900        # keeps what reaches new code in FOLDER
    python -m tests.verify.fuzz.fuzz_verify CRASH_FILE                        # one input again

An input is two texts parted by a null byte, gold and answer; its first byte chooses the call. What must hold: nothing
is raised, the verdict is one of three, the same pair gives the same verdict again, places lie inside the text, and no
call takes more than `LIMIT_S` seconds of CPU: ten times the bound, since the probes for coverage cost a factor of three and
machines differ.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["cogito_core.verify"]):
    from cogito_core.verify import Verdict, extract, judge, verify
    from cogito_core.verify.reader import read
    from cogito_core.verify.tree import ReadError, show

LIMIT_S = 0.6
CHOICES = ["42", "x", "red apple", "\\frac{1}{2}"]
KINDS = ("number", "list", "interval", "text", "yes_no", "expression", "time", "quantity", "vqa", "equation")


def _read(gold: str, answer: str) -> object:
    for units in (True, False):
        try:
            node = read(answer, units)
        except ReadError:
            continue
        stack = [node]
        while stack:
            one = stack.pop()
            assert 0 <= one.start <= one.end <= len(answer), one
            stack.extend(one.args)
        assert show(node)
    return None


def _extract(gold: str, answer: str) -> object:
    found = extract(answer, kind=KINDS[len(answer) % len(KINDS)])
    assert found.span is None or 0 <= found.span[0] <= found.span[1] <= len(answer), found
    return found


CALLS: tuple[Callable[[str, str], object], ...] = (
    _read,
    _extract,
    lambda gold, answer: verify(gold, answer),
    lambda gold, answer: judge(answer, gold),
    lambda gold, answer: judge(answer, gold, choices=CHOICES),
    lambda gold, answer: verify(gold, answer, choices=CHOICES),
    lambda gold, answer: verify(gold, answer, kind=KINDS[len(answer) % len(KINDS)]),
    lambda gold, answer: verify(gold, answer, policy="relative(5%)"),
)


def one_input(data: bytes) -> None:
    """Judge one input of the fuzzer; raises where something does not hold."""
    call = CALLS[data[0] % len(CALLS)] if data else _read
    left, _, right = data[1:].partition(b"\0")
    gold, answer = (part.decode("utf-8", "surrogateescape") for part in (left, right or left))
    start = time.thread_time()
    said = call(gold, answer)
    if time.thread_time() - start > LIMIT_S:
        assert min(_again(call, gold, answer) for _ in range(3)) < LIMIT_S, f"slow: {call} {gold!r} {answer!r}"
    if isinstance(said, Verdict):
        assert said.outcome in ("right", "wrong", "undecidable") and said.kind and said.rule and said.reason, said
        assert call(gold, answer) == said, (gold, answer)


def _again(call: Callable[[str, str], object], gold: str, answer: str) -> float:
    start = time.thread_time()
    call(gold, answer)
    return time.thread_time() - start


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
