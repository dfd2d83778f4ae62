"""Until when a decision holds: the next day on which it may come out otherwise though nothing but the day has changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa

from release.columns import Days, codes, days, texts
from release.facts import Facts
from release.subjects import ADULT_AT

_NEVER = np.datetime64("9999-12-31")


def due(facts: Facts, on: date) -> pa.Array:
    """The first day after `on` on which `decide` may give another reason for each record, YYYY-MM-DD, null for never.

    It is early rather than late: a day counts whether or not another reason holds anyway. Only what a record says can
    make a day of its own; what the catalogue or a consent says changes on a day for all records at once, and belongs to
    the terms of the whole.
    """
    found, today = np.full(len(facts.table), _NEVER), np.datetime64(on)
    for turns in _turns(facts):
        found = np.minimum(found, np.where(turns > today, turns, _NEVER))  # NaT is not later than anything
    found[found == _NEVER] = np.datetime64("NaT")
    return texts(found)


def ends(facts: Facts) -> pa.Array:
    """The end of publicity of each record, YYYY-MM-DD, null where it has none or says no day."""
    if facts.publicity_end is None:
        return pa.nulls(len(facts.table), pa.string())
    return texts(_read(facts.publicity_end))


def _turns(facts: Facts) -> Iterator[Days]:
    """The days on which what a record says comes to mean something else; NaT where it says none."""
    entry = facts.entry
    if entry.subject.id_number:
        yield _adult(facts.births)
    if facts.publicity_end is not None:
        yield _read(facts.publicity_end) + np.timedelta64(1, "D")  # its last day is in
    if entry.ended_on:
        yield _read(facts.table[entry.ended_on])


def _read(column: pa.Array) -> Days:
    told = codes(column)
    found: Days = np.append(days(texts(told.words)), np.datetime64("NaT"))[told.places]
    return found


def _adult(births: pa.Array) -> Days:
    """The day on which 18 years are over; who was born on a day that year does not have has them on the day after."""
    told = codes(births)
    found: Days = np.append(np.array([_birthday(word) for word in told.words], "datetime64[D]"), np.datetime64("NaT"))[told.places]
    return found


def _birthday(birth: str) -> np.datetime64:
    year, month, day = int(birth[:4]) + ADULT_AT, int(birth[4:6]), int(birth[6:])
    first = np.datetime64(f"{year:04d}-{month:02d}")
    return min(first.astype("datetime64[D]") + np.timedelta64(day - 1, "D"), (first + 1).astype("datetime64[D]"))
