"""The terms of a recipient's contract that stand against each other: nobody could keep all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.parties import Recipient, RecipientKind

if TYPE_CHECKING:
    from catalog.load import Catalog

# A cell of XLSX holds so many UTF-16 units: a character may take two, and a prefix one.
LONGEST_CELL = 32_767
_LONGEST_FIELD = (LONGEST_CELL - 1) // 2
_LARGEST_WORKBOOK = 50_000  # records: it is made in memory, some 5 kB each


def contradictions(catalog: Catalog, name: str, recipient: Recipient) -> Iterator[str]:
    """Each contradiction within one recipient's contract, by its key and with what to do."""
    if recipient.format != "jsonl" and recipient.method != "package":
        yield f"format: {recipient.format} is a file's, and method {recipient.method} hands over none; make it package, or leave format out"
    if recipient.public and recipient.method != "rest":
        yield (f"public: paths on a web address, and connection {recipient.connection} is none with method {recipient.method}; "
               "make it rest, or remove the pages")
    if recipient.public and recipient.kind is not RecipientKind.PUBLICITY_SITE:
        yield f"public: a {recipient.kind} shows nothing to the public (D13); make it a publicity_site, or remove the pages"
    if recipient.format == "xlsx":
        if recipient.batch_size > _LARGEST_WORKBOOK:
            yield f"batch_size: {recipient.batch_size} records make no workbook; make it {_LARGEST_WORKBOOK} or less, or take csv"
        yield from _too_long(catalog, name)


def _too_long(catalog: Catalog, name: str) -> Iterator[str]:
    for versions in catalog.versions.values():
        for entry in versions:
            for code in entry.grants[name].fields if name in entry.grants else ():
                length = entry.fields[code].length if code in entry.fields else None
                if length and length > _LONGEST_FIELD:
                    yield (f"format: {code} of {entry.title.en} may have {length} characters and a cell of xlsx holds {_LONGEST_FIELD}; "
                           "take csv, or a shorter length")
