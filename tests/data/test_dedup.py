"""Duplicates: what goes, and above all what stays."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from cogito_data.dedup import deduplicate
from cogito_data.likeness import look
from cogito_data.recipe import Deduplicate
from tests.data.making import dropped, encoded, noise_picture, pool_of, sample
from tests.data.test_likeness import chart


def test_only_the_same_question_on_the_same_picture_with_the_same_answer_goes(tmp_path: Path) -> None:
    picture = noise_picture(5)
    png, again = encoded(picture), encoded(picture, compress_level=1)
    near = encoded(picture.resize((128, 96), Image.Resampling.NEAREST))
    other = encoded(noise_picture(6))
    pool = pool_of([
        sample("a", "How many cats?", "3", pictures=[png]),
        sample("b-same-bytes", "how many  CATS", "3", pictures=[png]),
        sample("c-same-pixels", "How many cats?", "3", pictures=[again]),
        sample("d-looks-alike", "How many cats?", "3", pictures=[near]),
        sample("e-other-question", "How many dogs?", "3", pictures=[png]),
        sample("f-other-picture", "How many cats?", "3", pictures=[other]),
        sample("g-other-answer", "How many cats?", "4", pictures=[png]),
        sample("h-two-pictures", "How many cats?", "3", pictures=[png, png]),
        sample("i-no-picture", "How many cats?", "3"),
    ], tmp_path)
    findings = deduplicate(pool, Deduplicate())
    gone = dropped(pool)
    # Which of the equal rows comes first depends on their picture hashes; three of the four go in any case.
    quartet = {"a", "b-same-bytes", "c-same-pixels", "d-looks-alike"}
    assert set(gone) < quartet
    assert len(gone) == 3
    assert set(gone.values()) <= {"duplicate_bytes", "duplicate_near", "duplicate_pixels"}
    assert list(gone.values()).count("duplicate_near") == 1
    assert len(findings.contradictions) == 1
    assert "made/train/g-other-answer" in {pool.name(row) for row in findings.contradictions[0]}
    assert all(pool.alive[kept] for kept, *_ in findings.pairs)


def test_a_hash_alone_never_decides(tmp_path: Path) -> None:
    one, other = encoded(chart("1234")), encoded(chart("1734"))
    pool = pool_of([sample("a", pictures=[one]), sample("b", pictures=[other])], tmp_path)
    findings = deduplicate(pool, Deduplicate(nominate_bits=8))
    assert not pool.drops
    assert len(findings.refused) == 1


def test_equal_outlines_are_not_taken_for_equal_pixels(tmp_path: Path) -> None:
    """Two pixels change places inside one block, so that the means of all blocks stay as they are."""
    picture = noise_picture(7, (512, 384))
    moved = picture.copy()
    for x, colour in ((0, (0, 0, 0)), (1, (255, 255, 255))):
        picture.putpixel((x, 0), colour)
        moved.putpixel((1 - x, 0), colour)
    one, other = encoded(picture), encoded(moved)
    assert look(one, where="a").outline == look(other, where="b").outline
    pool = pool_of([
        sample("a", "How many cats?", "3", pictures=[one]), sample("b", "How many cats?", "3", pictures=[other]),
        sample("c", "How many dogs?", "1", pictures=[one]), sample("d", "How many dogs?", "2", pictures=[other]),
    ], tmp_path)
    findings = deduplicate(pool, Deduplicate())
    assert list(dropped(pool).values()) == ["duplicate_near"], "found by comparing, not as the same pixels"
    assert not findings.contradictions, "the golds differ on pictures that differ"


def test_multiple_choice_with_other_options_is_another_question(tmp_path: Path) -> None:
    png = encoded(noise_picture(5))
    question = "Which of these is red?"
    pool = pool_of([
        sample("a", question, "A", kind="choice", choices=("apple", "lime"), pictures=[png]),
        sample("b", question, "A", kind="choice", choices=("apple", "pear"), pictures=[png]),
        sample("c", question, "B", kind="choice", choices=("lime", "apple"), pictures=[png]),
    ], tmp_path)
    deduplicate(pool, Deduplicate())
    assert dropped(pool) == {"c": "duplicate_bytes"}


def test_switched_off_it_drops_nothing(tmp_path: Path) -> None:
    pool = pool_of([sample("a"), sample("b")], tmp_path)
    deduplicate(pool, Deduplicate(enabled=False))
    assert not pool.drops
