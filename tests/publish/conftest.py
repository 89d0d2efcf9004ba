"""A Hub on localhost for the real clients, and a small build to publish."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from cogito_core.shards import write_table
from cogito_data import pipeline
from cogito_data.command import run_build
from cogito_data.publish.command import Wish, prepare, publish
from cogito_data.publish.hub import Hub
from cogito_data.publish.stranger import first_rows

from .hub_server import HubServer

REPO = "org/set"


@pytest.fixture(scope="session", autouse=True)
def _no_lock_across_processes() -> None:
    """tqdm, which both clients use, shares a lock between forked processes: a child killed while it holds it would
    stop this process for good."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """A server to which the clients in this process talk, as they would with HF_ENDPOINT and HF_TOKEN set."""
    import datasets
    from huggingface_hub import constants

    with HubServer() as server:
        for module, name, value in (
            (constants, "ENDPOINT", server.url),
            (constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"),
            (constants, "HF_HUB_OFFLINE", False),
            (constants, "HF_HUB_DISABLE_XET", True),
            (constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache")),
            (constants, "HF_TOKEN_PATH", str(tmp_path / "no-token")),
            (datasets.config, "HF_ENDPOINT", server.url),
            (datasets.config, "HF_HUB_OFFLINE", False),
            (datasets.config, "HF_DATASETS_OFFLINE", False),
            (datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets-cache"),
        ):
            monkeypatch.setattr(module, name, value, raising=False)
        monkeypatch.setenv("HF_TOKEN", server.token)
        yield server


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients' own pauses between two tries take no time."""
    import datasets

    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    for name in ("STREAMING_READ_RETRY_INTERVAL", "STREAMING_OPEN_RETRY_INTERVAL",
                 "STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL", "STREAMING_READ_RATE_LIMIT_RETRY_INTERVAL"):
        monkeypatch.setattr(datasets.config, name, 0, raising=False)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build of 60 generated questions in four shards."""
    folder = tmp_path_factory.mktemp("published")
    recipe = {
        "name": "small",
        "data": {
            "mix": [{"source": "nano", "limit": 60}],
            "hold_out": {"validation": 6, "heldout": 6},
        },
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(recipe))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "SHARD_ROWS", 24)
        run_build(str(folder / "small.yaml"), root=None, out=folder / "run", engine=None, model=None, seed=None,
                  exact_rate=False, workers=1, cluster=None)
    return folder / "run"


@pytest.fixture
def changed(built: Path, tmp_path: Path) -> Path:
    """The same build with one answer of its second training shard corrected."""
    run = tmp_path / "changed"
    shutil.copytree(built, run, ignore=shutil.ignore_patterns("work"))
    edit_shard(run / "data" / "train-00001.parquet", "answer", lambda values: ["42", *values[1:]])
    return run


def edit_shard(path: Path, column: str, edit: Callable[[list[object]], list[object]]) -> None:
    """Rewrite one column of a shard."""
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    values = edit(table.column(column).to_pylist())
    table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    path.unlink()
    write_table(table, path)


def go(run: Path, **wish: object) -> str:
    """Publish a run in this process, `datasets` included; returns the commit."""
    wanted = Wish(REPO, **wish)  # type: ignore[arg-type]
    return publish(Hub(REPO, sleep=lambda _: None), prepare(run, wanted), wanted, first_rows)
