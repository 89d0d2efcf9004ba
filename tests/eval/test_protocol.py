"""How items are asked: prompts, options, rotations, the paper's rescue, and the optional judge."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cogito_core.console import UsageError
from cogito_eval.aggregate import score_rows
from cogito_eval.benchmark import load_benchmark
from cogito_eval.item import Item
from cogito_eval.judge import is_doubtful, judge_doubtful, read_reply
from cogito_eval.loading import load_items
from cogito_eval.nearest import RULE, nearest_option, similarity
from cogito_eval.protocol import ask, resolve_protocol, rotations
from cogito_eval.results import question_row
from cogito_eval.scoring import judge_row, official_rule

from .conftest import result_row

ITEM = Item(id="q", problem="Which {x} is \\frac{1}{2}?", gold="C", kind="choice",
            choices=("a red house", "a blue boat", "the \\frac{1}{2} of {x}"), aliases=())


def test_questions_with_braces_survive_every_prompt():
    for protocol in ("paper", "training", "nano"):
        text = "".join(message.text for message in ask(ITEM, (), protocol, load_benchmark("mathvista")).messages)
        assert "Which {x} is \\frac{1}{2}?" in text and "(C) the \\frac{1}{2} of {x}" in text
        assert "{problem}" not in text


def test_the_default_protocol_is_the_papers_and_nanos_own():
    assert resolve_protocol("auto", load_benchmark("mathvista")) == "paper"
    assert resolve_protocol("auto", load_benchmark("nano")) == "nano"
    with pytest.raises(UsageError, match="no prompt of its own"):
        resolve_protocol("own", load_benchmark("tabmwp"))


def test_rotations_keep_the_gold_option():
    turned = list(rotations(ITEM))
    assert len(turned) == 3 and len({item.id for item in turned}) == 3
    for item in turned:
        assert item.choices["ABC".index(item.gold)] == "the \\frac{1}{2} of {x}"
        assert sorted(item.choices) == sorted(ITEM.choices)
    assert len({item.gold for item in turned}) == 3
    shown = Item(id="q", problem="?", gold="A", kind="choice", choices=("x", "y"), shown_choices=True)
    assert list(rotations(shown)) == [shown]


@pytest.mark.parametrize(
    ("answer", "letter"),
    [("the red house", "A"), ("Blue boat", "B"), ("1/2 of {x}", "C"), ("seventeen", None), ("", None)],
)
def test_the_nearest_option(answer, letter):
    assert nearest_option(answer, ITEM.choices) == letter


def test_similarity_is_symmetric_and_bounded():
    assert similarity("a red house", "a red house") == 1
    assert similarity("red house", "a red house") == similarity("a red house", "red house") > 0.7
    assert similarity("abc", "xyz") == 0
    assert nearest_option("same", ("same", "same")) is None


def test_the_papers_rescue_is_marked_and_only_in_its_protocol():
    row = {**question_row(ITEM), "sample": 0, "error": None, "finish": "stop", "n_tokens": 5}
    odd = {**row, "response": "So it is \\boxed{the half of {x}, \\frac{1}{2}}"}
    assert judge_row(odd, None)["strict"]["rule"] != RULE
    named = judge_row({**row, "response": "\\boxed{C}"}, None, paper=True)["strict"]
    assert named["outcome"] == "right" and named["rule"] != RULE
    rescued = judge_row({**row, "response": "\\boxed{a crimson house}"}, None, paper=True)["strict"]
    assert rescued["rule"] == RULE and rescued["answer"] == "A" and rescued["outcome"] == "wrong"


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"response": "  "}, "empty"), ({"response": "\\boxed{C}", "finish": "length"}, "truncated"),
     ({"response": "\\boxed{C}"}, "answered"), ({"response": "I'm sorry, I can't help with that."}, "refusal"),
     ({"response": "", "error": "the server is down"}, "failed"), ({"response": "Hmm, well."}, "unextracted")],
)
def test_what_became_of_an_answer(fields, status):
    row = {**question_row(ITEM), "sample": 0, "error": None, "finish": "stop", "n_tokens": 5, **fields}
    judged = judge_row(row, None)
    assert judged["status"] == status
    assert (judged["strict"]["outcome"] == "right") == (fields["response"] == "\\boxed{C}")


@pytest.mark.parametrize(
    ("response", "finish", "status", "reason"),
    [("<think>" + "so it goes, " * 300, "length", "truncated", "the answer was cut off at 900 tokens before its thinking"),
     ("<think>a</think> Let me now", "length", "truncated", "the answer was cut off at 900 tokens: "),
     ("<think>so", "stop", "unextracted", "the thinking was not closed"),
     ("<think>so</think>", "stop", "unextracted", "nothing follows the thinking"),
     ("", "length", "empty", "the response is empty")],
)
def test_a_missing_answer_says_why(response, finish, status, reason):
    row = {**question_row(ITEM), "sample": 0, "error": None, "finish": finish, "n_tokens": 900, "response": response}
    judged = judge_row(row, None)
    assert judged["status"] == status and judged["strict"]["reason"].startswith(reason)


def test_only_doubtful_answers_are_shown_to_a_judge():
    assert is_doubtful(result_row("a", outcome="wrong"))
    assert is_doubtful(result_row("a", outcome="undecidable", kind="choice"))
    assert not is_doubtful(result_row("a", outcome="wrong", kind="choice"))
    assert not is_doubtful(result_row("a"))
    assert not is_doubtful(result_row("a", outcome="undecidable", response=" "))


@pytest.mark.parametrize(("text", "decided"), [("Yes.", True), ("**no**", False), ("Maybe yes", None), ("", None)])
def test_a_judges_reply(text, decided):
    assert read_reply(text) is decided


class _Judge(BaseHTTPRequestHandler):
    """A real HTTP server that says yes where the reply holds the reference answer."""

    asked: list[str] = []

    def do_GET(self):
        self._send({"object": "list", "data": [{"id": "referee", "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        self.asked.append(text)
        said = "yes" if "seven" in text else "no"
        self._send({"id": "1", "object": "chat.completion", "model": "referee", "created": 0,
                    "choices": [{"index": 0, "finish_reason": "stop",
                                 "message": {"role": "assistant", "content": said}}],
                    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}})

    def _send(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def test_a_judge_marks_its_verdicts_and_is_asked_once(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        spec = f"openai:http://127.0.0.1:{server.server_address[1]}/v1"
        rows = [result_row("a"), result_row("b", outcome="wrong", answer="seven"),
                result_row("c", outcome="wrong", answer="eight"), result_row("d", outcome="wrong", kind="choice")]
        for _ in range(2):
            judged = judge_doubtful(rows, spec, "referee", tmp_path / "store")
        assert [row["strict"]["rule"] for row in judged] == ["number", "judge:referee", "judge:referee", "number"]
        assert [row["strict"]["outcome"] for row in judged] == ["right", "right", "wrong", "wrong"]
        assert len(_Judge.asked) == 2
        with pytest.raises(UsageError, match="openai"):
            judge_doubtful(rows, "transformers", "referee", tmp_path / "store")
    finally:
        server.shutdown()
        server.server_close()


def test_a_released_rule_guesses_by_expectation_or_by_seed():
    rule = official_rule(load_benchmark("mmmu"))
    rows = [{**question_row(ITEM), "id": f"q{i}", "sample": 0, "error": None, "finish": "stop", "n_tokens": 5,
             "response": "No idea at all.", "official_row": {
                 "gold": "B", "question_type": "multiple-choice", "index2ans": {"A": "x1", "B": "x2", "C": "x3", "D": "x4"}}}
            for i in range(400)]
    expected = judge_row(rows[0], rule)["official"]
    assert expected["expectation"] == pytest.approx(0.25)
    drawn = [judge_row(row, rule, guess=7)["official"] for row in rows]
    assert drawn == [judge_row(row, rule, guess=7)["official"] for row in rows]
    assert {verdict["outcome"] for verdict in drawn} == {"right", "wrong"} and "expectation" not in drawn[0]
    assert 0.17 < sum(verdict["outcome"] == "right" for verdict in drawn) / 400 < 0.33


def test_an_option_that_reads_like_another_letter_is_named_by_letter_alone():
    item = Item(id="q", problem="Which part?", gold="C", kind="choice", choices=("C", "B", "E", "G"))
    row = {**question_row(item), "sample": 0, "error": None, "finish": "stop", "n_tokens": 5}
    assert judge_row({**row, "response": "C"}, None)["strict"]["outcome"] == "right"
    assert judge_row({**row, "response": "\\boxed{A}"}, None)["strict"]["outcome"] == "wrong"


def test_a_consensus_of_ten_people_takes_a_manifest_alone(tmp_path):
    manifest = tmp_path / "people.yaml"
    manifest.write_text(
        "name: people\ntitle: People\nlicence: CC BY 4.0\ncategory: general\nkind: vqa\n"
        "layouts: [{name: own, files: [q.jsonl], format: jsonl}]\n"
        "columns: {id: id, problem: question, pictures: [image], gold: answers}\nofficial: {rule: vqa}\n"
    )
    said = {"a": ["red"] * 2 + ["blue"] * 8, "b": [{"answer": "red"}] * 3 + [{"answer": "blue"}] * 7, "c": "red"}
    lines = [json.dumps({"id": id, "question": "Which?", "image": "x.png", "answers": s}) for id, s in said.items()]
    (tmp_path / "q.jsonl").write_text("\n".join(lines))
    benchmark = load_benchmark(manifest)
    found = load_items(benchmark, tmp_path, blind=True)
    assert found.unusable == [("c", "'answers' is no list of people's answers")]
    rows = [judge_row({**question_row(item), "response": "red", "sample": 0, "finish": "stop", "n_tokens": 1},
                      official_rule(benchmark)) for item in found.items]
    assert [(row["gold"], row["strict"]["outcome"]) for row in rows] == [("blue", "wrong"), ("blue", "right")]
    # Two of ten: (2 * min(1, 1/3) + 8 * min(1, 2/3)) / 10; three: (3 * 2/3 + 7) / 10. Part credit is no guess.
    assert [round(row["official"]["expectation"], 4) for row in rows] == [0.6, 0.9]
    scores = score_rows(rows, benchmark)
    assert scores["official"]["accuracy"] == pytest.approx(0.75) and "guessed" not in scores["official"]


@pytest.mark.parametrize(
    ("name", "reply"),
    [("mmmu", "B"), ("mmmu_sci", "B"), ("mmmu_pro", "I think so.\nAnswer: B"), ("mmstar", "B"), ("ai2d", "B"),
     ("scienceqa", "B"), ("mathvision", "Then \\boxed{B}."), ("emma", "So \\boxed{B}"),
     ("wemath", "<Thought process>: <<It is round.>> <Answer>: <<B>>")],
)
def test_an_answer_in_the_form_of_its_own_prompt_is_right_by_the_released_rule(name, reply):
    benchmark = load_benchmark(name)
    item = Item(id="q", problem="Which is round?", gold="B", kind="choice", choices=("a box", "a ball", "a cone"),
                record={"_setting": "standard"})
    text = ask(item, (), resolve_protocol("own", benchmark), benchmark).messages[0].text
    assert "Which is round?" in text and "{" not in text.replace("\\boxed{}", "")
    if name not in ("mmstar", "ai2d"):  # there the question shows its options
        assert "(B) a ball" in text
    row = {"gold": "B", "choices": list(item.choices), "response": reply}
    assert official_rule(benchmark)(row).is_right


@pytest.mark.parametrize(("problem", "end"), [("Find $x$.", "So the final answer is"), ("求$x$。", "所以最终答案是")])
def test_olympiadbench_is_asked_in_its_language(problem, end):
    benchmark = load_benchmark("olympiadbench")
    item = Item(id="q", problem=problem, gold="5", record={"is_multiple_answer": False})
    text = ask(item, (), "own", benchmark).messages[0].text
    assert text.startswith(problem) and end in text
    said = "First \\boxed{3}.\n" + end + " \\boxed{5}."
    assert official_rule(benchmark)({"gold": "$5$", "response": said}).is_right
