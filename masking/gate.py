"""The leak gate: what personal data would still be seen in a masked record? Such a record is withheld, for every path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Entry, FieldType, Mask
from masking.citizen import canonical, is_credit_code, is_old_register_number
from masking.columns import arrow, column
from masking.numbers import CARDS, CITIZENS, MOBILES, SHORT_CITIZENS, Shape, found

NOT_MASKED, IN_TEXT = "not-masked", "personal-data-in-text"

# Of what checked fields of these types hold, only a citizen number can be taken for a person.
_FIGURES = (FieldType.USCC, FieldType.DATE, FieldType.AMOUNT, FieldType.INTEGER, FieldType.CODE, FieldType.CODES)
_PROSE = (FieldType.TEXT, FieldType.IDENTIFIER)


def leaks(
    plain: pd.DataFrame, masked: pd.DataFrame, masks: Mapping[str, str], entry: Entry, is_publicity: bool
) -> pd.Series:
    """Reason per row of `masked`, NA where nothing is seen. plain and masked: the same rows, before and after.

    not-masked: a field with a recipe other than `open` came out as it went in. personal-data-in-text: the plain value of
    such a field stands in an open text of the record; or a column holds a citizen number, on a site also a mobile or card
    number. Off the sites a citizen number may stand where the recipient has it openly in the same record.

    Decided so: values starred out by the source are not "plain"; the subject's own open name is no leak (a stall may bear
    its owner's name), nor is a credit code in its field or an old register number in an identifier's field. A document
    number that happens to be a right citizen number is withheld: a person can look at it, nobody can call it back.
    """
    seen = {field: arrow(masked[field]) for field in masks}
    before = {field: arrow(plain[field]) for field in masks if masks[field] != Mask.OPEN}
    reason = pa.nulls(len(masked), pa.string())
    for row_is_bad, why in [
        (_is_unmasked(before, seen), NOT_MASKED),
        (_is_repeated(before, seen, masks, entry), IN_TEXT),
        (_is_numbered(seen, masks, entry, is_publicity), IN_TEXT),
    ]:
        fresh = pc.and_(pc.is_null(reason), pa.array([place in row_is_bad for place in range(len(masked))], pa.bool_()))
        reason = pc.if_else(fresh, why, reason)
    return column(reason, masked.index)


def _is_unmasked(before: Mapping[str, pa.Array], seen: Mapping[str, pa.Array]) -> set[int]:
    rows: set[int] = set()
    for field, values in before.items():
        rows.update(pc.indices_nonzero(pc.and_(pc.equal(_telling(values, 1), seen[field]), True)).to_pylist())
    return rows


def _is_repeated(
    before: Mapping[str, pa.Array], seen: Mapping[str, pa.Array], masks: Mapping[str, str], entry: Entry
) -> set[int]:
    """Rows in which an open text repeats what another field hides. One character is too little to be a hint."""
    prose = [seen[field] for field in masks if masks[field] == Mask.OPEN and _type(field, entry) in _PROSE]
    if not prose or not before:
        return set()
    texts = pc.binary_join_element_wise(*(pc.fill_null(values, "") for values in prose), "\x1f").to_pylist()
    # The subject's own open name is taken out first: a stall may bear its owner's name.
    names = seen[entry.subject.name].to_pylist() if masks.get(entry.subject.name) == Mask.OPEN else [None] * len(texts)
    rows: set[int] = set()
    for values in before.values():
        pairs = enumerate(zip(_telling(values, 2).to_pylist(), texts, strict=True))
        near = (place for place, (value, text) in pairs if value is not None and value in text)
        rows.update(
            place for place in near if values[place].as_py() in texts[place].replace(names[place] or "\x1f", "\x1f")
        )
    return rows


def _is_numbered(seen: Mapping[str, pa.Array], masks: Mapping[str, str], entry: Entry, is_publicity: bool) -> set[int]:
    given = (
        [] if is_publicity else [f for f in masks if masks[f] == Mask.OPEN and _type(f, entry) is FieldType.ID_NUMBER]
    )
    return {
        place
        for field, values in seen.items()
        if field not in given
        for place, number in _numbers(values, _type(field, entry), is_publicity)
        if not any(canonical(seen[known][place].as_py() or "") == number for known in given)
    }


def _numbers(values: pa.Array, kind: FieldType, is_publicity: bool) -> Iterator[tuple[int, str]]:
    shapes: tuple[Shape, ...] = (CITIZENS,)
    if kind not in _FIGURES:
        shapes += (SHORT_CITIZENS, MOBILES, CARDS) if is_publicity else (SHORT_CITIZENS,)
    for place, number in found(values, shapes):
        if not _is_of_its_kind(values[place].as_py(), kind):
            yield place, number


def _is_of_its_kind(value: str, kind: FieldType) -> bool:
    """The whole value is what its field is for, however much it looks like a person's number."""
    if kind is FieldType.USCC:
        return is_credit_code(value)
    return kind is FieldType.IDENTIFIER and is_old_register_number(value)


def _type(field: str, entry: Entry) -> FieldType:
    return entry.fields[field].type


def _telling(values: pa.Array, least: int) -> pa.Array:
    """Null where the value is shorter than `least` or was starred out by the source."""
    tells = pc.and_(pc.greater_equal(pc.utf8_length(values), least), pc.invert(pc.match_substring(values, "*")))
    return pc.if_else(tells, values, pa.scalar(None, pa.string()))
