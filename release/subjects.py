"""Who a record is about: legal or natural person, how old, and under which name consents know the subject."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Entry, SubjectKind

ADULT_AT = 18

# A citizen number of 18 places, of 15 places (born 19YY), or of 18 with month and day starred out by the source, as the
# court list hands it in (domain.md 6.2).
_BIRTH_18 = r"^[0-9]{6}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]$"
_BIRTH_15 = r"^[0-9]{6}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}$"
_BIRTH_YEAR = r"^[0-9]{6}(?:18|19|20)[0-9]{2}\*{4}[0-9]{3}[0-9X]$"


def subject_kinds(table: pa.RecordBatch, entry: Entry) -> pa.Array:
    """Kind of each subject, null where the record does not tell.

    The category field decides where there is one and it is filled. Else an entry whose subject has only a credit code
    holds organisations, one with only an ID number holds people; with both, the one that is filled decides, the credit
    code first. One field for both, or none, tells nothing. Sole traders are organisations here: their records travel
    in the legal-person file (双公示 annex).
    """
    subject = entry.subject
    kind = _kind_by_code(table, entry)
    if subject.category is None or subject.natural_person_when is None:
        return kind
    category = table[subject.category]
    told = pc.if_else(
        pc.equal(category, subject.natural_person_when),
        SubjectKind.NATURAL_PERSON.value,
        SubjectKind.LEGAL_PERSON.value,
    )
    return pc.coalesce(told, kind)


def _kind_by_code(table: pa.RecordBatch, entry: Entry) -> pa.Array:
    legal, natural = pa.scalar(SubjectKind.LEGAL_PERSON.value), pa.scalar(SubjectKind.NATURAL_PERSON.value)
    unknown = pa.scalar(None, pa.string())
    uscc, id_number = entry.subject.uscc, entry.subject.id_number
    if uscc is None or id_number is None or uscc == id_number:
        only = unknown if uscc == id_number else legal if uscc else natural
        return pa.repeat(only, len(table))
    return pc.if_else(pc.is_valid(table[uscc]), legal, pc.if_else(pc.is_valid(table[id_number]), natural, unknown))


def births(id_numbers: pa.Array) -> pa.Array:
    """Day of birth as YYYYMMDD, null where the number does not tell it (passports, permits, damaged numbers).

    Where only the year can be read it is the last day of that year: nobody counts as grown up a day too early.
    """
    # A slice behind a plain test reads a column in a third of the time of a capture.
    shapes = [
        (_BIRTH_18, pc.utf8_slice_codeunits(id_numbers, 6, 14)),
        (_BIRTH_15, _joined("19", pc.utf8_slice_codeunits(id_numbers, 6, 12))),
        (_BIRTH_YEAR, _joined(pc.utf8_slice_codeunits(id_numbers, 6, 10), "1231")),
    ]
    nothing = pa.scalar(None, pa.string())
    return pc.coalesce(
        *(pc.if_else(pc.match_substring_regex(id_numbers, shape), birth, nothing) for shape, birth in shapes)
    )


def is_minor(birth: pa.Array, on: date) -> pa.Array:
    """Boolean: under 18 on that day; null where the birth is null. Born on 29 February, one is 18 on 1 March."""
    return pc.greater(birth, f"{on.year - ADULT_AT:04d}{on:%m%d}")


def numbers(table: pa.RecordBatch, entry: Entry) -> pa.Array:
    """The number that names each subject: of a person the ID number first, of an organisation the credit code first."""
    uscc, id_number = (table[name] if name else pa.nulls(len(table), pa.string()) for name in (entry.subject.uscc, entry.subject.id_number))
    is_person = pc.equal(subject_kinds(table, entry), SubjectKind.NATURAL_PERSON.value)
    return pc.if_else(pc.fill_null(is_person, False), pc.coalesce(id_number, uscc), pc.coalesce(uscc, id_number))


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
