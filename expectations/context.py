"""What a check needs to know of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from catalog.model import Entry, Feed
from expectations.codes import CodeSet
from keys.keyring import Derived
from records.stages import Collected


class WrongContext(Exception):
    """A batch was to be checked against an entry or code set that is not its own. Nothing was judged."""


@dataclass(frozen=True, slots=True)
class Context:
    """The entry and feed of a batch, the code sets of the catalogue (set → code → Chinese name), the key of record ids,
    and the day on which the check counts as made.

    `versions` are all versions of the entry, none for an entry that has only this one. By the `rules` of "then" the
    version in force on a record's decision date may record it, by those of "now" today's.
    """

    entry_code: str
    entry: Entry
    feed: Feed
    codes: Mapping[str, Mapping[str, str]]
    identity_key: Derived
    today: date
    versions: tuple[Entry, ...] = ()
    rules: Literal["then", "now"] = "then"

    def code_sets(self) -> dict[str, CodeSet]:
        """The code sets that the entry's fields use."""
        return {name: CodeSet.of(self.codes[name]) for name in self._wanted()}

    def ensure_fits(self, collected: Collected) -> None:
        """Raises WrongContext unless the batch, the feed and the code sets are those of the entry."""
        if collected.entry != self.entry_code or self.feed.entry != self.entry_code:
            raise WrongContext(f"feed {collected.feed}: batch of entry {collected.entry}, context of "
                               f"{self.entry_code}; take the context of the feed's own entry")
        if unknown := sorted(self._wanted() - set(self.codes)):
            raise WrongContext(f"entry {self.entry_code}: code set {', '.join(unknown)} is missing; add it to "
                               "catalog/codes")

    def _wanted(self) -> set[str]:
        return {field.codes for field in self.entry.fields.values() if field.codes}
