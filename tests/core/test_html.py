"""Reports: whatever stands in the data stays text; nothing is fetched from outside."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_core.charts import bar_chart, histogram, interval_chart, line_chart, ticks
from cogito_core.html import Card, Page


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href") and value and not value.startswith(("data:", "#")):
                self.outside.append(value)
            if name.startswith("on"):
                self.outside.append(name)


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    evil = f"<script>alert(1)</script>\"'><img src=http://x onerror=y>{text}"
    page = Page(evil, evil)
    page.section(evil)
    page.paragraph(evil)
    page.table([evil], [(evil,), (1,)])
    page.tiles([(evil, evil)])
    page.gallery([Card(evil, [(evil, evil)], [b"\x89PNG"], verdict=True)])
    page.line_chart(evil, {evil: [(0, 1), (1, 2)], "b": [(0, 0)]}, x_label=evil, marks=[(0.5, evil)])
    page.bar_chart(evil, [(evil, [1.0, 2.0])], names=[evil, "b"])
    page.histogram(evil, [0.1, 0.9], x_label=evil)
    seen = _Tags()
    seen.feed(page.render())
    assert "script" not in seen.tags and not seen.outside


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(3, 117) == [20, 40, 60, 80, 100] or ticks(3, 117) == [50, 100]
    assert ticks(1, 1) == [1]


def test_histogram_counts_every_value() -> None:
    svg = histogram("h", [0.0, 0.1, 0.99, 1.0, 1.0], bins=2, value_range=(0, 1))
    assert "<title>2</title>" in svg and "<title>3</title>" in svg


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert found
    return float(found[1]), float(found[2])


def test_a_long_legend_is_broken_into_lines_inside_the_chart() -> None:
    names = [f"a source with a long name {i}" for i in range(9)]
    for count in (1, 2, 3, 9):
        svg = line_chart("t", {name: [(1, 1), (2, 2)] for name in names[:count]})
        width, height = _size(svg)
        places = [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">a source', svg)]
        assert len(places) == len(set(places)) == (count if count > 1 else 0)
        assert all(x + 7 * len(names[0]) <= width + 7 and y <= height for x, y in places)


def test_a_mark_before_the_first_point_stands_at_the_edge() -> None:
    svg = line_chart("t", {"a": [(1, 1), (18, 2)]}, marks=[(0, "easy"), (6, "medium")])
    marks = [float(x) for x in re.findall(r'<line x1="([\d.]+)"[^>]*stroke-dasharray', svg)]
    first_point = float(re.search(r'points="([\d.]+),', svg)[1])  # type: ignore[index]
    assert marks[0] == first_point < marks[1]


def test_slanted_labels_end_inside_the_chart() -> None:
    label = "nano-counting-and-more"
    svg = bar_chart("t", [(f"{label}", 1.0)] * 12)
    _, height = _size(svg)
    turned = [float(y) for y in re.findall(r'text-anchor="end" transform="rotate\(-32 [\d.]+ ([\d.]+)\)', svg)]
    assert len(turned) == 12
    assert all(y + math.sin(math.radians(32)) * 6.6 * len(label) <= height for y in turned)
    assert _size(bar_chart("t", [("a", 1.0), ("b", 2.0)])) == (520, 280)


def test_charts_without_data_say_so() -> None:
    for svg in (line_chart("a", {}), bar_chart("b", []), histogram("c", [float("nan")])):
        assert "no data" in svg


def test_interval_chart_puts_points_and_intervals_to_scale() -> None:
    svg = interval_chart(
        "t", [("a <b>", [(50.0, 25.0, 75.0), None]), ("c", [(0.0, 0.0, 0.0), (100.0, 100.0, 100.0)])],
        names=("x", "y"), x_range=(0.0, 100.0), width=600,
    )
    circles = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    lines = [tuple(map(float, ends)) for ends in re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke-width', svg)]
    left, right = circles[1], circles[2]
    assert circles[0] == pytest.approx((left + right) / 2, abs=0.1)
    assert lines == [pytest.approx((left + (right - left) / 4, left + (right - left) * 3 / 4), abs=0.1)]
    assert "a &lt;b&gt;" in svg and "<b>" not in svg


def test_interval_chart_without_points_says_so() -> None:
    assert "no data" in interval_chart("t", [("a", [None])])
