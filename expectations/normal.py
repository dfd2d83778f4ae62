"""Text as received → normal form, a column at a time: changes are counted, what cannot be read is left to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Entry, Field, FieldType
from expectations.amounts import amount, integer
from expectations.codes import CodeSet
from expectations.columns import Bools, arrow, bools, is_missing, series, trimmed

# Ways in which departments write "no value"; a feed adds its own.
NO_VALUE = ("", "\\N", "N/A", "n/a", "#N/A", "NULL", "null", "NaN", "nan", "None", "暂无", "无",
            "/", "-", "--", "—", "— —", "——", "－")
NO_DATE = ("1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "无处罚期限", "0000-00-00", "0001-01-01")

# A time of day is dropped. Only the offset of China may follow it: with another the day itself would be in doubt.
_DATE = (r"^(?P<y>[0-9]{4})(?:-|/|\.|年)(?P<m>[0-9]{1,2})(?:-|/|\.|月)(?P<d>[0-9]{1,2})日?"
         r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?\+08:?00)?)?$")
_PLAIN_DATE = r"^(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})$"
_UNIX = r"^1[0-9]{9}(?:[0-9]{3})?$"
_CHINA_AHEAD = 8 * 3600

Change = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows in which a field was brought into normal form, and in which way."""

    field: str
    rule: str
    rows: Bools


def normal_form(rows: pd.DataFrame, entry: Entry, sentinels: Iterable[str],
                codes: Mapping[str, CodeSet]) -> tuple[pd.DataFrame, list[Changed]]:
    """Every field of the entry in normal form, and what was changed to get there.

    Dates become YYYY-MM-DD, amounts plain decimal text in the field's unit, identifiers NFKC in upper case, edge blanks
    go and sentinels become NA. A value that fits no form stays as it is; the suite will judge it. A field that `rows`
    lacks is NA throughout. The index is the one of `rows`.
    """
    no_value = pa.array(sorted({*NO_VALUE, *sentinels}))
    columns, changed = {}, []
    for code, field in entry.fields.items():
        values = arrow(rows[code]) if code in rows else pa.nulls(len(rows), pa.string())
        reading = _Reading(code, values)
        reading.read("edge-blank", trimmed)
        reading.empty("sentinel", lambda v: pc.is_in(v, value_set=no_value))
        _read_type(reading, field, codes)
        columns[code] = series(reading.values, rows.index)
        changed += reading.changed
    return pd.DataFrame(columns, index=rows.index), changed


class _Reading:
    """One column on its way into normal form; each step notes the rows that it changed."""

    def __init__(self, field: str, values: pa.Array) -> None:
        self.field, self.values = field, values
        self.changed: list[Changed] = []

    def read(self, rule: str, change: Change) -> None:
        before, self.values = self.values, change(self.values)
        self._note(rule, bools(pc.not_equal(before, self.values)))

    def read_each(self, rule: str, change: Change) -> None:
        """As `read`, for columns with few distinct values and costly changes: each distinct value is read once."""
        encoded = pc.dictionary_encode(self.values)
        read = change(encoded.dictionary)
        if not read.equals(encoded.dictionary):
            self.read(rule, lambda _: read.take(encoded.indices))

    def empty(self, rule: str, is_empty: Change) -> None:
        """Makes the values NA for which `is_empty` holds; an empty text was empty before and is not a change."""
        found = bools(is_empty(self.values))
        if found.any():
            self._note(rule, found & bools(pc.greater(pc.binary_length(self.values), 0)))
            self.values = pc.if_else(pa.array(found), pa.scalar(None, pa.string()), self.values)

    def _note(self, rule: str, rows: Bools) -> None:
        if rows.any():
            self.changed.append(Changed(self.field, rule, rows))


def _read_type(reading: _Reading, field: Field, codes: Mapping[str, CodeSet]) -> None:
    if field.type is FieldType.TEXT or is_missing(reading.values).all():
        return
    if field.type is not FieldType.CODE and field.type is not FieldType.CODES:
        reading.read("full-width", _half_width)
    match field.type:
        case FieldType.USCC | FieldType.ID_NUMBER | FieldType.IDENTIFIER:
            reading.read("letter-case", pc.utf8_upper)
        case FieldType.DATE:
            reading.read_each("date-form", as_dates)
            reading.empty("sentinel", lambda v: pc.is_in(v, value_set=pa.array(NO_DATE)))
        case FieldType.AMOUNT:
            reading.read_each("number-form", lambda v: _each(v, lambda text: amount(text, field.unit)))
        case FieldType.INTEGER:
            reading.read_each("number-form", lambda v: _each(v, integer))
        case FieldType.CODE | FieldType.CODES if field.codes:
            known = codes[field.codes]
            read = known.one if field.type is FieldType.CODE else known.several
            reading.read_each("code-form", lambda v: _each(v, read))


def as_dates(values: pa.Array) -> pa.Array:
    """The dates among `values` as YYYY-MM-DD, whatever form they came in; everything else unchanged. Whether the
    calendar has such a day is judged later. Unix seconds are read in the time of China, as the sources mean them."""
    result = _from_seconds(values)
    for form in (_DATE, _PLAIN_DATE):
        parts = pc.extract_regex(result, form)
        year, month, day = (pc.struct_field(parts, name) for name in "ymd")
        padded = (year, pc.utf8_lpad(month, 2, "0"), pc.utf8_lpad(day, 2, "0"))
        result = pc.coalesce(pc.binary_join_element_wise(*padded, "-"), result)
    return result


def _from_seconds(values: pa.Array) -> pa.Array:
    found = bools(pc.match_substring_regex(values, _UNIX))
    if not found.any():
        return values
    seconds = pc.cast(pc.utf8_slice_codeunits(values.filter(pa.array(found)), 0, 10), pa.int64())
    days = pc.cast(pc.add(seconds, _CHINA_AHEAD), pa.timestamp("s"))
    return pc.replace_with_mask(values, pa.array(found), pc.strftime(days, format="%Y-%m-%d"))


def _half_width(values: pa.Array) -> pa.Array:
    # Plain ASCII is its own NFKC form; asking for it first spares clean columns the costly step.
    if pc.all(pc.string_is_ascii(values)).as_py() is not False:
        return values
    wide = np.flatnonzero(~bools(pc.string_is_ascii(values), missing=True))
    mask = np.zeros(len(values), dtype=np.bool_)
    mask[wide] = True
    normal = trimmed(pc.utf8_normalize(values.take(pa.array(wide)), form="NFKC"))
    return pc.replace_with_mask(values, pa.array(mask), normal)


def _each(values: pa.Array, change: Callable[[str], str]) -> pa.Array:
    return pa.array([None if text is None else change(text) for text in values.to_pylist()], pa.string())
