"""The same figures in TensorBoard, Weights & Biases and trackio, each only if it is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "cogito"


@dataclass(frozen=True)
class _Logger:
    log: Callable[[dict[str, float], int], None]
    close: Callable[[], None]


class Loggers:
    """All loggers that are there: `name` is the run's, `directory` its folder, `config` its recipe."""

    def __init__(self, directory: Path, name: str, config: dict[str, Any]) -> None:
        found = (_tensorboard(directory), _wandb(directory, name, config), _trackio(name, config))
        self._loggers = [logger for logger in found if logger is not None]

    def log(self, row: dict[str, Any], step: int) -> None:
        """Send every number of a row, nested ones under `outer/inner`."""
        flat = dict(_flatten(row))
        for logger in self._loggers:
            logger.log(flat, step)

    def close(self) -> None:
        """Write what is left and close."""
        for logger in self._loggers:
            logger.close()


def _tensorboard(directory: Path) -> _Logger | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer = SummaryWriter(log_dir=str(directory / "tensorboard"))

    def log(flat: dict[str, float], step: int) -> None:
        for key, value in flat.items():
            writer.add_scalar(key, value, step)

    return _Logger(log, writer.close)


def _wandb(directory: Path, name: str, config: dict[str, Any]) -> _Logger | None:
    try:
        import wandb
    except ImportError:
        return None
    if wandb.api.api_key is None:  # installed, but nobody has logged in
        return None
    run = wandb.init(project=PROJECT, name=name, dir=str(directory), config=config, resume="allow")
    return _Logger(lambda flat, step: run.log(flat, step=step), run.finish)


def _trackio(name: str, config: dict[str, Any]) -> _Logger | None:
    try:
        import trackio
    except ImportError:
        return None
    # It keeps its own folder (TRACKIO_DIR) and, if TRACKIO_SPACE_ID is set, a Space.
    trackio.init(project=PROJECT, name=name, config=config, resume="allow", embed=False)
    return _Logger(lambda flat, step: trackio.log(flat, step=step), trackio.finish)


def _flatten(row: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    flat: list[tuple[str, float]] = []
    for key, value in row.items():
        if isinstance(value, dict):
            flat += _flatten(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat.append((prefix + key, float(value)))
    return flat
