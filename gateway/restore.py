"""A backup restored 恢复备份: what was ordered since is entered again, and nothing is brought to anybody until a person has seen that no
recipient holds what it must not (T29, I6).

The journal tells which orders the database forgot, the anchor that its ledger lost lines. While the ledger does not continue its
anchor nothing is brought; `release` sets the anchor anew, once every recipient was reconciled after the orders were entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import again, orders
from gateway.refusal import Refusal
from gateway.settings import Gateway
from ledger import erasure, log
from ledger.events import Event, Line
from ledger.log import LedgerBroken
from records.database import writing
from records.journal import JournalBroken, Order
from records.schema import METADATA, consents, discrepancies, lines, openings, stored, withdrawn

ERASED, ERASED_FROM_STORE = openings.name, stored.name
_KEYS = ("entry", "record", "subject", "purpose", "issued_on", "named")
_TOLD = ("entry", "record", "reason", "document", "deadline", "lifted_on", "subject", "purpose", "revoked_on")


class NotRestored(Refusal):
    """A step of the restoration comes too early, or is not needed."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What the database forgot: orders, and in words what its ledger lacks ("" if nothing). `is_applied`: since the orders were
    entered again, the recipients and entries of `unreconciled` are still to be reconciled."""

    orders: list[Order]
    ledger: str
    is_applied: bool
    unreconciled: list[tuple[str, str]]


def check(gateway: Gateway) -> Lost:
    """What was lost. Raises JournalBroken, or LedgerBroken if the anchor cannot be read."""
    with writing(gateway.engine) as connection:
        missing, broken = _missing(gateway, connection), _ledger_lacks(gateway, connection)
        applied, now = _applied(gateway, connection), log.head(connection).size
        left = _unreconciled(gateway, connection, now if applied is None else applied) if broken else []
        return Lost(missing, broken, applied is not None, left)


def apply(gateway: Gateway, by: str) -> Lost:
    """Enters each missing order again as it was, with its reason, document and deadline, and returns what was lost.

    All of it in one transaction, and again it does nothing more. Raises JournalBroken or LedgerBroken as `check` does.
    """
    at, root = gateway.clock(), gateway.anchor.read()
    with writing(gateway.engine) as connection:
        log.queue(connection)
        missing, broken = _missing(gateway, connection), _ledger_lacks(gateway, connection)
        if missing or broken and _applied(gateway, connection) is None:
            figures = {"orders": len(missing), "lines": max(0, root.size - log.head(connection).size)}
            log.append(connection, [*map(_line, missing), Line(Event.RESTORED, "", "", figures=figures,
                                                              notes={"head": root.root.hex(), "by": by})], at)
        for order in missing:  # after the lines, which may name what is erased
            _enter_again(connection, gateway, order)
        gateway.journal.settle(connection)
        return Lost(missing, broken, True, _unreconciled(gateway, connection, _applied(gateway, connection) or 0) if broken else [])


def release(gateway: Gateway, by: str) -> None:
    """Lets bringing go on. Raises NotRestored if nothing holds it up, orders are missing, or a recipient is not reconciled."""
    found = check(gateway)
    if found.orders or found.ledger and not found.is_applied:
        raise NotRestored("restore", "缺失的指令尚未补录；请先运行 gateway restore apply。",
                          "orders are not entered again yet: gateway restore apply")
    if not found.is_applied:
        raise NotRestored("restore", "没有恢复过备份，推送并未停止。", "nothing was restored; nothing is held up")
    if not found.ledger:
        raise NotRestored("restore", "台账与锚点衔接，推送并未停止。", "nothing is held up: the ledger goes on from its anchor")
    if found.unreconciled:
        named = ", ".join(f"{recipient} {entry}" for recipient, entry in found.unreconciled)
        raise NotRestored("restore", f"补录之后尚未对账，或者仍有已撤回的记录：{named}；请运行 gateway reconcile run。",
                          f"not reconciled since, or still with what was taken back: {named}; run gateway reconcile run")
    with writing(gateway.engine) as connection:
        log.append(connection, [Line(Event.RESTORE_RELEASED, "", "", notes={"by": by})], gateway.clock())
    with gateway.engine.connect() as connection:
        gateway.anchor.begin(connection)


def begin_anew(gateway: Gateway, document: str, by: str) -> list[str]:
    """Begins another journal or anchor where it is lost or damaged, and returns which; the old file is kept beside it.

    The new one holds the orders that stand in the database; what was erased before is not among them. Raises NotRestored if
    both are sound.
    """
    at, done = gateway.clock(), []
    with writing(gateway.engine) as connection:
        log.queue(connection)
        if _is_broken(gateway, connection):
            gateway.journal.set_aside(connection, f"{gateway.journal.file.name}.{at:%Y%m%dT%H%M%S}.aside")
            gateway.journal.begin(connection)
            done.append("journal")
        try:
            gateway.anchor.read()
        except LedgerBroken:
            gateway.anchor.begin(connection)
            done.append("anchor")
        if not done:
            raise NotRestored("restore", "日志和锚点完好；恢复备份之后请运行 gateway restore check。",
                              "journal and anchor are sound; after a backup was restored: gateway restore check")
        log.append(connection, [Line(Event.JOURNAL_BEGUN, "", "", notes={"what": done, "document": document, "by": by})], at)
    return done


def _is_broken(gateway: Gateway, connection: Connection) -> bool:
    try:
        gateway.journal.behind(connection)
    except JournalBroken:
        return True
    return False


def _missing(gateway: Gateway, connection: Connection) -> list[Order]:
    """The last order about each thing that the database has not seen, unless it stands there all the same."""
    last = {(order["table"], *map(order["row"].get, _KEYS)): order for order in gateway.journal.behind(connection)}
    return [order for order in last.values() if _is_missing(connection, order)]


def _is_missing(connection: Connection, order: Order) -> bool:
    if order["table"] in (ERASED, ERASED_FROM_STORE):
        return True  # what is entered again may name it, so that it is always erased again
    query = sa.select(METADATA.tables[order["table"]]).where(*_this(order))
    stands = connection.execute(query).mappings().one_or_none()
    return stands is None or any(stands[name] != value for name, value in order["row"].items())


def _this(order: Order) -> list[sa.ColumnElement[bool]]:
    return [column == order["row"][column.name] for column in METADATA.tables[order["table"]].primary_key]


def _enter_again(connection: Connection, gateway: Gateway, order: Order) -> None:
    row = order["row"]
    if order["table"] == withdrawn.name:
        orders.enter_again(connection, gateway, row)
    elif order["table"] == consents.name:
        connection.execute(sa.delete(consents).where(*_this(order)))
        connection.execute(sa.insert(consents).values(**row))
    elif order["table"] == ERASED:
        erasure.erase(connection, row["named"], row["document"], gateway.clock())
    else:
        gateway.store.erase(connection, row["entry"], [row["record"]])


def _line(order: Order) -> Line:
    row = order["row"]
    told = {name: row[name] for name in _TOLD if row.get(name)}
    return Line(Event.ORDER_RESTORED, "", f"store.{row['entry']}" if "entry" in row else "", notes={"what": order["table"], **told})


def _ledger_lacks(gateway: Gateway, connection: Connection) -> str:
    gateway.anchor.read()
    try:
        gateway.anchor.expect(connection)
    except LedgerBroken as error:
        return str(error)
    return ""


def _applied(gateway: Gateway, connection: Connection) -> int | None:
    """The line at which the orders were entered again after this restoration, None if they were not."""
    root = gateway.anchor.read().root.hex()
    told = log.read(connection, lines.c.event == str(Event.RESTORED))
    return max((line.seq for line in told if line.notes["head"] == root), default=None)


def _unreconciled(gateway: Gateway, connection: Connection, since: int) -> list[tuple[str, str]]:
    """Recipient and entry of what is to be reconciled: not since that line, or with a record that was taken back and still is there."""
    query = sa.select(lines.c.recipient, lines.c.feed).where(lines.c.event == str(Event.RECONCILED), lines.c.seq > since)
    done = {(recipient, feed.removeprefix(f"{again.STORE}.")) for recipient, feed in connection.execute(query)}
    concerned = {(recipient, entry) for entry in again.entries(gateway) for recipient in again.recipients(gateway, {"entry": entry})}
    there = sa.select(discrepancies.c.recipient, discrepancies.c.entry).join(
        withdrawn, sa.and_(withdrawn.c.entry == discrepancies.c.entry, withdrawn.c.record == discrepancies.c.record)).where(
            discrepancies.c.repaired_at.is_(None), withdrawn.c.lifted_at.is_(None))
    return sorted((concerned - done) | {(recipient, entry) for recipient, entry in connection.execute(there)})


def in_words(orders: Iterable[Order]) -> list[str]:
    """Orders for a person, without the content of any record."""
    return [" ".join([_WORDS[order["table"]], *(f"{name}={order['row'][name]}" for name in _TOLD if order["row"].get(name))])
            for order in orders]


_WORDS = {withdrawn.name: "撤回 takedown", consents.name: "撤销同意 consent", ERASED: "删除 erasure (ledger)",
          ERASED_FROM_STORE: "删除 erasure (store)"}
