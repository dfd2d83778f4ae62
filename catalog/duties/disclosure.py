"""The duties on grants: what may be shared with whom, and what a site may never show (D10, D13–D16, D19, D51–D54)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.duties.authority import allows
from catalog.model import (
    Allowance,
    Body,
    Entry,
    FieldType,
    Grant,
    Level,
    Mask,
    Recipient,
    RecipientKind,
    Sensitivity,
    Share,
    SubjectKind,
)
from catalog.nearest import hint

if TYPE_CHECKING:
    from catalog.load import Catalog

_TEXTUAL = {FieldType.TEXT, FieldType.IDENTIFIER}
# The wording of clause (4): law, administrative regulation, or a decision or order of the State Council.
PUBLISHES_PEOPLE = (Level.LAW, Level.ADMINISTRATIVE_REGULATION, Level.STATE_COUNCIL_DECISION)
_FITS = {
    Mask.ID_NUMBER: {FieldType.ID_NUMBER, FieldType.IDENTIFIER},
    Mask.TOKEN: {FieldType.ID_NUMBER, FieldType.IDENTIFIER, FieldType.USCC},
    Mask.NAME: _TEXTUAL, Mask.MOBILE: _TEXTUAL, Mask.ADDRESS: _TEXTUAL, Mask.ACCOUNT: _TEXTUAL,
}


def problems_of(catalog: Catalog, entry: Entry) -> Iterator[str]:
    """Every problem of an entry's grants, each with its key."""
    for name, grant in entry.grants.items():
        if name not in catalog.recipients:
            yield f"grants.{name}: {name} is not a recipient{hint(name, catalog.recipients)}"
            continue
        recipient = catalog.recipients[name]
        is_site = recipient.kind is RecipientKind.PUBLICITY_SITE
        for problem in (*_shape(entry, grant), *_sensitive(entry, grant), *_shared(entry, grant), *_consent(catalog, grant),
                        *((*_publicity(entry, grant), *_personal(catalog, grant)) if is_site else _conditions(entry, grant, recipient))):
            yield f"grants.{name}.{problem}"
    for code, field in entry.fields.items():
        if field.sensitivity is Sensitivity.BUSINESS_SECRET and field.publish:
            yield f"fields.{code}.publish: a business secret is never published (D14); write false"


def _shape(entry: Entry, grant: Grant) -> Iterator[str]:
    for code, mask in grant.fields.items():
        if code not in entry.fields:
            yield f"fields.{code}: not a field of the entry{hint(code, entry.fields)}"
        elif mask in _FITS and entry.fields[code].type not in _FITS[mask]:
            yield f"fields.{code}: the mask {mask} does not fit a field of type {entry.fields[code].type}"
    for code in entry.natural_key:
        if code not in grant.fields:
            yield f"fields: {code} of the natural key is missing; a field not granted may not shape a reference (I3)"
    if SubjectKind.NATURAL_PERSON in grant.subjects and not _can_be(entry, SubjectKind.NATURAL_PERSON):
        yield "subjects: the entry holds no natural persons"
    if SubjectKind.LEGAL_PERSON in grant.subjects and not _can_be(entry, SubjectKind.LEGAL_PERSON):
        yield "subjects: the entry holds no legal persons"


def _can_be(entry: Entry, kind: SubjectKind) -> bool:
    subject = entry.subject
    if kind is SubjectKind.NATURAL_PERSON:
        # A category will not do: it also tells people who strayed into a file of firms, and without a number no minor is known.
        return subject.id_number is not None
    return subject.uscc is not None or subject.category is not None


def _sensitive(entry: Entry, grant: Grant) -> Iterator[str]:
    for code, mask in grant.fields.items():
        field = entry.fields.get(code)
        if field and field.sensitivity is Sensitivity.SENSITIVE_PERSONAL and mask is Mask.OPEN:
            yield f"fields.{code}: sensitive personal data is given to nobody open; name a mask (PIPL art. 28)"


def _shared(entry: Entry, grant: Grant) -> Iterator[str]:
    for code in grant.fields:
        if code in entry.fields and entry.fields[code].share is Share.NOT_SHARED:
            yield f"fields.{code}: is not shared (share: not_shared), so nobody is granted it (D10); leave it out, or mend its share class"


def _conditions(entry: Entry, grant: Grant, recipient: Recipient) -> Iterator[str]:
    """What a recipient that shares, and publishes nothing, must show and must get."""
    condition = grant.condition
    conditional = [code for code in grant.fields if code in entry.fields and entry.fields[code].share is Share.CONDITIONAL]
    if conditional and condition is None:
        yield (f"condition: {', '.join(conditional)} are shared under a condition (D10); write the approved application, its purpose and "
               "its end, or leave them out")
    elif condition is None and recipient.body is not Body.AUTHORITY:
        yield f"condition: a recipient of kind {recipient.body} gets nothing without an approved application (D54); write purpose and end"
    if condition is not None and condition.until <= condition.approved_on:
        yield "condition.until: lies before the application was approved (D10); write the day on which the approval ends"
    if entry.leniency is not None and entry.leniency not in grant.fields:
        yield f"fields: {entry.leniency}, the marks of leniency, is missing; they travel with the record (D57); grant it"


def _consent(catalog: Catalog, grant: Grant) -> Iterator[str]:
    if grant.consent and not any(allows(catalog, basis, Allowance.CONSENT) for basis in grant.basis):
        yield "consent: no article it cites lets consent carry a grant (D51); cite one that allows consent, or leave consent out"


def _publicity(entry: Entry, grant: Grant) -> Iterator[str]:
    for code, mask in grant.fields.items():
        field = entry.fields.get(code)
        if field is None:
            continue
        if not field.publish:
            yield f"fields.{code}: may not be published (publish: false); to share is not to publish (D13)"
        if field.sensitivity.is_personal and mask is Mask.OPEN and not _is_name_of_firms(entry, grant, code):
            yield f"fields.{code}: personal data is masked before it is published (D16)"
        if field.sensitivity is Sensitivity.BUSINESS_SECRET:
            yield f"fields.{code}: a business secret is never published (D14)"
    if entry.publicity_end and grant.fields.get(entry.publicity_end) is not Mask.OPEN:
        yield f"fields.{entry.publicity_end}: the end of publicity goes to every site, open (D19)"
    if grant.condition is not None:
        yield "condition: a site publishes to everybody, which no application decides (D13); leave it out"


def _is_name_of_firms(entry: Entry, grant: Grant, code: str) -> bool:
    """Whether the field names the subject and the grant leaves people out: then it names firms only."""
    return code == entry.subject.name and grant.subjects == (SubjectKind.LEGAL_PERSON,)


def _personal(catalog: Catalog, grant: Grant) -> Iterator[str]:
    if SubjectKind.NATURAL_PERSON not in grant.subjects:
        return
    if not any(allows(catalog, basis, Allowance.PUBLISH_PEOPLE, PUBLISHES_PEOPLE) for basis in grant.basis):
        yield ("basis: people are published only on an article of a law, administrative regulation or State Council decision that "
               "allows publish_people (D15); cite one or leave natural_person out")
