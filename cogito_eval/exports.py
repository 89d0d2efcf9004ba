"""Results in the forms that others read: flat Parquet for notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cogito_core.files import replace_file
from cogito_eval.results import Row, read_rows, result_files
from cogito_eval.scoring import points

_FLAT = [
    ("id", "string"), ("part", "string"), ("sample", "int32"), ("seed", "int64"), ("question", "string"),
    ("gold", "string"), ("kind", "string"), ("response", "string"), ("extracted", "string"), ("status", "string"),
    ("strict", "bool"), ("strict_outcome", "string"), ("strict_rule", "string"), ("official", "double"),
    ("official_rule", "string"), ("n_tokens", "int32"), ("tags", "string"),
]


def write_results_parquet(directory: Path) -> None:
    """`results/<bench>.parquet` beside every JSON Lines file: flat columns for tables and notebooks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in result_files(directory).values():
        rows = [_flat(row) for row in read_rows(path)]
        with replace_file(path.with_suffix(".parquet")) as aside:
            pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(_FLAT)), aside, compression="zstd")


def _flat(row: Row) -> dict[str, Any]:
    strict, official = row["strict"], row["official"]
    return {
        **{name: row.get(name) for name in ("id", "part", "sample", "seed", "question", "gold", "kind", "response",
                                            "status", "n_tokens")},
        "extracted": strict["extracted"], "strict": strict["outcome"] == "right",
        "strict_outcome": strict["outcome"], "strict_rule": strict["rule"],
        "official": points(official) if official else None, "official_rule": official["rule"] if official else None,
        "tags": json.dumps(row["tags"], ensure_ascii=False),
    }
