"""The catalogue as the rest of the gateway sees it: read whole or not at all, with every problem named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from catalog.layers import Supplement
from catalog.model import (
    Department,
    Edition,
    Entry,
    Feed,
    Instrument,
    MeasuresList,
    Recipient,
    RepairRule,
    SeriousList,
)


class CatalogError(Exception):
    """The catalogue does not hold together. Nothing runs with it until every problem listed is mended."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"catalogue: {len(problems)} problem(s)\n" + "\n".join(f"  {problem}" for problem in problems))


@dataclass(frozen=True)
class Catalog:
    """The catalogue as of a day: everything by its key, code sets as code → Chinese name.

    `entries` holds of each entry the version of that day, `versions` every version, the oldest first. `digest` stands
    for the bytes of all its files below `root`, `edition` is its beginning. `files` says where each key was written.
    """

    entries: Mapping[str, Entry]
    versions: Mapping[str, tuple[Entry, ...]]
    departments: Mapping[str, Department]
    recipients: Mapping[str, Recipient]
    instruments: Mapping[str, Instrument]
    editions: Mapping[str, Edition]
    lists: Mapping[str, SeriousList]
    measures: Mapping[str, MeasuresList]
    repair_rules: Mapping[str, RepairRule]
    codes: Mapping[str, Mapping[str, str]]
    supplements: Mapping[str, Supplement]
    digest: str
    root: Path
    files: Mapping[tuple[str, str], str] = field(repr=False)

    @property
    def edition(self) -> str:
        return self.digest[:16]

    def as_of(self, on: date) -> Catalog:
        """The same catalogue with the versions of a day. An entry that has none in force then is given as its last one
        before, or its first one, and says of itself that it is not in force."""
        return replace(self, entries={key: _version(versions, on) for key, versions in self.versions.items()})

    def model(self, folder: str, stem: str) -> BaseModel | None:
        """What was read from the file of that name, None for a code set; a former version of an entry by key@date."""
        if folder == "entries":
            key, _, since = stem.partition("@")
            versions = self.versions[key]
            return next((entry for entry in versions if entry.in_force_from.isoformat() == since), versions[-1])
        known: Mapping[str, BaseModel] | None = None if folder == "codes" else getattr(self, folder)
        return known[stem] if known is not None else None

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        """Every feed by its key, department.entry."""
        return {f"{name}.{feed.entry}": feed for name, department in sorted(self.departments.items()) for feed in department.feeds}

    def department_of(self, feed: str) -> str:
        """The department that hands in a feed."""
        return feed.partition(".")[0]

    def recipients_of(self, entry: str) -> tuple[str, ...]:
        """Who is granted anything of an entry, in a fixed order."""
        return tuple(sorted(self.entries[entry].grants))

    def terms_digest(self, entry: str, recipient: str) -> str:
        """A digest of the fields and masks of one grant: it changes when what leaves changes, not when wording does."""
        grant = self.entries[entry].grants.get(recipient)
        fields = grant.fields if grant else {}
        return hashlib.sha256(json.dumps(sorted(fields.items())).encode()).hexdigest()


def load(root: Path | None = None) -> Catalog:
    """The catalogue below `root`, by default the one shipped in this package, with the newest version of every entry.

    Raises CatalogError with all problems at once: first what is wrong within files (misspelt keys, strays); once every
    file is sound, what is wrong between them (unknown references, what nobody uses, broken duties).
    """
    from catalog import check

    found = read(root or Path(__file__).parent)
    if problems := check.problems_of(found):
        raise CatalogError(problems)
    return found


def read(root: Path) -> Catalog:
    """The same without a look at what stands between the files: for an edition that was sound by the duties of its day.

    Raises CatalogError.
    """
    from catalog.reading import Reader

    reader = Reader(root)
    found = reader.read()
    if reader.problems:
        raise CatalogError(reader.problems)
    return found


def _version(versions: tuple[Entry, ...], on: date) -> Entry:
    begun = [entry for entry in versions if entry.in_force_from <= on]
    return begun[-1] if begun else versions[0]
