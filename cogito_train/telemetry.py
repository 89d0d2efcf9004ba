"""What a step shows: a row of metrics, one readable line, the rollouts on disk.

`metrics.jsonl` holds nothing that depends on the clock, so a resumed run writes the same bytes as a
straight one. Times go to `events.jsonl`.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.console import CogitoError
from cogito_core.files import append_line, mend_tail, replace_file, write_atomic
from cogito_train.curriculum import effective_groups
from cogito_train.rollout import RolloutGroup
from cogito_train.scores import StepScores

if TYPE_CHECKING:
    import torch

GIB = 2**30


def step_metrics(groups: Sequence[RolloutGroup], scores: StepScores, sums: dict[str, float]) -> dict[str, Any]:
    """One step as plain numbers. Lengths in tokens; entropy, KL and gaps in nats, averaged over trained
    tokens.
    """
    right, lengths = scores.correct, scores.lengths
    tokens = max(sums["tokens"], 1.0)
    sources = sorted({group.sample.source for group in groups})
    owner = np.array([sources.index(group.sample.source) for group in groups])
    size = right.shape[1]
    return {
        "prompts": len(groups),
        "answers": int(right.size),
        "reward": float(scores.rewards.total.mean()),
        "parts": {name: float(part.mean()) for name, part in scores.rewards.parts.items()},
        "reward_by_source": {s: float(scores.rewards.total[owner == i].mean()) for i, s in enumerate(sources)},
        "accuracy": float(right.mean()),
        "accuracy_by_source": {s: float(right[owner == i].mean()) for i, s in enumerate(sources)},
        "undecidable": float(np.mean([v.outcome == "undecidable" for g in groups for v in g.verdicts])),
        "solved_histogram": np.bincount(right.sum(axis=1), minlength=size + 1).tolist(),
        "all_right": float((scores.pass_rates == 1).mean()),
        "all_wrong": float((scores.pass_rates == 0).mean()),
        "no_signal": float((~scores.signal).mean()),
        "weight": float(scores.weights.mean()),
        "weight_by_source": {s: float(scores.weights[owner == i].sum()) for i, s in enumerate(sources)},
        "effective_groups": effective_groups(scores.weights * scores.signal),
        "tokens": float(lengths.mean()),
        "tokens_right": _mean(lengths[right]),
        "tokens_wrong": _mean(lengths[~right]),
        "target_tokens": _mean(scores.targets[right.any(axis=1)]),
        "truncated": float(scores.truncated.mean()),
        "loss": sums["loss"],
        "kl": sums["kl"] / tokens,
        "entropy": sums["entropy"] / tokens,
        "clipped": sums["clipped"] / tokens,
        "log_ratio_abs": sums["log_ratio_abs"] / tokens,
        "engine_gap": sums["gap"] / sums["gap_tokens"] if sums["gap_tokens"] else None,
        "engine_gap_max": sums["gap_max"],
        "grad_norm": sums["grad_norm"],
    }


def readable_line(stage: str, step: int, steps: int, row: dict[str, Any], seconds: float, peak: float) -> str:
    """The line of one step for people; `peak` is its memory in GiB."""
    right, wrong = row["tokens_right"], row["tokens_wrong"]
    return (
        f"{stage} {step}/{steps}  reward {row['reward']:.3f}  right {row['accuracy']:.0%}  "
        f"groups {row['effective_groups']:.1f} of {row['prompts']} (no signal {row['no_signal']:.0%})  "
        f"tokens {row['tokens']:.1f} (right {_short(right)}, wrong {_short(wrong)}, cut {row['truncated']:.0%})  "
        f"kl {row['kl']:.4f}  entropy {row['entropy']:.2f}  clip {row['clipped']:.1%}  "
        f"norm {row['grad_norm']:.2f}  {seconds:.2f} s  {peak:.2f} GiB"
    )


class MetricsFile:
    """`metrics.jsonl`: one row a step, cut back on resume to what the checkpoint knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        mend_tail(path)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest first. Raises CogitoError if a line is no JSON."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise CogitoError(f"{self.path} holds a line that is no row of metrics ({error})") from error

    def cut_back(self, stages: Sequence[str], stage: int, step: int) -> None:
        """Drop rows of later steps than `step` of stage number `stage`; they will be computed again."""
        kept = [row for row in self.rows() if (stages.index(row["stage"]), row["step"]) <= (stage, step)]
        write_atomic(self.path, "".join(json.dumps(row) + "\n" for row in kept))

    def append(self, row: dict[str, Any]) -> None:
        """Add one row."""
        append_line(self.path, json.dumps(row))


class Clock:
    """Seconds of wall time by phase."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """What went by since the last call was the phase `name`."""
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now


def peak_memory(device: torch.device) -> float:
    """GiB that this process held at most since the last call: of the GPU, or on a CPU of main memory.

    NaN where the system does not say. Where it cannot start over (Linux can), the peak since the process began.
    """
    if device.type == "cuda":
        import torch

        peak = torch.cuda.max_memory_allocated(device) / GIB
        torch.cuda.reset_peak_memory_stats(device)
        return peak
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        peak = int(status.split("VmHWM:", 1)[1].split()[0]) * 1024 / GIB
    except (OSError, IndexError, ValueError):
        return math.nan
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak


def record_rollouts(path: Path, groups: Sequence[RolloutGroup], scores: StepScores) -> None:
    """One Parquet file with a row an answer: enough to replay rewards, advantages and loss of the step."""
    columns: dict[str, list[Any]] = {name: [] for name in _ROLLOUT_SCHEMA.names}
    for p, group in enumerate(groups):
        for j, (answer, verdict) in enumerate(zip(group.answers, group.verdicts, strict=True)):
            row = {
                "sample_id": group.sample.id,
                "image_hash": group.sample.image_hash,
                "sample": j,
                "seed": answer.seed,
                "text": answer.text,
                "token_ids": answer.token_ids,
                "logprobs": answer.logprobs,
                "finish": answer.finish,
                "outcome": verdict.outcome,
                "reason": verdict.reason,
                "extracted": verdict.extracted,
                "parts": json.dumps({k: v[p, j] for k, v in scores.rewards.parts.items()}),
                "reward": scores.rewards.total[p, j],
                "weight": scores.weights[p],
                "advantage": scores.advantages[p, j],
            }
            for name, value in row.items():
                columns[name].append(value)
    with replace_file(path) as aside:
        pq.write_table(pa.table(columns, schema=_ROLLOUT_SCHEMA), aside, compression="zstd")


_ROLLOUT_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("image_hash", pa.string()),
        ("sample", pa.int32()),
        ("seed", pa.int64()),
        ("text", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("logprobs", pa.list_(pa.float32())),
        ("finish", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("extracted", pa.string()),
        ("parts", pa.string()),
        ("reward", pa.float64()),
        ("weight", pa.float64()),
        ("advantage", pa.float64()),
    ]
)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
