"""What a killed try, or a full disk, left of a package in a recipient's inbox: no manifest announces it, so nobody else takes it away."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from delivery.base import Door, RecipientUnavailable
from delivery.package import place
from ledger.holdings import Holder
from records.schema import outbox


def clear(connection: Connection, door: Door) -> None:
    """Takes away what lies in the inbox of batches of this entry without a manifest; does nothing for another exchange method.

    Otherwise a record whose takedown is opened before the next try would stay in a file at the recipient, though it is in no batch any
    more. Under the lock of recipient and entry: another try may be putting a package just now. Raises RecipientUnavailable.
    """
    left = _unannounced(door) if door.recipient.method == "package" else {}
    for batch in _ours(connection, Holder(door.recipient_code, door.entry_code), list(left)):
        for path in left[batch]:
            _unlink(path, door)


def _unannounced(door: Door) -> dict[str, list[Path]]:
    """The files that no manifest announces, drafts among them, by the batch that they are named after."""
    found = defaultdict[str, list[Path]](list)
    for path in (place(door) / "incoming").glob("*"):
        found[path.name.removeprefix(".").partition(".")[0]].append(path)
    return {batch: paths for batch, paths in found.items() if f"{batch}.manifest.json" not in {path.name for path in paths}}


def _ours(connection: Connection, holder: Holder, names: list[str]) -> set[str]:
    query = sa.select(outbox.c.batch).where(outbox.c.recipient == holder.recipient, outbox.c.entry == holder.entry)
    return set(connection.execute(query.where(outbox.c.batch.in_(names))).scalars()) if names else set()


def _unlink(path: Path, door: Door) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RecipientUnavailable("inbox-not-writable", (
            f"recipient {door.recipient_code}, entry {door.entry_code}: {path.name} in its inbox has no manifest and could not be "
            f"taken away ({type(error).__name__}, code {error.errno}); let the gateway's user delete it")) from None
