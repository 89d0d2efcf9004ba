"""The column `prompt`: exactly what problem and images say, in the shape that chat templates read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_core.chat_column import CHAT, parts, prompt_column
from cogito_core.engines.base import Chat
from cogito_core.prompts import build_chat
from cogito_core.sample import PICTURE, SCHEMA, Picture, Sample, samples_to_table
from cogito_core.shards import SampleStore, read_samples, write_shards, write_table

PICTURES = tuple(Picture(bytes([n])) for n in range(5))

PROBLEMS = st.lists(st.sampled_from(["<image>", "Is ", "x", "\n", "<imag", "e>", " é\U0001f600", "image"]), max_size=12).map("".join)


def spelt(chat: list[dict[str, object]]) -> str:
    """The text of a one-message chat, with a mark for every picture part."""
    (message,) = chat
    assert message["role"] == "user"
    assert all((part["text"] is None) == (part["type"] == "image") for part in message["content"])  # type: ignore[attr-defined]
    return "".join(part["text"] or "<image>" for part in message["content"])  # type: ignore[attr-defined]


@given(st.lists(st.tuples(PROBLEMS, st.integers(0, 5)), max_size=6))
def test_parts_spell_the_question_as_the_engines_ask_it(rows: list[tuple[str, int]]) -> None:
    images = [[{"bytes": b"x", "path": None}] * n for _, n in rows]
    table = pa.table({"problem": pa.array([problem for problem, _ in rows], pa.string()), "images": pa.array(images, pa.list_(PICTURE))})
    column = prompt_column(table)
    assert column.type == CHAT
    for chat, (problem, n) in zip(column.to_pylist(), rows, strict=True):
        assert chat[0]["content"] == parts(problem, n)
        kinds = [part["type"] for part in chat[0]["content"]]
        assert kinds.count("image") == n and set(kinds) <= {"image", "text"}
        if problem.count("<image>") <= n:
            asked = Chat(build_chat("nano", problem, PICTURES[:n]).messages, PICTURES[:n]).with_marks()
            assert spelt(chat) == "".join(message.text for message in asked)
        else:
            assert spelt(chat) == problem


@pytest.mark.parametrize("problem", ["How many?", "<image>How many?", "Is <image> left of <image> in <image>?", "Compare: <image>\n(A) {x}\n(B) y"])
def test_a_chat_template_renders_it_as_our_own_request(problem: str) -> None:
    from transformers import AutoTokenizer

    from cogito_core.engines.encode import template_messages
    from cogito_core.engines.models import resolve_model

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("nano"))
    ours = template_messages(build_chat("nano", problem, PICTURES[:3]))
    theirs = [{"role": "user", "content": parts(problem, 3)}]
    assert tokenizer.apply_chat_template(theirs, tokenize=False) == tokenizer.apply_chat_template(ours, tokenize=False)


def rows() -> list[Sample]:
    return [
        Sample(id=f"toy/train/{n}", source="toy", category="math", split="train", problem=f"<image>What is {n}?",
               images=PICTURES[: 1 + n % 2], answer=str(n), answer_kind="number")
        for n in range(1200)
    ]  # fmt: skip


def test_it_is_written_anew_and_never_read(tmp_path: Path) -> None:
    path, = write_shards(rows(), tmp_path)
    good = path.read_bytes()
    before = list(read_samples(tmp_path))
    table = pq.read_table(path)
    assert [spelt(chat) for chat in table.column("prompt").to_pylist()] == ["<image>" * (len(one.images) - 1) + one.problem for one in before]
    wrong = table.set_column(table.schema.get_field_index("prompt"), "prompt", table.column("prompt").take(list(range(1199, -1, -1))))
    pq.write_table(wrong, path)
    assert list(read_samples(tmp_path)) == before and SampleStore(tmp_path)[7] == before[7]
    path.unlink()
    write_table(wrong, path)
    assert path.read_bytes() == good


def test_older_shards_without_it_are_read(tmp_path: Path) -> None:
    path, = write_shards(rows()[:4], tmp_path)
    before = list(read_samples(tmp_path))
    old = pq.read_table(path).drop_columns(["prompt"])
    metadata = {**old.schema.metadata, b"cogito_schema_version": b"1"}
    pq.write_table(old.replace_schema_metadata(metadata), path)
    assert list(read_samples(tmp_path)) == before
    assert [SampleStore(tmp_path)[n] for n in range(4)] == before
    write_table(pq.read_table(path), path)
    assert pq.read_table(path).column_names == [*SCHEMA.names, "prompt"]


def test_it_costs_little_beside_the_question(tmp_path: Path) -> None:
    """Role and kind are dictionary-encoded: what remains is the text a second time, compressed as the first."""
    path, = write_shards(rows(), tmp_path)
    size = dict.fromkeys(("problem", "role", "type", "text"), 0)
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            name = column.path_in_schema.rpartition(".")[2]
            if column.path_in_schema.startswith("prompt") or name == "problem":
                size[name] += column.total_compressed_size
    assert size["role"] + size["type"] < size["problem"]
    assert size["text"] < 1.5 * size["problem"]


def test_a_table_of_samples_has_no_prompt() -> None:
    assert samples_to_table(rows()[:2]).column_names == SCHEMA.names
