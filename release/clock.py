"""The publicity clock: how grave a decision is, whether it is published, and until when (D19, D39; domain.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.model import Entry, Grade, RepairRule
from release.columns import Bools, Codes, Days, Ints, bools, codes, days, texts

GRADES = (Grade.SLIGHT, Grade.GENERAL, Grade.SERIOUS)
UNKNOWN = len(GRADES)
"""Place of a grade that nobody can tell."""

# A fine of one unit of the field, in 10,000 yuan.
_TIMES = {"10k_yuan": 1.0, "yuan": 1e-4, "yuan_or_foreign": 1e-4}
_FIGURE = r"^[0-9]+(?:\.[0-9]+)?$"


@dataclass(frozen=True, slots=True)
class Clocked:
    """What the clock says of each record.

    `grade`: place in GRADES, or UNKNOWN. `is_published`: false for a grade that is not published and where nobody can
    tell. `earliest` and `latest`: the ends of the minimum and the maximum period, Arrow strings YYYY-MM-DD, null where
    nobody can tell.
    """

    grade: Ints
    is_published: Bools
    earliest: pa.Array
    latest: pa.Array


@dataclass(frozen=True, slots=True)
class _Verdict:
    grade: int = UNKNOWN
    is_published: bool = False
    min_months: int = 0
    max_months: int = 0


def reckon(table: pa.RecordBatch, entry: Entry, rules: Iterable[RepairRule], is_lenient: Bools) -> Clocked:
    """The clock of an entry that has one, by column; a pure function of document date, classes, fines, sector and rules.

    The rule is that in whose window the document is dated. The gravest of the classes is the grade, serious from the
    large fine on, slight where leniency is marked (D57). Of several classes the longest period counts. Both ends are
    reckoned from the day of the document by months of the calendar: a month after 31 January is the last day of February.
    A class or day that no rule knows leaves the grade unknown, and such a record is not published.
    """
    clock, known = entry.clock, tuple(rules)
    if clock is None:
        raise ValueError("an entry without a clock cannot be reckoned; ask only where `clock` is set")
    dated, classes = codes(table[document_date(entry)]), codes(table[clock.classes])
    rule = _rule_by_day(dated, known)[dated.places]
    is_large = _largest(table, entry) >= np.array([_threshold(each) for each in known] + [np.inf])[rule]
    verdicts = [_verdict(known[r] if r < len(known) else None, joined, large, lenient)
                for r, joined, large, lenient in product(range(len(known) + 1), [*classes.words, None], (False, True), (False, True))]
    which = ((rule * (len(classes.words) + 1) + classes.places) * 2 + is_large) * 2 + is_lenient
    grade = np.array([verdict.grade for verdict in verdicts])[which]
    shortest = np.array([verdict.min_months for verdict in verdicts])[which]
    published = np.array([verdict.is_published for verdict in verdicts])[which]
    if clock.sector:  # it lengthens what is public; a warning is not, in no sector
        shortest = np.where(published, np.maximum(shortest, _least_months(codes(table[clock.sector]), known, rule)), shortest)
    longest = np.array([verdict.max_months for verdict in verdicts])[which]
    told = grade != UNKNOWN
    for each, most in entry.publicity_max_months.items():  # what a local supplement shortens (D5)
        longest = np.where(grade == GRADES.index(each), np.minimum(longest, most), longest)
    return Clocked(grade, published, _ends(dated, shortest, told), _ends(dated, longest, told))


def document_date(entry: Entry) -> str:
    """The field with the date of the document, from which the period counts; the decision date where there is no document."""
    name = entry.document.date if entry.document else entry.decided_on
    if name is None:
        raise ValueError("an entry with a clock names the date of its document, in `document` or `decided_on`")
    return name


def capped(ends: pa.Array, latest: pa.Array) -> pa.Array:
    """The end of publicity that leaves: the department's own, no later than the maximum, and the maximum if it gave none.

    Where the clock cannot tell, and where the department's end is no date, it stays what the department wrote.
    """
    told = codes(ends)
    is_day = np.append(~np.isnat(days(texts(told.words))), False)[told.places]
    later = bools(pc.greater(ends, latest)) & is_day
    return pc.coalesce(pc.if_else(pa.array(later), latest, ends), latest)


def _rule_by_day(dated: Codes, rules: tuple[RepairRule, ...]) -> Ints:
    """For each distinct date the place of its rule; the place after the last for a date without one, and for no date."""
    found = np.full(len(dated.words) + 1, len(rules))
    for place, day in enumerate(days(pa.array(dated.words, pa.string()))):
        if not np.isnat(day):
            found[place] = next((r for r, rule in enumerate(rules) if _covers(rule, day.item())), len(rules))
    return found


def _covers(rule: RepairRule, day: date) -> bool:
    return (rule.decided_from is None or rule.decided_from <= day) and (rule.decided_to is None or day <= rule.decided_to)


def _threshold(rule: RepairRule) -> float:
    return np.inf if rule.large_fine is None else float(rule.large_fine)


def _verdict(rule: RepairRule | None, joined: str | None, is_large: bool, is_lenient: bool) -> _Verdict:
    classes = joined.split(";") if joined else []
    if rule is None or not classes or not all(each in rule.grades for each in classes):
        return _Verdict()
    grades = {rule.grades[each] for each in classes} | ({Grade.SERIOUS} if is_large else set())
    grades = {Grade.SLIGHT} if is_lenient else grades
    gravest = max(grades, key=GRADES.index)
    return _Verdict(GRADES.index(gravest), rule.periods[gravest].publish, max(rule.periods[each].min_months for each in grades),
                    max(rule.periods[each].max_months for each in grades))


def _largest(table: pa.RecordBatch, entry: Entry) -> NDArray[np.float64]:
    """The largest single fine of each record in 10,000 yuan, -1 where there is none."""
    largest = np.full(len(table), -1.0)
    for name in entry.clock.fines if entry.clock else ():
        figures = codes(table[name])
        readable = pc.if_else(pc.match_substring_regex(texts(figures.words), _FIGURE), texts(figures.words), "-1")
        values = np.append(pc.cast(readable, pa.float64()).to_numpy(), -1.0) * _TIMES[entry.fields[name].unit or "10k_yuan"]
        largest = np.maximum(largest, values[figures.places])
    return largest


def _least_months(sectors: Codes, rules: tuple[RepairRule, ...], rule: Ints) -> Ints:
    least = np.array([[each.sectors.get(word, 0) for word in sectors.words] + [0] for each in rules]
                     + [[0] * (len(sectors.words) + 1)])
    found: Ints = least[rule, sectors.places]
    return found


def _ends(dated: Codes, months: Ints, told: Bools) -> pa.Array:
    """The end of a period of `months` from each date; there are few dates and fewer periods, so each pair is added once."""
    periods, period = np.unique(months, return_inverse=True)
    starts = days(pa.array([*dated.words, None], pa.string()))
    ends = texts(np.concatenate([add_months(starts, int(each)) for each in periods])) if len(periods) else texts([])
    place = period * len(starts) + dated.places
    return ends.take(pa.array(place, mask=~told))


def add_months(starts: Days, months: int) -> Days:
    """Days so many months of the calendar later; the last day of the month where it has no such day."""
    month = starts.astype("datetime64[M]")
    into = starts - month.astype("datetime64[D]")
    length = (month + months + 1).astype("datetime64[D]") - (month + months).astype("datetime64[D]")
    found: Days = (month + months).astype("datetime64[D]") + np.minimum(into, length - np.timedelta64(1, "D"))
    return found
