"""One peer, one run, in a process of its own: `python data_peers.py PEER INPUT OUTPUT`. Needs only that peer.

Every peer reads Parquet shards with encoded pictures, decodes each, notes size and a 64-bit difference hash, folds
the question (NFKC, white space), and writes Parquet with the picture bytes.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def fingerprint(data: bytes) -> tuple[int, int, str]:
    """(width, height, difference hash), the thin way: Pillow and numpy."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return picture.width, picture.height, np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes().hex()


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def columns_of(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The new columns of a batch whose pictures are encoded bytes."""
    found = [fingerprint(pictures[0]["bytes"]) for pictures in batch["images"]]
    return {
        "width": [width for width, _, _ in found],
        "height": [height for _, height, _ in found],
        "dhash": [value for _, _, value in found],
        "key": [folded(text) for text in batch["problem"]],
    }


def datasets_usual(source: Path, out: Path) -> None:
    """The way of the tutorials: decoded pictures in and out of `map`, imagehash for the hash."""
    import imagehash
    from datasets import load_dataset

    def work(row: dict[str, Any]) -> dict[str, Any]:
        picture = row["images"][0]
        return {"images": row["images"], "width": picture.width, "height": picture.height,
                "dhash": str(imagehash.dhash(picture)), "key": folded(row["problem"])}

    data = load_dataset("parquet", data_dir=str(source), split="train", cache_dir=str(out / "cache"))
    data.map(work).to_parquet(str(out / "out.parquet"))


def datasets_best(source: Path, out: Path) -> None:
    """Its best way: batches, pictures left as bytes, decoded by hand."""
    from datasets import Image as ImageFeature
    from datasets import List, load_dataset

    data = load_dataset("parquet", data_dir=str(source), split="train", cache_dir=str(out / "cache"))
    data = data.cast_column("images", List(ImageFeature(decode=False)))
    data.map(columns_of, batched=True, batch_size=64).to_parquet(str(out / "out.parquet"))


def datatrove(source: Path, out: Path) -> None:
    """A pipeline of reader, step and writer on the local executor."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.base import PipelineStep
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter

    class Fingerprint(PipelineStep):
        name = "fingerprint"

        def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
            for document in data:
                width, height, value = fingerprint(document.metadata["images"][0]["bytes"])
                document.metadata |= {"width": width, "height": height, "dhash": value, "key": folded(document.text)}
                yield document

    reader = ParquetReader(str(source), text_key="problem", id_key="id", glob_pattern="*.parquet")
    LocalPipelineExecutor(
        pipeline=[reader, Fingerprint(), ParquetWriter(str(out / "out"))], logging_dir=str(out / "logs"), tasks=1
    ).run()


def ray_data(source: Path, out: Path) -> None:
    """map_batches over Arrow blocks on one core."""
    import pyarrow as pa
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

    def work(table: pa.Table) -> pa.Table:
        for name, values in columns_of(table.select(["images", "problem"]).to_pydict()).items():
            table = table.append_column(name, pa.array(values))
        return table

    data = ray.data.read_parquet(str(source))
    data.map_batches(work, batch_format="pyarrow", batch_size=64).write_parquet(str(out / "out"))


PEERS = {
    "datasets-usual": datasets_usual, "datasets-best": datasets_best, "datatrove": datatrove, "ray-data": ray_data,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
