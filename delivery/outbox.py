"""The outbox: an intent before every door, a settlement after it, and what each recipient is still owed (I4, I5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from delivery.base import Batch
from ledger import log
from ledger.events import Event, Line
from records.bulk import copy_replace
from records.schema import holdings, outbox, owed
from records.stages import DIGEST, HANDLE, RECORD, Receipt
from records.staging import Reference


@dataclass(frozen=True, slots=True)
class Errand:
    """Which run brings which entry to which recipient, and under which edition of the catalogue."""

    run: str
    feed: str
    entry: str
    recipient: str
    edition: str

    def line(self, event: Event, figures: dict[str, int], **notes: Any) -> Line:
        return Line(event, self.run, self.feed, self.recipient, figures, notes)


def intend(connection: Connection, errand: Errand, batch: Batch, at: datetime) -> Batch:
    """Puts the intent to deliver a batch on the ledger and in the outbox, before a byte leaves (I5).

    Returns the batch under the name it goes by: its content and how many batches this recipient has settled before. A
    retry of what brought no receipt goes by the same name, so the recipient knows it; content that returns after a
    change goes by a new one, so the recipient does not take it for the old delivery and answer without applying it.
    """
    batch = replace(batch, id=_name(connection, errand, batch.id))
    records = len(batch.payload)
    row = {"batch": batch.id, "run": errand.run, "recipient": errand.recipient, "entry": errand.entry, "feed": errand.feed,
           "records": records, "state": "intended", "reason": "", "changed_at": at.isoformat()}
    again = {"state": "intended", "reason": "", "changed_at": row["changed_at"]}
    connection.execute(_insert(connection, outbox).values(row).on_conflict_do_update(index_elements=["batch", "run"], set_=again))
    log.append(connection, [errand.line(Event.INTENDED, {"records": records}, batch=batch.id)], at)
    return batch


def _name(connection: Connection, errand: Errand, content: str) -> str:
    settled = sa.select(sa.func.count()).where(
        outbox.c.recipient == errand.recipient, outbox.c.entry == errand.entry, outbox.c.state.in_(["delivered", "partly"]))
    return hashlib.sha256(f"{content}|{connection.execute(settled).scalar_one()}".encode()).hexdigest()


def settle(connection: Connection, errand: Errand, batch: pd.DataFrame, receipt: Receipt) -> int:
    """Takes what the receipt accepts into the holdings and closes the intent; returns how many records that is.

    batch: RECORD, HANDLE, DIGEST of the records sent. A record the receipt refuses or does not name stays pending.
    """
    taken = batch[batch[HANDLE].isin(pd.Index(receipt.accepted, dtype=batch[HANDLE].dtype))]
    common = {"recipient": errand.recipient, "entry": errand.entry, "run": errand.run, "edition": errand.edition,
              "since": receipt.at.isoformat()}
    named = taken[[RECORD, HANDLE, DIGEST]].set_axis(["record", "handle", "digest"], axis=1)
    _hold(connection, named.assign(**common))
    figures = {"accepted": len(taken), "refused": len(receipt.refused), "silent": len(batch) - len(taken) - len(receipt.refused)}
    reasons = pd.Series(list(receipt.refused.values()), dtype=object).value_counts()
    line = errand.line(Event.DELIVERED, figures, batch=receipt.batch, receipt=receipt.digest, key=receipt.key_id,
                       refused={str(reason): int(n) for reason, n in reasons.items()})
    log.append(connection, [line], receipt.at)
    _close(connection, errand, receipt.batch, "delivered" if len(taken) == len(batch) else "partly", receipt.at)
    return len(taken)


def give_up(connection: Connection, errand: Errand, batch: str, reason: str, at: datetime) -> None:
    """Closes the intent of a batch that brought no valid receipt. Its records stay pending."""
    log.append(connection, [errand.line(Event.UNDELIVERED, {}, batch=batch, reason=reason)], at)
    _close(connection, errand, batch, "undelivered", at, reason)


def owe(connection: Connection, errand: Errand, reference: Reference | None) -> None:
    """Notes where the records lie that this recipient is still owed of this feed; None if it has everything."""
    connection.execute(sa.delete(owed).where(owed.c.recipient == errand.recipient, owed.c.feed == errand.feed))
    if reference is not None:
        place = {"recipient": errand.recipient, "feed": errand.feed, "run": errand.run}
        connection.execute(sa.insert(owed).values(**place, **reference.as_json()))


def owing(connection: Connection, errand: Errand) -> Reference | None:
    """Where the records lie that this recipient is owed from earlier runs of this feed."""
    query = sa.select(owed.c.path, owed.c.rows, owed.c.sha256).where(
        owed.c.recipient == errand.recipient, owed.c.feed == errand.feed)
    row = connection.execute(query).one_or_none()
    return Reference(*row) if row else None


def owed_paths(connection: Connection) -> set[str]:
    """Every staged batch that some recipient still waits for; it must not be cleared."""
    return set(connection.execute(sa.select(owed.c.path)).scalars())


def _hold(connection: Connection, rows: pd.DataFrame) -> None:
    key = ["recipient", "entry", "record"]
    if connection.dialect.name == "postgresql":
        copy_replace(connection, holdings, rows, key)
    elif len(rows):
        insert = sqlite.insert(holdings)
        changed = {name: insert.excluded[name] for name in ("handle", "digest", "run", "edition", "since")}
        records: list[dict[str, Any]] = rows.to_dict("records")  # type: ignore[assignment]
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), records)


def _close(connection: Connection, errand: Errand, batch: str, state: str, at: datetime, reason: str = "") -> None:
    this = (outbox.c.batch == batch) & (outbox.c.run == errand.run)
    connection.execute(sa.update(outbox).where(this).values(state=state, reason=reason, changed_at=at.isoformat()))


def _insert(connection: Connection, table: sa.Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
