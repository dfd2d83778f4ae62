"""Why a row failed, as precisely as its department can use it. Looks only at rows that Great Expectations found bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.model import Entry, FieldType, Severity
from expectations.columns import Bools, arrow, is_missing
from expectations.conditions import (
    BREAK,
    CONTROL,
    REPLACEMENT,
    UNUSUAL,
    holds,
    is_iso_date,
)
from expectations.identifiers import is_old_registration_number, is_uscc
from expectations.normal import as_dates

# 2014, 2014-12, 2014年12月, 201412, and what spreadsheets make of a month: Oct-17, 17-Oct.
_MONTH_ONLY = (r"^[0-9]{4}(?:[-/.][0-9]{1,2}|年(?:[0-9]{1,2}月)?)?$|^(?:19|20)[0-9]{4}$"
               r"|^[A-Za-z]{3}-[0-9]{2}$|^[0-9]{2}-[A-Za-z]{3}$")
_HAN_TEXT = r"\p{Han}{2}"

Sign = tuple[str, Severity, Callable[[pa.Array], Bools]]

# Reason code of a requirement → more precise ones, the first that fits wins.
_SIGNS: Mapping[str, tuple[Sign, ...]] = {
    "odd-character": (
        ("replacement-character", Severity.CRITICAL, lambda values: holds(values, REPLACEMENT)),
        ("control-character", Severity.CRITICAL, lambda values: holds(values, CONTROL)),
        ("unusual-character", Severity.WARNING, lambda values: holds(values, UNUSUAL)),
        ("control-character", Severity.CRITICAL, lambda values: holds(values, BREAK)),
    ),
    "uscc-invalid": (("old-registration-number", Severity.CRITICAL, is_old_registration_number),),
    "date-invalid": (("date-incomplete", Severity.CRITICAL, lambda values: holds(values, _MONTH_ONLY)),),
}

_NO_PLACE_FOR_CODES = (FieldType.DATE, FieldType.AMOUNT, FieldType.INTEGER, FieldType.CODE, FieldType.CODES)
_FORMED = (FieldType.USCC, FieldType.ID_NUMBER, FieldType.DATE, FieldType.AMOUNT, FieldType.INTEGER)


def precise(rule: str, severity: Severity, values: pa.Array) -> list[tuple[str, Severity, Bools]]:
    """Splits the values that fail a rule by what is wrong with them: reason code, severity and which values."""
    left = np.ones(len(values), dtype=np.bool_)
    found = []
    for code, weight, sign in _SIGNS.get(rule, ()):
        seen = left & sign(values)
        found.append((code, weight, seen))
        left = left & ~seen
    return [*found, (rule, severity, left)]


def is_shifted(rows: pd.DataFrame, entry: Entry) -> Bools:
    """Whether the values of each row stand in columns that are not theirs.

    rows: bad rows in normal form. The signs: a credit code in place of a date, an amount or a code from a set; a date
    in place of a credit code; a good credit code in free text beside a bad one in its own column; running text in two
    columns of fixed form. Width says nothing: most shifted rows have the right one.
    """
    kinds = {code: field.type for code, field in entry.fields.items()}
    columns = {code: arrow(rows[code]) for code in kinds}
    size = len(rows)

    def any_of(types: tuple[FieldType, ...], sign: Callable[[pa.Array], Bools]) -> Bools:
        return _count(columns, kinds, types, sign, size) > 0

    code_astray = any_of(_NO_PLACE_FOR_CODES, is_uscc)
    date_astray = any_of((FieldType.USCC, FieldType.ID_NUMBER), lambda values: is_iso_date(as_dates(values)))
    code_in_text = any_of((FieldType.TEXT,), is_uscc) & any_of((FieldType.USCC,), _is_wrong_code)
    text_astray = _count(columns, kinds, _FORMED, lambda values: holds(values, _HAN_TEXT), size) > 1
    return code_astray | date_astray | code_in_text | text_astray


def _is_wrong_code(values: pa.Array) -> Bools:
    return ~is_uscc(values) & ~is_missing(values)


def _count(columns: Mapping[str, pa.Array], kinds: Mapping[str, FieldType], types: tuple[FieldType, ...],
           sign: Callable[[pa.Array], Bools], size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    counted = np.zeros(size, dtype=np.int64)
    for code, values in columns.items():
        if kinds[code] in types:
            counted += sign(values)
    return counted
