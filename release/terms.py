"""The terms of a release: who gets it, of whom it speaks, how old they are, whether the publicity period has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Entry, Grant, Mask, Recipient, RecipientKind, SubjectKind
from keys.keyring import Derived

ADULT_AT = 18

# A citizen number of 18 places, of 15 places (born 19YY), or of 18 with month and day starred out by the source, as the
# court list hands it in (domain.md 6.2).
_BIRTH_18 = r"^[0-9]{6}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]$"
_BIRTH_15 = r"^[0-9]{6}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}$"
_BIRTH_YEAR = r"^[0-9]{6}(?:18|19|20)[0-9]{2}\*{4}[0-9]{3}[0-9X]$"
_ISO_DATE = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"


class Unpublishable(ValueError):
    """A grant hands a publicity site a field that the entry says may never be shown. Correct the grant or the field."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a decision rests on besides the records. `on` is the day of the decision. `terms_digest` stands for
    whatever shapes the content beyond the values (grant, edition, recipes, token key): another digest sends all anew.

    Raises Unpublishable, naming entry, field and recipient.
    """

    entry_code: str
    entry: Entry
    recipient_code: str
    recipient: Recipient
    on: date
    handle_key: Derived
    digest_key: Derived
    terms_digest: str

    def __post_init__(self) -> None:
        refused = [code for code in self.masks if self.is_publicity and not self.entry.fields[code].publish]
        if refused:
            raise Unpublishable(
                f"entry {self.entry_code}, field {refused[0]}: not publishable, yet granted to the publicity site "
                f"{self.recipient_code}; take it out of the grant"
            )

    @property
    def grant(self) -> Grant | None:
        return self.entry.grants.get(self.recipient_code)

    @property
    def masks(self) -> dict[str, Mask]:
        """The recipe of each granted field in the order of the entry, so that the order of a grant changes nothing."""
        granted = self.grant.fields if self.grant else {}
        return {code: granted[code] for code in self.entry.fields if code in granted}

    @property
    def is_publicity(self) -> bool:
        return self.recipient.kind is RecipientKind.PUBLICITY_SITE

    @property
    def is_in_force(self) -> bool:
        until = self.entry.in_force_to
        return self.entry.in_force_from <= self.on and (until is None or self.on <= until)


def gaps(entry: Entry, grant: Grant | None) -> tuple[str, ...]:
    """The entry's fields that a recipient is not given, in the order of the entry; all of them without a grant."""
    return tuple(code for code in entry.fields if grant is None or code not in grant.fields)


def decision_fields(entry: Entry) -> frozenset[str]:
    """The fields that may decide whether a record goes out even where the recipient does not get them.

    They are the only exception to I3, and they work on whole records: kind of subject, age, end of publicity. No other
    field that is not granted can change what a recipient gets.
    """
    subject = entry.subject
    named = (subject.category, subject.uscc, subject.id_number, entry.publicity_end)
    return frozenset(code for code in named if code is not None)


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


def is_publicity_over(ends: pa.Array, on: date) -> pa.Array:
    """Boolean, no nulls: the last day of publicity lies before `on`. No date is no end; a date in another shape than
    the normal form counts as over, since nobody can say that it is not (I9)."""
    readable = pc.match_substring_regex(ends, _ISO_DATE)
    over = pc.or_(pc.invert(readable), pc.less(ends, on.isoformat()))
    return pc.fill_null(over, False)


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
