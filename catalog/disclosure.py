"""The duties on grants: what may be shared with whom, and what a site may never show (D10, D13–D16, D19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.model import Entry, FieldType, Grant, Level, Mask, RecipientKind, Sensitivity, SubjectKind
from catalog.nearest import hint

if TYPE_CHECKING:
    from catalog.load import Catalog

_TEXTUAL = {FieldType.TEXT, FieldType.IDENTIFIER}
# Of the wording of D15, a State Council decision or order is not a level of its own: policy documents do not carry it.
_PUBLISHES_PEOPLE = {Level.LAW, Level.ADMINISTRATIVE_REGULATION, Level.LOCAL_REGULATION}
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
        for problem in (*_basis(catalog, grant), *_shape(entry, grant), *_sensitive(entry, grant)):
            yield f"grants.{name}.{problem}"
        if catalog.recipients[name].kind is RecipientKind.PUBLICITY_SITE:
            yield from (f"grants.{name}.{problem}" for problem in (*_publicity(entry, grant), *_personal(catalog, grant)))


def _basis(catalog: Catalog, grant: Grant) -> Iterator[str]:
    for place, basis in enumerate(grant.basis):
        if basis.instrument not in catalog.instruments:
            yield f"basis.{place}.instrument: {basis.instrument} is not in the catalogue{hint(basis.instrument, catalog.instruments)}"


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


def _is_name_of_firms(entry: Entry, grant: Grant, code: str) -> bool:
    """Whether the field names the subject and the grant leaves people out: then it names firms only."""
    return code == entry.subject.name and grant.subjects == (SubjectKind.LEGAL_PERSON,)


def _personal(catalog: Catalog, grant: Grant) -> Iterator[str]:
    levels = {catalog.instruments[basis.instrument].level for basis in grant.basis if basis.instrument in catalog.instruments}
    if SubjectKind.NATURAL_PERSON in grant.subjects and levels and not levels & _PUBLISHES_PEOPLE:
        yield "basis: people are published only on a law or regulation (D15); cite one or leave natural_person out"
