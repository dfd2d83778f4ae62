"""Local supplementary catalogues 地方补充目录: a province or city adds and narrows, and never widens (D5, D27, D33, D55)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field as Key

from catalog.base import Closed, FieldCode, Name, Words, is_within
from catalog.law import Basis, Instrument, Level
from catalog.model import Condition, Entry, Field, Grade, Grant, Mask, Share
from catalog.nearest import hint
from catalog.places import Places

_STRICTER = [Share.UNCONDITIONAL, Share.CONDITIONAL, Share.NOT_SHARED]
_PARTIAL = 1
_RANK = dict.fromkeys(Mask, _PARTIAL) | {Mask.OPEN: 0, Mask.TOKEN: 2}


class LocalGrant(Closed):
    """Fields of the supplement that a recipient of the national entry gets besides. `condition` only where it has none."""

    basis: tuple[Basis, ...] = Key(min_length=1)
    condition: Condition | None = None
    fields: dict[FieldCode, Mask] = Key(min_length=1)


class Supplement(Closed):
    """What a region adds to an entry of a layer above, and how it narrows it, over a window of its own.

    `fields`, `scope` (of personal fields, D51) and `grants` add; `share`, `publish`, `masks` and `publicity_max_months` are
    stricter than above; `withhold` names fields that a recipient does not get here, or all. There is no key that widens.
    """

    basis: tuple[Basis, ...] = Key(min_length=1)
    editions: tuple[Name, ...] = Key(min_length=1)
    in_force_from: date
    in_force_to: date | None = None
    fields: dict[FieldCode, Field] = Key(default_factory=dict)
    scope: dict[FieldCode, Words] = Key(default_factory=dict)
    grants: dict[Name, LocalGrant] = Key(default_factory=dict)
    share: dict[FieldCode, Share] = Key(default_factory=dict)
    publish: dict[FieldCode, Literal[False]] = Key(default_factory=dict)
    masks: dict[Name, dict[FieldCode, Mask]] = Key(default_factory=dict)
    withhold: dict[Name, tuple[FieldCode, ...] | Literal["all"]] = Key(default_factory=dict)
    publicity_max_months: dict[Grade, int] = Key(default_factory=dict)


@dataclass(frozen=True)
class Above:
    """What a supplement is laid over: a version of the entry and the file it stands in, and the places of all keys."""

    entry: Entry
    file: str
    places: Places


def chain_problems(regions: list[str]) -> Iterator[str]:
    """Layers that do not lie one within the other: an installation serves one place."""
    for upper, lower in pairwise(regions):
        if not is_within(lower, upper):
            yield f"local/{lower}: does not lie within local/{upper}; the layers of an installation are a chain, province then city"


def instrument_problems(file: str, instrument: Instrument, region: str) -> Iterator[str]:
    """A local layer enacts nothing but local regulations of its own region."""
    if instrument.level is not Level.LOCAL_REGULATION:
        yield f"{file}: level: a local layer adds local regulations only (D5); a national instrument belongs to the national catalogue"
    elif instrument.region is None or not is_within(region, instrument.region):
        yield f"{file}: region: {instrument.region} is not {region} nor holds it (D5)"


def problems_of(file: str, supplement: Supplement, above: Above) -> Iterator[str]:
    """Everything in which a supplement widens or says nothing that can be done; each names both lines."""
    for key, words, upper in (*_added(supplement, above.entry), *_classes(supplement, above.entry), *_masks(supplement, above.entry),
                              *_withheld(supplement, above.entry)):
        where = f" in {above.file}:{above.places.line(above.file, upper)}" if upper else f" ({above.file})"
        yield f"{file}:{above.places.line(file, key)}: {key}: {words}{where}"


Found = Iterator[tuple[str, str, str]]


def _added(supplement: Supplement, entry: Entry) -> Found:
    for code in supplement.fields:
        if code in entry.fields:
            yield f"fields.{code}", "a supplement adds fields and does not rewrite one; it stands", f"fields.{code}"
    for name, grant in supplement.grants.items():
        if name not in entry.grants:
            yield f"grants.{name}", "gives a recipient access that the layer above does not give it; its grants stand", "grants"
            continue
        for code in grant.fields:
            if code not in supplement.fields:
                yield f"grants.{name}.fields.{code}", "is no field of this supplement; who gets it is decided", f"fields.{code}"
        if grant.condition and entry.grants[name].condition:
            yield f"grants.{name}.condition", "the grant has its condition", f"grants.{name}.condition"


def _classes(supplement: Supplement, entry: Entry) -> Found:
    for code, share in supplement.share.items():
        if code not in entry.fields:
            yield f"share.{code}", f"not a field of the entry{hint(code, entry.fields)}; its fields stand", "fields"
        elif _STRICTER.index(share) <= _STRICTER.index(entry.fields[code].share):
            yield f"share.{code}", f"{share} is not stricter than {entry.fields[code].share}", f"fields.{code}"
    for code in supplement.publish:
        if code not in entry.fields:
            yield f"publish.{code}", f"not a field of the entry{hint(code, entry.fields)}; its fields stand", "fields"


def _masks(supplement: Supplement, entry: Entry) -> Found:
    for name, masks in supplement.masks.items():
        granted = entry.grants[name].fields if name in entry.grants else {}
        for code, mask in masks.items():
            if code not in granted:
                yield f"masks.{name}.{code}", f"{name} is not granted this field; its grants stand", "grants"
            elif _RANK[mask] <= _RANK[granted[code]]:
                yield f"masks.{name}.{code}", f"{mask} is not stricter than {granted[code]}", f"grants.{name}.fields.{code}"


def _withheld(supplement: Supplement, entry: Entry) -> Found:
    for name, fields in supplement.withhold.items():
        granted = entry.grants[name].fields if name in entry.grants else {}
        if not granted:
            yield f"withhold.{name}", f"{name} is granted nothing; the grants stand", "grants"
        for code in fields if fields != "all" else ():
            if code not in granted:
                yield f"withhold.{name}", f"{code} is not granted to {name}; its grant stands", f"grants.{name}"
            elif code in entry.natural_key:
                yield f"withhold.{name}", f"{code} is of the natural key, without which no record is named; withhold all", "natural_key"


def laid_over(versions: tuple[Entry, ...], supplement: Supplement) -> tuple[Entry, ...]:
    """The versions of an entry with the supplement in them over its own window, split where a window begins or ends."""
    return tuple(piece for entry in versions for piece in _pieces(entry, supplement))


def _pieces(entry: Entry, supplement: Supplement) -> Iterator[Entry]:
    begin, end = max(entry.in_force_from, supplement.in_force_from), _earlier(entry.in_force_to, supplement.in_force_to)
    if end is not None and end < begin:
        yield entry
        return
    if entry.in_force_from < begin:
        yield entry.model_copy(update={"in_force_to": begin - timedelta(days=1)})
    yield _merged(entry, supplement).model_copy(update={"in_force_from": begin, "in_force_to": end})
    if end is not None and (entry.in_force_to is None or end < entry.in_force_to):
        yield entry.model_copy(update={"in_force_from": end + timedelta(days=1)})


def _earlier(one: date | None, other: date | None) -> date | None:
    known = [day for day in (one, other) if day is not None]
    return min(known) if known else None


def _merged(entry: Entry, supplement: Supplement) -> Entry:
    fields = {code: _narrowed(field, code, supplement) for code, field in entry.fields.items()} | supplement.fields
    grants = {name: made for name, grant in entry.grants.items() if (made := _grant(entry, supplement, name, fields)) is not None}
    months = dict(entry.publicity_max_months)
    for grade, most in supplement.publicity_max_months.items():
        months[grade] = min(most, months.get(grade, most))
    changed = {"fields": fields, "grants": grants, "publicity_max_months": months}
    if entry.collection and supplement.scope:
        changed["collection"] = entry.collection.model_copy(update={"scope": entry.collection.scope | supplement.scope})
    return entry.model_copy(update=changed)


def _narrowed(field: Field, code: str, supplement: Supplement) -> Field:
    changed = {"share": supplement.share.get(code, field.share), "publish": supplement.publish.get(code, field.publish)}
    return field.model_copy(update=changed)


def _grant(entry: Entry, supplement: Supplement, name: str, fields: Mapping[str, Field]) -> Grant | None:
    """The grant of a recipient here: without what is withheld and what its class now forbids. None if it names no record."""
    grant, local = entry.grants[name], supplement.grants.get(name)
    withheld = supplement.withhold.get(name, ())
    masks = {code: supplement.masks.get(name, {}).get(code, mask) for code, mask in grant.fields.items()}
    condition = grant.condition or (local.condition if local else None)
    kept = {code: mask for code, mask in masks.items() if withheld != "all" and code not in withheld
            and not _is_forbidden(code, supplement, condition)}
    if any(code not in kept for code in entry.natural_key):
        return None
    added = local.fields if local else {}
    return grant.model_copy(update={"fields": kept | added, "condition": condition, "basis": grant.basis + (local.basis if local else ())})


def _is_forbidden(code: str, supplement: Supplement, condition: Condition | None) -> bool:
    """Whether a class made stricter here takes the field out of every grant that does not meet it."""
    share = supplement.share.get(code)
    return share is Share.NOT_SHARED or (share is Share.CONDITIONAL and condition is None) or code in supplement.publish


def regions_below(root: Path) -> list[str]:
    """The regions of the local layers of a catalogue folder, the widest first."""
    found = [place.name for place in (root / "local").glob("*") if place.is_dir()]
    return sorted(found, key=lambda region: (len(region.rstrip("0")), region))
