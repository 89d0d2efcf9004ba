"""Another program's answers, matched with our items. A number that names another question is never believed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from cogito_eval.item import Item


@dataclass(frozen=True)
class Prediction:
    """What a file says of one question: its own name for it, its text where the file has it, the answers in order."""

    index: str
    question: str | None
    answers: tuple[str, ...]


@dataclass
class Matched:
    """Item id -> answers; `strange` are the predictions that belong to no item, with the reason."""

    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strange: list[tuple[str, str]] = field(default_factory=list)
    by_text: int = 0


def match(predictions: Sequence[Prediction], items: Sequence[Item]) -> Matched:
    """Give every item its answers.

    A prediction belongs to the item of its index if their questions agree (or the file has no questions); else to
    the one item with its question. Programs number the same benchmark from 0, from 1 or by their own order, so an
    index alone proves nothing.
    """
    by_id = {item.id: item for item in items}
    texts: dict[str, list[Item]] = {}
    for asked in items:
        texts.setdefault(_key(asked.problem), []).append(asked)
    found = Matched()
    for one in predictions:
        item = by_id.get(one.index)
        if item is not None and (one.question is None or agree(one.question, item.problem)):
            _enter(found, one, item)
            continue
        same = texts.get(_key(one.question), []) if one.question is not None else []
        if len(same) == 1:
            found.by_text += 1
            _enter(found, one, same[0])
        else:
            found.strange.append((one.index, _why(one, item, len(same))))
    return found


def agree(theirs: str, ours: str) -> bool:
    """Whether two writings are of one question: either holds the other, apart from marks, case and space."""
    a, b = _key(theirs), _key(ours)
    return bool(a) and bool(b) and (a in b or b in a)


def _enter(found: Matched, one: Prediction, item: Item) -> None:
    if item.id in found.answers:
        found.strange.append((one.index, f"a second answer to {item.id}"))
    else:
        found.answers[item.id] = one.answers


def _why(one: Prediction, item: Item | None, same: int) -> str:
    if item is not None:
        return "the item of that index asks something else, and its question does not tell which is meant"
    if one.question is None:
        return "no item has that index"
    return f"no item has that index, and {same or 'none'} of the items ask that question"


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text.replace("<image>", " ")).casefold()
    return re.sub(r"[\W_]+", "", folded)
