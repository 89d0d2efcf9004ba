"""croissant.json: the dataset for machines, in MLCommons Croissant 1.0 (https://docs.mlcommons.org/croissant)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from cogito_core.sample import SCHEMA
from cogito_data.publish.columns import COLUMNS
from cogito_data.publish.facts import Facts

_TYPES = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer"}

_CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The context of the specification, word for word: validators compare it."""


def croissant(facts: Facts, repo: str, version: str) -> dict[str, Any]:
    """The JSON-LD document. `version` is the name of the content: semantic versions are the tags' business."""
    url = f"https://huggingface.co/datasets/{repo}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": facts.name,
        "description": (
            f"{facts.total} questions with pictures and verifiable answers, built with cogito-data; splits: "
            + ", ".join(f"{n} {split}" for split, n in facts.splits.items())
        ),
        "url": url,
        "version": version,
        "datePublished": facts.built_on,
        "license": sorted({one.terms.link or one.terms.licence for one in facts.sources.values()}),
        "citeAs": "\n\n".join(one.manifest.citation.strip() for one in facts.sources.values() if one.manifest) or url,
        "creator": {"@type": "Organization", "name": repo.split("/")[0], "url": f"https://huggingface.co/{repo.split('/')[0]}"},
        "isBasedOn": sorted({one.manifest.homepage for one in facts.sources.values() if one.manifest}) or [url],
        "rai:dataPreprocessingProtocol": [
            "multiple choice opened by rule", "duplicates removed by pixels, question and answer",
            *(f"rows that are questions of {probe.name} removed" for probe in facts.recipe.decontaminate.against),
            *_selection(facts),
        ],
        "rai:dataLimitations": "pass rates are shares of few trials and noisy; see the card",
        "distribution": [
            {
                "@type": "cr:FileObject", "@id": "repo", "name": "repo", "description": "the repository on the Hub",
                "contentUrl": url, "encodingFormat": "git+https",
                # A repository has no hash of its own; this is what the specification's authors agreed to put here.
                "sha256": "https://github.com/mlcommons/croissant/issues/80",
            },
            {
                "@type": "cr:FileSet", "@id": "shards", "name": "shards", "description": "Parquet shards",
                "containedIn": {"@id": "repo"}, "encodingFormat": "application/x-parquet",
                "includes": "data/*.parquet",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet", "@id": "splits", "name": "splits", "description": "names of the splits",
                "key": {"@id": "splits/name"}, "dataType": "cr:Split",
                "field": [{"@type": "cr:Field", "@id": "splits/name", "dataType": "sc:Text"}],
                "data": [{"splits/name": split} for split in facts.splits],
            },
            {
                "@type": "cr:RecordSet", "@id": "default", "name": "default", "description": "one question a record",
                "key": {"@id": "default/id"},
                "field": [
                    {
                        "@type": "cr:Field", "@id": "default/partition", "dataType": "sc:Text",
                        "description": "the split, from the file's name",
                        "source": {
                            "fileSet": {"@id": "shards"}, "extract": {"fileProperty": "filename"},
                            # Also of its own result: readers apply it again when they join with the splits.
                            "transform": {"regex": "^(.+?)(?:-[0-9]+\\.parquet)?$"},
                        },
                        "references": {"field": {"@id": "splits/name"}},
                    },
                    # Not `prompt`: it says nothing that problem and images do not, and of a list within a list
                    # Croissant's reader gives only the first element (mlcroissant 1.1).
                    *(_field(field) for field in SCHEMA),
                ],
            },
        ],
    }  # fmt: skip


def _selection(facts: Facts) -> list[str]:
    settings = facts.recipe.difficulty
    return [f"selected by the pass rate of {settings.description}"] if settings and settings.enabled else []


def _field(field: pa.Field) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": "shards"}, "extract": {"column": field.name}}
    meaning = COLUMNS[field.name][0]
    found: dict[str, Any] = {"@type": "cr:Field", "@id": f"default/{field.name}", "description": meaning}
    if field.name == "images":
        source["transform"] = {"jsonPath": "bytes"}
        return {**found, "dataType": "sc:ImageObject", "repeated": True, "source": source}
    if pa.types.is_list(field.type):
        return {**found, "dataType": "sc:Text", "repeated": True, "source": source}
    return {**found, "dataType": _TYPES[str(field.type)], "source": source}
