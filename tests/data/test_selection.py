"""Selection: caps, splits, and that no picture is in two of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from cogito_data.pool import Pool
from cogito_data.recipe import DataRecipe, load_data_recipe
from cogito_data.selection import cap, draw, drop_by_difficulty, hold_out
from cogito_data.sources.base import load_source, source_names
from cogito_data.trials import Measured
from tests.data.making import dropped, encoded, noise_picture, pool_of, sample


def recipe(**keys: Any) -> DataRecipe:
    return DataRecipe.model_validate({"mix": [{"source": "made", **keys.pop("source", {})}], **keys})


def shared_pool(folder: Path) -> Pool:
    """60 questions on 20 pictures; every fifth shows the next picture as well, which ties the two together."""
    pictures = [encoded(noise_picture(i)) for i in range(21)]
    again = [encoded(noise_picture(i), compress_level=1) for i in range(21)]
    rows = []
    for i in range(60):
        shown = [(pictures if i % 2 else again)[i % 20]] + ([pictures[i % 20 + 1]] if i % 5 == 0 else [])
        category = ("math", "chart")[i % 2]
        rows.append(sample(f"q{i:02d}", f"Question {i}?", str(i), pictures=shown, category=category))
    return pool_of(rows, folder)


def test_no_picture_is_in_two_splits(tmp_path: Path) -> None:
    pool = shared_pool(tmp_path)
    held = hold_out(pool, recipe(hold_out={"validation": 12, "heldout": 20}))
    split_of: dict[int, str] = {row: name for name, rows in held.items() for row in rows}
    seen: dict[bytes, set[str]] = {}
    for row, (pictures,) in pool.stream("outlines"):
        for picture in pictures:
            seen.setdefault(picture, set()).add(split_of.get(row, "train"))
    assert all(len(splits) == 1 for splits in seen.values())
    # Every picture has three questions, so 20 rows cannot be met with whole groups.
    assert len(held["validation"]) == 12
    assert 16 <= len(held["heldout"]) <= 20


def test_splits_do_not_depend_on_the_order_or_on_rows_that_leave(tmp_path: Path) -> None:
    settings = recipe(hold_out={"validation": 5, "heldout": 5})
    rows = [sample(f"q{i}", f"Question {i}?", pictures=[encoded(noise_picture(i))]) for i in range(30)]
    one, other = pool_of(rows, tmp_path / "a"), pool_of(rows[::-1], tmp_path / "b")
    names = [{name: sorted(map(pool.name, found)) for name, found in hold_out(pool, settings).items()} for pool in (one, other)]
    assert names[0] == names[1]
    outsider = next(row for row in one.rows if all(row not in found for found in hold_out(one, settings).values()))
    one.drop(outsider, "test", "test")
    assert {name: sorted(map(one.name, found)) for name, found in hold_out(one, settings).items()} == names[0]


def test_caps_by_source_and_category_spare_what_is_held_out(tmp_path: Path) -> None:
    pool = shared_pool(tmp_path)
    spared = pool.rows[:10]
    cap(pool, recipe(source={"cap": 30}, select={"category_caps": {"math": 10}}), spared)
    assert all(pool.alive[row] for row in spared)
    left = [row for row in pool.rows if row not in spared]
    names, codes = pool.codes("category")
    categories = Counter(names[codes[row]] for row in left)
    reasons = Counter(dropped(pool).values())
    assert reasons["source_cap"] == 20
    assert categories["math"] == 10
    assert len(left) == 50 - 20 - reasons["category_cap"]


def test_a_sample_is_drawn_before_difficulty_and_its_cap_takes_from_it(tmp_path: Path) -> None:
    pools = [shared_pool(tmp_path / name) for name in ("sampled", "capped")]
    sampled = recipe(source={"sample": 25, "cap": 10})
    draw(pools[0], sampled, pools[0].rows[:4])
    assert len(pools[0].rows) == 29
    assert set(dropped(pools[0]).values()) == {"not_sampled"}
    cap(pools[0], sampled, pools[0].rows[:0])
    cap(pools[1], recipe(source={"cap": 10}), pools[1].rows[:0])
    kept = [{pool.name(row) for row in pool.rows} for pool in pools]
    assert len(kept[1]) == len(kept[0]) == 10
    assert len(kept[0] & kept[1]) >= 6, "only held-out rows that were spared by the sample may differ"


def test_difficulty_drops_by_certain_verdicts(tmp_path: Path) -> None:
    pool = pool_of([sample(f"q{i}", f"Question {i}?") for i in range(4)], tmp_path)
    settings = recipe(difficulty={"model": "m", "drop_above": 0.5}).difficulty
    assert settings is not None
    # Certain after 4 wrong, certain after 5 right, all 8 asked on either side of the line.
    measured = Measured(len(pool), settings)
    measured.add(range(4), right=[0, 5, 4, 5], done=[4, 6, 8, 8], tokens=[0, 50, 40, 50])
    drop_by_difficulty(pool, measured, settings)
    assert {row for row in range(4) if not pool.alive[row]} == {1, 3}
    assert set(dropped(pool).values()) == {"too_easy"}
    assert "more than 4 of 8" in next(iter(pool.drops)).evidence


def test_the_papers_recipe_has_the_papers_counts() -> None:
    """Caps are the sizes of Table 4; a sample is larger than its cap; ScienceQA alone stays multiple choice."""
    _, vl_cogito = load_data_recipe("vl-cogito")
    sizes = {name: paper.size for name in source_names() if (paper := load_source(name).manifest.paper) is not None}
    assert {part.name: part.cap for part in vl_cogito.mix} == sizes
    assert [part.name for part in vl_cogito.mix if not part.reformulate] == ["scienceqa"]
    assert all(part.sample > part.cap for part in vl_cogito.mix if part.sample is not None and part.cap is not None)
    assert vl_cogito.hold_out.validation == 1000
    assert vl_cogito.difficulty is not None
    assert (vl_cogito.difficulty.trials, vl_cogito.difficulty.keep_counts) == (8, (0, 4))
    assert vl_cogito.reformulate is None
