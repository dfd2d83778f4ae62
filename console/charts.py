"""Drawings of the report: plain inline SVG made of numbers, so that the page opens anywhere and nothing can be smuggled in."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from markupsafe import Markup

from console.departments import Point

_SPARK_WIDTH, _SPARK_HEIGHT, _EDGE = 168, 34, 4
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 1120, 210, 46, 28
_RATES = (22, 64)  # where the scale of rates begins, and its height


def percent(part: int, whole: int) -> str:
    """A share in percent with two decimals, rounded down, so that only what is whole reads 100 %; – of nothing."""
    if whole == 0:
        return "–"
    return "100%" if part == whole else f"{floor(part * 10_000 / whole) / 100:.2f}%"


def bar(parts: Sequence[tuple[str, int]]) -> Markup:
    """A stacked bar of (style class, count); the counts are drawn in proportion, the smallest still visible."""
    whole = sum(count for _, count in parts)
    drawn, left = [], 0.0
    for style, count in parts:
        width = 0.0 if count == 0 else max(2.0, 1000 * count / whole)
        drawn.append(f'<rect class="{style}" x="{left:.1f}" y="0" width="{width:.1f}" height="8"/>')
        left += width
    return Markup(f'<svg class="bar" viewBox="0 0 {max(left, 1):.1f} 8" preserveAspectRatio="none" aria-hidden="true">'
                  f'{"".join(drawn)}</svg>')


def sparkline(points: Sequence[Point]) -> Markup:
    """Pass rate over the nights, a gap where nothing came, the last night dotted."""
    rates = [point.accepted / point.collected if point.collected else None for point in points]
    step = (_SPARK_WIDTH - 2 * _EDGE) / max(len(rates) - 1, 1)
    low = _low(rates)
    spots = [None if rate is None else (_EDGE + place * step, _level(rate, low, _EDGE, _SPARK_HEIGHT - 2 * _EDGE))
             for place, rate in enumerate(rates)]
    if len(spots) == 1 and spots[0]:
        spots = [(_SPARK_WIDTH - _EDGE, spots[0][1])]
    drawn = _lines(spots) + (_dot(spots[-1]) if spots and spots[-1] else "")
    return Markup(f'<svg class="spark" width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" '
                  f'viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" aria-hidden="true">{drawn}</svg>')


def nights_chart(points: Sequence[Point]) -> Markup:
    """Records collected (bars) and pass rate (line, own scale on the left) night by night, with labels."""
    rates = [point.accepted / point.collected if point.collected else None for point in points]
    low, high = _low(rates), max((point.collected for point in points), default=0) or 1
    floor_y = _HEIGHT - _BOTTOM
    slot = (_WIDTH - _LEFT) / max(len(points), 1)
    middles = [_LEFT + slot * (place + 0.5) for place in range(len(points))]
    spots = [None if rate is None else (x, _level(rate, low, *_RATES)) for x, rate in zip(middles, rates, strict=True)]
    drawn = [_axis(low, floor_y)]
    for x, point, spot in zip(middles, points, spots, strict=True):
        height = 60 * point.collected / high
        width = min(slot * 0.5, 46)
        drawn.append(f'<rect class="volume" x="{x - width / 2:.1f}" y="{floor_y - height:.1f}" '
                     f'width="{width:.1f}" height="{height:.1f}"/>')
        drawn.append(_label(x, floor_y + 18, point.night[5:], "night"))
        drawn.append(_label(x, floor_y - height - 4, f"{point.collected:,}", "count") if point.collected else "")
        drawn.append(_dot(spot) + _label(x, spot[1] + 17, percent(point.accepted, point.collected), "rate") if spot else "")
    return Markup(f'<svg class="nights" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="trend">'
                  f'{"".join(drawn)}{_lines(spots)}</svg>')


def _low(rates: Sequence[float | None]) -> float:
    """The lower end of a scale of rates: a round figure below the lowest, at most 95 %."""
    return min([0.95, *(floor(rate * 20 - 1e-9) / 20 for rate in rates if rate is not None)])


def _level(rate: float, low: float, top: float, height: float) -> float:
    return top + height * (1 - (rate - low) / (1 - low))


def _lines(spots: Sequence[tuple[float, float] | None]) -> str:
    runs: list[list[str]] = [[]]
    for spot in spots:
        if spot:
            runs[-1].append(f"{spot[0]:.1f},{spot[1]:.1f}")
        elif runs[-1]:
            runs.append([])
    return "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)


def _dot(spot: tuple[float, float]) -> str:
    return f'<circle cx="{spot[0]:.1f}" cy="{spot[1]:.1f}" r="3"/>'


def _axis(low: float, floor_y: float) -> str:
    top, bottom = _RATES[0], sum(_RATES)
    ends = "".join(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}"/>' for y in (top, bottom, floor_y))
    return ends + _label(_LEFT - 8, top + 4, "100%", "scale") + _label(_LEFT - 8, bottom + 4, f"{low:.0%}", "scale")


def _label(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{text}</text>'
