"""Self-contained HTML reports: one file, opens offline, everything escaped, charts as inline SVG.

    page = Page("Build of nano")
    page.section("Funnel")
    page.table(["stage", "rows"], [("ingested", 1800), ("kept", 1230)])
    path.write_text(page.render())
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cogito_core import charts

_STYLE = """
:root{--ink:#1d2433;--soft:#5d6679;--line:#dfe3ea;--bg:#fff;--card:#f7f8fa;--good:#1a7f4b;--bad:#b3372f;--accent:#2f5fd0}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#9aa3b5;--line:#333b4a;--bg:#161a22;--card:#1e2430;
--good:#58c48d;--bad:#ee7d74;--accent:#86a8ff}}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--bg);
margin:0 auto;padding:32px 24px 80px;max-width:1120px}
h1{font-size:26px;margin:0 0 4px}
h2{font-size:19px;margin:40px 0 10px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:20px 0 6px}p{margin:6px 0 10px;max-width:78ch}.soft{color:var(--soft)}
table{border-collapse:collapse;margin:8px 0 18px;font-size:14px}th,td{padding:5px 12px 5px 0;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;padding-right:18px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:14px;margin:10px 0 22px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:12px;font-size:13.5px;overflow-wrap:anywhere}
.card img{max-width:100%;max-height:220px;background:#fff;border-radius:4px;
display:block;margin-bottom:8px}
.card img.small{width:168px;image-rendering:pixelated}
.card pre{white-space:pre-wrap;margin:6px 0;
font:12.5px/1.45 ui-monospace,Menlo,Consolas,monospace}
.figures{display:flex;flex-wrap:wrap;align-items:flex-start;gap:22px;margin:8px 0 18px}
.figures svg{max-width:100%;height:auto}
.tiles{display:flex;flex-wrap:wrap;gap:14px;margin:16px 0}.tile{background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:12px 18px;min-width:130px}.tile b{display:block;font-size:24px;line-height:1.2}
.tile span{color:var(--soft);font-size:13px}
.right{color:var(--good);font-weight:600}.wrong{color:var(--bad);font-weight:600}
.toc{margin:14px 0 0;font-size:14px}.toc a{color:var(--accent);margin-right:16px;text-decoration:none}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .axis{stroke:var(--line)}svg .soft{fill:var(--soft)}
"""


def escape(value: Any) -> str:
    """Text that stays text: a question with a script in it shows the script."""
    return html.escape(str(value), quote=True)


@dataclass
class Card:
    """One entry of a gallery.

    Attributes:
        title: short heading.
        fields: (label, text) pairs; text is shown as it is.
        pictures: encoded pictures, shown first.
        verdict: colours the heading: True right, False wrong, None neutral.
    """

    title: str
    fields: Sequence[tuple[str, str]] = ()
    pictures: Sequence[bytes] = ()
    verdict: bool | None = None


@dataclass
class Page:
    """A report under construction; the methods append in reading order."""

    title: str
    subtitle: str = ""
    _parts: list[str] = field(default_factory=list)
    _sections: list[str] = field(default_factory=list)

    def section(self, title: str) -> None:
        """A heading that also appears in the table of contents."""
        self._sections.append(title)
        self._parts.append(f'<h2 id="s{len(self._sections)}">{escape(title)}</h2>')

    def heading(self, title: str) -> None:
        """A heading below the section."""
        self._parts.append(f"<h3>{escape(title)}</h3>")

    def paragraph(self, text: str, soft: bool = False) -> None:
        """A paragraph of plain text."""
        self._parts.append(f"<p{' class=soft' if soft else ''}>{escape(text)}</p>")

    def tiles(self, figures: Sequence[tuple[str, str]]) -> None:
        """Large figures side by side: (value, label) pairs."""
        inner = "".join(f"<div class=tile><b>{escape(v)}</b><span>{escape(k)}</span></div>" for v, k in figures)
        self._parts.append(f"<div class=tiles>{inner}</div>")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table; a column whose cells are all numbers is right-aligned."""
        self._parts.append(_table(columns, rows))

    def table_with_chart(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], svg: str) -> None:
        """A table and beside it, where the window is wide enough, a chart of its rows."""
        self._parts.append(f"<div class=figures><div>{_table(columns, rows)}</div>{svg}</div>")

    def charts(self, *svgs: str) -> None:
        """Charts of `cogito_core.charts` side by side."""
        self._parts.append(f"<div class=figures>{''.join(svgs)}</div>")

    def line_chart(self, title: str, series: dict[str, Sequence[tuple[float, float]]], **options: Any) -> None:
        """One line chart; see charts.line_chart."""
        self.charts(charts.line_chart(title, series, **options))

    def bar_chart(self, title: str, bars: Sequence[tuple[str, float]], **options: Any) -> None:
        """One bar chart; see charts.bar_chart."""
        self.charts(charts.bar_chart(title, bars, **options))

    def histogram(self, title: str, values: Sequence[float], **options: Any) -> None:
        """One histogram; see charts.histogram."""
        self.charts(charts.histogram(title, values, **options))

    def gallery(self, cards: Sequence[Card]) -> None:
        """Cards with pictures and fields."""
        self._parts.append(f"<div class=cards>{''.join(_card(card) for card in cards)}</div>")

    def picture(self, data: bytes) -> None:
        """One picture."""
        self._parts.append(f"<div class=card>{_image(data)}</div>")

    def raw(self, markup: str) -> None:
        """Markup of our own making; whatever comes from data must have been escaped."""
        self._parts.append(markup)

    def render(self) -> str:
        """The whole file."""
        links = "".join(f'<a href="#s{i}">{escape(t)}</a>' for i, t in enumerate(self._sections, 1))
        toc = f"<nav class=toc>{links}</nav>" if len(self._sections) > 1 else ""
        subtitle = f"<p class=soft>{escape(self.subtitle)}</p>" if self.subtitle else ""
        return (
            f"<!doctype html><html lang=en><head><meta charset=utf-8>"
            f'<meta name=viewport content="width=device-width">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body>"
            f"<h1>{escape(self.title)}</h1>{subtitle}{toc}{''.join(self._parts)}</body></html>\n"
        )


def data_uri(data: bytes) -> str:
    """A picture as a data URI; its type is read from its first bytes."""
    for magic, kind in ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp")):
        if data.startswith(magic):
            return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _image(data: bytes) -> str:
    # The nano pictures are a few dozen pixels wide: enlarged without smoothing they can be read.
    small = ' class="small"' if len(data) < 3000 else ""
    return f'<img{small} loading=lazy alt="" src="{data_uri(data)}">'


def _card(card: Card) -> str:
    style = {True: ' class="right"', False: ' class="wrong"', None: ""}[card.verdict]
    pictures = "".join(_image(data) for data in card.pictures)
    lines = "".join(
        f"<div><span class=soft>{escape(label)}</span> <pre>{escape(text)}</pre></div>" for label, text in card.fields
    )
    return f"<div class=card>{pictures}<b{style}>{escape(card.title)}</b>{lines}</div>"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    classes = [" class=n" if n else "" for n in numeric]
    head = "".join(f"<th{c}>{escape(name)}</th>" for c, name in zip(classes, columns, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{c}>{escape(_cell(v))}</td>" for c, v in zip(classes, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
