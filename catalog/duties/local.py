"""The duties on supplements of local layers: a regulation of the region, an announced edition, a window (D5, D55)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.base import is_within
from catalog.duties.authority import bears
from catalog.law import Basis
from catalog.layers import Supplement
from catalog.nearest import unknown

if TYPE_CHECKING:
    from catalog.load import Catalog


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of the supplements, each with its file and key."""
    for name, supplement in catalog.supplements.items():
        region = name.partition(".")[0]
        file = catalog.files["supplements", name]
        for problem in (*_basis(catalog, supplement, region), *_editions(catalog, supplement, region)):
            yield f"{file}: {problem}"


def _basis(catalog: Catalog, supplement: Supplement, region: str) -> Iterator[str]:
    end = supplement.in_force_to
    lists: dict[str, tuple[Basis, ...]] = {"": supplement.basis}
    lists |= {f"grants.{name}.": grant.basis for name, grant in supplement.grants.items()}
    for where, cited in lists.items():
        window = (supplement.in_force_from, end or supplement.in_force_from.max)
        yield from (f"{where}{problem}" for problem in bears(catalog, cited, (), "the supplement", region, window))


def _editions(catalog: Catalog, supplement: Supplement, region: str) -> Iterator[str]:
    for place, name in enumerate(supplement.editions):
        edition = catalog.editions.get(name)
        if edition is None:
            yield f"editions.{place}: {unknown(name, catalog.editions)}"
        elif edition.region is None or not is_within(region, edition.region):
            yield f"editions.{place}: {name} is not an edition of {region} (D5)"
        elif edition.announced_on is None or edition.announced_on > supplement.in_force_from:
            yield f"editions.{place}: {name} is not announced by {supplement.in_force_from}; a proposal changes nothing (D4)"
