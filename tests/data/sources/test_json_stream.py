"""Large JSON read row by row, against json.loads of the whole; the window is made tiny so that every cut occurs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cogito_data.sources.shapes.json_stream as module
from cogito_core.console import CogitoError
from cogito_data.sources.shapes.json_stream import stream_list, stream_pairs

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=[1, 7, 1 << 20])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", request.param)


@pytest.mark.usefixtures("window")
@quick
@given(st.lists(values, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_lists(tmp_path: Path, rows: list[object], indent: int | None, ascii_only: bool) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    assert list(stream_list(path, None)) == rows
    whole = {"info": {"rows": 3}, "rows": rows, "tail": [1]}
    path.write_text(json.dumps(whole, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    assert list(stream_list(path, "rows")) == rows


@pytest.mark.usefixtures("window")
@quick
@given(st.dictionaries(st.text(max_size=6), values, max_size=6), st.sampled_from([None, 2]))
def test_pairs(tmp_path: Path, rows: dict[str, object], indent: int | None) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(rows, indent=indent), encoding="utf-8")
    assert list(stream_pairs(path)) == list(rows.items())


@pytest.mark.parametrize(("text", "key", "words"), [
    ("[1, 2", None, "row 2"), ("[1, 2,", None, "row 2"), ("[1 2]", None, "expected ','"), ("", None, "list of rows"),
    ("{}", None, "list of rows"), ('{"a": 1}', "rows", "lacks the key 'rows'"), ('{"rows": 1}', "rows", "list of rows"),
    ("[]", "rows", "an object with the key 'rows'"), ('{"rows": [tru', "rows", "row 0"),
])
def test_damaged_lists_are_named(tmp_path: Path, text: str, key: str | None, words: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(CogitoError) as caught:
        list(stream_list(tmp_path / "x.json", key))
    assert words in str(caught.value)
    assert "x.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_came_before_the_damage_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1, "b": [2], "c": ', encoding="utf-8")
    pairs = stream_pairs(tmp_path / "x.json")
    assert [next(pairs), next(pairs)] == [("a", 1), ("b", [2])]
    with pytest.raises(CogitoError, match="after row 'b'"):
        next(pairs)


def test_a_missing_file_and_foreign_bytes_are_named(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match="there is no file"):
        list(stream_list(tmp_path / "none.json", None))
    (tmp_path / "x.json").write_bytes(b'["\xff\xfe"]')
    with pytest.raises(CogitoError, match="not UTF-8"):
        list(stream_list(tmp_path / "x.json", None))
