"""A takedown 撤回: a record is taken back from everybody who ever got it, and stays back until it is lifted (D40, D41, I6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from gateway import alike, orders, suppressed
from gateway.orders import DAYS, NoTakedown, Order
from gateway.settings import Gateway
from ledger import log, withdrawals
from ledger.events import Event, Line
from ledger.withdrawals import State
from records.database import writing
from records.schema import withdrawals as asked
from records.schema import withdrawn

__all__ = ["DAYS", "NoTakedown", "Order", "change", "clear_times", "escalate", "is_confirmed", "lift", "open_takedown", "outstanding",
           "status"]


def open_takedown(gateway: Gateway, records: Sequence[str], order: Order) -> list[str]:
    """Puts records on the suppression list from this moment, and returns their entries; `taking_back` asks for them.

    Raises NoTakedown if the store never had a record, or its takedown is open already; then none is put there.
    """
    with writing(gateway.engine) as connection:
        return orders.enter(connection, gateway, records, order)


def change(gateway: Gateway, record: str, order: Order) -> str:
    """Gives an open takedown another reason, document, effect and deadline, and returns its entry. Raises NoTakedown."""
    with writing(gateway.engine) as connection:
        return orders.follow(connection, gateway, record, order)


def lift(gateway: Gateway, record: str, document: str, by: str) -> str:
    """Takes a record off the suppression list, for an objection that was settled or a decision that was reversed.

    Returns its entry; the re-decision brings it where it may go. Raises NoTakedown.
    """
    with writing(gateway.engine) as connection:
        return orders.end(connection, gateway, record, (document, by))


def status(gateway: Gateway, today: date) -> list[dict[str, Any]]:
    """Every recipient of every open takedown, and of what the catalogue or the day takes back while that is not confirmed.

    Each row: record, entry, reason, document ("" if nobody ordered it), told, since, deadline, effect, recipient, state (`State`), at
    (when it confirmed, or since when it is asked), tries, overdue. `reason` is that of the order as it stands; `told` is the one that
    the recipient is told, another where it gave the record back before the order was changed, and is not asked again. An open takedown
    of what nobody ever got has one row without a recipient, in the state "nobody".
    """
    is_open = sa.and_(asked.c.entry == withdrawn.c.entry, asked.c.record == withdrawn.c.record, withdrawn.c.lifted_at.is_(None))
    query = sa.select(asked, withdrawn.c.document, withdrawn.c.reason).outerjoin(withdrawn, is_open).where(
        sa.or_(withdrawn.c.document.is_not(None), asked.c.state.in_([State.OUTSTANDING, State.VISIBLE])))
    with gateway.engine.connect() as connection:
        found = connection.execute(query.order_by(asked.c.since, asked.c.record, asked.c.recipient)).mappings().all()
        alone = connection.execute(sa.select(withdrawn).outerjoin(asked, is_open).where(
            withdrawn.c.lifted_at.is_(None), asked.c.handle.is_(None)).order_by(withdrawn.c.since)).mappings().all()
    return [_row(row, today) for row in found] + [_of_nobody(row) for row in alone]


def _row(row: Any, today: date) -> dict[str, Any]:
    waits = row["state"] in (State.OUTSTANDING, State.VISIBLE)
    return {name: row[name] for name in ("record", "entry", "since", "deadline", "effect", "recipient", "state", "tries", "handle")} | {
        "reason": row["reason"] or row["notice"], "told": row["notice"], "document": row["document"] or "",
        "at": row["confirmed_at"] or row["since"],
        "overdue": waits and bool(row["deadline"]) and today.isoformat() > row["deadline"]}


def _of_nobody(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in ("record", "entry", "reason", "document", "since", "deadline")} | {
        "told": "", "effect": "", "recipient": "", "state": "nobody", "tries": 0, "handle": "", "at": row["since"], "overdue": False}


def is_confirmed(connection: sa.Connection, entry: str, record: str) -> bool:
    """Whether everybody who was asked has confirmed, and no public page is known to show the record still."""
    waits = sa.select(asked.c.handle).where(asked.c.entry == entry, asked.c.record == record,
                                            asked.c.state.in_([State.OUTSTANDING, State.VISIBLE]))
    return connection.execute(waits.limit(1)).first() is None


def outstanding(gateway: Gateway) -> list[str]:
    """The entries of which some recipient has not confirmed a withdrawal, or an act taken back is still to be looked for."""
    with gateway.engine.connect() as connection:
        return sorted({*withdrawals.entries(connection), *alike.unsought(connection)})


def escalate(gateway: Gateway) -> list[str]:
    """Puts every withdrawal that became overdue on the ledger, once, and returns in words whom to call about which record.

    Destroys the identifiers of what everybody has confirmed, too.
    """
    suppressed.release(gateway)
    late = [row for row in status(gateway, gateway.today) if row["overdue"]]
    with writing(gateway.engine) as connection:
        log.queue(connection)  # an order takes the ledger before its rows, too
        told = set(connection.execute(sa.select(asked.c.recipient, asked.c.entry, asked.c.handle).where(asked.c.escalated_at.is_not(None))))
        fresh = [row for row in late if (row["recipient"], row["entry"], row["handle"]) not in told]
        for row in fresh:
            this = (asked.c.recipient == row["recipient"], asked.c.entry == row["entry"], asked.c.handle == row["handle"])
            connection.execute(sa.update(asked).where(*this).values(escalated_at=gateway.clock().isoformat()))
        names = ("entry", "record", "reason", "deadline", "state")
        log.append(connection, [Line(Event.TAKEDOWN_OVERDUE, "", f"store.{row['entry']}", row["recipient"],
                                     notes={name: row[name] for name in names}) for row in fresh], gateway.clock())
    return [in_words(gateway, row) for row in late]


def in_words(gateway: Gateway, row: dict[str, Any]) -> str:
    """What a person reads of a recipient that is late."""
    known = gateway.catalog.recipients.get(row["recipient"])
    contact = known.contact if known else "?"
    return (f"recipient {row['recipient']}, entry {row['entry']}, record {row['record']}: {row['state']} since {row['deadline']} "
            f"已逾期; call 请联系 {contact}")


def clear_times(gateway: Gateway) -> pd.DataFrame:
    """How long recipients took to confirm, from the order to the receipt, over the withdrawals that stand.

    Columns recipient, records, p50, p95, p99: hours; a percentile is the time of a withdrawal that was, not one in between.
    """
    query = sa.select(asked.c.recipient, asked.c.since, asked.c.confirmed_at).where(asked.c.confirmed_at.is_not(None))
    with gateway.engine.connect() as connection:
        found = pd.DataFrame(list(map(tuple, connection.execute(query))), columns=["recipient", "since", "at"])
    since, at = (pd.to_datetime(found[name], format="ISO8601", utc=True) for name in ("since", "at"))
    hours = ((at - since).dt.total_seconds() / 3600).clip(lower=0).groupby(found["recipient"])
    columns = {f"p{n}": hours.quantile(n / 100, interpolation="higher") for n in (50, 95, 99)}
    return pd.DataFrame({"records": hours.size(), **columns}).rename_axis("recipient").reset_index()
