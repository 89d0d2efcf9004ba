"""The verdict on a response to a row of a shard, from its columns as other trainers hand them over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cogito_core.verify import Verdict, judge

COLUMNS = ("answer_kind", "answer_spec", "answer_aliases", "choices")
"""What decides beside the gold."""


def verdict_on(response: str, gold: str, columns: Mapping[str, Any]) -> Verdict:
    """Extract the answer of a response and judge it, by the rule that the row names.

    Args:
        columns: those of COLUMNS that there are: a text, JSON, and lists or arrays of texts; None counts as absent.
    """
    spec = json.loads(columns.get("answer_spec") or "{}")
    return judge(
        response,
        gold,
        kind=columns.get("answer_kind") or None,
        choices=_texts(columns.get("choices")),
        aliases=_texts(columns.get("answer_aliases")),
        policy=spec.get("policy", "exact"),
        spec=spec,
    )


def _texts(values: Any) -> tuple[str, ...]:
    return () if values is None else tuple(values)
