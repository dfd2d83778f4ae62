"""Every citation in a catalogue, wherever it stands: who cites, under which key, and what (D2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel

from catalog.law import Basis

if TYPE_CHECKING:
    from catalog.load import Catalog


def citations(catalog: Catalog) -> Iterator[tuple[str, str, Basis]]:
    """File, key within it, and the citation, in the order of the files."""
    for (folder, stem), file in catalog.files.items():
        model = catalog.model(folder, stem)
        if model is not None:
            yield from ((file, place, basis) for place, basis in _within(model, ""))


def _within(part: object, place: str) -> Iterator[tuple[str, Basis]]:
    if isinstance(part, Basis):
        yield place, part
    elif isinstance(part, BaseModel):
        for key in type(part).model_fields:
            yield from _within(getattr(part, key), f"{place}.{key}" if place else key)
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _within(value, f"{place}.{key}")
    elif isinstance(part, tuple):
        for number, value in enumerate(part):
            yield from _within(value, f"{place}.{number}")
