"""Small SVG charts for the reports: lines, bars, histograms. No library, no script, readable in print."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

COLOURS = ("#2f5fd0", "#d9822b", "#1a7f4b", "#a33fa3", "#b3372f", "#4a8fa8", "#7a7f2b", "#6b6f7b")

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 34, 44


def line_chart(
    title: str,
    series: dict[str, Sequence[tuple[float, float]]],
    *,
    x_label: str = "",
    y_label: str = "",
    y_range: tuple[float, float] | None = None,
    marks: Sequence[tuple[float, str]] = (),
    width: int = 520,
    height: int = 280,
) -> str:
    """Lines over x; `marks` are vertical dashed lines with a label (where a stage begins, say).

    Points that are not finite are left out of the line. A mark outside of the lines stands at their edge.
    """
    drawn = {
        name: [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)] for name, points in series.items()
    }
    points = [point for line in drawn.values() for point in line]
    if not points:
        return _empty(title, width, height)
    x_low, x_high = _spread([x for x, _ in points])
    y_low, y_high = y_range or _spread([y for _, y in points], margin=0.05)
    frame = _Frame(width, height, x_low, x_high, y_low, y_high)
    legend, below = _legend(list(drawn), width, height) if len(drawn) > 1 else ("", 0)
    parts = [_head(title, width, height + below), frame.axes(x_label, y_label)]
    for place, label in marks:
        x = min(max(place, x_low), x_high)
        parts.append(
            f'<line x1="{frame.x(x):.1f}" x2="{frame.x(x):.1f}" y1="{_TOP}" y2="{height - _BOTTOM}" '
            f'class="axis" stroke-dasharray="4 3"/><text class="soft" x="{frame.x(x) + 4:.1f}" y="{_TOP + 12}">'
            f"{html.escape(label)}</text>"
        )
    for i, line in enumerate(drawn.values()):
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        if len(line) <= 30:
            parts.extend(
                f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2.5" fill="{colour}"/>' for x, y in line
            )
    return "".join(parts) + legend + "</svg>"


def bar_chart(
    title: str,
    bars: Sequence[tuple[str, float]] | Sequence[tuple[str, Sequence[float]]],
    *,
    names: Sequence[str] = (),
    errors: Sequence[Sequence[tuple[float, float]]] = (),
    y_label: str = "",
    y_range: tuple[float, float] | None = None,
    width: int = 520,
    height: int = 280,
) -> str:
    """Bars, or groups of bars where the values are sequences (`names` then labels the members of a group).

    `errors[i][j]` is the (low, high) interval of bar j in group i.
    """
    groups = [(label, list(value) if isinstance(value, Sequence) else [float(value)]) for label, value in bars]
    values = [v for _, group in groups for v in group if math.isfinite(v)]
    if not values:
        return _empty(title, width, height)
    y_low, y_high = y_range or (min(0.0, *values), max(0.0, *values) * 1.08 or 1.0)
    frame = _Frame(width, height, 0, len(groups), y_low, y_high)
    slot = (width - _LEFT - _RIGHT) / len(groups)
    slanted = max(_slant_height(label, slot) for label, _ in groups)
    legend, below = _legend(list(names), width, height + slanted) if names else ("", 0)
    parts = [_head(title, width, height + slanted + below), frame.axes("", y_label, x_ticks=False)]
    for i, (label, group) in enumerate(groups):
        bar = slot * 0.76 / len(group)
        for j, value in enumerate(group):
            if not math.isfinite(value):
                continue
            x = _LEFT + slot * i + slot * 0.12 + bar * j
            top, base = sorted((frame.y(value), frame.y(max(0.0, y_low))))
            parts.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(bar - 1, 1):.1f}" height="{max(base - top, 0.5):.1f}" '
                f'fill="{COLOURS[j % len(COLOURS)]}"><title>{html.escape(label)}: {value:.4g}</title></rect>'
            )
            if errors:
                low, high = errors[i][j]
                middle = x + bar / 2
                parts.append(
                    f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{frame.y(low):.1f}" y2="{frame.y(high):.1f}" '
                    f'stroke="currentColor" stroke-width="1.4"/>'
                )
        middle = _LEFT + slot * (i + 0.5)
        parts.append(_x_label(label, middle, height, slot))
    return "".join(parts) + legend + "</svg>"


def histogram(
    title: str,
    values: Sequence[float],
    *,
    bins: int = 10,
    value_range: tuple[float, float] | None = None,
    x_label: str = "",
    width: int = 520,
    height: int = 280,
) -> str:
    """Counts of values in equal bins over their range (or `value_range`; values outside go to the end bins)."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return _empty(title, width, height)
    low, high = value_range or _spread(finite)
    counts = [0] * bins
    for value in finite:
        counts[min(bins - 1, max(0, int((value - low) / (high - low) * bins)))] += 1
    frame = _Frame(width, height, low, high, 0, max(counts) * 1.08)
    parts = [_head(title, width, height), frame.axes(x_label, "count")]
    step = (high - low) / bins
    for i, count in enumerate(counts):
        x0, x1 = frame.x(low + step * i), frame.x(low + step * (i + 1))
        parts.append(
            f'<rect x="{x0 + 0.5:.1f}" y="{frame.y(count):.1f}" width="{x1 - x0 - 1:.1f}" '
            f'height="{frame.y(0) - frame.y(count):.1f}" fill="{COLOURS[0]}"><title>{count}</title></rect>'
        )
    return "".join(parts) + "</svg>"


def interval_chart(
    title: str,
    rows: Sequence[tuple[str, Sequence[tuple[float, float, float] | None]]],
    *,
    names: Sequence[str] = (),
    x_range: tuple[float, float] | None = None,
    zero_line: bool = False,
    width: int = 620,
) -> str:
    """Points with their intervals, a row for each label (a forest plot).

    `rows[i][1][j]` is (value, low, high) of series j, or None where it has none there; without an interval low and
    high equal the value. `names` labels the series. With `zero_line` a line marks zero, for differences.
    """
    points = [point for _, group in rows for point in group if point is not None]
    if not points:
        return _empty(title, width, 80)
    low, high = x_range or _spread([v for point in points for v in point] + ([0.0] if zero_line else []), margin=0.04)
    left = 24 + min(230.0, 6.6 * max(len(label[:34]) for label, _ in rows))
    step = max(22.0, 9.0 * max(len(group) for _, group in rows) + 6)
    height = round(_TOP + step * len(rows) + 30)

    def x(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * (width - left - _RIGHT)

    bottom = height - 30
    legend, below = _legend(list(names), width, height) if len(names) > 1 else ("", 0)
    parts = [_head(title, width, height + below)]
    for tick in ticks(low, high):
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{_TOP}" y2="{bottom}" class="axis"/>')
        parts.append(
            f'<text class="soft" x="{x(tick):.1f}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>'
        )
    if zero_line:
        parts.append(f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{_TOP}" y2="{bottom}" stroke="currentColor"/>')
    for i, (label, group) in enumerate(rows):
        middle = _TOP + step * (i + 0.5)
        shown = label if len(label) <= 34 else label[:33] + "…"
        parts.append(f'<text x="{left - 10:.0f}" y="{middle + 4:.1f}" text-anchor="end">{html.escape(shown)}</text>')
        for j, point in enumerate(group):
            if point is None:
                continue
            value, start, end = point
            y = middle + 9.0 * (j - (len(group) - 1) / 2)
            colour = COLOURS[j % len(COLOURS)]
            tip = f"{label}{', ' + names[j] if names else ''}: {value:.4g}"
            if end > start:
                tip += f" ({start:.4g} to {end:.4g})"
                parts.append(
                    f'<line x1="{x(start):.1f}" x2="{x(end):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
                    f'stroke-width="2"/>'
                )
            parts.append(
                f'<circle cx="{x(value):.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{html.escape(tip)}</title>'
                f"</circle>"
            )
    return "".join(parts) + legend + "</svg>"


class _Frame:
    """Maps data to pixels and draws the axes."""

    def __init__(self, width: int, height: int, x_low: float, x_high: float, y_low: float, y_high: float) -> None:
        self.width, self.height = width, height
        self.x_low, self.x_high, self.y_low, self.y_high = x_low, x_high, y_low, y_high

    def x(self, value: float) -> float:
        share = (value - self.x_low) / ((self.x_high - self.x_low) or 1)
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / ((self.y_high - self.y_low) or 1)
        return self.height - _BOTTOM - min(max(share, 0.0), 1.0) * (self.height - _TOP - _BOTTOM)

    def axes(self, x_label: str, y_label: str, x_ticks: bool = True) -> str:
        parts = []
        for tick in ticks(self.y_low, self.y_high):
            y = self.y(tick)
            parts.append(f'<line x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="axis"/>')
            parts.append(f'<text class="soft" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
        if x_ticks:
            for tick in ticks(self.x_low, self.x_high):
                parts.append(
                    f'<text class="soft" x="{self.x(tick):.1f}" y="{self.height - _BOTTOM + 17}" '
                    f'text-anchor="middle">{tick:g}</text>'
                )
        middle = (_LEFT + self.width - _RIGHT) / 2
        if x_label:
            parts.append(
                f'<text class="soft" x="{middle:.0f}" y="{self.height - 8}" text-anchor="middle">'
                f"{html.escape(x_label)}</text>"
            )
        if y_label:
            parts.append(f'<text class="soft" x="4" y="{_TOP - 6}">{html.escape(y_label)}</text>')
        return "".join(parts)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values within [low, high]."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _spread(values: Sequence[float], margin: float = 0.0) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 0.5, high + 0.5
    return low - (high - low) * margin, high + (high - low) * margin


def _head(title: str, width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'style="overflow:visible" role="img" aria-label="{html.escape(title, quote=True)}">'
        f'<text x="{_LEFT}" y="14" style="font-weight:600;font-size:13px">{html.escape(title)}</text>'
    )


def _empty(title: str, width: int, height: int) -> str:
    return _head(title, width, height) + f'<text class="soft" x="{_LEFT}" y="{height / 2}">no data</text></svg>'


def _legend(names: list[str], width: int, height: int) -> tuple[str, int]:
    """The legend and how many pixels it needs below: under the title if one line holds it, else beneath the chart."""
    places, x, line = [], _LEFT + 70.0, 0
    if x + sum(26 + 7 * len(name) for name in names) > width:
        x, line = float(_LEFT), 1
    for name in names:
        if line and x > _LEFT and x + 26 + 7 * len(name) > width:
            x, line = float(_LEFT), line + 1
        places.append((x, 20 if not line else height - 12 + 18 * line))
        x += 26 + 7 * len(name)
    parts = []
    for i, (name, (x, y)) in enumerate(zip(names, places, strict=True)):
        parts.append(f'<rect x="{x:.0f}" y="{y}" width="10" height="10" fill="{COLOURS[i % len(COLOURS)]}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="{y + 9}">{html.escape(name)}</text>')
    return "".join(parts), 18 * line


def _shortened(label: str) -> str:
    return label if len(label) <= 22 else label[:21] + "…"


def _slant_height(label: str, slot: float) -> int:
    """Pixels below the usual height that a label needs, as it is turned where its bar is narrower."""
    wide = len(_shortened(label)) * 6.6
    return 0 if wide <= slot else max(0, round(wide * 0.53) + 20 - _BOTTOM)


def _x_label(label: str, middle: float, height: int, slot: float) -> str:
    y = height - _BOTTOM + 16
    shown = _shortened(label)
    if len(shown) * 6.6 <= slot:
        return f'<text x="{middle:.1f}" y="{y}" text-anchor="middle">{html.escape(shown)}</text>'
    return (
        f'<text x="{middle:.1f}" y="{y}" text-anchor="end" transform="rotate(-32 {middle:.1f} {y})">'
        f"{html.escape(shown)}</text>"
    )
