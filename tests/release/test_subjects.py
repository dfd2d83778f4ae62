"""Age by column."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.subjects import births, is_minor

days = st.dates(date(1900, 1, 1), date(2099, 12, 31))


def birth(number: str | None) -> str | None:
    born: str | None = births(pa.array([number], pa.string()))[0].as_py()
    return born


def minor(born: str, on: date) -> bool:
    return bool(is_minor(pa.array([born]), on)[0].as_py())


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("339999199003072314", "19900307"),
        ("33999919900301101X", "19900301"),
        ("339999900307231", "19900307"),
        ("3399991990****2314", "19901231"),
        ("339999199013072314", None),
        ("339999********2314", None),
        ("E00000000", None),
        ("", None),
        (None, None),
    ],
)
def test_the_day_of_birth_is_read_from_the_number(number: str | None, born: str | None) -> None:
    assert birth(number) == born


@given(days, days)
def test_age_is_counted_by_the_calendar(born: date, on: date) -> None:
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    assert minor(f"{born:%Y%m%d}", on) is (age < 18)


def test_one_is_grown_up_on_the_eighteenth_birthday() -> None:
    assert minor("20081124", date(2026, 11, 23)) and not minor("20081123", date(2026, 11, 23))
    assert minor("20080229", date(2026, 2, 28)) and not minor("20080229", date(2026, 3, 1))
