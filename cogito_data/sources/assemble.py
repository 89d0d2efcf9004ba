"""From an adapter's problem to a Sample: prompt form, pictures, provenance. The same for all sources."""

from __future__ import annotations

import unicodedata

from cogito_core.sample import Sample
from cogito_data.sources.base import Problem, SourceManifest
from cogito_data.sources.pictures import PictureReader
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.options import lettered

MARK = "<image>"


def problem_text(question: str, n_pictures: int, choices: tuple[str, ...]) -> str:
    """The question as the model sees it: picture marks, upstream's words, options as lines `(A) text`.

    Upstream's own marks stay where they are if there is one for each picture; else they give way to one mark a
    picture in front.
    """
    if question.count(MARK) != n_pictures:
        question = " ".join(part.strip() for part in question.split(MARK)).strip()
        question = f"{MARK * n_pictures}\n{question}" if n_pictures else question
    return f"{question}\n{lettered(choices)}" if choices else question


def sample_id(manifest: SourceManifest, problem: Problem) -> str:
    """`<source>/<split>/<upstream id>`."""
    return f"{manifest.name}/{problem.split}/{problem.upstream_id}"


def _check_id(row: Row, upstream_id: str) -> None:
    """Raise BadRow for an id that a line of the ledger or a file cannot hold, or that names nothing."""
    if not upstream_id.strip():
        raise row.fail("bad_id", "the row's id is empty")
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in upstream_id):
        raise row.fail("bad_id", f"the row's id {upstream_id[:60]!r} holds a control character")


def to_sample(
    manifest: SourceManifest, problem: Problem, row: Row, pictures: PictureReader, *, url: str, revision: str
) -> Sample:
    """One Sample. Pure but for reading the picture files the problem names.

    `original_problem` is the bare question of upstream, without marks and options; `original_answer` is the gold
    as upstream wrote it. The step that opens multiple choice questions starts from these and `choices`.

    Raises:
        BadRow: the problem has a fault, the question or the id is empty, an option is a picture mark, or a picture is
            missing or damaged.
    """
    if problem.fault is not None:
        raise problem.fault
    bare = unicodedata.normalize("NFC", " ".join(part.strip() for part in problem.question.split(MARK)).strip())
    _check_id(row, problem.upstream_id)
    if not bare:
        raise row.fail("empty_question", "the question has no text")
    if not problem.gold.answer.strip():
        raise row.fail("empty_gold", "the gold is empty")
    if any(MARK in choice for choice in problem.choices):
        raise row.fail("bad_choices", "an option is a picture, which this source does not name")
    images = tuple(pictures.read(row, picture) for picture in problem.pictures)
    return Sample(
        id=sample_id(manifest, problem),
        source=manifest.name,
        category=manifest.category,
        split=problem.split,
        language=problem.language or manifest.language,
        problem=problem_text(problem.question, len(images), problem.choices),
        images=images,
        answer=problem.gold.answer,
        answer_aliases=problem.gold.aliases,
        answer_kind=problem.gold.kind,
        answer_spec=dict(problem.gold.spec),
        choices=problem.choices,
        reformulation="none: as upstream",
        original_problem=bare,
        original_answer=problem.gold.original,
        license=manifest.licence.name,
        upstream_url=url,
        upstream_id=problem.upstream_id,
        upstream_revision=revision,
        meta=problem.meta,
    )
