"""What the pretend recipients must know of the catalogue: the tables, titles and ends of publicity they prepare for."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import Entry
from gateway.sample.site import Shown

Entries = Mapping[str, Entry]


def columns(entries: Entries, recipient: str) -> dict[str, tuple[str, ...]]:
    """The fields granted to a recipient, by entry."""
    return {code: tuple(entry.grants[recipient].fields) for code, entry in entries.items() if recipient in entry.grants}


def publicity_ends(entries: Entries) -> dict[str, str]:
    """The field with the end of publicity, for the entries that have one."""
    return {code: entry.publicity_end for code, entry in entries.items() if entry.publicity_end}


def shown(entries: Entries, recipient: str) -> dict[str, Shown]:
    """How a site calls the entries it gets and their fields, and which of them it lists a record by."""
    return {code: _shown(entry, recipient) for code, entry in entries.items() if recipient in entry.grants}


def _shown(entry: Entry, recipient: str) -> Shown:
    granted = entry.grants[recipient].fields
    fields = {code: (entry.fields[code].title.zh, entry.fields[code].title.en) for code in granted}
    heads = dict.fromkeys([entry.subject.name, *entry.natural_key])
    return Shown((entry.title.zh, entry.title.en), fields, tuple(code for code in heads if code in granted))
