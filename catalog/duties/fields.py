"""Keys of an entry that name one of its fields: the field exists, is of the right type, and is always filled where it must be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from catalog.model import Entry, FieldType
from catalog.nearest import hint, unknown

if TYPE_CHECKING:
    from catalog.load import Catalog


def named(entry: Entry, key: str, name: str | None, types: Collection[FieldType], always: str = "") -> Iterator[str]:
    """What is wrong with a key that names a field. `always` says why every record must fill it, "" if it need not."""
    if name is None:
        return
    if name not in entry.fields:
        yield f"{key}: {unknown(name, entry.fields)}"
    elif entry.fields[name].type not in types:
        yield f"{key}: {name} is not of type {' or '.join(types)}"
    elif always and not entry.fields[name].required:
        yield f"{key}: {name} is not required; {always}"


def codes_of(catalog: Catalog, entry: Entry, name: str | None) -> Collection[str]:
    """The codes that a field may hold; none for a field without a code set, or unknown."""
    field = entry.fields.get(name or "")
    return catalog.codes.get(field.codes or "", {}) if field else {}


def words(catalog: Catalog, entry: Entry, key: str, name: str | None, written: Iterable[str]) -> Iterator[str]:
    """Words that must be codes of a field and are not."""
    codes = codes_of(catalog, entry, name)
    yield from (f"{key}: {word} is not a code of {name}{hint(word, codes)}" for word in written if codes and word not in codes)
