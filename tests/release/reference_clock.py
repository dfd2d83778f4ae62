"""The publicity clock for one decision, in plain words: the oracle of the clock by column."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.model import Grade, RepairRule

ORDER = ["slight", "general", "serious"]


@dataclass(frozen=True)
class Reckoned:
    grade: Grade | None
    is_published: bool
    earliest: date | None
    latest: date | None


NOBODY_CAN_TELL = Reckoned(None, False, None, None)


def clock(document_date: date | None, classes: list[str], fine: Decimal | None, sector: str | None, lenient: bool,
          rules: list[RepairRule]) -> Reckoned:  # fmt: skip
    if document_date is None or not classes:
        return NOBODY_CAN_TELL
    for rule in rules:
        if (rule.decided_from or date.min) <= document_date <= (rule.decided_to or date.max):
            break
    else:
        return NOBODY_CAN_TELL
    if any(name not in rule.grades for name in classes):
        return NOBODY_CAN_TELL
    grades = [rule.grades[name] for name in classes]
    if rule.large_fine is not None and fine is not None and fine >= rule.large_fine:
        grades.append(Grade.SERIOUS)
    if lenient:
        grades = [Grade.SLIGHT]
    grades.sort(key=lambda grade: ORDER.index(grade.value))
    is_public = rule.periods[grades[-1]].publish
    shortest = max([rule.periods[grade].min_months for grade in grades] + [rule.sectors.get(sector or "", 0)] * is_public)
    longest = max(rule.periods[grade].max_months for grade in grades)
    return Reckoned(grades[-1], is_public, after(document_date, shortest), after(document_date, longest))


def after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
