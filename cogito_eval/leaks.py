"""`cogito-eval leaks`: training rows that are benchmark questions, with the evidence.

The comparison is `cogito_data.decontaminate`'s, on picture and question jointly; the benchmark items are those that
this package asks, from the same manifests.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, say, warn
from cogito_core.files import write_atomic
from cogito_core.images import PictureError
from cogito_core.shards import shard_folder, shard_paths
from cogito_data.decontaminate import decontaminate
from cogito_data.likeness import look
from cogito_data.pool import Pool
from cogito_data.prepare import prepare_shard
from cogito_data.probes import ProbeItem
from cogito_data.recipe import Decontaminate, Deduplicate, Probe
from cogito_eval.benchmark import load_benchmark, parse_names
from cogito_eval.item import LETTERS, Item
from cogito_eval.loading import load_items


def find_leaks(data: Path, bench: str, root: Path | None, out: Path) -> dict[str, dict[str, int]]:
    """Compare the training shards of `data` with benchmark items; write one JSON line a match to `out`.

    Each line has the training row, the benchmark item, the tier (T1 same picture and question, T2 same picture, T3
    same question without a picture to compare), the evidence and both questions. Returns, for each benchmark, how
    many items and how many rows matched.

    Raises:
        CogitoError: `data` holds no shard, or no benchmark can be read.
    """
    folder = shard_folder(data)
    shards = [shard for shard in shard_paths(folder) if not shard.name.startswith("heldout-")]
    if not shards:
        raise CogitoError(f"{folder} holds no shard to look at")
    names = parse_names(bench)
    probes = [probe for name in names for probe in _probes(name, root, optional=bench.strip() == "all")]
    if not probes:
        raise CogitoError("no benchmark could be read; give the folder of their records with --from")
    against = tuple(Probe(name=name, files=(name,)) for name in dict.fromkeys(probe.benchmark for probe in probes))
    with tempfile.TemporaryDirectory() as scratch:
        parts = []
        for number, shard in enumerate(shards):
            part = Path(scratch) / f"{number:05d}.parquet"
            prepare_shard(str(part), str(shard), False, False, None)
            parts.append((shard, part))
        pool = Pool(parts)
        settings, near = Decontaminate.model_validate({"against": against}), Deduplicate.model_validate({})
        hits = decontaminate(pool, settings, near, probes)
        lines = [_line(hit, pool, probes[hit.probe]) for hit in hits]
    write_atomic(out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    say(f"{len(pool)} training rows compared with {len(probes)} items of {len(against)} benchmarks")
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: {"items": set(), "rows": set()})
    for hit in hits:
        found[hit.benchmark]["items"].add(hit.benchmark_id)
        found[hit.benchmark]["rows"].add(hit.id)
    return {probe.name: {key: len(values) for key, values in found[probe.name].items()} for probe in against}


def _probes(name: str, root: Path | None, *, optional: bool) -> list[ProbeItem]:
    benchmark = load_benchmark(name)
    try:
        # Pictures that are not there cannot be compared, but the text of their items can.
        whole = load_items(benchmark, root, blind=True).items
        seen = {item.id: item for item in load_items(benchmark, root).items} if whole else {}
    except CogitoError as error:
        if "nothing can be asked" not in str(error):
            if not optional:
                raise
            warn(f"not compared with {name}: {error}")
            return []
        seen = {}
        try:
            whole = load_items(benchmark, root, blind=True).items
        except CogitoError as blind_error:
            warn(f"not compared with {name}: {blind_error}")
            return []
    return [_probe(benchmark.name, item, seen.get(item.id)) for item in whole]


def _probe(name: str, item: Item, with_pictures: Item | None) -> ProbeItem:
    picture = None
    if with_pictures is not None and with_pictures.pictures:
        reference = with_pictures.pictures[0]
        picture = reference.data if reference.data is not None else reference.path
    probe = ProbeItem(name, item.id, item.problem, _gold_text(item), picture)
    data = probe.picture_bytes()
    if data is not None:
        try:
            probe.look = look(data, where=f"{name} {item.id}")
        except PictureError as error:
            warn(str(error))
            probe.picture = None
    return probe


def _gold_text(item: Item) -> str:
    """The gold's text: training rows are compared by what the answer says, not by its letter."""
    if item.kind == "choice" and item.choices and item.gold in LETTERS[: len(item.choices)]:
        return item.choices[LETTERS.index(item.gold)]
    return item.gold


def _line(hit: Any, pool: Pool, probe: ProbeItem) -> dict[str, Any]:
    return {
        "row": hit.id, "benchmark": hit.benchmark, "item": hit.benchmark_id, "tier": hit.tier,
        "evidence": hit.evidence, "row_question": pool.text(hit.row)["question"], "item_question": probe.question,
    }
