"""Check digits and shapes of the identifiers of subjects, a column at a time (GB 32100, GB 11714, GB 11643)."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from expectations.columns import Bools, Bytes, arrow, bools, of_width, spread

_UNKNOWN = 255


def _values(alphabet: bytes) -> Bytes:
    table = np.full(256, _UNKNOWN, dtype=np.uint8)
    table[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet), dtype=np.uint8)
    return table


_USCC = _values(b"0123456789ABCDEFGHJKLMNPQRTUWXY")
_USCC_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28], dtype=np.int64)
_ORGANISATION = _values(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_ORGANISATION_CHECK = np.frombuffer(b"0123456789X", dtype=np.uint8)
_DIGITS = _values(b"0123456789")
_CITIZEN_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CITIZEN_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)


def is_uscc(column: pd.Series | pa.Array) -> Bools:
    """Whether each value is a unified social credit code: alphabet, region digits, check digit, and the organisation
    code in it. A letter for the registering authority (N, Y, A) is as good as a digit. Missing is False (GB 32100)."""
    fits, codes = of_width(_array(column), 18)
    values = _USCC[codes]
    known = (values != _UNKNOWN).all(axis=1) & (_DIGITS[codes[:, 2:8]] != _UNKNOWN).all(axis=1)
    check = (31 - values[:, :17].astype(np.int64) @ _USCC_WEIGHTS % 31) % 31
    return spread(fits, known & (check == values[:, 17]) & _organisation_check(codes[:, 8:17]))


def is_organisation_code(column: pd.Series | pa.Array) -> Bools:
    """Whether each value is an organisation code, with or without its hyphen. Missing is False. GB 11714."""
    plain = pc.replace_substring_regex(_array(column), r"^(.{8})-(.)$", r"\1\2")
    fits, codes = of_width(plain, 9)
    return spread(fits, _organisation_check(codes))


def is_citizen_number(column: pd.Series | pa.Array, today: date) -> Bools:
    """Whether each value is an 18-digit citizen identification number: first digit of the region, a birth date between
    1900 and `today`, check digit. Missing is False. GB 11643."""
    fits, codes = of_width(_array(column), 18)
    digits = _DIGITS[codes[:, :17]].astype(np.int64)
    known = (digits != _UNKNOWN).all(axis=1) & (digits[:, 0] > 0)
    check = _CITIZEN_CHECK[digits @ _CITIZEN_WEIGHTS % 11] == codes[:, 17]
    return spread(fits, known & check & _is_birth_date(digits[:, 6:14], today))


def is_old_registration_number(column: pd.Series | pa.Array) -> Bools:
    """Whether each value has the shape of the registration numbers used before 2015: 13 or 15 digits."""
    return bools(pc.match_substring_regex(_array(column), r"^(?:[0-9]{13}|[0-9]{15})$"))


def is_calendar_date(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> Bools:
    """Whether year, month and day name a day of the calendar."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    named = (month >= 1) & (month <= 12)
    last = _DAYS[np.where(named, month, 0)] + ((month == 2) & leap)
    return np.asarray(named & (day >= 1) & (day <= last), dtype=np.bool_)


def _array(column: pd.Series | pa.Array) -> pa.Array:
    return arrow(column) if isinstance(column, pd.Series) else column


def _organisation_check(codes: Bytes) -> Bools:
    values = _ORGANISATION[codes[:, :8]].astype(np.int64)
    known = (values != _UNKNOWN).all(axis=1)
    check = _ORGANISATION_CHECK[(11 - values @ _ORGANISATION_WEIGHTS % 11) % 11]
    return np.asarray(known & (check == codes[:, 8]), dtype=np.bool_)


def _is_birth_date(digits: NDArray[np.int64], today: date) -> Bools:
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = digits[:, 4] * 10 + digits[:, 5], digits[:, 6] * 10 + digits[:, 7]
    born = year * 10000 + month * 100 + day
    latest = today.year * 10000 + today.month * 100 + today.day
    return np.asarray(is_calendar_date(year, month, day) & (year >= 1900) & (born <= latest), dtype=np.bool_)
