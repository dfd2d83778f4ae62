"""The duties on lists of seriously dishonest entities and on entries that hold listings (clauses 6–8; D20–D30, D66)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from catalog.base import is_within
from catalog.duties.authority import CENTRAL, allows, bears
from catalog.duties.fields import codes_of, named, words
from catalog.listing import Assessment, Harm, Listing, SeriousList, Standard
from catalog.model import Allowance, Entry, FieldType, Level
from catalog.nearest import unknown

if TYPE_CHECKING:
    from catalog.load import Catalog

_SERIOUS = 6
COMMENT_DAYS = 30
# Clause (8): reason, basis, warning of measures, removal conditions, removal procedure, relief.
_STATED = 6
_LEVELS = ("county", "city", "province")


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of the registered lists, each with its file and key."""
    used = {entry.listing.list for versions in catalog.versions.values() for entry in versions if entry.listing}
    for name, known in catalog.lists.items():
        file = catalog.files["lists", name]
        yield from (f"{file}: {problem}" for problem in (*_list(catalog, known), *_standard(catalog, known)))
        if name not in used:
            yield f"{file}: nobody uses it; name it in the listing of an entry or remove it"


def of_entry(catalog: Catalog, entry: Entry) -> Iterator[str]:
    """Whether an entry of category 6, and no other, names a registered list and the fields that show a proper decision."""
    if (entry.category == _SERIOUS) != (entry.listing is not None):
        yield ("listing: missing; an entry of category 6 names its registered list (D20)" if entry.listing is None else
               f"listing: only an entry of category 6 holds listings (D20); this one is of {entry.category}")
    if entry.category == _SERIOUS and entry.nature != "adverse":
        yield "nature: a list of seriously dishonest entities is adverse (D20)"
    if entry.listing is not None:
        for problem in (*_registered(catalog, entry, entry.listing), *_shown(catalog, entry, entry.listing)):
            yield f"listing.{problem}"


def not_renewed(catalog: Catalog, on: date) -> Iterator[str]:
    """Lists whose transition is over on a day and whose standard was never renewed (D66)."""
    for name, known in catalog.lists.items():
        if known.transition_to is not None and known.renewed_on is None and on > known.transition_to:
            yield (f"{catalog.files['lists', name]}: renewed_on: the transition ended on {known.transition_to} and the standard was not "
                   "renewed (D66); write when it was, or remove the list with its entry")


def not_assessed(catalog: Catalog, on: date) -> Iterator[str]:
    """Lists whose effect should have been assessed again before a day (D26)."""
    for name, known in catalog.lists.items():
        if on > (due := _due(known.assessment)):
            yield (f"{catalog.files['lists', name]}: assessment.last_on: the assessment was due on {due} (D26); have a third party assess "
                   "the list, and write the day")


def _list(catalog: Catalog, known: SeriousList) -> Iterator[str]:
    published = max(known.standard.on_credit_china, known.standard.on_department_site)
    yield from bears(catalog, known.basis, CENTRAL, "the list", known.region, (published, date.max))
    levels = {catalog.instruments[basis.instrument].level for basis in known.basis if basis.instrument in catalog.instruments}
    if known.harm is Harm.OTHER and not levels & CENTRAL:
        yield "harm: other serious cases need a law, regulation or central policy (D21); cite it in basis, or mend the harm"
    if known.other_body and not allows(catalog, known.other_body, Allowance.OTHER_BODY):
        yield "other_body: the article does not allow other_body (D30); cite the one that lets another body decide, or leave it out"
    if known.transition_to and known.renewed_on and known.renewed_on > known.transition_to:
        yield (f"renewed_on: lies after the transition, which ended on {known.transition_to} (D66); a list that was not renewed in time is "
               "abolished: remove it with its entry, or register it anew without transition_to")


def _standard(catalog: Catalog, known: SeriousList) -> Iterator[str]:
    standard, instrument = known.standard, catalog.instruments.get(known.standard.basis.instrument)
    if instrument is not None and not _may_set(catalog, known):
        yield (f"standard.basis: a {instrument.level.replace('_', ' ')} sets no standard of this list (D22, D27); cite a law, "
               "regulation or central policy, a departmental rule whose article allows interim_standard, or, for a local list, its own "
               "local regulation")
    if (standard.comment_to - standard.comment_from).days < COMMENT_DAYS:
        yield f"standard.comment_to: the public had less than {COMMENT_DAYS} days to comment (D23); without that it is not in force"
    yield from (f"standard.{problem}" for problem in _published(standard))


def _may_set(catalog: Catalog, known: SeriousList) -> bool:
    instrument = catalog.instruments[known.standard.basis.instrument]
    if instrument.level is Level.LOCAL_REGULATION:
        return known.region is not None and instrument.region is not None and is_within(known.region, instrument.region)
    interim = allows(catalog, known.standard.basis, Allowance.INTERIM_STANDARD, (Level.DEPARTMENTAL_RULE,))
    return instrument.level in CENTRAL or (interim and known.region is None)


def _published(standard: Standard) -> Iterator[str]:
    for name in ("on_credit_china", "on_department_site"):
        if getattr(standard, name) <= standard.comment_to:
            yield f"{name}: the standard is published after the public has commented, which ended on {standard.comment_to} (D24)"


def _registered(catalog: Catalog, entry: Entry, listing: Listing) -> Iterator[str]:
    known = catalog.lists.get(listing.list)
    if known is None:
        yield f"list: {unknown(listing.list, catalog.lists)}; no department adds a list of its own (D20)"
    elif known.region is not None and (entry.region is None or not is_within(entry.region, known.region)):
        yield f"list: {listing.list} holds in {known.region} alone (D27); give the entry its region, or name another list"


def _shown(catalog: Catalog, entry: Entry, listing: Listing) -> Iterator[str]:
    code, day, text = (FieldType.CODE,), (FieldType.DATE,), (FieldType.TEXT,)
    yield from named(entry, "decided_on", listing.decided_on, day, "a listing without its date cannot be judged (D29)")
    yield from named(entry, "notified_on", listing.notified_on, day)
    yield from named(entry, "level", listing.level, code)
    yield from named(entry, "objection", listing.objection, code)
    yield from words(catalog, entry, "settled", listing.objection, listing.settled)
    for place, name in enumerate(listing.stated):
        yield from named(entry, f"stated.{place}", name, text)
    if len(set(listing.stated)) < _STATED:
        yield ("stated: a decision states reason, basis, warning of measures, conditions and procedure of removal, and relief (D29); "
               "name a field for each of the six")
    if missing := [level for level in _LEVELS if level not in codes_of(catalog, entry, listing.level)]:
        yield f"level: {', '.join(missing)} cannot be told by {listing.level} (D30); its code set holds county, city and province"


def _due(assessment: Assessment) -> date:
    years, month = divmod(assessment.last_on.year * 12 + assessment.last_on.month - 1 + assessment.every_months, 12)
    return date(years, month + 1, min(assessment.last_on.day, monthrange(years, month + 1)[1]))
