"""Working days in China: Monday to Friday without public holidays, with the Saturdays and Sundays made up for them."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
from chinese_calendar import constants

_YEARS = range(min(day.year for day in constants.holidays), max(day.year for day in constants.holidays) + 1)


def is_working_day(day: date) -> bool:
    """Whether offices work that day, as the State Council announces it every year; in a year that was not announced when
    the library was made, Monday to Friday: a deadline then falls early rather than late, since more days are off than made up."""
    return chinese_calendar.is_workday(day) if is_certain(day) else day.weekday() < 5


def is_certain(day: date) -> bool:
    """Whether the holidays of that year are known; if not, working days in it are reckoned Monday to Friday."""
    return day.year in _YEARS


def add_working_days(day: date, n: int) -> date:
    """The n-th working day after a day; the day itself does not count. Raises ValueError for a negative number."""
    if n < 0:
        raise ValueError("working days are counted forward; ask for 0 or more")
    while n:
        day += timedelta(days=1)
        n -= is_working_day(day)
    return day


def working_days_between(first: date, last: date) -> int:
    """How many working days lie after `first` and up to `last`; 0 if it does not lie after it."""
    return sum(is_working_day(first + timedelta(days=each)) for each in range(1, (last - first).days + 1))
