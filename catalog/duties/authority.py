"""The duties on citations: known articles, instruments of sufficient level, in force as long as they bear (D2, D5, D55)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import TYPE_CHECKING

from catalog.base import is_within
from catalog.citations import citations
from catalog.duties.versions import each_version
from catalog.duties.windows import Window, first_uncovered, window_of
from catalog.model import Allowance, Basis, Entry, Instrument, Level, RepairRule
from catalog.nearest import hint, unknown

if TYPE_CHECKING:
    from catalog.load import Catalog

# Clause (1): laws, regulations, and policy documents of the Party Central Committee and the State Council.
CENTRAL = frozenset({Level.LAW, Level.ADMINISTRATIVE_REGULATION, Level.STATE_COUNCIL_DECISION, Level.CENTRAL_POLICY})
# What may say how an item that has a central basis is shared, managed and repaired; a mere notice may not.
RULES = CENTRAL | {Level.DEPARTMENTAL_RULE}


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Citations that lead nowhere, instruments that do not hold together, and single citations of what has lapsed."""
    ends = {file: _end(catalog, folder, stem) for (folder, stem), file in catalog.files.items()}
    for file, place, basis in citations(catalog):
        instrument = catalog.instruments.get(basis.instrument)
        if instrument is None:
            yield f"{file}: {place}.instrument: {unknown(basis.instrument, catalog.instruments)}"
        elif basis.article not in instrument.articles:
            listed = catalog.files["instruments", basis.instrument]
            yield (f"{file}: {place}.article: {basis.article} is not among the articles of {listed}; cite one of "
                   f"them, or add it there with its text (D2){hint(basis.article, instrument.articles)}")
        elif not place.rpartition(".")[2].isdigit() and (told := _lapse(catalog, basis, ends[file])):
            yield f"{file}: {place}: {told}; cite what took its place (D55)"
    for name, instrument in catalog.instruments.items():
        yield from (f"{catalog.files['instruments', name]}: {problem}" for problem in _instrument(instrument))


def of_entry(catalog: Catalog, entry: Entry) -> Iterator[str]:
    """Whether an entry, and each of its grants, rests on what can carry it as long as it lasts."""
    yield from bears(catalog, entry.basis, CENTRAL, "the entry", entry.region, window_of(entry))
    # What a supplement adds to a grant rests on the supplement's regulation; the grant itself must stand without it.
    local = {basis for supplement in catalog.supplements.values() for added in supplement.grants.values() for basis in added.basis}
    for name, grant in entry.grants.items():
        cited = [basis for basis in grant.basis if basis not in local]
        # A grant serves what is released today, so its basis may be younger than the entry, but not end before it.
        day = max((entry.in_force_to or date.max, *(instrument.in_force_from for instrument in _known(catalog, cited))))
        for problem in bears(catalog, cited, RULES, "the grant", entry.region, (day, day)):
            yield f"grants.{name}.{problem}"


def on_the_day(catalog: Catalog, on: date) -> Iterator[str]:
    """Grants of which nothing they rest on is in force on a day."""
    for file, entry in each_version(catalog):
        for name, grant in entry.grants.items():
            known = _known(catalog, grant.basis)
            if known and not any(instrument.is_in_force(on) for instrument in known):
                yield f"{file}: grants.{name}.basis: nothing it cites is in force on {on} (D2, D55); cite what is, or end the grant"


def bears(catalog: Catalog, cited: Collection[Basis], levels: Collection[Level], what: str, region: str | None,
          window: Window) -> Iterator[str]:  # fmt: skip
    """What is wrong with a list of citations under the key basis, of which one at a time must bear `what` through a window."""
    for place, basis in enumerate(cited):
        instrument = catalog.instruments.get(basis.instrument)
        if instrument and instrument.level is Level.LOCAL_REGULATION and not is_local(instrument, region):
            yield (f"basis.{place}: a local regulation of {instrument.region} carries nothing "
                   f"{f'in {region}' if region else 'national'} (D5); give {what} its region, or cite a central basis")
    carrying = [instrument for instrument in _known(catalog, cited) if instrument.level in levels or is_local(instrument, region)]
    if not carrying and _known(catalog, cited):
        yield f"basis: {what} rests on no {_names(levels)} (D2); cite one"
    elif carrying and (day := first_uncovered(window, map(window_of, carrying))):
        told = "; ".join(lapse for basis in cited if (lapse := _lapse(catalog, basis, window[1])))
        yield (f"basis: no instrument that carries {what} is in force as long as it lasts, none from {day}{f' ({told})' if told else ''}; "
               f"cite one or end {what} (D2)")


def allows(catalog: Catalog, basis: Basis | None, allowance: Allowance, levels: Collection[Level] = tuple(Level)) -> bool:
    """Whether a citation leads to an article that says so expressly, in an instrument of one of the levels."""
    instrument = catalog.instruments.get(basis.instrument) if basis else None
    article = instrument.articles.get(basis.article) if instrument and basis else None
    return article is not None and instrument is not None and allowance in article.allows and instrument.level in levels


def _known(catalog: Catalog, cited: Collection[Basis]) -> list[Instrument]:
    return [catalog.instruments[basis.instrument] for basis in cited if basis.instrument in catalog.instruments]


def is_local(instrument: Instrument, region: str | None) -> bool:
    """Whether it is a local regulation that holds in the region of an entry (D5)."""
    return (instrument.level is Level.LOCAL_REGULATION and instrument.region is not None and region is not None
            and is_within(region, instrument.region))


def _names(levels: Collection[Level]) -> str:
    return " or ".join(level.replace("_", " ") for level in Level if level in levels)


def _end(catalog: Catalog, folder: str, stem: str) -> date:
    model = catalog.model(folder, stem)
    last = model.decided_to if isinstance(model, RepairRule) else getattr(model, "in_force_to", None)
    return last or date.max


def _lapse(catalog: Catalog, basis: Basis, until: date) -> str:
    instrument = catalog.instruments.get(basis.instrument)
    if instrument is None or instrument.in_force_to is None or instrument.in_force_to >= until:
        return ""
    return f"{catalog.files['instruments', basis.instrument]} lapses on {instrument.in_force_to} and is to bear longer"


def _instrument(instrument: Instrument) -> Iterator[str]:
    if instrument.level is Level.LOCAL_REGULATION and instrument.region is None:
        yield "region: a local regulation says where it holds (D5); write the six digits of its region"
    if instrument.level is not Level.LOCAL_REGULATION and instrument.region is not None:
        yield "region: only a local regulation has one (D5); remove it, or mend the level"
