"""Reports: whatever stands in the data stays text; nothing is fetched from outside."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from cogito_core.charts import bar_chart, histogram, line_chart, ticks
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


def test_charts_without_data_say_so() -> None:
    for svg in (line_chart("a", {}), bar_chart("b", []), histogram("c", [float("nan")])):
        assert "no data" in svg
