"""The outbox: an intent before every door, a settlement after it, and what each recipient is still owed (I4, I5)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from delivery.base import Batch, DeliveryFailed, Effect, RecipientUnavailable
from ledger import log, withdrawals
from ledger.disclosed import pack, uncertain, unpack
from ledger.events import Event, Line
from ledger.holdings import Holder, hold, hold_more
from records.schema import awaited, holdings, outbox, owed, runs
from records.stages import ANSWERED, DIGEST, HANDLE, MAY_HAVE_ARRIVED, NOTICE, RECORD, BatchState, Receipt
from records.staging import Reference

# Why a record of an answered batch has no answer: its receipt does not name it.
_SILENT = "silent"
# What else the holdings may say of a record; where the caller does not know it, it is decided again.
_SAID = ("terms", "as_of", "ends_on", "due_on")


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
    """Puts the intent to deliver a batch, to bring or to withdraw, on the ledger and in the outbox, before a byte leaves (I5).

    Returns the batch under the name it goes by: its content, how many batches this recipient has settled before, and how many
    others about these records may have arrived since without a receipt. A retry of what brought no receipt goes by the same
    name, so the recipient knows it; content that returns after a change goes by a new one, so the recipient does not take it
    for the old delivery and answer without applying it.
    """
    batch = replace(batch, id=_name(connection, errand, batch))
    records = len(batch.payload)
    event = Event.INTENDED if batch.effect is Effect.BRING else Event.WITHDRAW_INTENDED
    told = log.append(connection, [errand.line(event, {"records": records}, batch=batch.id, **batch.says())], at)
    row = {"batch": batch.id, "run": errand.run, "recipient": errand.recipient, "entry": errand.entry, "feed": errand.feed,
           "effect": str(batch.effect), "records": records, "state": BatchState.INTENDED, "reason": "", "changed_at": at.isoformat(),
           "handles": pack(batch.payload[HANDLE]), "told": told}
    again = {name: row[name] for name in ("reason", "changed_at", "handles", "told")}
    # What an earlier try of this run may have brought there is not forgotten when the next one does not get through.
    again["state"] = sa.case((outbox.c.state.in_(MAY_HAVE_ARRIVED), BatchState.SENT), else_=BatchState.INTENDED)
    connection.execute(_insert(connection, outbox).values(row).on_conflict_do_update(index_elements=["batch", "run"], set_=again))
    return batch


def _name(connection: Connection, errand: Errand, batch: Batch) -> str:
    mine = (outbox.c.recipient == errand.recipient) & (outbox.c.entry == errand.entry)
    is_settled = outbox.c.state.in_(ANSWERED) | (outbox.c.reason == _SILENT)
    settled = connection.execute(sa.select(sa.func.count()).where(mine, is_settled)).scalar_one()
    rows = connection.execute(sa.select(outbox.c.batch, outbox.c.handles).where(
        mine, outbox.c.state.in_(MAY_HAVE_ARRIVED), sa.not_(is_settled))).all()
    names = set(batch.payload[HANDLE])
    in_doubt = {name for name, packed in dict(map(tuple, rows)).items() if not names.isdisjoint(unpack(packed))}
    # What it went by itself, without a receipt, is no other batch: it may go by that again.
    own = {_named(batch.id, settled, others) for others in range(len(in_doubt) + 1)}
    return _named(batch.id, settled, len(in_doubt - own))


def _named(content: str, settled: int, others: int) -> str:
    return hashlib.sha256(f"{content}|{settled}{f'|{others}' if others else ''}".encode()).hexdigest()


def settle(connection: Connection, errand: Errand, batch: pd.DataFrame, receipt: Receipt) -> int:
    """Takes what the receipt accepts into the holdings and closes the intent; returns how many records that is.

    batch: RECORD, HANDLE, DIGEST of the records sent, and of _SAID what is known. A record that the receipt refuses or does not
    name stays pending.
    """
    taken = _taken(batch, receipt)
    said = [name for name in _SAID if name in taken.columns]
    named = taken[[RECORD, HANDLE, DIGEST, *said]].set_axis(["record", "handle", "digest", *said], axis=1)
    hold(connection, named.assign(state="held", **_held_by(errand, receipt)))
    log.queue(connection)  # as `settle_withdrawal` does; not earlier, since many rows take their time
    withdrawals.brought(connection, Holder(errand.recipient, errand.entry), taken[HANDLE])
    told = log.append(connection, [_settlement(errand, Event.DELIVERED, batch, receipt)], receipt.at)
    _settled(connection, errand, (receipt, told), batch)
    return len(taken)


def settle_withdrawal(connection: Connection, errand: Errand, rows: pd.DataFrame, receipt: Receipt) -> int:
    """Takes what the receipt accepts out of the holdings and closes the intent; returns how many records that is (D41).

    rows: RECORD, HANDLE, NOTICE of the records named. After a mark the recipient holds the record, as marked, also one that may have
    arrived without a receipt. A record that the receipt refuses or does not name stays as it was held. Raises LookupError if no
    withdrawal of that name is intended.
    """
    log.queue(connection)  # before the rows that an order changes too: it takes both in this order, and neither waits for the other
    effect, taken = _intended_effect(connection, errand, receipt.batch), _taken(rows, receipt)
    if len(taken):
        these = (holdings.c.recipient == errand.recipient, holdings.c.entry == errand.entry,
                 holdings.c.record == sa.bindparam("this_record"), holdings.c.handle == sa.bindparam("this_handle"))
        change: Any = sa.update(holdings).values(state="marked") if effect is Effect.MARK else sa.delete(holdings)
        named: Any = taken[[RECORD, HANDLE]].set_axis(["this_record", "this_handle"], axis=1).to_dict("records")
        connection.execute(change.where(*these), named)
        if effect is Effect.MARK and (lost := uncertain(connection, Holder(errand.recipient, errand.entry))):
            # With this answer nothing else would know any more that it may be there.
            marked = taken[[RECORD, HANDLE]][taken[HANDLE].isin(lost)].set_axis(["record", "handle"], axis=1)
            hold_more(connection, marked.assign(state="marked", digest="", **_held_by(errand, receipt)))
        withdrawals.confirm(connection, Holder(errand.recipient, errand.entry), taken[HANDLE], (str(effect), receipt.at))
    notes = {"effect": str(effect), "notices": _counts(taken[NOTICE])}
    told = log.append(connection, [_settlement(errand, Event.WITHDRAWN, rows, receipt, **notes)], receipt.at)
    _settled(connection, errand, (receipt, told), rows)
    return len(taken)


def _held_by(errand: Errand, receipt: Receipt) -> dict[str, str]:
    return {"recipient": errand.recipient, "entry": errand.entry, "run": errand.run, "edition": errand.edition,
            "since": receipt.at.isoformat()}


def _intended_effect(connection: Connection, errand: Errand, batch: str) -> Effect:
    query = sa.select(outbox.c.effect).where(outbox.c.batch == batch, outbox.c.run == errand.run)
    effect = Effect(connection.execute(query).scalar_one_or_none() or Effect.BRING)
    if effect is Effect.BRING:
        raise LookupError(f"run {errand.run}, recipient {errand.recipient}, batch {batch[:12]}: no withdrawal of that name is intended")
    return effect


def _taken(rows: pd.DataFrame, receipt: Receipt) -> pd.DataFrame:
    return rows[rows[HANDLE].isin(pd.Index(receipt.accepted, dtype=rows[HANDLE].dtype))]


def _settlement(errand: Errand, event: Event, rows: pd.DataFrame, receipt: Receipt, **notes: Any) -> Line:
    """What the ledger says of a receipt: its figures and proof, and why the recipient refused what it refused."""
    accepted, refused = len(_taken(rows, receipt)), pd.Series(list(receipt.refused.values()), dtype=object)
    figures = {"accepted": accepted, "refused": len(refused), "silent": len(rows) - accepted - len(refused)}
    return errand.line(event, figures, batch=receipt.batch, receipt=receipt.digest, key=receipt.key_id, refused=_counts(refused),
                       **notes)


def _counts(reasons: pd.Series[Any]) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts().items()}


def give_up(connection: Connection, errand: Errand, batch: str, error: DeliveryFailed, at: datetime) -> None:
    """Closes the intent of a batch that brought no valid receipt. Its records stay pending, or held if they were to be withdrawn.

    A batch is not reached only if no earlier try of its run may have brought it there; its receipt is awaited on if it is overdue.
    """
    this, waits = _this(errand, batch), isinstance(error, RecipientUnavailable)
    state = error.state
    if state is BatchState.NOT_REACHED and connection.execute(sa.select(outbox.c.state).where(this)).scalar() != BatchState.INTENDED:
        state = BatchState.SENT
    notes = {"reason": error.reason, "waits": "yes" if waits else "no", "state": str(state)}
    told = log.append(connection, [errand.line(Event.UNDELIVERED, {}, batch=batch, **notes)], at)
    connection.execute(sa.update(outbox).where(this).values(state=state, reason=error.reason, changed_at=at.isoformat(), told=told))
    if state is not BatchState.OVERDUE:
        connection.execute(sa.delete(awaited).where(awaited.c.batch == batch, awaited.c.run == errand.run))


def owe(connection: Connection, errand: Errand, references: Sequence[Reference]) -> None:
    """Notes staged batches that this recipient is owed of this feed: before delivery, so that no crash can lose them."""
    for reference in references:
        row = {"recipient": errand.recipient, "feed": errand.feed, "run": errand.run} | reference.as_json()
        again = {name: row[name] for name in ("run", "rows", "sha256")}
        insert = _insert(connection, owed).values(row)
        connection.execute(insert.on_conflict_do_update(index_elements=["recipient", "feed", "path"], set_=again))


def owe_anew(connection: Connection, errand: Errand, references: Sequence[Reference]) -> None:
    """The same for what a run has just settled, in place of what an earlier try of the run settled."""
    mine = _mine(errand) & (owed.c.run == errand.run) & owed.c.path.not_like("%/owed/%")
    connection.execute(sa.delete(owed).where(mine))
    owe(connection, errand, references)


def forget(connection: Connection, errand: Errand, references: Sequence[Reference]) -> None:
    """Notes that staged batches have been dealt with: delivered, withheld, or owed as part of another batch."""
    for reference in references:
        connection.execute(sa.delete(owed).where(_mine(errand), owed.c.path == reference.path))


def owing(connection: Connection, errand: Errand) -> list[tuple[str, Reference]]:
    """What this recipient is owed of this feed: run and staged batch, the oldest first."""
    query = sa.select(owed.c.run, owed.c.path, owed.c.rows, owed.c.sha256).outerjoin(runs, runs.c.run == owed.c.run)
    rows = connection.execute(query.where(_mine(errand)).order_by(runs.c.opened_at, owed.c.path))
    return [(row[0], Reference(*row[1:])) for row in rows]


def owed_rows(connection: Connection, feed: str) -> dict[str, int]:
    """How many records of a feed each recipient is owed; a recipient that has everything is absent."""
    query = sa.select(owed.c.recipient, sa.func.sum(owed.c.rows)).where(owed.c.feed == feed).group_by(owed.c.recipient)
    return {recipient: int(rows) for recipient, rows in connection.execute(query)}


def owed_paths(connection: Connection) -> set[str]:
    """Every staged batch that some recipient still waits for; it must not be cleared."""
    return set(connection.execute(sa.select(owed.c.path)).scalars())


def _mine(errand: Errand) -> sa.ColumnElement[bool]:
    return (owed.c.recipient == errand.recipient) & (owed.c.feed == errand.feed)


def _settled(connection: Connection, errand: Errand, said: tuple[Receipt, int], sent: pd.DataFrame) -> None:
    """Closes the intent of a batch with its state and the records that the receipt accepts; what it is silent about may have arrived.

    said: the receipt, and the line of the ledger that tells of it.
    """
    receipt, told = said
    taken, this = _taken(sent, receipt), _this(errand, receipt.batch)
    silent = sent[HANDLE][~sent[HANDLE].isin([*receipt.accepted, *receipt.refused])]
    state = BatchState.APPLIED if len(taken) else BatchState.REFUSED if receipt.refused else BatchState.SENT
    reason, named = (_SILENT, silent) if state is BatchState.SENT else ("", taken[HANDLE])
    values = {"state": state, "reason": reason, "changed_at": receipt.at.isoformat(), "handles": pack(named), "told": told}
    connection.execute(sa.update(outbox).where(this).values(values))
    connection.execute(sa.delete(awaited).where(awaited.c.batch == receipt.batch, awaited.c.run == errand.run))
    if len(silent) and state is not BatchState.SENT:
        row = dict(connection.execute(sa.select(outbox).where(this)).mappings().one())
        apart = {"batch": hashlib.sha256(f"{receipt.batch}|{_SILENT}".encode()).hexdigest(), "state": BatchState.SENT, "reason": _SILENT,
                 "records": len(silent), "handles": pack(silent)}
        insert = _insert(connection, outbox).values(row | apart)
        again = apart | {"changed_at": row["changed_at"], "told": told}
        connection.execute(insert.on_conflict_do_update(index_elements=["batch", "run"], set_=again))


def _this(errand: Errand, batch: str) -> sa.ColumnElement[bool]:
    return (outbox.c.batch == batch) & (outbox.c.run == errand.run)


def _insert(connection: Connection, table: sa.Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
