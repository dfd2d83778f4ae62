"""Every edition of the catalogue that ever decided something is kept, so that the past can be explained (D3, I12)."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from catalog.load import Catalog, CatalogError, read
from ledger import log
from ledger.events import Event, Line
from records.schema import editions as kept

_EPOCH = (1980, 1, 1, 0, 0, 0)


class EditionUnknown(LookupError):
    """No catalogue of that edition was ever kept."""


def keep(connection: Connection, catalog: Catalog, at: datetime) -> None:
    """Keeps the files of a catalogue once for each edition, in the caller's transaction.

    Raises CatalogError if they are no longer the files that were read.
    """
    known = connection.execute(sa.select(kept.c.edition).where(kept.c.edition == catalog.edition)).scalar_one_or_none()
    if known is None:
        if read(catalog.root).digest != catalog.digest:
            raise CatalogError([f"{catalog.root}: changed since it was read; start again with the catalogue as it lies there now"])
        row = {"edition": catalog.edition, "digest": catalog.digest, "first_seen": at.isoformat(), "content": _packed(catalog)}
        connection.execute(sa.insert(kept).values(row))
        said = {"edition": catalog.edition, "catalogue": catalog.digest}
        log.append(connection, [Line(Event.EDITION_KEPT, "", "", notes=said)], at)


def restore(connection: Connection, edition: str, folder: Path) -> Catalog:
    """The catalogue of an edition, read from its files, which are laid into an empty folder. Raises EditionUnknown."""
    content = connection.execute(sa.select(kept.c.content).where(kept.c.edition == edition)).scalar_one_or_none()
    if content is None:
        raise EditionUnknown(f"edition {edition} of the catalogue is not in the archive; restore the state database it decided under")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    found = read(folder)
    if found.edition != edition:
        raise EditionUnknown(f"edition {edition} of the catalogue: the archive holds other files; restore the state database")
    return found


def _packed(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(set(catalog.files.values())):
            file = zipfile.ZipInfo(name, _EPOCH)
            file.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(file, (catalog.root / name).read_bytes())
    return buffer.getvalue()
