"""PCuRL in TRL's GRPOTrainer: the same rewards, weights and advantages, by a subclass (TRL 1.16).

    from cogito_train.integrations.trl import PCuRL, accuracy, with_pcurl
    trainer = with_pcurl(GRPOTrainer)(model=..., reward_funcs=accuracy, args=..., train_dataset=...)
    trainer.pcurl = PCuRL(curve="hard", rule=RewardRule(length="dynamic", repetition=0.5, limit=4096))

`reward_funcs` is one function that gives 1 for a right answer and 0 for a wrong one; `accuracy` is it for our shards,
with or without PCuRL. TRL's private methods
`_calculate_rewards` and `_generate_and_score_completions` are overridden, as it has no hook for advantages.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cogito_train.integrations.rules import stage_advantages
from cogito_train.integrations.verdicts import COLUMNS, verdict_on
from cogito_train.rewards import RewardRule


def accuracy(completions: Sequence[Any], answer: Sequence[str], **columns: Any) -> list[float]:
    """1 for a right answer, 0 for any other, by the rule that each row names: a reward function of TRL.

    TRL hands over every column of the set by name, one value for each of the completions.
    """
    rows = [{name: columns[name][i] for name in COLUMNS if name in columns} for i in range(len(answer))]
    return [
        float(verdict_on(_text(completion), gold, row).is_right)
        for completion, gold, row in zip(completions, answer, rows, strict=True)
    ]


@dataclass(frozen=True)
class PCuRL:
    """The rules of one stage."""

    curve: str = "uniform"
    unsolved: float | None = None
    rule: RewardRule = field(default_factory=RewardRule)


def with_pcurl(trainer_class: type) -> type:
    """A subclass of TRL's GRPOTrainer that applies `self.pcurl` to whole groups, also across processes."""

    class PCuRLTrainer(trainer_class):
        pcurl = PCuRL()

        def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
            gather_object = importlib.import_module("accelerate.utils").gather_object

            rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
            texts = gather_object([_text(completion) for completion in completions])
            lengths = gather_object([len(ids) for ids in completion_ids_list])
            size = self.num_generations
            totals, advantages = stage_advantages(
                [position // size for position in range(len(texts))],
                (rewards[:, 0] > 0.5).tolist(),
                texts,
                lengths,
                rule=self.pcurl.rule,
                curve=self.pcurl.curve,
                unsolved=self.pcurl.unsolved,
            )
            self._pcurl_advantages = rewards.new_tensor(advantages)
            rewards[:, 0] = rewards.new_tensor(totals)
            return rewards

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            output = super()._generate_and_score_completions(inputs)
            share = len(output["advantages"])
            start = self.accelerator.process_index * share
            output["advantages"] = self._pcurl_advantages[start : start + share].to(output["advantages"])
            return output

    return PCuRLTrainer


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else completion[0]["content"]
