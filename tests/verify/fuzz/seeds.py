"""The fuzzer's first inputs: pairs of the suite, replies, and words it should combine. `python -m ... seeds FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from ..suite import load

REPLIES = [
    "So the answer is 5.",
    "The answer is (B).",
    "\\boxed{\\frac{1}{2}}",
    "<think>a</think><answer>4</answer>",
    "Thus x=3, y=4.",
    "(A) red\n(B) blue\nAnswer: B",
    "#### 42",
    '{"answer": "5"}',
    "The area is at least 12 cm^2, not 15.",
    "答案是B。",
]
CALLS = 8


def write(folder: Path, every: int = 1) -> int:
    """Write one file an input to `folder`: every so-manieth pair of the suite for one call, each reply for all."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [
        bytes([number % CALLS]) + pair.gold.encode() + b"\0" + pair.answer.encode()
        for number, pair in enumerate(load()[::every])
    ]
    inputs += [bytes([call]) + b"42\0" + reply.encode() for call in range(CALLS) for reply in REPLIES]
    for number, data in enumerate(inputs):
        (folder / f"seed{number:05d}").write_bytes(data)
    return len(inputs)


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} inputs in {sys.argv[1]}")
