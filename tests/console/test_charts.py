"""Shares and drawings: nothing reads whole that is not, and a night without data is a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.charts import bar, nights_chart, percent, sparkline
from console.departments import Point


@given(whole=st.integers(1, 10**7), data=st.data())
def test_only_what_is_whole_reads_100_percent(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    shown = percent(part, whole)
    assert (shown == "100%") == (part == whole)
    assert float(shown.rstrip("%")) <= 100 * part / whole


def test_a_share_of_nothing_is_a_dash() -> None:
    assert percent(0, 0) == "–"


def test_a_single_record_can_still_be_seen_in_a_bar() -> None:
    assert 'class="quarantined" x="1000.0" y="0" width="2.0"' in bar([("accepted", 10**6), ("quarantined", 1)])


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=14))
def test_any_nights_can_be_drawn(counts: list[tuple[int, int]]) -> None:
    points = [Point(f"2026-11-{n + 1:02}", max(pair), min(pair)) for n, pair in enumerate(counts)]
    for drawing in (sparkline(points), nights_chart(points)):
        assert drawing.count("<svg") == drawing.count("</svg>") == 1 and "nan" not in drawing


def test_a_night_without_data_breaks_the_line() -> None:
    points = [Point("2026-11-20", 10, 9), Point("2026-11-21", 10, 10), Point("2026-11-22", 0, 0), Point("2026-11-23", 10, 9),
              Point("2026-11-24", 10, 8)]
    assert sparkline(points).count("<polyline") == 2
