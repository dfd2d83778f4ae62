"""The duties on what is recorded as adverse: its document, its date, its repair, how grave it is, and leniency (D7, D8, D37, D57)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.duties.authority import CENTRAL, allows
from catalog.duties.fields import named, words
from catalog.model import Allowance, Document, DocumentKind, Entry, ExcludedWhen, FieldType

if TYPE_CHECKING:
    from catalog.load import Catalog

_NUMBERS = (FieldType.TEXT, FieldType.IDENTIFIER)
_CODES = (FieldType.USCC, FieldType.IDENTIFIER)
_DATED = "without its date no version of the entry can be chosen for a record (D2)"


def of_entry(catalog: Catalog, entry: Entry) -> Iterator[str]:
    """Every problem of an entry's adverse side, each with its key."""
    if entry.nature == "adverse":
        yield from _complete(entry)
    elif entry.measures is not None:
        yield "measures: only what is adverse has consequences (D31); leave it out, or mend the nature"
    if entry.document is not None:
        yield from (f"document{problem}" for problem in (*_document(catalog, entry, entry.document), *_provision(catalog, entry.document)))
    yield from named(entry, "decided_on", entry.decided_on, (FieldType.DATE,), _DATED)
    if entry.legacy is not None and entry.decided_on is None:
        yield "legacy: nothing dates a record, so none is older than the entry (D65); name decided_on, or leave legacy out"
    yield from named(entry, "ended_on", entry.ended_on, (FieldType.DATE,))
    yield from named(entry, "leniency", entry.leniency, (FieldType.CODE, FieldType.CODES))
    yield from named(entry, "measures", entry.measures, (FieldType.CODES,))
    yield from _clock(entry)
    yield from _repair(catalog, entry)
    yield from _excluded(catalog, entry)


def _complete(entry: Entry) -> Iterator[str]:
    """What every adverse entry has."""
    if entry.document is None:
        yield "document: missing; conduct is found only on an effective document: say which fields show it (D7)"
    if entry.decided_on is None:
        yield f"decided_on: missing; name the field that dates the decision, {_DATED}"
    if entry.repair is None:
        yield "repair: missing; name the authority that decides on repair (D37)"
    if (entry.clock is None) == (entry.grade is None):
        yield "grade: an adverse entry has a clock that reckons how grave each record is, or one grade for all of them (D35, D39)"
    if entry.clock is not None and entry.leniency is None:
        yield "leniency: missing; name the field that says whether minors, force majeure or slight fault call for leniency (D57)"


def _document(catalog: Catalog, entry: Entry, document: Document) -> Iterator[str]:
    must = "a record without it hangs on no document (D7)"
    yield from (f".{problem}" for problem in (
        *named(entry, "date", document.date, (FieldType.DATE,), must),
        *named(entry, "authority", document.authority, (FieldType.TEXT,), must),
        *named(entry, "number", document.number, _NUMBERS, must), *named(entry, "authority_code", document.authority_code, _CODES, must),
        *named(entry, "state", document.state, (FieldType.CODE,)),
        *words(catalog, entry, "in_effect", document.state, document.in_effect),
        *words(catalog, entry, "held", document.state, document.held)))  # fmt: skip
    if (document.state is None) != (not document.in_effect):
        yield ".in_effect: goes together with state; say which codes mean that the document is in effect (D7)"
    if document.state is None and document.held:
        yield ".held: goes together with state"
    if both := set(document.in_effect) & set(document.held):
        yield f".held: {', '.join(sorted(both))} cannot be in effect and held at once (D7)"


def _provision(catalog: Catalog, document: Document) -> Iterator[str]:
    if (document.number is None or document.authority_code is None) and document.unnumbered is None:
        lacking = "number" if document.number is None else "authority_code"
        yield f".{lacking}: missing; name the field, or cite in unnumbered the provision that knows none (D7)"
    if document.unnumbered and not allows(catalog, document.unnumbered, Allowance.UNNUMBERED_DOCUMENT):
        yield ".unnumbered: the article does not allow unnumbered_document; cite the one that says what a decision holds (D7)"
    if (document.kind is DocumentKind.OTHER) != (document.accepted_by is not None):
        yield ".accepted_by: goes together with kind other, whose provision it cites (D8)"
    elif document.accepted_by and not allows(catalog, document.accepted_by, Allowance.OTHER_DOCUMENT, CENTRAL):
        yield ".accepted_by: no article of a law, regulation or central policy that allows other_document (D8); cite one, or mend the kind"


def _clock(entry: Entry) -> Iterator[str]:
    clock = entry.clock
    if clock is None:
        return
    types = (FieldType.CODE, FieldType.CODES)
    yield from named(entry, "clock.classes", clock.classes, types, "without its classes no period can be reckoned (D39)")
    yield from named(entry, "clock.sector", clock.sector, (FieldType.CODE,))
    for place, name in enumerate(clock.fines):
        yield from named(entry, f"clock.fines.{place}", name, (FieldType.AMOUNT,))
        if name in entry.fields and entry.fields[name].unit not in (None, "10k_yuan"):
            yield f"clock.fines.{place}: {name} is not in 10k_yuan, in which large fines are told apart (D39)"


def _repair(catalog: Catalog, entry: Entry) -> Iterator[str]:
    forbidden = entry.repair.forbidden_by if entry.repair else None
    if forbidden and not allows(catalog, forbidden, Allowance.FORBID_REPAIR, CENTRAL):
        yield ("repair.forbidden_by: no article of a law, regulation or central policy that allows forbid_repair (D38); cite one, "
               "or leave it out: what was corrected can be repaired")


def _excluded(catalog: Catalog, entry: Entry) -> Iterator[str]:
    rules = [(place, rule) for place, rule in enumerate(entry.rules) if isinstance(rule, ExcludedWhen)]
    for place, rule in rules:
        yield from words(catalog, entry, f"rules.{place}.contains", rule.field, rule.contains)
    if entry.document is not None and entry.document.kind is DocumentKind.PENALTY_DECISION:
        for because in sorted({"summary-procedure", "secret-decision"} - {rule.because for _, rule in rules}):
            yield f"rules: no excluded_when with because: {because}; such decisions never enter (双公示, D2); write the rule"
