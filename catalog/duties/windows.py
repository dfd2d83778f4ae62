"""Windows of days: which day of one is not covered by others, and which of them overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

Window = tuple[date, date]


class InForce(Protocol):
    """Whatever is in force from a day, to a day or with no end."""

    @property
    def in_force_from(self) -> date: ...
    @property
    def in_force_to(self) -> date | None: ...


def window_of(thing: InForce) -> Window:
    """First and last day; with no end the last day there is."""
    return thing.in_force_from, thing.in_force_to or date.max


def first_uncovered(wanted: Window, windows: Iterable[Window]) -> date | None:
    """The first day of `wanted` that lies in none of the windows, None if together they cover it."""
    day = wanted[0]
    for first, last in sorted(windows):
        if first <= day <= last:
            if last >= wanted[1]:
                return None
            day = last + timedelta(days=1)
    return day


def overlaps(windows: Mapping[str, Window]) -> list[tuple[str, str]]:
    """Neighbours in time, the later one first, that share a day."""
    ordered = sorted(windows.items(), key=lambda item: item[1])
    return [(later, earlier) for (earlier, one), (later, other) in pairwise(ordered) if other[0] <= one[1]]
