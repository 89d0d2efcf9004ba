"""Nothing raises, nothing is executed, nothing takes long, and threads and processes give the same verdicts."""

from __future__ import annotations

import builtins
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogito_core.verify import Verdict, extract, judge, verify, verify_many
from cogito_core.verify.reader import read
from cogito_core.verify.tree import ReadError, show

from .suite import load

GOLDS = [
    "42",
    "x^2+1",
    "(1,2)",
    "5 cm",
    "yes",
    "B",
    "\\frac{1}{2}",
    "2\\sqrt{3}+\\pi",
    "[0,1)",
    "red apple",
    "1,2,3",
    "2^{100}",
]


def _calls(gold: str, text: str) -> list[Verdict]:
    return [
        verify(gold, text),
        verify(text, gold),
        judge(text, gold),
        verify(text, text),
        verify(gold, text, choices=["42", "x", "red"]),
        judge(text, gold, choices=["42", "x", "red"]),
    ]


PAYLOADS = [
    "__import__('os').system('touch {}')",
    "eval(\"open('{}','w')\")",
    "exec(\"open('{}','w')\")",
    "open('{}','w').close()",
    "\\input{{{}}}",
    "(lambda: open('{}','w'))()",
    "[open('{}','w') for _ in (1,)][0]",
    "os.system('touch {}')",
    "1 if open('{}','w') else 2",
    "42; open('{}','w')",
    "x.__class__.__mro__[1].__subclasses__()",
    "sympify(\"open('{}','w')\")",
]


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **kwargs: object) -> object:
        raise AssertionError("eval or exec was called")

    marker = tmp_path / "executed"
    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    for payload in PAYLOADS:
        text = payload.format(marker)
        for gold in GOLDS:
            assert all(isinstance(verdict, Verdict) for verdict in _calls(gold, text))
    assert not marker.exists()


_MATHS = st.text(
    alphabet=st.sampled_from(list("0123456789+-*/^_{}()[]|.,;:=<>!%$\\ xyznieπ√½²°∪≤ABab\n")), max_size=60
)
_WORDS = st.lists(
    st.sampled_from(
        [
            "\\frac",
            "{",
            "}",
            "1",
            "2",
            "\\sqrt",
            "x",
            "^",
            "_",
            "(",
            ")",
            "[",
            "]",
            "\\left",
            "\\right",
            "\\pi",
            "\\text{ or }",
            "cm",
            "\\cup",
            "\\infty",
            ",",
            "\\boxed{",
            "<think>",
            "</think>",
            "<answer>",
            "</answer>",
            "the answer is",
            "(B)",
            "\\begin{pmatrix}",
            "\\end{pmatrix}",
            "&",
            "\\\\",
            "\\pm",
            "!",
            "%",
            "°",
            "or",
            "and",
            "$",
            "$$",
            "\\[",
            "\\]",
            "=",
            "\\approx",
            "<",
            "\\in",
            "7",
            "-",
            "\n",
        ]
    ),
    max_size=40,
).map(" ".join)


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=80), _MATHS, _WORDS), st.sampled_from(GOLDS))
def test_no_string_raises(text: str, gold: str) -> None:
    for verdict in _calls(gold, text):
        assert verdict.outcome in ("right", "wrong", "undecidable")
    assert extract(text).text is None or isinstance(extract(text).text, str)


@settings(max_examples=200)
@given(st.one_of(_MATHS, _WORDS))
def test_the_reader_gives_a_tree_with_places_or_says_no(text: str) -> None:
    for units in (True, False):
        try:
            node = read(text, units)
        except ReadError:
            continue
        assert show(node) == show(read(text, units))
        stack = [node]
        while stack:
            one = stack.pop()
            assert 0 <= one.start <= one.end <= len(text)
            stack.extend(one.args)


@settings(max_examples=150)
@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_integers_are_equal_only_to_themselves(one: int, other: int) -> None:
    assert verify(str(one), str(other)).is_right is (one == other)
    assert verify(str(one), f"${one:,}$").is_right
    assert not verify(str(one), str(one + 1)).is_right


@settings(max_examples=150)
@given(st.integers(-999, 999), st.integers(1, 999), st.integers(1, 50))
def test_fractions_are_equal_up_to_a_factor(top: int, bottom: int, factor: int) -> None:
    assert verify(f"\\frac{{{top}}}{{{bottom}}}", f"{top * factor}/{bottom * factor}").is_right
    assert not verify(f"\\frac{{{top}}}{{{bottom}}}", f"{top * factor + 1}/{bottom * factor}").is_right


_POLYNOMIALS = st.lists(st.integers(-9, 9), min_size=1, max_size=5)


@settings(max_examples=100)
@given(_POLYNOMIALS, _POLYNOMIALS)
def test_polynomials_are_equal_exactly_where_their_coefficients_are(one: list[int], other: list[int]) -> None:
    def written(coefficients: list[int]) -> str:
        return " + ".join(f"({c}) x^{{{k}}}" for k, c in enumerate(coefficients))

    def trimmed(coefficients: list[int]) -> list[int]:
        kept = list(coefficients)
        while kept and not kept[-1]:
            kept.pop()
        return kept

    horner = "0"
    for c in reversed(one):
        horner = f"({c} + x ({horner}))"
    assert verify(written(one), horner).is_right
    assert verify(written(one), written(other)).is_right is (trimmed(one) == trimmed(other))


@settings(max_examples=100)
@given(st.sampled_from(load()[::7]))
def test_equality_is_symmetric_where_both_sides_are_values(pair: object) -> None:
    gold, answer, right = pair.gold, pair.answer, pair.right  # type: ignore[attr-defined]
    if pair.kind is None and verify(gold, gold).kind in ("integer", "rational", "closed form", "complex"):  # type: ignore[attr-defined]
        back = verify(answer, gold)
        if back.kind in ("integer", "rational", "closed form", "complex"):
            assert back.is_right is right


SAMPLE = [(pair.gold, pair.answer) for pair in load() if pair.kind is None][::6]


def _outcomes(pairs: list[tuple[str, str]]) -> list[str]:
    return [verify(gold, answer).outcome for gold, answer in pairs]


def test_threads_and_forks_agree() -> None:
    expected = _outcomes(SAMPLE)
    before = threading.active_count()
    with ThreadPoolExecutor(4) as pool:
        assert all(result == expected for result in pool.map(lambda _: _outcomes(SAMPLE), range(4)))
    assert threading.active_count() <= before
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        assert pool.submit(_outcomes, SAMPLE).result() == expected


def test_many_keeps_order_and_does_not_depend_on_workers() -> None:
    pairs = SAMPLE * 2
    alone = verify_many(pairs)
    assert [verdict.outcome for verdict in alone] == _outcomes(pairs)
    assert verify_many(pairs, workers=2) == alone
    mixed = [
        {"gold": "B", "answer": "green", "choices": ["red", "green"], "kind": "choice"},
        ("42", 42),
        ("42", None),
    ]
    assert [verdict.outcome for verdict in verify_many(mixed)] == ["right", "right", "undecidable"]


_DYING = """
import os, sys
from cogito_core.verify import worker
def judge(question):
    if question["answer"] == "poison":
        os._exit(9)
    return worker.judged(question)
worker.serve(sys.stdin, sys.stdout, judge)
"""


def test_a_dead_worker_takes_no_other_verdict_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from cogito_core.verify import many

    monkeypatch.setattr(many, "COMMAND", [sys.executable, "-c", _DYING])
    pairs: list[many.Pair] = [(str(n), str(n)) for n in range(1000, 1120)]
    pairs.insert(50, ("1", "poison"))
    verdicts = many.verify_many(pairs, workers=2)
    assert [verdict.outcome for verdict in verdicts] == ["right"] * 50 + ["undecidable"] + ["right"] * 70
    assert verdicts[50].rule == "worker died"
