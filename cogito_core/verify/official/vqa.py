"""VQA v2 and OK-VQA: the accuracy of an answer against the ten people's, as visualqa.org/evaluation describes it."""

from __future__ import annotations

from cogito_core.verify.extract import extract
from cogito_core.verify.official.row import Row, given
from cogito_core.verify.verdict import Verdict
from cogito_core.verify.vqa import consensus, enough, people_of, processed


def score(row: Row) -> Verdict:
    """VQA: part credit for an answer that one or two people gave; right where three did. `answers` holds the ten."""
    people = people_of(row.get("answers") if row.get("answers") is not None else row.get("gold"))
    answer, ready = given(row)
    said = answer if ready else extract(answer, kind="text").text or ""
    share = consensus(said, people)
    return Verdict(
        "right" if enough(said, people) else "wrong",
        "official",
        "vqa",
        "; ".join(sorted({processed(one) for one in people}))[:400],
        processed(said)[:400],
        said,
        None,
        "official vqa",
        f"{said[:60]!r} has a consensus of {float(share):.2f} among {len(people)} answers",
        float(share),
    )
