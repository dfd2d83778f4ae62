"""Working days across holidays and the days made up for them (trap 22)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.workdays import add_working_days, is_certain, is_working_day, working_days_between

days = st.dates(date(2004, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 9, 28), True),  # a Sunday made up
        (date(2025, 10, 1), False), (date(2025, 10, 8), False),
        (date(2025, 10, 9), True), (date(2025, 10, 11), True),  # a Saturday made up
        (date(2025, 10, 12), False),
        (date(2024, 9, 29), True), (date(2024, 10, 12), True), (date(2024, 10, 7), False),
    ],
)  # fmt: skip
def test_national_day_and_the_days_made_up_for_it(day: date, works: bool) -> None:
    assert is_working_day(day) is works and is_certain(day)


def test_three_working_days_across_national_day() -> None:
    assert add_working_days(date(2025, 9, 29), 3) == date(2025, 10, 10)
    assert add_working_days(date(2025, 9, 29), 4) == date(2025, 10, 11)
    assert add_working_days(date(2025, 9, 29), 5) == date(2025, 10, 13)
    assert working_days_between(date(2025, 9, 29), date(2025, 10, 13)) == 5


def test_a_year_not_announced_is_reckoned_monday_to_friday_and_says_so() -> None:
    assert not is_certain(date(2040, 10, 1)) and is_working_day(date(2040, 10, 1)) and not is_working_day(date(2040, 10, 6))
    assert is_certain(date(2026, 10, 1)) and not is_working_day(date(2026, 10, 1))


@given(days, st.integers(0, 40))
def test_so_many_working_days_later_lie_so_many_working_days_between(day: date, n: int) -> None:
    later = add_working_days(day, n)
    assert working_days_between(day, later) == n and (n == 0 or is_working_day(later))


def test_no_working_days_backwards() -> None:
    assert working_days_between(date(2026, 11, 23), date(2026, 11, 20)) == 0
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2026, 11, 23), -1)
