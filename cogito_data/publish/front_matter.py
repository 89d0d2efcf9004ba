"""The YAML block at the top of the card, which the Hub and `datasets` read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from cogito_core.sample import PICTURE
from cogito_core.shards import file_schema
from cogito_data.publish.bundle import split_of
from cogito_data.publish.facts import Facts

HUB_LICENCES = frozenset(
    "apache-2.0 mit gpl-3.0 cc0-1.0 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-3.0 cc-by-nc-4.0 "
    "cc-by-nc-sa-3.0 cc-by-nc-sa-4.0".split()
)
"""The Hub's own identifiers (hf.co/docs/hub/repositories-licenses), of those that sources carry."""

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def front_matter(facts: Facts, repo: str) -> dict[str, Any]:
    """Everything between the two lines of dashes."""
    front: dict[str, Any] = {
        "pretty_name": facts.name,
        "language": sorted(facts.languages),
        **licence_of(facts, repo),
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "size_categories": [next((name for bound, name in _SIZES if facts.total < bound), "10M<n<100M")],
        "source_datasets": source_datasets(facts) or ["original"],
        "tags": ["reasoning", "rlvr", "vision-language", "cogito", *sorted(facts.categories)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in facts.splits],
            }
        ],
        "dataset_info": dataset_info(facts),
    }
    return front


def licence_of(facts: Facts, repo: str) -> dict[str, str]:
    """The Hub's licence keys: one licence where all rows share it, else `other` with a link to the table."""
    names = {one.terms.licence.lower() for one in facts.sources.values()}
    if len(names) == 1 and names <= HUB_LICENCES:
        return {"license": names.pop()}
    return {
        "license": "other",
        "license_name": "per-source",
        "license_link": f"https://huggingface.co/datasets/{repo}#sources-and-licences",
    }


def source_datasets(facts: Facts) -> list[str]:
    """Hub names of the sources, where they have one."""
    hubs = {one.manifest.hub.repo for one in facts.sources.values() if one.manifest and one.manifest.hub}
    return sorted(hubs)


def dataset_info(facts: Facts) -> dict[str, Any]:
    """What `datasets` would write: features, rows and bytes of every split."""
    splits = [
        {
            "name": split,
            "num_bytes": sum(n for path, n in facts.plain_bytes.items() if split_of(path) == split),
            "num_examples": rows,
        }
        for split, rows in facts.splits.items()
    ]
    return {
        "config_name": "default",
        "features": [_feature(field) for field in file_schema()],
        "splits": splits,
        "download_size": sum(path.stat().st_size for path in facts.shards.values()),
        "dataset_size": sum(facts.plain_bytes.values()),
    }


def _feature(field: pa.Field) -> dict[str, Any]:
    return {"name": field.name, **_type(field.type)}


def _type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _type(kind.value_type)
        # A list of one plain type is named by it alone.
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if kind == PICTURE:
        return {"dtype": "image"}
    if pa.types.is_struct(kind):
        return {"struct": [_feature(kind.field(i)) for i in range(kind.num_fields)]}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}
