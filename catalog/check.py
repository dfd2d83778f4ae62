"""What the models alone cannot see: references, duties of 国办发〔2020〕49号, and things nobody uses. All problems at once.

What holds on any day stands in `problems_of`, without which no catalogue loads; what a day makes wrong in `problems_on`; what
ought to be looked at in `warnings_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from catalog import sources, terms
from catalog.citations import citations
from catalog.duties import authority, collection, disclosure, listings, local, measures, recording, repair, versions
from catalog.duties.fields import codes_of, named
from catalog.model import Entry, FieldType, Sensitivity
from catalog.nearest import normal_name, unknown

if TYPE_CHECKING:
    from catalog.load import Catalog

_SET_TYPES = (FieldType.CODE, FieldType.CODES)
_SUBJECT_TYPES = {"name": (FieldType.TEXT,), "uscc": (FieldType.USCC, FieldType.IDENTIFIER),
                  "id_number": (FieldType.ID_NUMBER, FieldType.IDENTIFIER), "category": (FieldType.CODE,)}
_RULE_TYPES = {
    "not_before": {"field": FieldType.DATE, "other": FieldType.DATE},
    "not_in_future": {"field": FieldType.DATE},
    "category_matches_code": {"field": FieldType.CODE, "other": FieldType.USCC},
    "amount_agrees_with_text": {"field": FieldType.AMOUNT, "other": FieldType.TEXT},
    "valid_when": {"field": FieldType.IDENTIFIER, "other": FieldType.CODE},
}
# Which key of a rule is a word that must occur among the codes of which of its fields.
_RULE_WORDS = {"category_matches_code": ("sole_trader", "field"), "valid_when": ("equals", "other"), "required_when": ("contains", "other")}


def problems_of(catalog: Catalog) -> list[str]:
    """Every problem of a catalogue whose files are each well-formed, in the order of the files."""
    themes = (authority, versions, local, collection, listings, measures, repair, sources)
    found = [*_entries(catalog), *(problem for theme in themes for problem in theme.problems_of(catalog)),
             *_doors(catalog), *_code_sets(catalog), *_unused(catalog), *_dates(catalog)]
    return list(dict.fromkeys(found))


def problems_on(catalog: Catalog, on: date) -> list[str]:
    """What a sound catalogue may no longer hold, or not yet, on a day."""
    return list(dict.fromkeys((*authority.on_the_day(catalog, on), *listings.not_renewed(catalog, on))))


def warnings_of(catalog: Catalog, on: date) -> list[str]:
    """What stands and ought to be looked at on a day; nothing is refused for it."""
    return list(dict.fromkeys((*listings.not_assessed(catalog, on), *versions.still_proposed(catalog, on))))


def _entries(catalog: Catalog) -> Iterator[str]:
    for file, entry in versions.each_version(catalog):
        for problem in (*_fields(catalog, entry), *_titles(entry), *_subject(catalog, entry), *_rules(catalog, entry), *_key(entry),
                        *authority.of_entry(catalog, entry), *versions.of_entry(catalog, entry), *collection.of_entry(entry),
                        *recording.of_entry(catalog, entry), *listings.of_entry(catalog, entry),
                        *disclosure.problems_of(catalog, entry)):  # fmt: skip
            yield f"{file}: {problem}"
        if not (folder := file.split("/")[-2]).startswith(f"{entry.category:02}_"):
            yield f"{file}: category: {entry.category} is not the folder's; move the file out of {folder} or mend the number"
    collected = {feed.entry for feed in catalog.feeds.values()}
    for key in catalog.entries:
        if key not in collected and not versions.is_proposal(catalog, key):
            yield f"{catalog.files['entries', key]}: no department hands it in; add a feed to one, or remove the entry"


def _fields(catalog: Catalog, entry: Entry) -> Iterator[str]:
    used = _used(entry)
    for code, field in entry.fields.items():
        if (field.codes is None) == (field.type in _SET_TYPES):
            yield f"fields.{code}.codes: a field of type code or codes names its code set, no other does"
        if field.codes is not None and field.codes not in catalog.codes:
            yield f"fields.{code}.codes: {unknown(field.codes, catalog.codes)}"
        if (field.unit is None) == (field.type is FieldType.AMOUNT):
            yield f"fields.{code}.unit: an amount names its unit, no other type does"
        is_number = field.type is FieldType.ID_NUMBER or code == entry.subject.id_number
        if is_number and field.sensitivity is not Sensitivity.SENSITIVE_PERSONAL:
            yield f"fields.{code}.sensitivity: a citizen's number is sensitive_personal"
        if code == entry.subject.name and entry.subject.id_number and not field.sensitivity.is_personal:
            yield f"fields.{code}.sensitivity: the entry holds people, so their name is personal"
        if field.type in (FieldType.TEXT, FieldType.IDENTIFIER) and field.length is None:
            yield f"fields.{code}.length: a text or identifier says how long it may be"
        if code not in used:
            yield f"fields.{code}: nobody uses it: no grant, key, subject or rule; collecting it would serve nothing (D50)"


def _titles(entry: Entry) -> Iterator[str]:
    first = dict[str, str]()
    for code, field in entry.fields.items():
        if (other := first.setdefault(normal_name(field.title.zh), code)) != code:
            yield f"fields.{code}.title.zh: {other} has the same; a header could not tell them apart"


def _used(entry: Entry) -> set[str]:
    subject, document, clock, listing = entry.subject, entry.document, entry.clock, entry.listing
    used = {subject.name, subject.uscc, subject.id_number, subject.category, *entry.natural_key, entry.publicity_end,
            entry.decided_on, entry.ended_on, entry.leniency, entry.measures}
    if document is not None:
        used |= {document.date, document.authority, document.number, document.authority_code, document.state}
    if clock is not None:
        used |= {clock.classes, clock.sector, *clock.fines}
    if listing is not None:
        used |= {listing.decided_on, listing.level, listing.notified_on, listing.objection, *listing.stated}
    used |= {name for rule in entry.rules for name in (rule.field, getattr(rule, "other", None))}
    used |= {name for grant in entry.grants.values() for name in grant.fields}
    return {name for name in used if name is not None}


def _subject(catalog: Catalog, entry: Entry) -> Iterator[str]:
    subject = entry.subject
    for key, wanted in _SUBJECT_TYPES.items():
        yield from named(entry, f"subject.{key}", getattr(subject, key), wanted)
    if (subject.category is None) != (subject.natural_person_when is None):
        yield "subject.natural_person_when: goes together with subject.category"
    elif subject.natural_person_when is not None:
        word, codes = subject.natural_person_when, codes_of(catalog, entry, subject.category)
        if codes and word not in codes:
            yield f"subject.natural_person_when: {word} is not a code of {subject.category}; nobody would count as a person"
    if subject.uscc is None and subject.id_number is None:
        yield "subject: neither uscc nor id_number; a record must say whom it is about"


def _rules(catalog: Catalog, entry: Entry) -> Iterator[str]:
    for place, rule in enumerate(entry.rules):
        types = _RULE_TYPES.get(rule.kind, {})
        for key in ("field", "other"):
            name = getattr(rule, key, None)
            if name is None:
                continue
            if name not in entry.fields:
                yield f"rules.{place}.{key}: {unknown(name, entry.fields)}"
            elif key in types and entry.fields[name].type is not types[key]:
                yield f"rules.{place}.{key}: {rule.kind} wants a field of type {types[key]} here"
        if rule.kind in _RULE_WORDS:
            key, holder = _RULE_WORDS[rule.kind]
            word, codes = getattr(rule, key), codes_of(catalog, entry, getattr(rule, holder))
            if codes and word not in codes and not (key == "contains" and any(word in code for code in codes)):
                yield f"rules.{place}.{key}: {word} is not a code of {getattr(rule, holder)}; the rule would never hold"


def _key(entry: Entry) -> Iterator[str]:
    for name in entry.natural_key:
        if name not in entry.fields:
            yield f"natural_key: {unknown(name, entry.fields)}"
        elif entry.fields[name].sensitivity is Sensitivity.SENSITIVE_PERSONAL or entry.fields[name].type is FieldType.ID_NUMBER:
            yield f"natural_key: {name} is a citizen's number; it may not shape the reference that recipients get (I3)"
        elif not entry.fields[name].required:
            yield f"natural_key: {name} is not required; a record without it could not be told apart"
    end = entry.publicity_end
    if end is not None and (end not in entry.fields or entry.fields[end].type is not FieldType.DATE):
        yield f"publicity_end: {end} is not a date field of the entry"
    elif end is not None and not entry.fields[end].required:
        yield f"publicity_end: {end} is not required; a record without it would be published for ever (D19)"


def _doors(catalog: Catalog) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, recipient in catalog.recipients.items():
        file = catalog.files["recipients", name]
        if (owner := owners.setdefault(recipient.connection, file)) != file:
            yield f"{file}: connection: {recipient.connection} already leads to {owner}; each recipient has a door of its own (I1)"
        yield from (f"{file}: {problem}" for problem in terms.contradictions(catalog, name, recipient))


def _code_sets(catalog: Catalog) -> Iterator[str]:
    for name, names in catalog.codes.items():
        file, first = catalog.files["codes", name], dict[str, str]()
        for code, title in names.items():
            # A department may write the code or its name, so neither may lead to two codes.
            if (other := first.setdefault(title, code)) != code or (title != code and title in names):
                yield f"{file}: {title} is the name of {code} and of {other if other != code else title} too; one name, one code"


def _unused(catalog: Catalog) -> Iterator[str]:
    cited = {basis.instrument for _, _, basis in citations(catalog)}
    entries = [entry for _, entry in versions.each_version(catalog)]
    served = {name for entry in entries for name in entry.grants}
    sets = {field.codes for entry in entries for field in entry.fields.values()}
    for folder, known, used in (("instruments", catalog.instruments, cited), ("recipients", catalog.recipients, served),
                                ("codes", catalog.codes, sets)):
        for name in known:
            if name not in used:
                way = "grant it something in an entry" if folder == "recipients" else "cite it"
                yield f"{catalog.files[folder, name]}: nobody uses it; {way} or remove it"


def _dates(catalog: Catalog) -> Iterator[str]:
    dated = [(file, entry.in_force_from, entry.in_force_to) for file, entry in versions.each_version(catalog)]
    for folder, known in (("instruments", catalog.instruments), ("editions", catalog.editions), ("measures", catalog.measures)):
        dated += [(catalog.files[folder, name], thing.in_force_from, thing.in_force_to) for name, thing in known.items()]
    yield from (f"{file}: in_force_to: lies before in_force_from" for file, since, until in dated if until is not None and until < since)
    for name, rule in catalog.repair_rules.items():
        if rule.decided_from and rule.decided_to and rule.decided_to < rule.decided_from:
            yield f"{catalog.files['repair_rules', name]}: decided_to: lies before decided_from"
