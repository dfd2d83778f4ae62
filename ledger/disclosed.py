"""Who was given what and when, record by record: each batch keeps the handles it named (D53, I12)."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.events import Event
from ledger.holdings import Holder
from ledger.log import read
from records.schema import lines, outbox, runs
from records.stages import ANSWERED, MAY_HAVE_ARRIVED, BatchState

_BRING = "bring"
# In which order batches went: not by their times, since a clock may be set back. Those of before the line was kept have none, and
# go by their times.
_ORDER = (outbox.c.told, outbox.c.changed_at)
_NEVER = (-1, "")


def pack(handles: Iterable[str]) -> bytes:
    """Handles as bytes: being hexadecimal, they take half their length."""
    return zlib.compress("\n".join(handles).encode(), 1)


def unpack(packed: bytes | None) -> list[str]:
    """The handles of `pack`, in their order; none for a batch of before handles were kept."""
    return zlib.decompress(packed).decode().split("\n") if packed else []


def history(connection: Connection, holder: Holder, handles: Collection[str]) -> pd.DataFrame:
    """Every batch that named one of the handles and may have left for a recipient, the oldest first: at (when it first left), effect,
    state, run, edition, batch.

    In a batch that was answered the recipient accepted it; one in any other state (`MAY_HAVE_ARRIVED`) may have arrived.
    """
    query = sa.select(outbox.c.changed_at, outbox.c.effect, outbox.c.state, outbox.c.run, runs.c.edition, outbox.c.batch,
                      outbox.c.handles).outerjoin(runs, runs.c.run == outbox.c.run)
    rows = connection.execute(query.where(*_of(holder), _left()).order_by(*_ORDER)).all()
    named = [row[:6] for row in rows if not set(handles).isdisjoint(unpack(row[6]))]
    found = pd.DataFrame(named, columns=["at", "effect", "state", "run", "edition", "batch"])
    left = _left_at(connection, holder.recipient, set(found["run"]))
    # A receipt may come days after its batch: what was decided, and by which law, was decided before it left.
    return found.assign(at=[left.get((run, batch), at) for run, batch, at in zip(found["run"], found["batch"], found["at"], strict=True)])


def _left_at(connection: Connection, recipient: str, of_runs: Collection[str]) -> dict[tuple[str, str], str]:
    """When each batch of some runs was first to leave for a recipient, by run and batch."""
    intents = lines.c.event.in_([str(Event.INTENDED), str(Event.WITHDRAW_INTENDED)])
    told = read(connection, lines.c.run.in_(of_runs), intents, lines.c.recipient == recipient)
    return {(line.run, str(line.notes["batch"])): line.at for line in reversed(list(told))}


def recipients(connection: Connection, entry: str) -> list[str]:
    """Every recipient to whom something of an entry may ever have left, in a fixed order; also one that left the catalogue since."""
    query = sa.select(outbox.c.recipient).where(outbox.c.entry == entry, _left()).distinct().order_by(outbox.c.recipient)
    return list(connection.execute(query).scalars())


def uncertain(connection: Connection, holder: Holder) -> set[str]:
    """Handles that went to a recipient without a receipt, and have had none since: they may or may not have arrived."""
    return _unanswered(connection, holder, outbox.c.effect == _BRING, outbox.c.state.in_(MAY_HAVE_ARRIVED))


def overdue(connection: Connection, holder: Holder) -> set[str]:
    """Handles of batches, to bring or to take back, whose receipt is overdue, and that have had none since."""
    return _unanswered(connection, holder, outbox.c.state == BatchState.OVERDUE)


def _unanswered(connection: Connection, holder: Holder, *which: sa.ColumnElement[bool]) -> set[str]:
    query = sa.select(*_ORDER, outbox.c.handles).where(*_of(holder)).order_by(*_ORDER)
    lost = [(tuple(order), packed) for *order, packed in connection.execute(query.where(*which))]
    if not lost:
        return set()
    answered = query.where(outbox.c.state.in_(ANSWERED), outbox.c.told >= lost[0][0][0])
    last = {handle: tuple(order) for *order, packed in connection.execute(answered) for handle in unpack(packed)}
    return {handle for order, packed in lost for handle in unpack(packed) if last.get(handle, _NEVER) < order}


def ever_brought(connection: Connection, holder: Holder) -> set[str]:
    """Handles under which something may ever have left for a recipient, with a receipt or without."""
    query = sa.select(outbox.c.handles).where(*_of(holder), _left(), outbox.c.effect == _BRING)
    return {handle for packed in connection.execute(query).scalars() for handle in unpack(packed)}


def without_receipt(connection: Connection, entry: str) -> list[str]:
    """Recipients to whom some batch of an entry went out without a receipt."""
    query = sa.select(outbox.c.recipient).where(outbox.c.entry == entry, outbox.c.effect == _BRING, outbox.c.state.in_(MAY_HAVE_ARRIVED))
    return list(connection.execute(query.distinct()).scalars())


def _left() -> sa.ColumnElement[bool]:
    return outbox.c.state != BatchState.NOT_REACHED


def _of(holder: Holder) -> tuple[sa.ColumnElement[bool], ...]:
    return outbox.c.recipient == holder.recipient, outbox.c.entry == holder.entry
