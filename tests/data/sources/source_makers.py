"""Small upstream folders in the documented layouts, and one call that ingests them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from cogito_core.runs import Ledger
from cogito_core.sample import Sample
from cogito_core.shards import read_samples
from cogito_data.ingest import IngestResult, ingest


def png(shade: int = 200, size: tuple[int, int] = (12, 8)) -> bytes:
    """A whole PNG; another shade gives other bytes."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade // 256 % 256, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(shade: int = 200, size: tuple[int, int] = (12, 8)) -> bytes:
    """A whole JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 10, 90)).save(buffer, "JPEG")
    return buffer.getvalue()


def put(path: Path, content: bytes | str | list[Any] | dict[str, Any]) -> Path:
    """Write a file with its folders; lists and objects as JSON, a list of rows into .jsonl as lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8")
    else:
        path.write_text(json.dumps(content), encoding="utf-8")
    return path


def put_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as Parquet, pictures as the Hub's {bytes, path} structs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def picture(data: bytes, path: str | None = None) -> dict[str, Any]:
    """A picture as an undecoded Hub column holds it."""
    return {"bytes": data, "path": path}


Outcome = tuple[IngestResult, dict[str, Sample], list[dict[str, str]]]


def run(name: str, root: Path, out: Path, **options: Any) -> Outcome:
    """Ingest a folder. Returns the result, the samples by id, and the ledger."""
    result = ingest(name, root=root, out=out, **options)
    samples = {sample.id: sample for sample in read_samples(out / "data")}
    assert len(samples) == result.kept
    return result, samples, Ledger(out / "ledger.jsonl").rows()


def files_of(out: Path) -> dict[str, bytes]:
    """The bytes of what an ingest leaves: shards, ledger, summary, report."""
    paths = [*sorted((out / "data").glob("*.parquet"))]
    paths += [out / name for name in ("ledger.jsonl", "summary.json", "report.html")]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
