"""From the names a department gives its columns to the fields of the entry; what is not catalogued stays outside."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.base import Source

# A header cell is not ours and could hold anything; what is reported of it is short and printable.
_SHOWN = 40
_AMBIGUOUS = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Where each field found stands (in the entry's order), what was left behind, and which fields were not found."""

    positions: dict[str, int]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    width: int


def match(names: Sequence[str], source: Source, partition: str) -> Header:
    """Matches column names with the entry's fields, by the feed's own names, the field code or the Chinese title.

    Width and case of letters, edge blanks and a byte order mark make no difference. Raises ContractBreach:
    `wrong-header` if no field is found, `duplicate-column` if a name or a field comes twice, `ambiguous-column` if the
    feed gives one name to two fields.
    """
    known, found = _known(source), dict[str, int]()
    normal = [normal_name(name) for name in names]
    _refuse_duplicates(normal, source, partition)
    for position, field in enumerate(known.get(name) for name in normal):
        if field == _AMBIGUOUS:
            remedy = f"column {position + 1} stands for two fields; correct `columns` of the feed in the catalogue"
            raise source.breach("ambiguous-column", partition, remedy)
        if field in found:
            remedy = f"field {field} comes in columns {found[field] + 1} and {position + 1}; ask the department which one counts"
            raise source.breach("duplicate-column", partition, remedy)
        if field is not None:
            found[field] = position
    if not found:
        remedy = f"no column of entry {source.feed.entry} was found; the first row must name columns such as {_examples(source)}"
        raise source.breach("wrong-header", partition, remedy)
    return _header(names, found, source)


def matches_any(names: Iterable[str], source: Source) -> bool:
    """Whether at least one of the names belongs to a field."""
    known = _known(source)
    return any(normal_name(name) in known for name in names)


def source_names(source: Source) -> list[str]:
    """The names to ask a service for: those the feed gives its columns, otherwise the field codes."""
    return [name for field in source.entry.fields for name in source.feed.columns.get(field, (field,))]


def normal_name(name: str) -> str:
    """A column name in the form in which names are compared."""
    return unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip().casefold()


def _header(names: Sequence[str], found: dict[str, int], source: Source) -> Header:
    taken = set(found.values())
    return Header(
        positions={field: found[field] for field in source.entry.fields if field in found},
        dropped=tuple(_shown(name, place) for place, name in enumerate(names, 1) if place - 1 not in taken),
        missing=tuple(field for field in source.entry.fields if field not in found),
        width=len(names),
    )


def _known(source: Source) -> dict[str, str]:
    """Normal name → field. The feed's own names go before codes, codes before titles; within one kind no name is shared."""
    fields = source.entry.fields
    known = _unique((field.title.zh, code) for code, field in fields.items())
    known |= _unique((code, code) for code in fields)
    return known | _unique((name, code) for code, names in source.feed.columns.items() if code in fields for name in names)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, code in pairs:
        normal = normal_name(name)
        known[normal] = code if known.get(normal, code) == code else _AMBIGUOUS
    return known


def _refuse_duplicates(normal: Sequence[str], source: Source, partition: str) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(normal, 1):
        if name and first.setdefault(name, position) != position:
            remedy = f"columns {first[name]} and {position} have the same name; ask the department for one of them"
            raise source.breach("duplicate-column", partition, remedy)


def _shown(name: str, place: int) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKC", name) if c.isprintable()).strip()
    return plain[:_SHOWN] or f"(column {place}, without a name)"


def _examples(source: Source) -> str:
    return ", ".join(field.title.zh for field in list(source.entry.fields.values())[:3])
