"""inspect_ai's evaluation logs, version 2, as JSON: what `inspect view` shows and `read_eval_log` reads.

One log a benchmark; a sampled answer is an epoch. Scores: `strict` (our verifier) and `official` (the benchmark's
released rule), C and I, or a share of the points.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cogito_core import __version__
from cogito_core.console import CogitoError
from cogito_eval.exchange.predictions import Prediction
from cogito_eval.results import Row
from cogito_eval.scoring import points

VERSION = 2


def log_of(
    bench: str, rows: Sequence[Row], scores: dict[str, Any], when: float, packages: dict[str, str]
) -> dict[str, Any]:
    """The log of one benchmark.

    Args:
        rows: its judged rows.
        scores: its entry in `scores.json`.
        when: seconds since the epoch at which the run was finished.
        packages: name -> version, from the run's provenance.
    """
    created = datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
    model = str(scores.get("model") or "unknown")
    identity = hashlib.sha256(json.dumps([bench, model, created], ensure_ascii=False).encode()).hexdigest()
    kinds = ["strict", "official"] if any(row["official"] for row in rows) else ["strict"]
    sampling = scores.get("sampling") or {}
    return {
        "version": VERSION,
        "status": "success",
        "eval": {
            "eval_id": identity[:22], "run_id": identity[22:44], "created": created, "task": bench,
            "task_id": identity[44:], "task_version": 0, "task_args": {"prompt": scores.get("prompt")},
            "dataset": {"name": bench, "samples": len({row["id"] for row in rows})},
            "model": model,
            "model_generate_config": {
                key: sampling[key] for key in ("temperature", "top_p", "max_tokens") if key in sampling
            },
            "config": {"epochs": 1 + max(row["sample"] for row in rows)},
            "packages": {"cogito-vlm": __version__, **packages},
            "scorers": [{"name": kind} for kind in kinds],
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}]},
        "results": {
            "total_samples": len(rows),
            "completed_samples": sum(row["status"] != "failed" for row in rows),
            "scores": [_metrics(kind, rows) for kind in kinds],
        },
        "stats": {"started_at": created, "completed_at": created, "model_usage": {model: _usage(rows)}},
        "samples": [_sample(row, model, kinds) for row in rows],
    }  # fmt: skip


def _metrics(kind: str, rows: Sequence[Row]) -> dict[str, Any]:
    values = [points(row[kind]) for row in rows if row[kind] is not None]
    accuracy = sum(values) / len(values)
    return {
        "name": kind, "scorer": kind, "params": {}, "scored_samples": len(values),
        "metrics": {"accuracy": {"name": "accuracy", "value": accuracy, "params": {}}},
    }  # fmt: skip


def _usage(rows: Sequence[Row]) -> dict[str, int]:
    asked = sum(row.get("n_prompt_tokens") or 0 for row in rows)
    said = sum(row.get("n_tokens") or 0 for row in rows)
    return {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}


def _sample(row: Row, model: str, kinds: Sequence[str]) -> dict[str, Any]:
    answer = {"role": "assistant", "content": row["response"], "source": "generate", "model": model}
    stop = {"stop": "stop", "length": "max_tokens"}.get(str(row.get("finish")), "unknown")
    sample: dict[str, Any] = {
        "id": row["id"],
        "epoch": row["sample"] + 1,
        "input": row["question"],
        "choices": row["choices"] or None,
        "target": row["gold"],
        "messages": [{"role": "user", "content": row["question"], "source": "input"}, answer],
        "output": {
            "model": model,
            "choices": [{"message": answer, "stop_reason": stop}],
            "completion": row["response"],
            "usage": _usage([row]),
        },
        "scores": {kind: _score(row[kind]) for kind in kinds if row[kind] is not None},
        "metadata": {"kind": row["kind"], "part": row["part"], "pictures": row["pictures"], **row["tags"]},
        "store": {}, "events": [], "model_usage": {model: _usage([row])}, "attachments": {},
    }  # fmt: skip
    if row.get("error"):
        sample["error"] = {"message": row["error"], "traceback": "", "traceback_ansi": ""}
    return sample


def _score(verdict: dict[str, Any]) -> dict[str, Any]:
    value = points(verdict)
    return {
        "value": {1.0: "C", 0.0: "I"}.get(value, value),
        "answer": verdict["extracted"],
        "explanation": verdict["reason"],
        "metadata": {"rule": verdict["rule"], "outcome": verdict["outcome"]},
    }


def read_predictions(path: Path) -> tuple[str, list[Prediction]]:
    """(model, answers) of a log. Answers of one question stand in the order of their epochs.

    Raises:
        CogitoError: the file is no JSON log, or its samples lack an answer's place.
    """
    try:
        log = json.loads(path.read_text(encoding="utf-8"))
        model, samples = str(log["eval"]["model"]), log["samples"]
    except FileNotFoundError:
        raise CogitoError(f"there is no file {path}") from None
    except UnicodeDecodeError:
        raise CogitoError(
            f"{path} is no JSON; an .eval file becomes one by `inspect log convert --to json --output-dir DIR {path}`"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise CogitoError(f"{path} is no log of inspect_ai ({error})") from error
    if not samples:
        raise CogitoError(f"{path} holds no samples: was it run with --no-log-samples?")
    grouped: dict[str, list[tuple[int, str, str]]] = {}
    for number, sample in enumerate(samples):
        try:
            text = _answer(sample)
            grouped.setdefault(str(sample["id"]), []).append((int(sample["epoch"]), text, _question(sample)))
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise CogitoError(f"{path}, sample {number}: {error!r} is missing or of another form") from error
    found = []
    for index, epochs in grouped.items():
        epochs.sort()
        found.append(Prediction(index, epochs[0][2] or None, tuple(text for _, text, _ in epochs)))
    return model, found


def _answer(sample: dict[str, Any]) -> str:
    choices = sample["output"].get("choices") or []
    return _text(choices[0]["message"]["content"]) if choices else ""


def _question(sample: dict[str, Any]) -> str:
    asked = sample["input"]
    if isinstance(asked, str):
        return asked
    users = [message["content"] for message in asked if message["role"] == "user"]
    return _text(users[-1]) if users else ""


def _text(content: str | list[dict[str, Any]]) -> str:
    """The text parts of a message; pictures and hidden reasoning are not part of the answer."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")
