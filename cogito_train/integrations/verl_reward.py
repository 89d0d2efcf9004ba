"""Our verifier as verl's reward function, for shards of `cogito-data export --format verl`.

    custom_reward_function.path=.../cogito_train/integrations/verl_reward.py
    custom_reward_function.name=compute_score

The score is accuracy + 0.5 * format, which the estimators of `cogito_train.integrations.verl` take apart again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cogito_core.verify import judge
from cogito_train.rewards import format_reward

FORMAT_WEIGHT = 0.5


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None, **_: Any
) -> float:
    """1 for a right answer plus 0.5 for the form `<think>..</think><answer>..</answer>`; never raises."""
    extra = extra_info or {}
    spec = json.loads(extra.get("answer_spec") or "{}")
    verdict = judge(
        solution_str,
        ground_truth,
        kind=extra.get("answer_kind") or None,
        choices=_texts(extra.get("choices")),
        aliases=_texts(extra.get("answer_aliases")),
        policy=spec.get("policy", "exact"),
        spec=spec,
    )
    return float(verdict.is_right) + FORMAT_WEIGHT * format_reward(solution_str)


def _texts(values: Any) -> tuple[str, ...]:
    """A list of texts as verl hands it over: a list, an array, or nothing."""
    return () if values is None else tuple(values)
