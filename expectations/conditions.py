"""What a sound value is: one vectorised condition per name. A missing value meets every condition but `filled`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations import identifiers
from expectations.amounts import plain
from expectations.columns import Bools, bools, is_missing, of_width, spread

# Never sound: U+FFFD and noncharacters, where a decoder gave up.
REPLACEMENT = "[\ufffd\ufffe\uffff]"
# Control characters, zero-width and direction marks. Line ends and tabs are sound within free text only.
CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
BREAK = "[\\t\\n\\r\u2028\u2029]"
# Traces of a wrong decoding that may also be a slip of the hand: other scripts, combining marks, private use.
UNUSUAL = "[\u0300-\u036f\u0400-\u052f\u0590-\u06ff\ue000-\uf8ff\U000f0000-\U0010ffff]"
_ODD_IN_TEXT = f"{CONTROL[:-1]}{REPLACEMENT[1:-1]}{UNUSUAL[1:]}"
_ODD = f"{_ODD_IN_TEXT[:-1]}{BREAK[1:]}"

_AMOUNT = r"^[0-9]{1,18}(?:\.[0-9]{1,12})?$"
_AMOUNT_OR_FOREIGN = r"^[0-9]{1,18}(?:\.[0-9]{1,12})?(?: [A-Z]{3})?$"
_SCIENTIFIC = r"^[0-9](?:\.[0-9]+)?E\+?[0-9]{1,2}$"
_INTEGER = r"^[0-9]{1,18}$"

Each = Callable[[pa.Array, Any], Bools]
Across = Callable[[Mapping[str, pa.Array], Mapping[str, Any]], Bools]


def filled(values: pa.Array, _: Any) -> Bools:
    return ~is_missing(values)


def ordinary(values: pa.Array, is_text: bool) -> Bools:
    """No replacement, control or unusual character at all: the one pass that clean columns need."""
    return ~holds(values, _ODD_IN_TEXT if is_text else _ODD)


def short(values: pa.Array, length: int) -> Bools:
    """At most `length` characters. No text is longer in characters than in bytes, so most columns need no counting."""
    longest = pc.max(pc.binary_length(values)).as_py()
    if longest is None or longest <= length:
        return np.ones(len(values), dtype=np.bool_)
    return bools(pc.less_equal(pc.utf8_length(values), length), missing=True)


def uscc(values: pa.Array, _: Any) -> Bools:
    return identifiers.is_uscc(values) | is_missing(values)


def citizen_number(values: pa.Array, today: str) -> Bools:
    return identifiers.is_citizen_number(values, date.fromisoformat(today)) | is_missing(values)


def calendar_date(values: pa.Array, _: Any) -> Bools:
    """A day of the calendar from 1900 on, as YYYY-MM-DD."""
    return is_iso_date(values) | is_missing(values)


def amount(values: pa.Array, unit: str | None) -> Bools:
    form = _AMOUNT_OR_FOREIGN if unit == "yuan_or_foreign" else _AMOUNT
    return bools(pc.match_substring_regex(values, form), missing=True)


def unspoilt(values: pa.Array, _: Any) -> Bools:
    """Not a number in scientific form: a spreadsheet took the identifier for a number, and its digits are lost."""
    return ~holds(values, _SCIENTIFIC)


def integer(values: pa.Array, _: Any) -> Bools:
    return bools(pc.match_substring_regex(values, _INTEGER), missing=True)


def code(values: pa.Array, known: list[str]) -> Bools:
    return bools(pc.is_in(values, value_set=pa.array(known, pa.string()))) | is_missing(values)


def codes(values: pa.Array, known: list[str]) -> Bools:
    encoded = pc.dictionary_encode(values)
    allowed = set(known)
    sound = [text is None or set(text.split(";")) <= allowed for text in encoded.dictionary.to_pylist()]
    return bools(pa.array(sound, pa.bool_()).take(encoded.indices), missing=True)


def not_before(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    earlier, later = values[rule["other"]], values[rule["field"]]
    comparable = is_iso_date(earlier) & is_iso_date(later)
    return ~comparable | bools(pc.greater_equal(later, earlier))


def not_in_future(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    days = values[rule["field"]]
    return ~is_iso_date(days) | bools(pc.less_equal(days, rule["today"]))


def required_when(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    return ~is_missing(values[rule["field"]]) | ~bools(pc.match_substring(values[rule["other"]], rule["contains"]))


def category_matches_code(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    category, number = values[rule["field"]], values[rule["other"]]
    comparable = ~is_missing(category) & identifiers.is_uscc(number)
    is_trader = bools(pc.equal(category, rule["sole_trader"]))
    return np.asarray(~comparable | (is_trader == bools(pc.starts_with(number, "92"))))


def excluded_when(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    return ~holds(values[rule["field"]], "|".join(re.escape(word) for word in rule["contains"]))


def valid_when(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    """A number of the kind `form` where the other field is as the rule says; a court stars out month and day of a
    citizen number, which no check digit can be worked out for."""
    number, applies = values[rule["field"]], bools(pc.equal(values[rule["other"]], rule["equals"]))
    if rule["form"] == "uscc":
        return ~applies | is_missing(number) | identifiers.is_uscc(number)
    starred = holds(number, r"^[0-9]{10}\*{4}[0-9]{3}[0-9X]$")
    return ~applies | starred | citizen_number(number, rule["today"])


def amount_agrees_with_text(values: Mapping[str, pa.Array], rule: Mapping[str, Any]) -> Bools:
    """The amount that the text names after the words `after`, in yuan, is the amount of the field.

    Where the text names several, one of them or their sum will do. A text that names none, or names it in words only
    (贰仟元), agrees.
    """
    texts, stated = values[rule["other"]], values[rule["field"]]
    before = f"{re.escape(rule['after'])}[^0-9，。；;]{{0,12}}"
    pattern = f"{before}(?P<number>[0-9][0-9,]*(?:\\.[0-9]+)?) ?(?P<times>万?)元"
    first = pc.extract_regex(texts, pattern)
    written = pc.binary_join_element_wise(pc.struct_field(first, "number"), pc.struct_field(first, "times"), "")
    encoded = pc.dictionary_encode(written)
    known = [None if text is None else _in_unit(text, rule["unit"]) for text in encoded.dictionary.to_pylist()]
    agrees = bools(pc.equal(pa.array(known, pa.string()).take(encoded.indices), stated), missing=True)
    agrees |= ~amount(stated, rule["unit"])  # what is no amount is a fault of its own
    for row in np.flatnonzero(~agrees):
        named = [number + times for number, times in re.findall(pattern, texts[row].as_py())]
        total = plain(sum((Decimal(_in_unit(text, rule["unit"])) for text in named), Decimal(0)))
        agrees[row] = stated[row].as_py() in {total, *(_in_unit(text, rule["unit"]) for text in named)}
    return agrees


def is_iso_date(values: pa.Array) -> Bools:
    """Whether each value is a calendar date from 1900 on, written YYYY-MM-DD."""
    fits, texts = of_width(values, 10)
    digits = texts.astype(np.int64) - ord("0")
    dashes = (texts[:, [4, 7]] == ord("-")).all(axis=1)
    number = digits[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    numeric = ((number >= 0) & (number <= 9)).all(axis=1)
    year = number[:, :4] @ np.array([1000, 100, 10, 1])
    day = identifiers.is_calendar_date(year, number[:, 4] * 10 + number[:, 5], number[:, 6] * 10 + number[:, 7])
    return spread(fits, dashes & numeric & day & (year >= 1900))


def _in_unit(written: str, unit: str | None) -> str:
    """An amount as a text names it, in yuan or with 万, as plain decimal text in the unit of the field."""
    value = Decimal(written.rstrip("万").replace(",", "")) * (10_000 if written.endswith("万") else 1)
    return plain(value / 10_000 if unit == "10k_yuan" else value)


def holds(values: pa.Array, pattern: str) -> Bools:
    """Whether each value has a part that the pattern matches. Missing is False."""
    return bools(pc.match_substring_regex(values, pattern))


EACH: Mapping[str, Each] = {
    check.__name__: check
    for check in (filled, ordinary, short, uscc, citizen_number, calendar_date, amount, unspoilt, integer, code, codes)
}
ACROSS: Mapping[str, Across] = {
    check.__name__: check
    for check in (not_before, not_in_future, required_when, excluded_when, valid_when, category_matches_code,
                  amount_agrees_with_text)
}
