"""What the models alone cannot see: references, duties of 国办发〔2020〕49号, and things nobody uses. All problems at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from catalog import disclosure
from catalog.model import DatabaseFeed, Department, Entry, Feed, FieldType, FileFeed, Level
from catalog.nearest import hint

if TYPE_CHECKING:
    from catalog.load import Catalog

# Clause (1): law, administrative regulation or central policy; a local regulation carries a local entry (D2, D5).
_CARRIES = {Level.LAW, Level.ADMINISTRATIVE_REGULATION, Level.CENTRAL_POLICY, Level.LOCAL_REGULATION}
_SET_TYPES = (FieldType.CODE, FieldType.CODES)
_RULE_TYPES = {"not_before": FieldType.DATE, "not_in_future": FieldType.DATE, "amount_agrees_with_text": FieldType.AMOUNT}


def problems_of(catalog: Catalog) -> list[str]:
    """Every problem of a catalogue whose files are each well-formed, in the order of the files."""
    found = [*_entries(catalog), *_departments(catalog), *_unused(catalog), *_instruments(catalog)]
    return list(dict.fromkeys(found))


def _entries(catalog: Catalog) -> Iterator[str]:
    collected = {feed.entry for feed in catalog.feeds.values()}
    for code, entry in catalog.entries.items():
        file = catalog.files["entries", code]
        for problem in (*_basis(catalog, entry), *_fields(catalog, entry), *_subject(entry), *_rules(entry), *_key(entry),
                        *disclosure.problems_of(catalog, entry)):
            yield f"{file}: {problem}"
        if code not in collected:
            yield f"{file}: no department hands it in; add a feed to one, or remove the entry"


def _basis(catalog: Catalog, entry: Entry) -> Iterator[str]:
    levels = set()
    for place, basis in enumerate(entry.basis):
        if basis.instrument in catalog.instruments:
            levels.add(catalog.instruments[basis.instrument].level)
        else:
            yield f"basis.{place}.instrument: {unknown(basis.instrument, catalog.instruments)}"
    if levels and not levels & _CARRIES:
        yield "basis: rests on no law, administrative regulation or central policy document (D2); cite one"


def unknown(word: str, known: Iterable[str]) -> str:
    """The words for a reference that leads nowhere."""
    return f"{word} is not in the catalogue{hint(word, known)}"


def _fields(catalog: Catalog, entry: Entry) -> Iterator[str]:
    used = _used(entry)
    for code, field in entry.fields.items():
        if (field.codes is None) == (field.type in _SET_TYPES):
            yield f"fields.{code}.codes: a field of type code or codes names its code set, no other does"
        if field.codes is not None and field.codes not in catalog.codes:
            yield f"fields.{code}.codes: {unknown(field.codes, catalog.codes)}"
        if (field.unit is None) == (field.type is FieldType.AMOUNT):
            yield f"fields.{code}.unit: an amount names its unit, no other type does"
        if code not in used:
            yield f"fields.{code}: nobody uses it: no grant, key, subject or rule; collecting it would serve nothing (D50)"


def _used(entry: Entry) -> set[str]:
    subject = entry.subject
    used = {subject.name, subject.uscc, subject.id_number, subject.category, entry.publicity_end, *entry.natural_key}
    used |= {name for rule in entry.rules for name in (rule.field, getattr(rule, "other", None))}
    used |= {name for grant in entry.grants.values() for name in grant.fields}
    return {name for name in used if name is not None}


def _subject(entry: Entry) -> Iterator[str]:
    subject = entry.subject
    wanted = {"uscc": FieldType.USCC, "id_number": FieldType.ID_NUMBER}
    for key in ("name", "uscc", "id_number", "category"):
        name = getattr(subject, key)
        if name is None:
            continue
        if name not in entry.fields:
            yield f"subject.{key}: {unknown(name, entry.fields)}"
        elif key in wanted and entry.fields[name].type not in (wanted[key], FieldType.IDENTIFIER):
            yield f"subject.{key}: {name} is not of type {wanted[key]} or identifier"
    if (subject.category is None) != (subject.natural_person_when is None):
        yield "subject.natural_person_when: goes together with subject.category"
    if subject.uscc is None and subject.id_number is None:
        yield "subject: neither uscc nor id_number; a record must say whom it is about"


def _rules(entry: Entry) -> Iterator[str]:
    for place, rule in enumerate(entry.rules):
        for key in ("field", "other"):
            name = getattr(rule, key, None)
            if name is not None and name not in entry.fields:
                yield f"rules.{place}.{key}: {unknown(name, entry.fields)}"
        wanted = _RULE_TYPES.get(rule.kind)
        if wanted and rule.field in entry.fields and entry.fields[rule.field].type is not wanted:
            yield f"rules.{place}.field: {rule.kind} is about a field of type {wanted}"


def _key(entry: Entry) -> Iterator[str]:
    for name in entry.natural_key:
        if name not in entry.fields:
            yield f"natural_key: {unknown(name, entry.fields)}"
        elif entry.fields[name].type is FieldType.ID_NUMBER:
            yield f"natural_key: {name} is a citizen's number; it may not shape the reference that recipients get (I3)"
        elif not entry.fields[name].required:
            yield f"natural_key: {name} is not required; a record without it could not be told apart"
    end = entry.publicity_end
    if end is not None and (end not in entry.fields or entry.fields[end].type is not FieldType.DATE):
        yield f"publicity_end: {end} is not a date field of the entry"


def _departments(catalog: Catalog) -> Iterator[str]:
    for name, department in catalog.departments.items():
        file = catalog.files["departments", name]
        yield from (f"{file}: {problem}" for problem in _feeds(catalog, department))
    sources = Counter(feed.entry for department in catalog.departments.values() for feed in department.feeds)
    for entry in (entry for entry, count in sources.items() if count > 1):
        files = [catalog.files["departments", name] for name, department in catalog.departments.items()
                 for feed in department.feeds if feed.entry == entry]
        yield f"{files[-1]}: feeds: {entry} already comes from {files[0]}; an entry has one collector (I10, D12)"


def _feeds(catalog: Catalog, department: Department) -> Iterator[str]:
    for place, feed in enumerate(department.feeds):
        if feed.entry not in catalog.entries:
            yield f"feeds.{place}.entry: {unknown(feed.entry, catalog.entries)}"
            continue
        fields = catalog.entries[feed.entry].fields
        yield from (f"feeds.{place}.columns: {unknown(name, fields)}" for name in feed.columns if name not in fields)
        names = Counter(name for written in feed.columns.values() for name in set(written))
        yield from (f"feeds.{place}.columns: {name} stands for two fields" for name, count in names.items() if count > 1)
        yield from (f"feeds.{place}.{problem}" for problem in _method(feed))


def _method(feed: Feed) -> Iterator[str]:
    if isinstance(feed, FileFeed) and feed.reading == "window":
        yield "reading: a drop folder has no window; write snapshot"
    if isinstance(feed, DatabaseFeed):
        if (feed.reading == "window") != (feed.window_column is not None):
            yield "window_column: goes together with reading: window"
        if (feed.partitions > 1) != (feed.partition_column is not None):
            yield "partition_column: goes together with partitions above 1"


def _unused(catalog: Catalog) -> Iterator[str]:
    cited = {basis.instrument for entry in catalog.entries.values()
             for bases in (entry.basis, *(grant.basis for grant in entry.grants.values())) for basis in bases}
    served = {name for entry in catalog.entries.values() for name in entry.grants}
    sets = {field.codes for entry in catalog.entries.values() for field in entry.fields.values()}
    for folder, known, used in (("instruments", catalog.instruments, cited), ("recipients", catalog.recipients, served),
                                ("codes", catalog.codes, sets)):
        for name in known:
            if name not in used:
                yield f"{catalog.files[folder, name]}: nobody uses it; cite it or remove it"


def _instruments(catalog: Catalog) -> Iterator[str]:
    for name, instrument in catalog.instruments.items():
        if instrument.in_force_to is not None and instrument.in_force_to < instrument.in_force_from:
            yield f"{catalog.files['instruments', name]}: in_force_to: lies before in_force_from"
