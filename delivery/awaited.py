"""What went out and is not answered yet: receipts that were promised, deadlines that passed, statements that agree later."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from delivery.base import Batch, Effect, Promise
from delivery.outbox import Errand
from ledger import log
from ledger.disclosed import unpack
from ledger.events import Event
from ledger.holdings import TEXT, Holder
from records.schema import awaited, outbox, runs, withdrawals
from records.stages import DIGEST, HANDLE, MAY_HAVE_ARRIVED, NOTICE, RECORD, BatchState


@dataclass(frozen=True, slots=True)
class Awaited:
    """A batch whose receipt was promised. rows: RECORD, HANDLE and DIGEST, or NOTICE where it takes back."""

    errand: Errand
    batch: Batch
    rows: pd.DataFrame
    promise: Promise
    state: BatchState


def remember(connection: Connection, errand: Errand, sent: tuple[Batch, pd.DataFrame], promise: Promise, at: datetime) -> None:
    """Notes that a recipient put a batch into its queue, with all that it takes to ask for the receipt later, in another process."""
    batch, rows = sent
    this = {"batch": batch.id, "run": errand.run}
    connection.execute(sa.delete(awaited).where(*(awaited.c[name] == value for name, value in this.items())))
    connection.execute(sa.insert(awaited).values(
        **this, location=promise.location, content_digest=promise.content_digest, due_at=promise.due_at.isoformat(),
        named=_packed(rows[[RECORD, HANDLE, _told_by(batch.effect)]])))
    told = log.append(connection, [errand.line(Event.QUEUED, {"records": len(rows)}, batch=batch.id)], at)
    connection.execute(sa.update(outbox).where(*(outbox.c[name] == value for name, value in this.items())).values(
        state=BatchState.ACCEPTED, changed_at=at.isoformat(), told=told))


def promised(connection: Connection, holder: Holder) -> list[Awaited]:
    """Every batch of a recipient and entry whose receipt was promised and has not come, the oldest first."""
    columns = (outbox.c.run, outbox.c.feed, runs.c.edition, outbox.c.batch, outbox.c.effect, outbox.c.state,
               awaited.c.location, awaited.c.content_digest, awaited.c.due_at, awaited.c.named)
    query = sa.select(*columns).join(outbox, (outbox.c.batch == awaited.c.batch) & (outbox.c.run == awaited.c.run))
    query = query.outerjoin(runs, runs.c.run == outbox.c.run).where(*_of(holder)).order_by(outbox.c.told, outbox.c.changed_at)
    found = []
    for row in connection.execute(query):
        effect = Effect(row.effect)
        rows = _unpacked(row.named, [RECORD, HANDLE, _told_by(effect)])
        errand = Errand(row.run, row.feed, holder.entry, holder.recipient, row.edition or "")
        promise = Promise(row.location, row.content_digest, datetime.fromisoformat(row.due_at))
        found.append(Awaited(errand, Batch(row.batch, rows.drop(columns=RECORD), effect), rows, promise, BatchState(row.state)))
    return found


def drop(connection: Connection, one: Awaited) -> None:
    """Awaits a receipt no more: the batch is offered again instead, or something newer."""
    connection.execute(sa.delete(awaited).where(awaited.c.batch == one.batch.id, awaited.c.run == one.errand.run))


def overdue(connection: Connection, holder: Holder, deadline: timedelta, at: datetime) -> None:
    """Marks what may have arrived and was not answered within the recipient's deadline; when it left stays as it was."""
    late = outbox.c.changed_at < (at - deadline).isoformat()
    connection.execute(sa.update(outbox).where(*_of(holder), outbox.c.state.in_(MAY_HAVE_ARRIVED), late).values(state=BatchState.OVERDUE))


def confirm(connection: Connection, holder: Holder, unlike: Collection[str], until: datetime) -> int:
    """Marks as verified what was applied until then and of which a later statement finds no record unlike; returns how many batches.

    unlike: the handles of which the recipient says something else than the gateway.
    """
    query = sa.select(outbox.c.batch, outbox.c.run, outbox.c.handles).where(
        *_of(holder), outbox.c.state == BatchState.APPLIED, outbox.c.changed_at <= until.isoformat())
    differing = set(unlike)
    found = [(row.batch, row.run) for row in connection.execute(query) if differing.isdisjoint(unpack(row.handles))]
    _verify(connection, found)
    return len(found)


def confirm_gone(connection: Connection, holder: Holder) -> None:
    """Marks as verified the withdrawals of which a public site was seen without every record since."""
    gone = set(connection.execute(sa.select(withdrawals.c.handle).where(
        withdrawals.c.recipient == holder.recipient, withdrawals.c.entry == holder.entry, withdrawals.c.state == "verified")).scalars())
    query = sa.select(outbox.c.batch, outbox.c.run, outbox.c.handles).where(
        *_of(holder), outbox.c.state == BatchState.APPLIED, outbox.c.effect.not_in([Effect.BRING, Effect.MARK]))
    _verify(connection, [(row.batch, row.run) for row in connection.execute(query) if gone.issuperset(unpack(row.handles))])


def _verify(connection: Connection, found: list[tuple[str, str]]) -> None:
    for batch, run in found:
        connection.execute(sa.update(outbox).where(outbox.c.batch == batch, outbox.c.run == run).values(state=BatchState.VERIFIED))


def _told_by(effect: Effect) -> str:
    return DIGEST if effect is Effect.BRING else NOTICE


def _of(holder: Holder) -> tuple[sa.ColumnElement[bool], ...]:
    return outbox.c.recipient == holder.recipient, outbox.c.entry == holder.entry


def _packed(rows: pd.DataFrame) -> bytes:
    """Ids, handles and keyed digests as bytes; none of them holds a space."""
    return zlib.compress("\n".join(" ".join(row) for row in rows.itertuples(index=False)).encode(), 1)


def _unpacked(packed: bytes, names: list[str]) -> pd.DataFrame:
    rows = [line.split(" ") for line in zlib.decompress(packed).decode().split("\n")]
    return pd.DataFrame(rows, columns=names, dtype=TEXT)
