"""The card: what it claims is true of the rows, what readers parse is right, and nothing from the data comes alive."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cogito_core.sample import SCHEMA
from cogito_core.shards import file_schema, read_samples
from cogito_data.publish.assemble import make_bundle
from cogito_data.publish.card import dataset_card
from cogito_data.publish.columns import COLUMNS
from cogito_data.publish.croissant import croissant
from cogito_data.publish.facts import Facts, read_facts
from cogito_data.publish.markdown import block, inline, link

from .conftest import edit_shard


@pytest.fixture(scope="module")
def facts(built: Path) -> Facts:
    return read_facts(built)


def front_of(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])  # type: ignore[no-any-return]


def test_the_front_matter_is_what_datasets_would_write(facts: Facts) -> None:
    from datasets import Dataset, Features, load_dataset
    from datasets.info import DatasetInfo

    front = front_of(dataset_card(facts, "org/set")[0])
    rows: Dataset = load_dataset("parquet", data_files={"train": [str(path) for path in facts.shards.values()]}, split="train", streaming=True)
    info = DatasetInfo._from_yaml_dict(front["dataset_info"])  # type: ignore[arg-type]
    assert info.features == rows.features
    assert Features._from_yaml_list(front["dataset_info"]["features"]) == info.features  # type: ignore[index]
    assert {name: split.num_examples for name, split in info.splits.items()} == {"train": 48, "heldout": 6, "validation": 6}
    assert front["license"] == "apache-2.0"
    assert front["size_categories"] == ["n<1K"]


def test_the_front_matter_passes_the_hubs_own_reader(facts: Facts) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard(dataset_card(facts, "org/set")[0])
    assert card.data.configs[0]["data_files"][0] == {"split": "train", "path": "data/train-*.parquet"}
    assert card.data.pretty_name == "small"


def test_every_column_is_explained(facts: Facts) -> None:
    assert list(COLUMNS) == file_schema().names
    text = dataset_card(facts, "org/set")[0]
    assert all(f"| `{name}` |" in text for name in COLUMNS)
    assert "`list<struct<role: string, content: list<struct<type: string, text: string>>>>`" in text


def test_the_card_counts_what_the_shards_hold(facts: Facts) -> None:
    text, assets = dataset_card(facts, "org/set")
    assert "60 questions with pictures" in text
    rewritten = facts.summary["sources"]["nano"]["rewritten"]
    assert rewritten > 0
    assert f"| nano | 60 | {rewritten} | 48 | 6 | 6 |" in text
    assert set(re.findall(r"\]\((assets/[^)]+)\)", text)) == set(assets)
    assert len(assets) == 6
    for number, n in facts.summary["rewrites"]["nano"].items():
        assert f"| `{number}` | {n} |" in text


def test_the_same_build_gives_the_same_files(built: Path) -> None:
    one, two = (make_bundle(read_facts(built), "org/set") for _ in range(2))
    assert {path: file.sha256 for path, file in one.files.items()} == {path: file.sha256 for path, file in two.files.items()}


def test_a_published_recipe_builds_the_same_shards(facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cogito_data import pipeline
    from cogito_data.command import run_build

    recipe = tmp_path / "recipe.yaml"
    content = make_bundle(facts, "org/set").files["recipe.yaml"].content
    assert isinstance(content, bytes)
    recipe.write_bytes(content)
    monkeypatch.setattr(pipeline, "SHARD_ROWS", 24)
    run_build(str(recipe), root=None, out=tmp_path / "again", engine=None, model=None, seed=None, exact_rate=False, workers=1, cluster=None)
    again = read_facts(tmp_path / "again")
    assert {name: path.read_bytes() for name, path in again.shards.items()} == {name: path.read_bytes() for name, path in facts.shards.items()}


def test_the_builders_addresses_stay_at_home(built: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(built, run, ignore=shutil.ignore_patterns("work"))
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["from"] = "/home/me/secret-root"
    config["data"]["difficulty"] = {"model": "m", "engine": "openai:http://user:pass@10.0.0.7:8000/v1"}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    (run / "ledger.jsonl").write_text(json.dumps({"id": "a", "stage": "ingest", "reason": "picture_missing", "evidence": "/home/me/secret-root/a/b.png is not there"}) + "\n")
    bundle = make_bundle(read_facts(run), "org/set")
    for path, file in bundle.files.items():
        data = file.read() if not path.endswith(".gz") else gzip.decompress(file.read())
        assert b"10.0.0.7" not in data and b"secret-root" not in data, path
        assert path != "evidence/ledger.jsonl.gz" or b"ROOT/a/b.png is not there" in data


EVIL = '<script>alert(1)</script> | [x](javascript:alert(1)) ![y](http://evil/p.png) `code` $$x$$ \\(y\\) **b** www.evil.com\n# h\n---\n</pre>'


def test_text_from_the_data_stays_text(built: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(built, run, ignore=shutil.ignore_patterns("work"))
    for shard in (run / "data").glob("train-*.parquet"):
        for column in ("problem", "original_problem", "answer", "original_answer"):
            edit_shard(shard, column, lambda values: [f"{EVIL}```\n{EVIL}" for _ in values])
        edit_shard(shard, "choices", lambda values: [[EVIL] for _ in values])
    summary = json.loads((run / "summary.json").read_text())
    summary["rewrites"]["nano"] = {EVIL: 3, f"none: {EVIL}": 4}
    (run / "summary.json").write_text(json.dumps(summary))
    text = dataset_card(read_facts(run), "org/set")[0]
    body = without_fences(text)
    assert "alert" in body
    assert "<script" not in body and "</pre" not in body
    assert "$" not in body and "\\\\" not in body and "\\(" not in body
    assert not re.search(r"(?<!\\)\[x(?<!\\)\]", body)
    assert front_of(text)["pretty_name"] == "small"
    widths = {line.replace("\\|", "").count("|") for line in body.splitlines() if line.startswith("| ") and "alert" in line}
    assert widths <= {3, 5}


def without_fences(text: str) -> str:
    """What a Markdown reader takes for running text: fenced blocks removed by CommonMark's rule."""
    kept, fence = [], ""
    for line in text.splitlines():
        found = re.match(r"(`{3,})", line)
        if fence:
            if found and len(found.group(1)) >= len(fence) and line.strip("` ") == "":
                fence = ""
        elif found:
            fence = found.group(1)
        else:
            kept.append(line)
    assert not fence
    return "\n".join(kept)


@given(st.text())
def test_inline_has_no_markup(text: str) -> None:
    escaped = inline(text)
    assert "<" not in escaped and ">" not in escaped and "\n" not in escaped and "$" not in escaped
    assert not re.search(r"(?<!\\)[`*_\[\]|]", escaped)
    assert "\\\\" not in escaped


@given(st.text(alphabet="`a\n~"))
def test_a_block_ends_where_it_should(text: str) -> None:
    assert without_fences(f"{block(text)}\nafter").strip() == "after"


def test_only_web_addresses_become_links() -> None:
    assert link("x", "javascript:alert(1)") == "x"
    assert link("x", "https://host/a b)(c") == "[x](https://host/a%20b%29%28c)"


def test_croissant_is_accepted_by_its_own_validator(facts: Facts, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed: pip install 'cogito-vlm[dev]'")
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(croissant(facts, "org/set", "0.0.0")))
    dataset = mlcroissant.Dataset(jsonld=str(path))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    # Its own reader finds every row with its split and its picture decoded.
    shutil.copytree(facts.run / "data", tmp_path / "data")
    records = list(mlcroissant.Dataset(jsonld=str(path), mapping={"repo": str(tmp_path)}).records("default"))
    assert Counter(record["default/partition"].decode() for record in records) == facts.splits
    by_id = {record["default/id"].decode(): record["default/images"] for record in records}
    for mine in read_samples(facts.run / "data", "heldout"):
        assert [picture.tobytes() for picture in by_id[mine.id]] == [Image.open(io.BytesIO(p.bytes)).tobytes() for p in mine.images]
    fields = {field.id for records in dataset.metadata.record_sets for field in records.fields}
    assert {f"default/{name}" for name in SCHEMA.names} <= fields
