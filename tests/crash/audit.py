"""What became of a killed journey, read from the recipients' own databases and the exported ledger alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash import journey
from tests.small import reader
from tests.small.place import PACKAGE, REST

# Recipients that know a batch by its name, and take the same one in once.
_KNOW_BATCHES = (*REST, PACKAGE)


@dataclass(frozen=True, slots=True)
class Expected:
    """What recipients show after the undisturbed journey, and the figures it closed with."""

    shown: reader.Reading
    figures: dict[str, dict[str, int]]


def compare(home: Path, expected: Expected) -> list[str]:
    """Everything that is not as after the undisturbed journey; each finding begins with its kind."""
    return [*_content(reader.shown(home), expected.shown), *_brought_back(home), *_twice(home), *_balance(home, expected.figures)]


def after_kill(home: Path) -> list[str]:
    """What may not be even while nobody has run again."""
    found = [f"duplicated: {place} is there {copies} times" for place, copies in reader.shown(home).copies.items() if copies > 1]
    return [*found, *_brought_back(home)]


def absorbed(home: Path) -> int:
    """Rows of the front-end database that were pushed and taken once more with the same content: the recipient is the same after it."""
    return sum(each.what == "changed" and not each.is_other for each in reader.happened(home) if each.recipient not in _KNOW_BATCHES)


def _content(found: reader.Reading, expected: reader.Reading) -> Iterator[str]:
    for place in expected.fields.keys() - found.fields.keys():
        yield f"lost: {place}"
    for place in found.fields.keys() - expected.fields.keys():
        yield f"kept: {place}"
    for place in expected.fields.keys() & found.fields.keys():
        if found.fields[place] != expected.fields[place]:
            yield f"other content: {place}"
        if found.copies[place] != 1:
            yield f"duplicated: {place} is there {found.copies[place]} times"
    for place in found.marked ^ expected.marked:
        yield f"mark: {place}"


def _brought_back(home: Path) -> Iterator[str]:
    """What was taken back and was seen again, at any moment since."""
    gone: set[tuple[str, str]] = set()
    for each in reader.happened(home):
        place = each.recipient, each.document
        is_final = each.document in (journey.REPAIRED, journey.BLOCKED) or each.recipient == PACKAGE
        if each.what == "gone" and is_final:
            gone.add(place)
        elif each.what == "brought" and place in gone:
            yield f"brought back: {place}"
        elif each.what == "unmarked" and each.recipient != PACKAGE:
            yield f"mark lost: {place}"
    for document in reader.kept_apart(home):
        yield f"kept apart by a site: {document}"


def _twice(home: Path) -> Iterator[str]:
    for each in reader.happened(home):
        if each.what == "changed" and not each.is_other and each.recipient in _KNOW_BATCHES:
            yield f"duplicated: {each.document} was taken in twice at {each.recipient}"


def _balance(home: Path, expected: dict[str, dict[str, int]]) -> Iterator[str]:
    export = home / "export"
    if not (export / "key").exists():
        yield "balance: no ledger was exported"
        return
    yield from (f"balance: {words}" for words in reader.breaches(export))
    found = reader.closing_figures(export)
    for recipient, figures in expected.items():
        if _known(found.get(recipient, {})) != _known(figures):
            yield f"balance: the night closed at {recipient} with {found.get(recipient)}, undisturbed {figures}"


def _known(figures: dict[str, int]) -> dict[str, int]:
    """What a run brought itself and what an earlier try of it had brought are told apart by a night, and no difference here."""
    return {**figures, "delivered": figures.get("delivered", 0) + figures.get("unchanged", 0), "unchanged": 0}
