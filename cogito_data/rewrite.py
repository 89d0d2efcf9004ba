"""What no rule can open, a model may: it writes the question anew, and the same round trip as the rules' checks it.

Optional (`reformulate:` in a recipe). The model sees text only: question, options and which of them is right. It
invents no gold: its answer must be part of the right option. Its words are taken as they are or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.console import CogitoError
from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of
from cogito_core.sample import Sample, problem_hash, row_to_sample, samples_to_table
from cogito_data.pool import Pool
from cogito_data.prepare import PART_SCHEMA
from cogito_data.recipe import Rewriting
from cogito_data.reformulate import bare_question, gold_position, round_trip
from cogito_data.rules import Item, Ruling
from cogito_data.rules.numeric import read_value
from cogito_data.rules.wording import leaning, normal
from cogito_data.sources.assemble import MARK, problem_text
from cogito_data.trials import engine_of

CODE_VERSION = "1"

PROMPT_NAME = "rewrite/1"

PROMPT = """You turn multiple-choice questions about a picture into open questions. You do not see the picture.

Write the question so that somebody who sees the picture and no options can give the right answer, and so that no
wrong option would be right as well. Keep every number and name of the question. Do not give the answer away, do not
list the options, and do not speak of options, choices or letters. Then give the answer in at most six words, taken
from the right option word for word.

Reply with exactly two lines:
QUESTION: the new question
ANSWER: the answer
If no open question has just this one answer, reply with the single word KEEP."""

LONGEST_ANSWER = 6
"""Words of an answer; a longer one nobody gives in the same words."""

RULES = ("leaning", "numeric", "two_way", "short_words", "phrases")
"""Rules whose kept questions a model may try. The others keep what cannot be opened by any words: options that are
drawn in the picture, golds about other options, options that are equal to each other."""

_REPLY = re.compile(r"^\W*QUESTION:\s*(?P<question>\S.*?)\s*\n\s*\W*ANSWER:\s*(?P<answer>\S.*?)\s*$", re.M)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def rewrite_unit(
    aside: str, parts: list[tuple[str, str]], rows: np.ndarray, settings: dict[str, Any], seed: int, work: str,
    cluster: str | None,
) -> None:
    """Write one prepared part anew to `aside`: the same rows, those of `rows` opened where the model could.

    Args:
        parts: one (ingested shard, prepared part) pair.
        rows: positions in the part.
        settings: of Rewriting.
        work: folder of the answer store.

    Raises:
        CogitoError: the model cannot be asked.
    """
    rewriting = Rewriting(**settings)
    (shard, part), = parts
    pool = Pool([(Path(shard), Path(part))])
    samples = {row: _without_pictures(pool, row) for row in rows.tolist()}
    engine = engine_of(work, rewriting, cluster, pictures=False)
    changed: dict[int, Sample] = {}
    for result in engine.generate(_requests(samples, rewriting, seed)):
        row = int(result.id)
        if result.error is not None:
            raise CogitoError(f"the model could not be asked to rewrite {samples[row].id}: {result.error}")
        changed[row] = rewritten(samples[row], [answer.text for answer in result.answers], engine.name)
    _write(Path(part), Path(aside), changed)


def may_ask(reformulation: str) -> bool:
    """Whether a model may try a row that the rules left as it is."""
    said = reformulation.split(": ")
    return said[0] == "none" and len(said) > 1 and said[1] in RULES


def _without_pictures(pool: Pool, row: int) -> Sample:
    known = {name: value for name, value in pool.text(row).items() if name in Sample.__dataclass_fields__}
    return row_to_sample({**known, "images": []})


def _requests(samples: dict[int, Sample], settings: Rewriting, seed: int) -> Iterator[Request]:
    sampling = Sampling(temperature=settings.temperature, max_tokens=settings.max_tokens)
    for row, sample in samples.items():
        item = item_of(sample)
        if item is not None:
            options = "\n".join(f"- {option}" for option in item.options)
            asked = f"Question: {item.question}\nOptions:\n{options}\nRight option: {item.answer}"
            chat = Chat((Message("system", PROMPT), Message("user", asked)), ())
            seeds = tuple(seed_of("rewrite", seed, PROMPT_NAME, asked, n) for n in range(settings.attempts))
            yield Request(str(row), chat, seeds, sampling)


def item_of(sample: Sample) -> Item | None:
    """The multiple-choice question of a row; None where pictures stand between its words: they have to stay there."""
    options = tuple(sample.answer_spec.get("choices", ()))
    gold = gold_position(sample, options)
    question = bare_question(sample)
    words = question.replace(MARK, "").strip()
    if gold is None or not question.rstrip().endswith(words):
        return None
    return Item(words, options, gold)


def rewritten(sample: Sample, replies: Sequence[str], model: str) -> Sample:
    """The sample with the first reply that passes all checks, or as it was with the reason why none did.

    Either way `meta["rewrite"]` holds model, prompt and text.
    """
    item = item_of(sample)
    assert item is not None
    faults = []
    for reply in replies:
        ruling = ruling_of(item, reply)
        note = {"model": model, "prompt": PROMPT_NAME, "text": reply}
        if isinstance(ruling, str):
            faults.append(ruling)
            continue
        problem = problem_text(ruling.question, sample.problem.count(MARK), ())
        return replace(
            sample, problem=problem, problem_hash=problem_hash(problem), answer=ruling.answer,
            answer_kind=ruling.kind, answer_spec=ruling.spec, answer_aliases=ruling.aliases, reformulation="model",
            meta={**sample.meta, "chance": 0.0, "rewrite": note},
        )  # fmt: skip
    note = {"model": model, "prompt": PROMPT_NAME, "text": replies[0], "refused": faults[0]}
    reason = sample.reformulation.removeprefix("none: ")
    return replace(
        sample, reformulation=f"none: model: {faults[0]}; {reason}", meta={**sample.meta, "rewrite": note}
    )


def ruling_of(item: Item, reply: str) -> Ruling | str:
    """What a reply makes of a question, or what is wrong with it as one sentence.

    >>> item = Item("Which statement about whales is true?", ("They are mammals.", "They are fish."), 0)
    >>> ruling_of(item, "QUESTION: To which class of animals do whales belong?\\nANSWER: mammals").answer
    'mammals'
    >>> ruling_of(item, "QUESTION: Are whales mammals?\\nANSWER: mammals")
    'the new question gives the answer away'
    """
    found = list(_REPLY.finditer(reply))
    if not found:
        keeps = re.search(r"^\W*KEEP\W*$", reply, re.M)
        return "the model would keep the options" if keeps else "the reply has not the form that was asked for"
    question, answer = found[-1]["question"], found[-1]["answer"].strip(" .\"'")
    fault = _fault(item, question, answer)
    if fault:
        return fault
    value = read_value(answer)
    kind = "text" if value is None or value.unit else value.kind
    ruling = Ruling("model", True, question=question, answer=answer, kind=kind, aliases=(item.answer,))
    return round_trip(item, ruling, shortest=0) or ruling


def _fault(item: Item, question: str, answer: str) -> str:
    short, gold = f" {normal(answer)} ", f" {normal(item.answer)} "
    if not short.strip() or short not in gold:
        return "the answer is not part of the right option"
    if len(answer.split()) > LONGEST_ANSWER:
        return "the answer is too long"
    if any(short in f" {normal(option)} " or f" {normal(option)} " in short for option in item.distractors):
        return "the answer is part of another option"
    if short in f" {_words(question)} " and short not in f" {_words(item.question)} ":
        return "the new question gives the answer away"
    if set(_NUMBER.findall(question)) != set(_NUMBER.findall(item.question)):
        return "the numbers of the question are not kept"
    if MARK in question:
        return "the new question holds a picture mark"
    pattern = leaning(question)
    return f"the new question leans on a list ({pattern})" if pattern else ""


def _words(question: str) -> str:
    return " ".join(re.findall(r"\w+", normal(question)))


def _write(part: Path, place: Path, changed: dict[int, Sample]) -> None:
    """The part with the columns of the changed rows replaced."""
    table = pq.read_table(part)
    rows = sorted(changed)
    if rows:
        new = samples_to_table([changed[row] for row in rows])
        positions = np.arange(table.num_rows)
        positions[rows] = table.num_rows + np.arange(len(rows))
        for name in (field.name for field in PART_SCHEMA if field.name in new.schema.names):
            column = pa.chunked_array([*table.column(name).chunks, *new.column(name).chunks])
            table = table.set_column(table.schema.get_field_index(name), name, column.take(pa.array(positions)))
    pq.write_table(table, place, compression="zstd", row_group_size=2000)
