"""What a finished run leaves behind: a model that loads, a report, a card, metrics that mean what they say."""

import hashlib
import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file

from cogito_core import __version__
from cogito_core.engines.base import Request, Sampling
from cogito_core.engines.transformers_engine import TransformersEngine
from cogito_core.prompts import build_chat
from cogito_core.shards import SampleStore
from cogito_train.lineage import hub_origin, is_hub_model
from cogito_train.telemetry import peak_memory

from .conftest import RUN_SETTINGS

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")

STAGES = ("easy", "medium", "hard")


@pytest.fixture(scope="module")
def rows(straight: Path) -> list[dict]:
    return [json.loads(line) for line in (straight / "metrics.jsonl").read_text().splitlines()]


def _summary(straight: Path) -> list[dict]:
    return json.loads((straight / "summary.json").read_text())["stages"]


def test_the_final_folder_is_a_model_that_answers(straight, data):
    engine = TransformersEngine.load(str(straight / "final"))
    sample = SampleStore(data / "data", "validation")[0]
    chat = build_chat("nano", sample.problem, sample.images)
    result = next(iter(engine.generate([Request("a", chat, (1, 2), Sampling(max_tokens=8))])))
    assert result.error is None and len(result.answers) == 2


def test_the_final_folder_is_readable_and_holds_nothing_of_the_base_weights(straight):
    files = {path.name: path.stat().st_mode & 0o777 for path in (straight / "final").iterdir()}
    assert set(files.values()) == {0o644}
    assert "tokenizer.json" in files and "warmup.json" not in files


def test_the_final_weights_are_the_best_of_the_last_stage(straight):
    final, best = (load_file(straight / f / "model.safetensors") for f in ("final", "stages/hard/best"))
    assert final.keys() == best.keys()
    assert all(np.array_equal(final[name].numpy(), best[name].numpy()) for name in best)


def test_what_is_handed_on_is_the_best_validated(straight):
    best_before = None
    for stage in _summary(straight):
        known = {v["step"]: v["accuracy"] for v in stage["validations"]}
        if best_before is not None:
            known[0] = best_before
        assert stage["validation"] == max(known.values()) == known[stage["best_step"]]
        best_before = stage["validation"]


def test_the_reference_moves_to_what_was_handed_on(straight):
    events = [json.loads(line) for line in (straight / "events.jsonl").read_text().splitlines()]
    starts = [event for event in events if event["event"] == "stage"]
    assert [event["name"] for event in starts] == list(STAGES)
    for event, before in zip(starts[1:], STAGES, strict=False):
        assert event["reference"] == event["start"] == f"stages/{before}/best"


def test_metrics_agree_with_the_recorded_answers(straight, data, rows):
    store = SampleStore(data / "data", "train")
    sources = dict(zip(store.column("id"), store.column("source"), strict=True))
    for row in rows:
        answers = pq.read_table(straight / "rollouts" / row["stage"] / f"{row['step']:05d}.parquet").to_pylist()
        assert row["answers"] == len(answers) == 16
        right = np.array([a["outcome"] == "right" for a in answers])
        assert row["accuracy"] == right.mean()
        assert row["reward"] == pytest.approx(np.mean([a["reward"] for a in answers]))
        assert row["tokens"] == np.mean([len(a["token_ids"]) for a in answers])
        assert sum(row["solved_histogram"]) == row["prompts"]
        assert sum(row["weight_by_source"].values()) == pytest.approx(row["weight"] * row["prompts"])
        by_source: dict[str, list[float]] = {}
        for answer in answers:
            by_source.setdefault(sources[answer["sample_id"]], []).append(answer["reward"])
        assert row["reward_by_source"] == pytest.approx({name: np.mean(v) for name, v in by_source.items()})
        parts = [json.loads(a["parts"]) for a in answers]
        for name, mean in row["parts"].items():
            assert mean == pytest.approx(np.mean([p[name] for p in parts]))
    assert {"length", "repetition"} <= set(rows[-1]["parts"]) and "length" not in rows[0]["parts"]


def test_every_step_says_what_memory_its_phases_took(straight):
    """EasyR1 issue 159: memory that grows over time must show while the run goes on, not when it is killed."""
    steps = [event for event in map(json.loads, (straight / "events.jsonl").open()) if event["event"] == "step"]
    peaks = [event["peak_gib"] for event in steps]
    assert len(peaks) == 8 and all(set(peak) == {"rollout", "update"} for peak in peaks)
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert all(0.1 < value < held for peak in peaks for value in peak.values())
    assert "peak GiB" in (straight / "report.html").read_text()


def test_the_peak_starts_over_with_every_phase():
    device = torch.device("cpu")
    peak_memory(device)
    before = peak_memory(device)
    block = np.ones(2**25)  # a quarter of a GiB
    high = peak_memory(device)
    del block
    after = peak_memory(device), peak_memory(device)
    assert high - before > 0.2 and high - after[1] > 0.2


def test_a_seed_belongs_to_one_answer(straight):
    seeds = [s for path in straight.glob("rollouts/*/*.parquet") for s in pq.read_table(path)["seed"].to_pylist()]
    assert len(set(seeds)) == len(seeds) == 16 * 8


def test_the_report_is_one_file_that_needs_nothing_else(straight):
    page = (straight / "report.html").read_text()
    assert page.startswith("<!doctype html>") and "<svg" in page and "data:image/png;base64," in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "<script" not in page
    for words in ("sampling and judging", "updating", "validating", "checkpoints"):
        assert len(re.findall(f"<td>{words}</td><td[^>]*>[0-9.]+</td>", page)) == len(STAGES), words
    for words in ("Stages", "Curves", "Reward by source", "Difficulty", "Time", "Answers", *STAGES):
        assert words in page


def test_the_card_states_base_data_and_recipe(straight):
    text = (straight / "final" / "README.md").read_text()
    _, front, body = text.split("---", 2)
    assert "base_model" not in yaml.safe_load(front) and "| base model | nano" in body
    assert "| nano-chart | 6 |" in body and "prompts_per_step: 4" in body
    for name in ("accuracy", "reward"):
        assert f"]({name}.svg)" in body
        drawn = ElementTree.parse(straight / "final" / f"{name}.svg").getroot()
        assert drawn.tag.endswith("svg") and len(drawn.findall(".//{*}polyline")) >= 2
    assert all(f"| {stage} |" in body for stage in STAGES)


def test_the_config_of_the_run_is_complete(straight):
    stored = yaml.safe_load((straight / "config.yaml").read_text())["train"]
    assert stored["prompts_per_step"] == 4 and stored["stages"][2]["rewards"]["max_target"] > 0
    assert len(RUN_SETTINGS) == 13 and stored["hand_over"]["optimizer"] == "reset"


def test_the_card_leads_from_the_checkpoint_to_upstream(straight, data):
    """Every hash of the lineage is that of the thing it names."""
    text = (straight / "final" / "README.md").read_text()
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.split("## Lineage")[1].split("##")[0].splitlines() if line.startswith("| "))
    weights = hashlib.sha256((straight / "final" / "model.safetensors").read_bytes()).hexdigest()
    assert rows["weights"] == f"`model.safetensors` {weights}"
    shards = sorted((data / "data").glob("train-*.parquet"))
    listed = "\n".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in shards)
    assert rows["training data"] == f"36 rows in 1 shards, {hashlib.sha256(listed.encode()).hexdigest()}"
    assert rows["code"].startswith(f"cogito-vlm {__version__}")
    assert rows["base model"].startswith("nano")


def test_a_base_model_of_the_hub_is_told_from_a_folder(tmp_path):
    assert is_hub_model("Qwen/Qwen2.5-VL-7B-Instruct")
    assert not is_hub_model("nano") and not is_hub_model(str(tmp_path)) and not is_hub_model("~/models/mine")


def test_data_from_the_hub_is_named_with_its_commit(tmp_path):
    commit = "0123456789" * 4
    assert hub_origin(tmp_path / "datasets--org--a-set" / "snapshots" / commit / "data") == ("org/a-set", commit)
    assert hub_origin(tmp_path / "data") is None
