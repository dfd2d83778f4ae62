"""Typed values of a workbook or database as the text a clerk would read, without the damage that formatting does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any


def text(value: Any) -> str | None:
    """The value as text; None stays None.

    Whole numbers have no `.0`, dates are ISO. A number of more than 15 digits comes out in scientific form: its last
    digits were lost before it reached us, and padding them with zeros would make a false identifier look sound.
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case bytes():
            # Raw bytes have no agreed reading; as hexadecimal they fail the checks where anyone can see it.
            return value.hex()
        case int() | timedelta():
            return str(value)
    return str(value)


def texts(values: Sequence[Any]) -> Sequence[str | None]:
    """A column of values as text; one that is text already, as most are, comes back as it is."""
    return values if set(map(type, values)) <= {str, NoneType} else [text(value) for value in values]


def sheet_text(value: Any) -> str:
    """As `text`, for a cell of a workbook: midnight is how a workbook keeps a plain date, and an empty cell is ""."""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return text(value) or ""
