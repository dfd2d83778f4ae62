"""The orders that change the suppression list: enter a takedown, change it, end it, each within the caller's transaction and with
its line on the ledger (D40, D41, I6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from delivery import Effect
from gateway import suppressed
from gateway.effects import Effects, effect_at, kind_of, read, written
from gateway.refusal import Refusal
from gateway.settings import Gateway
from gateway.way import under_each_handle
from ledger import log, withdrawals
from ledger.disclosed import ever_brought, uncertain
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder, held_under
from ledger.withdrawals import EFFECT
from records.database import after_commit, before_commit, leave_no_trace, writing
from records.journal import rows
from records.schema import holdings, outbox, withdrawn
from records.stages import HANDLE, NOTICE, RECORD, Notice
from records.workdays import add_working_days

# The unit that determined acts within three working days (国办发〔2025〕22号).
DAYS = 3
_AT_ONCE = 10_000


class NoTakedown(Refusal):
    """The takedown named cannot be opened, changed or lifted."""


@dataclass(frozen=True, slots=True)
class Order:
    """Why a record is taken back: reason, document, who orders it, the effect by kind of recipient where the order says so, and
    within how many working days everybody must have confirmed."""

    reason: Notice
    document: str
    by: str
    effects: Effects = field(default_factory=dict)
    days: int = DAYS


def enter(connection: Connection, gateway: Gateway, records: Sequence[str], order: Order) -> list[str]:
    """Puts records on the suppression list from this moment, notes who must take them back, and returns their entries.

    Everybody is asked that ever got a record, under whatever key its handle was made, with a receipt or without. Raises
    NoTakedown if the store never had a record or its takedown is open already; the caller's transaction must then be undone.
    """
    log.queue(connection)  # a batch that is about to leave has its intent in the outbox by now, or will see the list
    by_entry: dict[str, list[str]] = {}
    for record in dict.fromkeys(records):
        by_entry.setdefault(entry_of(gateway, connection, record), []).append(record)
    for entry, mine in by_entry.items():
        enter_as(connection, gateway, (entry, mine), (order, ""))
    return sorted(by_entry)


def enter_as(connection: Connection, gateway: Gateway, what: tuple[str, list[str]], order_of: tuple[Order, str]) -> None:
    """The same for records of one entry, under an order that was given for another record, of whose act they are another name
    ("" where it was given for themselves)."""
    (entry, records), (order, alike_of) = what, order_of
    at, deadline = gateway.clock(), add_working_days(gateway.today, order.days).isoformat()
    for record in records:
        if connection.execute(sa.select(withdrawn.c.since).where(*_open(entry, [record]))).first():
            raise NoTakedown(f"record {record}", "该记录已在撤回中；请见 gateway takedown status，或者用 change 变更。",
                             "its takedown is open already; see gateway takedown status, or change it")
        connection.execute(sa.delete(withdrawn).where(withdrawn.c.entry == entry, withdrawn.c.record == record))
    known = suppressed.known_by(connection, gateway, entry, records)
    if not alike_of:
        _expect_other_names(connection, entry, {each["act"] for each in known.values()})
    row: dict[str, Any] = {"entry": entry, "reason": str(order.reason), "document": order.document, "since": at.isoformat(),
                           "effects": written(order.effects), "deadline": deadline, "opened_by": order.by, "alike_of": alike_of,
                           "sought_at": at.isoformat() if alike_of else None}
    connection.execute(sa.insert(withdrawn), [row | {"record": record} | known[record] for record in records])
    _ask_everybody(connection, gateway, what, (order, at, deadline))
    log.append(connection, [_line(Event.TAKEDOWN_OPENED, entry, record, order, deadline=deadline) for record in records], at)
    before_commit(connection, partial(_journal, connection, gateway, entry, records))


def follow(connection: Connection, gateway: Gateway, record: str, order: Order) -> str:
    """Gives an open takedown another reason, document, effect and deadline at once, under every name of its act and so that the
    record is never off the list in between, and returns its entry. Whoever has confirmed another effect than is wanted now is asked
    again. Raises NoTakedown."""
    log.queue(connection)
    entry, at, deadline = entry_of(gateway, connection, record), gateway.clock(), add_working_days(gateway.today, order.days).isoformat()
    records = names_of_act(connection, entry, record)
    connection.execute(sa.update(withdrawn).where(*_open(entry, records)).values(
        reason=str(order.reason), document=order.document, effects=written(order.effects), deadline=deadline))
    _unmark(connection, entry, records)
    _ask_everybody(connection, gateway, (entry, records), (order, at, deadline))
    log.append(connection, [_line(Event.TAKEDOWN_CHANGED, entry, each, order, deadline=deadline) for each in records], at)
    before_commit(connection, partial(_journal, connection, gateway, entry, records))
    return entry


def end(connection: Connection, gateway: Gateway, record: str, order: tuple[str, str]) -> str:
    """Takes a record off the suppression list, with what stands there as another name of its act, and returns its entry; the
    re-decision brings it where it may go.

    order: the document and who orders it. Raises NoTakedown.
    """
    log.queue(connection)
    (document, by), at, entry = order, gateway.clock(), entry_of(gateway, connection, record)
    records = _with_alike(connection, entry, record, ("解除", "lifted"))
    if not gateway.store.is_readable(connection, entry, record):
        raise NoTakedown(f"record {record}", "其内容已删除，不得解除撤回。", "its content was erased; its takedown stands for good")
    connection.execute(sa.update(withdrawn).where(*_open(entry, records)).values(
        lifted_at=at.isoformat(), lifted_on=document, sealed=None))
    leave_no_trace(connection)
    _unmark(connection, entry, records)
    withdrawals.forget(connection, entry, records)
    log.append(connection, [Line(Event.TAKEDOWN_LIFTED, "", f"store.{entry}", notes={
        "entry": entry, "record": each, "document": document, "by": by}) for each in records], at)
    # After the commit: where the process dies in between, a restored backup keeps the record back.
    after_commit(connection, partial(_journal_lifted, gateway, entry, records))
    return entry


def hold_apart(connection: Connection, gateway: Gateway, what: tuple[str, str], order: tuple[str, str]) -> None:
    """Lets another name of an act stand on the list for itself, so that it stays there when the first name is let go.

    what: its entry and record. order: the document and who orders it.
    """
    (entry, record), (document, by) = what, order
    connection.execute(sa.update(withdrawn).where(*_open(entry, [record])).values(alike_of="", document=document))
    notes = {"entry": entry, "record": record, "document": document, "by": by}
    log.append(connection, [Line(Event.TAKEDOWN_CHANGED, "", f"store.{entry}", notes=notes)], gateway.clock())
    before_commit(connection, partial(_journal, connection, gateway, entry, [record]))


def enter_again(connection: Connection, gateway: Gateway, row: dict[str, Any]) -> None:
    """Puts back a row of the suppression list that a restored database forgot, as the order left it, with its reason, document and
    deadline; whoever got the record as far as this database knows is asked again."""
    entry, record = row["entry"], row["record"]
    connection.execute(sa.delete(withdrawn).where(withdrawn.c.entry == entry, withdrawn.c.record == record))
    sealed = None if row["lifted_at"] else suppressed.known_by(connection, gateway, entry, [record])[record]["sealed"]
    connection.execute(sa.insert(withdrawn).values(**row, sealed=sealed))
    _unmark(connection, entry, [record])
    withdrawals.forget(connection, entry, [record])
    if not row["lifted_at"]:
        order = Order(Notice(row["reason"]), row["document"], row["opened_by"], read(row["effects"]))
        _ask_everybody(connection, gateway, (entry, [record]), (order, datetime.fromisoformat(row["since"]), row["deadline"]))


def _journal(connection: Connection, gateway: Gateway, entry: str, records: Sequence[str]) -> None:
    """Puts rows of the suppression list, as they stand, in the journal."""
    for start in range(0, len(records), _AT_ONCE):
        these = withdrawn.c.entry == entry, withdrawn.c.record.in_(records[start : start + _AT_ONCE])
        gateway.journal.keep(connection, rows(connection, withdrawn, *these))


def _journal_lifted(gateway: Gateway, entry: str, records: Sequence[str]) -> None:
    with writing(gateway.engine) as connection:
        _journal(connection, gateway, entry, records)


def _with_alike(connection: Connection, entry: str, record: str, wanted: tuple[str, str]) -> list[str]:
    """A record whose takedown is open, and the other names of its act that were taken back with it.

    wanted: what is to be done with it, in Chinese and English.
    """
    zh, en = wanted
    query = sa.select(withdrawn.c.record).where(withdrawn.c.entry == entry, withdrawn.c.lifted_at.is_(None))
    alike = connection.execute(query.where(withdrawn.c.alike_of == record).order_by(withdrawn.c.record)).scalars().all()
    if connection.execute(query.where(withdrawn.c.record == record)).first() is None:
        raise NoTakedown(f"record {record}", f"没有可{zh}的在办撤回；请见 gateway takedown status。",
                         f"no takedown is open that could be {en}; see gateway takedown status")
    return [record, *alike]


def names_of_act(connection: Connection, entry: str, record: str, wanted: tuple[str, str] = ("变更", "changed")) -> list[str]:
    """The records on the suppression list that are the act of `record`, which is one of them: an order is about the act, and what is
    ordered under one name must not end with an earlier order under another.

    wanted: what is to be done with it, in Chinese and English. Raises NoTakedown.
    """
    alike_of = sa.select(withdrawn.c.alike_of).where(*_open(entry, [record]))
    first = connection.execute(alike_of).scalar_one_or_none() or record
    return _with_alike(connection, entry, first, wanted)


def _expect_other_names(connection: Connection, entry: str, named: set[str]) -> None:
    """An order about an act is about every name of it, also one that was let go with an earlier order: `alike` finds it anew."""
    let_go = withdrawn.c.entry == entry, withdrawn.c.act == sa.bindparam("this"), withdrawn.c.lifted_at.is_not(None)
    if acts := named - {"", suppressed.UNREAD}:
        connection.execute(sa.delete(withdrawn).where(*let_go), [{"this": act} for act in sorted(acts)])


def entry_of(gateway: Gateway, connection: Connection, record: str) -> str:
    """The entry of a record. Raises NoTakedown if the store never had it."""
    try:
        return gateway.store.entry_of(connection, record)
    except KeyError:
        raise NoTakedown(f"record {record}", "库中从未有此记录；记录编号可用 gateway record 由主键查得。",
                         "the store never had it; `gateway record` gives the id of a record from its key") from None


def _ask_everybody(connection: Connection, gateway: Gateway, what: tuple[str, list[str]], terms: tuple[Order, datetime, str]) -> None:
    (entry, records), (order, at, deadline) = what, terms
    served = sa.union(sa.select(outbox.c.recipient).where(outbox.c.entry == entry),
                      sa.select(holdings.c.recipient).where(holdings.c.entry == entry))
    for recipient in sorted(connection.execute(served).scalars()):
        effect = effect_at(kind_of(gateway, recipient), order.reason, order.effects)
        got = _got(connection, gateway, Holder(recipient, entry), pd.Series(records, dtype=TEXT))
        if effect is Effect.MARK:
            got = got[_may_be_there(connection, Holder(recipient, entry), got)]
        asked = got.assign(**{NOTICE: str(order.reason), EFFECT: str(effect)})
        withdrawals.ask(connection, Holder(recipient, entry), asked, (at, deadline))


def _got(connection: Connection, gateway: Gateway, holder: Holder, records: pd.Series) -> pd.DataFrame:
    """RECORD, HANDLE of what of these a recipient holds or ever was sent, under every handle that it may know them by."""
    named = under_each_handle(gateway, holder, pd.DataFrame({RECORD: records}))
    sent = named[named[HANDLE].isin(ever_brought(connection, holder))]
    held = held_under(connection, holder)
    return pd.concat([sent, held[held[RECORD].isin(records)][[RECORD, HANDLE]]], ignore_index=True).drop_duplicates(HANDLE)


def _may_be_there(connection: Connection, holder: Holder, rows: pd.DataFrame) -> pd.Series:
    """Which of these a recipient holds, or may: what it has given back can bear no mark."""
    return rows[HANDLE].isin(held_under(connection, holder)[HANDLE]) | rows[HANDLE].isin(uncertain(connection, holder))


def _unmark(connection: Connection, entry: str, records: Sequence[str]) -> None:
    """What is held with a mark counts as held with content that is not known: it is brought anew without the mark, or withdrawn."""
    connection.execute(sa.update(holdings).where(
        holdings.c.entry == entry, holdings.c.record.in_(records), holdings.c.state == "marked").values(state="held", digest=""))


def _line(event: Event, entry: str, record: str, order: Order, **more: Any) -> Line:
    notes: dict[str, Any] = {"entry": entry, "record": record, "reason": str(order.reason), "document": order.document, "by": order.by,
                             **more}
    return Line(event, "", f"store.{entry}", notes=notes)


def _open(entry: str, records: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return withdrawn.c.entry == entry, withdrawn.c.record.in_(records), withdrawn.c.lifted_at.is_(None)
