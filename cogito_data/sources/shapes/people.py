"""Golds that several people gave (VQA's ten answers a question): their consensus decides, as the benchmark has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cogito_core.verify.vqa import FULL, processed
from cogito_data.sources.base import Gold
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.golds import free_form


def consensus_gold(row: Row, answers: Iterable[str], *, chosen: str | None = None) -> tuple[Gold, dict[str, int]]:
    """The gold of a question that several people answered, of the kind `vqa`, and how often each answer was given.

    All answers stand in `spec["answers"]`: the verifier calls right what three people said (Antol et al. 2015,
    section 3; cogito_core.verify.vqa), both sides processed as visualqa.org/evaluation describes it. The gold is
    upstream's `multiple_choice_answer` (`chosen`) where three people gave it, else what most gave, a tie to the
    answer given first; the aliases are the other answers of three people. Where nobody answered and there is a
    `chosen` all the same, that is a gold like any other.

    Raises:
        BadRow: nobody answered, no answer was given by three people (by all, where fewer were asked), or three
            said yes and three no, so that any guess would be right.
    """
    said = tuple(text for answer in answers if (text := " ".join(answer.split())))
    if not said and chosen:
        return free_form(row, chosen, prose=True), {}
    if not said:
        raise row.fail("empty_gold", "no annotator gave an answer")
    counts = Counter(said)
    forms = Counter(map(processed, said))
    needed = min(FULL, len(said))
    agreed = [one for one, n in forms.most_common() if n >= needed]
    if not agreed:
        most, n = counts.most_common(1)[0]
        sentence = f"no answer was given by {needed} of the {len(said)} people; most said {most!r} ({n})"
        raise row.fail("no_consensus", sentence)
    if {"yes", "no"} <= set(agreed):
        raise row.fail("no_consensus", f"{forms['yes']} people said yes and {forms['no']} no, so either is right")
    if chosen is not None and processed(chosen) in agreed:
        first = processed(chosen)
        best = chosen
    else:
        first = agreed[0]
        best = _written(first, counts)
    aliases = tuple(_written(one, counts) for one in agreed if one != first)
    return Gold(best, "vqa", best, {"answers": list(said)}, aliases), dict(counts)


def scored_gold(row: Row, field: str) -> Gold:
    """The gold of soft labels `{answer: score}`, where a score is min(1, people / 3) (LXMERT's files).

    Of answers that more than three people gave three are known; more would change no verdict.

    Raises:
        BadRow: the field is empty or no such mapping, or no answer has the score 1.
    """
    scores = row.gold_mapping(field)
    if not scores:
        raise row.fail("empty_gold", f"field '{field}' is empty")
    for answer, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise row.fail("wrong_type", f"field '{field}': the score of {answer!r} is {score!r}, not 0 to 1")
    if not any(score == 1 for answer, score in scores.items() if answer.strip()):
        raise row.fail("no_consensus", f"no answer was given by three people: {dict(scores)}")
    people = (answer for answer, score in scores.items() for _ in range(round(FULL * score)))
    return consensus_gold(row, people)[0]


def _written(form: str, counts: Counter[str]) -> str:
    """The wording of a processed answer that most people used."""
    return next(answer for answer, _ in counts.most_common() if processed(answer) == form)
