"""Our verifier as verl's reward function, for shards of `cogito-data export --format verl`.

    custom_reward_function.path=.../cogito_train/integrations/verl_reward.py
    custom_reward_function.name=compute_score

The score is accuracy + 0.5 * format, which the estimators of `cogito_train.integrations.verl` take apart again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cogito_train.integrations.verdicts import verdict_on
from cogito_train.rewards import format_reward

FORMAT_WEIGHT = 0.5


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None, **_: Any
) -> float:
    """1 for a right answer plus 0.5 for the form `<think>..</think><answer>..</answer>`; never raises."""
    verdict = verdict_on(solution_str, ground_truth, extra_info or {})
    return float(verdict.is_right) + FORMAT_WEIGHT * format_reward(solution_str)
