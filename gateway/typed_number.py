"""A number that somebody typed to look a subject up: whether any record could bear it, and whether it looks mistyped."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Field, FieldType
from expectations import identifiers
from expectations.conditions import citizen_number, ordinary, short, unspoilt, uscc
from gateway.settings import Gateway

# A credit code, an ID number or, with its hyphen, an organisation code; without one a passport looks the same.
_LIKE_A_CODE = r"^(?:[0-9A-Z]{18}|[0-9A-Z]{8}-[0-9A-Z])$"
# A court stars out month and day, and with them what the check digit is worked out from.
_STARRED = r"^[0-9]{10}\*{4}[0-9]{3}[0-9X]$"


def is_holdable(gateway: Gateway, number: str) -> bool:
    """Whether a record could bear this as the number of its subject, in any version of any entry: where documents of other kinds
    stand in the same column nearly everything can, and must be found."""
    value = _normal(number)
    return any(_fits(field, value, gateway.today) for field in _fields(gateway))


def doubt(gateway: Gateway, number: str) -> str:
    """Why a number looks mistyped, as a code, "" if it does not: "check-digit" or "no-known-form". A passport has no known form, and
    an old register keeps wrong digits, so what is in doubt is looked up all the same."""
    value = _normal(number)
    sound = (identifiers.is_uscc(value), identifiers.is_citizen_number(value, gateway.today), identifiers.is_organisation_code(value),
             identifiers.is_old_registration_number(value))  # an ID number of 15 places has the form of the last and no check digit
    if any(each[0] for each in sound) or _matches(value, _STARRED):
        return ""
    return "check-digit" if _matches(value, _LIKE_A_CODE) else "no-known-form"


def _fields(gateway: Gateway) -> Iterator[Field]:
    for versions in gateway.catalog.versions.values():
        for entry in versions:
            yield from (entry.fields[code] for code in {entry.subject.uscc, entry.subject.id_number} if code)


def _fits(field: Field, value: pa.Array, today: date) -> bool:
    if field.type is FieldType.USCC:
        return bool(uscc(value, None)[0])
    if field.type is FieldType.ID_NUMBER:
        return bool(citizen_number(value, today.isoformat())[0])
    is_short = field.length is None or short(value, field.length)[0]
    return bool(is_short and ordinary(value, False)[0] and unspoilt(value, None)[0])


def _matches(value: pa.Array, pattern: str) -> bool:
    return bool(pc.match_substring_regex(value, pattern)[0].as_py())


def _normal(number: str) -> pa.Array:
    """As records keep it and `identity.subjects` names it."""
    return pa.array([unicodedata.normalize("NFKC", number).strip().upper()], pa.string())
