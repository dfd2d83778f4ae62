"""The duties on editions and on versions of an entry: announced, in order, without gap, with the same identity (D3–D5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from catalog.base import is_within
from catalog.duties.windows import Window, first_uncovered, overlaps, window_of
from catalog.model import Edition, Entry, MeasuresList
from catalog.nearest import unknown

if TYPE_CHECKING:
    from catalog.load import Catalog


def each_version(catalog: Catalog) -> Iterator[tuple[str, Entry]]:
    """Every version of every entry and the file it is written in, the oldest of each entry first."""
    for key, versions in catalog.versions.items():
        for entry in versions:
            former = catalog.files.get(("entries", f"{key}@{entry.in_force_from}"))
            yield former or catalog.files["entries", key], entry


def is_proposal(catalog: Catalog, key: str) -> bool:
    """Whether no edition that holds the entry was ever announced (D4)."""
    named = {name for entry in catalog.versions.get(key, ()) for name in entry.editions}
    return not any(catalog.editions[name].announced_on for name in named if name in catalog.editions)


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of editions of the catalogue and of the list of measures, of versions, and of feeds for a proposal."""
    for folder, editions in (("editions", catalog.editions), ("measures", catalog.measures)):
        yield from (f"{catalog.files[folder, name]}: {problem}" for name, problem in _announced(editions))
        yield from (f"{catalog.files[folder, name]}: {problem}" for name, problem in _series(editions))
    for key in catalog.versions:
        yield from _versions(catalog, key)
    for department, known in catalog.departments.items():
        for place, feed in enumerate(known.feeds):
            if feed.entry in catalog.versions and is_proposal(catalog, feed.entry):
                yield (f"{catalog.files['departments', department]}: feeds.{place}.entry: {feed.entry} is only a proposal, no announced "
                       "edition holds it (D4); remove the feed, or name the editions that hold it in the entry")


def of_entry(catalog: Catalog, entry: Entry) -> Iterator[str]:
    """Whether the editions an entry names are known, hold its category and its region, and together last as long as it does."""
    windows: list[Window] = []
    for place, name in enumerate(entry.editions):
        edition = catalog.editions.get(name)
        if edition is None:
            yield f"editions.{place}: {unknown(name, catalog.editions)}"
            continue
        if entry.category not in edition.categories:
            yield f"editions.{place}: {name} has no category {entry.category} (D2); mend the category, or leave the edition out"
        if not _holds(edition.region, entry.region):
            yield f"editions.{place}: {name} is not of the entry's region (D5); a national entry names national ones, a local one its own"
        if edition.announced_on is not None:
            windows.append(window_of(edition))
    if windows and (day := first_uncovered(window_of(entry), windows)):
        yield f"editions: no announced edition that it names is in force on {day} (D2, D3); name the one that is, or mend the window"


def _holds(edition: str | None, entry: str | None) -> bool:
    if edition is None or entry is None:
        return edition is entry
    return is_within(entry, edition)


def _announced(editions: Mapping[str, Edition] | Mapping[str, MeasuresList]) -> Iterator[tuple[str, str]]:
    for name, edition in editions.items():
        day = edition.announced_on
        if day is not None and edition.in_force_from < day:
            yield name, f"in_force_from: none is in force before it is announced, on {day} (D3, D32); begin it then or later"


def _series(editions: Mapping[str, Edition] | Mapping[str, MeasuresList]) -> Iterator[tuple[str, str]]:
    """Announced editions of one region that are in force on the same day."""
    for region in {edition.region for edition in editions.values()}:
        windows = {name: window_of(edition) for name, edition in editions.items() if edition.region == region and edition.announced_on}
        for later, earlier in overlaps(windows):
            yield later, f"in_force_from: {earlier} is still in force then (D3, D32); end that one the day before: one edition a day"


def _versions(catalog: Catalog, key: str) -> Iterator[str]:
    newest = catalog.versions[key][-1].in_force_from
    if ("entries", f"{key}@{newest}") in catalog.files:
        yield f"{catalog.files['entries', key]}: in_force_from: not the newest version, which is of {newest}; {key}.yml holds the newest"
    for one, other in pairwise(catalog.versions[key]):
        file = catalog.files.get(("entries", f"{key}@{other.in_force_from}"), catalog.files["entries", key])
        if one.in_force_to is None or one.in_force_to >= other.in_force_from:
            yield (f"{file}: in_force_from: the version of {one.in_force_from} is still in force then (D3); end that one "
                   "the day before, so that each decision date has one version")
        elif (day := first_uncovered((one.in_force_from, other.in_force_from), (window_of(one), window_of(other)))):
            yield f"{file}: in_force_from: no version is in force on {day} (D2); begin it then, or make another entry"
        for name in _identity(one, other):
            yield (f"{file}: {name}: differs from the version of {one.in_force_from}; one record would get two ids and could not be "
                   "withdrawn (D9); keep it, or make another entry")


def _identity(one: Entry, other: Entry) -> list[str]:
    """The keys that shape record ids and tell subjects apart, where they differ."""
    return [name for name in ("natural_key", "subject", "region") if getattr(one, name) != getattr(other, name)]


def still_proposed(catalog: Catalog, on: date) -> Iterator[str]:
    """Editions whose announcement or beginning lies ahead: what only they hold does not flow yet."""
    for name, edition in catalog.editions.items():
        if edition.announced_on is None or edition.in_force_from > on:
            yield f"{catalog.files['editions', name]}: announced_on: not in force on {on}; what only it holds does not flow yet (D3, D4)"
