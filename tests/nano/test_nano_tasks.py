"""The procedural questions: reproducible, decodable, right, hard to guess, and disjoint between splits."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cogito_core.console import CogitoError
from cogito_core.verify import judge
from cogito_nano.targets import careful
from cogito_nano.tasks import CATEGORIES, LEVELS, NanoItem, task
from cogito_nano.tasks.draw import COLOURS
from cogito_nano.tasks.item import LETTERS
from cogito_nano.tasks.splits import SPLITS, generate
from tests.nano.recount import recount

ALL = [(category, level) for category in CATEGORIES for level in LEVELS]


def _items(count: int) -> list[NanoItem]:
    return [task(category, level, seed) for category, level in ALL for seed in range(count)]


def _pixels(item: NanoItem) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(item.png_bytes)).convert("RGB")).astype(int)


def test_the_same_seed_gives_the_same_item_in_another_process() -> None:
    program = (
        "import hashlib\nfrom cogito_nano.tasks import CATEGORIES, LEVELS, task\n"
        "print(hashlib.sha256(repr([task(c, l, s) for c in CATEGORIES for l in LEVELS for s in range(5)])"
        ".encode()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hashseed},
        ).stdout
        for hashseed in ("1", "2")
    }
    assert len(outputs) == 1
    assert task("math", 1, 1) != task("math", 1, 2)


def test_pictures_decode_at_whole_visual_tokens() -> None:
    for item in _items(5):
        height, width, _ = _pixels(item).shape
        assert height % 28 == 0 and width % 28 == 0
        assert 4 <= height * width // 28**2 <= 9


def test_golds_are_right_by_an_independent_recount() -> None:
    for item in _items(120):
        value = recount(item)
        assert value == item.value, item
        assert item.answer == (LETTERS[item.choices.index(value)] if item.choices else value), item
        assert len(set(item.choices)) == len(item.choices)
        assert value not in item.pool


def test_bars_have_the_height_their_colour_is_said_to_have() -> None:
    for level, unit in ((1, 7), (2, 5), (3, 5)):
        for seed in range(20):
            item = task("chart", level, seed)
            picture = _pixels(item)
            for colour, height in item.state["bars"]:
                rows = (picture == COLOURS[colour]).all(axis=2).any(axis=1)
                # The black floor line covers the bar's lowest row of pixels.
                assert rows.sum() == height * unit


def test_every_counted_shape_is_one_patch_of_its_colour() -> None:
    for item in (task("counting", level, seed) for level in LEVELS for seed in range(20)):
        picture = _pixels(item)
        for colour, rgb in COLOURS.items():
            mask = (picture == rgb).all(axis=2)
            assert _patches(mask) == sum(thing[1] == colour for thing in item.state["things"]), item.seed


def _patches(mask: np.ndarray) -> int:
    """Connected regions (8 neighbours) of a boolean picture."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    count = 0
    while left:
        count += 1
        edge = [left.pop()]
        while edge:
            y, x = edge.pop()
            for neighbour in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                if neighbour in left:
                    left.remove(neighbour)
                    edge.append(neighbour)
    return count


def test_rectangles_and_lines_measure_what_is_said() -> None:
    for seed in range(60):
        item = task("math", 2, seed)
        ink = _ink(_pixels(item))
        assert np.ptp(ink, axis=0).tolist() == [item.state["high"] * 7, item.state["wide"] * 7]
        line = _ink(_pixels(task("math", 1, seed)))
        assert max(np.ptp(line, axis=0)) == int(task("math", 1, seed).value) * 7


def _ink(picture: np.ndarray) -> np.ndarray:
    inks = [*COLOURS.values(), (25, 25, 25)]
    return np.argwhere(np.any([(picture == ink).all(axis=2) for ink in inks], axis=0))


def test_the_verifier_accepts_every_careful_answer_and_refuses_every_other_value() -> None:
    for item in _items(15):
        assert judge(careful(item), item.answer, kind=item.answer_kind, choices=item.choices).is_right, item
        others = [letter for letter in LETTERS if letter != item.answer] if item.choices else item.pool
        for other in others:
            response = f"<think>guess</think><answer>\\boxed{{{other}}}</answer>"
            assert not judge(response, item.answer, kind=item.answer_kind, choices=item.choices).is_right, item


def test_guessing_is_weak() -> None:
    """The best constant guess to each kind of question, with the question but without the picture."""
    items = _items(250)
    by_form: dict[tuple[str, int, str, bool], Counter[str]] = {}
    for item in items:
        form = " ".join(word for word in item.question.split() if word not in COLOURS)
        by_form.setdefault((item.category, item.level, form, bool(item.choices)), Counter())[item.answer] += 1
    common = {key: counts for key, counts in by_form.items() if counts.total() >= 40}
    best = sum(counts.most_common(1)[0][1] for counts in common.values())
    assert best / sum(counts.total() for counts in common.values()) < 0.22
    kinds = Counter(item.answer_kind for item in items)
    assert kinds["yes_no"] / kinds.total() < 0.05
    assert 0.2 < kinds["choice"] / kinds.total() < 0.35
    values = Counter((item.category, item.value) for item in items)
    assert max(values.values()) / kinds.total() < 0.05


@pytest.mark.parametrize("category", ["science", "logic", "general"])
def test_the_picture_is_needed(category: str) -> None:
    """The same words get many different answers."""
    answers: dict[str, set[str]] = {}
    asked: Counter[str] = Counter()
    for level in LEVELS:
        for seed in range(400):
            item = task(category, level, seed)
            answers.setdefault(item.question, set()).add(item.value)
            asked[item.question] += 1
    often = [question for question, count in asked.items() if count >= 20]
    assert often
    assert min(len(answers[question]) for question in often) >= 2
    assert sum(len(answers[question]) for question in often) / len(often) > 4


def test_splits_share_no_picture_whatever_their_seeds() -> None:
    owner: dict[bytes, str] = {}
    for split in SPLITS:
        for seed in (0, 1):
            for category in CATEGORIES:
                for item in generate(split, category, 120, seed):
                    assert owner.setdefault(item.png_bytes, split) == split
    assert set(owner.values()) == set(SPLITS)


def test_generate_repeats_nothing_and_balances_the_levels() -> None:
    for category in CATEGORIES:
        items = list(generate("train", category, 300, 7))
        assert len({(item.problem, item.png_bytes) for item in items}) == 300
        assert Counter(item.level for item in items) == {1: 100, 2: 100, 3: 100}
        assert list(generate("train", category, 20, 7)) == items[:20]


def test_unknown_names_are_one_sentence() -> None:
    with pytest.raises(CogitoError, match="no nano category 'geography'"):
        task("geography", 1, 0)
    with pytest.raises(CogitoError, match="levels 1, 2 and 3, not 4"):
        task("math", 4, 0)
    with pytest.raises(CogitoError, match="no nano split 'test'"):
        next(generate("test", "math", 1, 0))
