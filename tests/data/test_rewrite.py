"""A model's rewrites: taken if they pass the round trip, refused and counted if not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cogito_core.sample import Sample
from cogito_core.shards import read_samples
from cogito_data.command import run_build
from cogito_data.explain import explain_row
from cogito_data.rewrite import may_ask, rewritten, ruling_of
from cogito_data.rules import Item, Ruling
from tests.data.making import encoded, noise_picture
from tests.engines.fake_server import FakeServer, reply

WHALE = Item("Which statement about the 3 whales is true?", ("They are mammals.", "They are cold-blooded fish.", "They lay eggs."), 0)


@pytest.mark.parametrize(("said", "fault"), [
    ("KEEP", "keep the options"),
    ("I think the answer is (A).", "not the form"),
    ("QUESTION: What are the 3 whales?", "not the form"),
    ("QUESTION: What are the 3 whales?\nANSWER: birds", "not part of the right option"),
    ("QUESTION: What are the 3 whales?\nANSWER: they", "part of another option"),
    ("QUESTION: To which class belong the 3 mammals?\nANSWER: mammals", "gives the answer away"),
    ("QUESTION: To which class do whales belong?\nANSWER: mammals", "numbers of the question are not kept"),
    ("QUESTION: To which class do the 3 whales of 1999 belong?\nANSWER: mammals", "numbers of the question are not kept"),
    ("QUESTION: Which of these do the 3 whales belong to?\nANSWER: mammals", "leans on a list"),
    ("QUESTION: Which option fits the 3 whales?\nANSWER: mammals", "speak of options|speaks of options|leans on a list"),
    ("QUESTION: <image> What class are the 3 whales?\nANSWER: mammals", "picture mark"),
    ("QUESTION: " + "Well, " * 60 + "what class are the 3 whales?\nANSWER: mammals", "too long"),
])
def test_a_bad_reply_is_refused_with_its_reason(said: str, fault: str) -> None:
    found = ruling_of(WHALE, said)
    assert isinstance(found, str)
    assert re.search(fault, found), found


@pytest.mark.parametrize("said", [
    "QUESTION: To which class of animals do the 3 whales belong?\nANSWER: mammals",
    "<think>Which words are safe?\nQUESTION: draft\nANSWER: draft</think>\n\n**QUESTION:** To which class of animals do the 3 whales belong?\nANSWER: mammals.\n",
])
def test_a_good_reply_keeps_the_words_of_the_right_option(said: str) -> None:
    found = ruling_of(WHALE, said.replace("**", ""))
    assert isinstance(found, Ruling)
    assert (found.question, found.answer, found.aliases) == (
        "To which class of animals do the 3 whales belong?", "mammals", ("They are mammals.",))


def test_which_questions_are_tried() -> None:
    assert may_ask("none: phrases: the options are phrases that no rule can ask for")
    assert may_ask("none: leaning: the question leans on its list (following)")
    for kept in ("none: it is an open question", "none: labels: x", "none: twins: x", "numeric", "none: meta_answer: x",
                 "none: the recipe leaves this source as it is"):
        assert not may_ask(kept)


def test_the_first_reply_that_passes_is_taken() -> None:
    sample = Sample(id="a/b/c", source="a", category="science", split="train", answer="A", answer_kind="choice",
                    problem=f"<image>\n{WHALE.question}\n(A) They are mammals.\n(B) They are cold-blooded fish.\n(C) They lay eggs.",
                    choices=WHALE.options, answer_spec={"choices": list(WHALE.options)},
                    reformulation="none: leaning: the question leans on its list (statement)", image_hash="x")
    good = "QUESTION: To which class of animals do the 3 whales belong?\nANSWER: mammals"
    done = rewritten(sample, ["KEEP", good], "m@1")
    assert (done.problem, done.answer, done.answer_kind, done.reformulation) == (
        "<image>\nTo which class of animals do the 3 whales belong?", "mammals", "text", "model")
    assert done.meta["rewrite"] == {"model": "m@1", "prompt": "rewrite/1", "text": good}
    assert done.choices == WHALE.options
    kept = rewritten(sample, ["KEEP", "?"], "m@1")
    assert (kept.problem, kept.answer, kept.answer_kind) == (sample.problem, "A", "choice")
    assert kept.reformulation.startswith("none: model: the model would keep the options; leaning: ")


class Writer(FakeServer):
    """Rewrites the questions about machines well and speaks of options elsewhere."""

    def reply(self, body: dict[str, Any], text: str, *, usage: bool) -> dict[str, Any]:
        made = reply(body, text, usage=usage)
        number = re.search(r"machine (\d+)", text)
        said = "QUESTION: Which option is right?\nANSWER: none"
        if number:
            said = f"QUESTION: What does machine {number[1]} turn into motion?\nANSWER: heat"
        made["choices"][0]["message"]["content"] = said
        return made


def build(folder: Path, out: Path, limit: int = 12, **reformulate: Any) -> dict[str, Any]:
    source = folder / "root/arxivqa"
    if not source.exists():
        (source / "images").mkdir(parents=True)
        rows = []
        for n in range(12):
            (source / f"images/{n}.png").write_bytes(encoded(noise_picture(n)))
            thing = "machine" if n % 2 else "animal"
            rows.append({"id": f"q{n}", "image": f"images/{n}.png", "label": "B",
                         "question": f"Which of the following statements describes {thing} {n}?",
                         "options": ["A) It turns light into sound.", "B) It turns heat into motion.", "C) It stores water in a tank."]})
        (source / "arxivqa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"mix": [{"source": "arxivqa", "limit": limit}], **({"reformulate": reformulate} if reformulate else {})}
    (folder / "recipe.yaml").write_text(yaml.safe_dump({"name": "small", "data": data}))
    run_build(str(folder / "recipe.yaml"), root=folder / "root", out=out, engine=None, model=None, seed=None,
              exact_rate=False, workers=1, cluster=None)
    return dict(json.loads((out / "summary.json").read_text()))


def test_a_build_with_a_server(tmp_path: Path) -> None:
    server = Writer()
    try:
        summary = build(tmp_path, tmp_path / "out", model="m", engine=f"openai:{server.url}", attempts=2)
        asked = len(server.calls)
        again = build(tmp_path, tmp_path / "again", model="m", engine=f"openai:{server.url}", attempts=2)
    finally:
        server.kill()
    assert summary["rewrites"] == {"arxivqa": {"model": 6, "none: model": 6}} == again["rewrites"]
    assert 12 <= asked <= 24
    samples = {s.upstream_id: s for s in read_samples(tmp_path / "out/data")}
    for n in range(12):
        sample = samples[f"q{n}"]
        if n % 2:
            assert sample.problem == f"<image>\nWhat does machine {n} turn into motion?"
            assert (sample.answer, sample.answer_kind, sample.answer_aliases) == ("heat", "text", ("It turns heat into motion.",))
            assert sample.meta["rewrite"]["text"].endswith("ANSWER: heat")
            assert sample.images[0].bytes == encoded(noise_picture(n))
        else:
            assert (sample.answer, sample.answer_kind) == ("B", "choice")
            assert sample.meta["rewrite"]["refused"] == "the answer is not part of the right option"
    first, second = (sorted((tmp_path / name / "data").iterdir()) for name in ("out", "again"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    told = explain_row(tmp_path / "out", "q3")
    assert "reformulate: model" in told
    assert "prompt rewrite/1: QUESTION: What does machine 3" in told
    assert "What does machine" in (tmp_path / "out/report.html").read_text()


def test_without_it_nothing_is_asked(tmp_path: Path) -> None:
    assert build(tmp_path, tmp_path / "out")["rewrites"] == {"arxivqa": {"none: leaning": 12}}


def test_a_model_that_cannot_write_changes_no_question(tmp_path: Path) -> None:
    """The shipped nano model knows no such task: its replies are refused, counted, and the rows stay as they were."""
    pytest.importorskip("torch")
    summary = build(tmp_path, tmp_path / "out", 2, model="nano", engine="transformers", attempts=1, max_tokens=16)
    assert summary["rewrites"] == {"arxivqa": {"none: model": 2}}
    samples = list(read_samples(tmp_path / "out/data"))
    assert {(s.answer, s.answer_kind) for s in samples} == {("B", "choice")}
    assert all(s.meta["rewrite"]["model"] for s in samples)
