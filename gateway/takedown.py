"""A takedown 撤回: a record is taken back from everybody who ever got it, and stays back until it is lifted (D40, D41, I6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from delivery import Effect
from gateway.settings import Gateway
from ledger import log
from ledger.disclosed import history
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder
from records.identity import handles
from records.schema import holdings, outbox, probes, withdrawn, writing
from records.stages import ANSWERED, Notice
from records.workdays import add_working_days

# The unit that determined acts within three working days (国办发〔2025〕22号).
DAYS = 3
_HELD = "held"


class NoTakedown(LookupError):
    """The takedown named cannot be opened or lifted. The message says why."""


@dataclass(frozen=True, slots=True)
class Order:
    """Why a record is taken back: reason, document, effect ("" where the kind of recipient decides), who opened it, and
    within how many working days it must be confirmed by everybody."""

    reason: Notice
    document: str
    opened_by: str
    effect: Effect | None = None
    days: int = DAYS


def open_takedown(gateway: Gateway, records: Sequence[str], order: Order) -> list[str]:
    """Puts records on the suppression list from this moment, and returns their entries; the re-decision takes them back.

    Raises NoTakedown if the store never had a record, or its takedown is open already; then none is put there.
    """
    at, deadline = gateway.clock(), add_working_days(gateway.today, order.days).isoformat()
    entries = []
    with writing(gateway.engine) as connection:
        for record in records:
            entry = _entry_of(gateway, connection, record)
            if connection.execute(sa.select(withdrawn.c.since).where(*_open(entry, record))).first():
                raise NoTakedown(f"record {record}: its takedown is open already; see gateway takedown status")
            connection.execute(sa.delete(withdrawn).where(withdrawn.c.entry == entry, withdrawn.c.record == record))
            connection.execute(sa.insert(withdrawn).values(
                entry=entry, record=record, reason=str(order.reason), document=order.document, since=at.isoformat(),
                effect=str(order.effect or ""), deadline=deadline, opened_by=order.opened_by))
            notes = {"entry": entry, "record": record, "reason": str(order.reason), "deadline": deadline, "by": order.opened_by}
            log.append(connection, [Line(Event.TAKEDOWN_OPENED, "", f"store.{entry}", notes=notes)], at)
            entries.append(entry)
    return sorted(set(entries))


def lift(gateway: Gateway, record: str, document: str, by: str) -> str:
    """Takes a record off the suppression list, for an objection that was settled or a decision that was reversed.

    Returns its entry; the re-decision brings it where it may go. Raises NoTakedown.
    """
    at = gateway.clock()
    with writing(gateway.engine) as connection:
        entry = _entry_of(gateway, connection, record)
        done = connection.execute(sa.update(withdrawn).where(*_open(entry, record)).values(lifted_at=at.isoformat(), lifted_on=document))
        if not done.rowcount:
            raise NoTakedown(f"record {record}: no takedown is open")
        # What was marked is brought anew without its mark.
        connection.execute(sa.delete(holdings).where(
            holdings.c.entry == entry, holdings.c.record == record, holdings.c.state == "marked"))
        notes = {"entry": entry, "record": record, "by": by}
        log.append(connection, [Line(Event.TAKEDOWN_LIFTED, "", f"store.{entry}", notes=notes)], at)
    return entry


def status(gateway: Gateway, today: date) -> list[dict[str, Any]]:
    """Every open takedown and recipient: record, entry, reason, document, since, deadline, effect, recipient, state, at, overdue.

    state: "outstanding" (it holds the record, or may hold it), "confirmed" (its receipt came at `at`), "verified" (a public site
    confirmed, and its pages no longer show it), "visible" (it confirmed, and they do).
    """
    with gateway.engine.connect() as connection:
        rows = connection.execute(sa.select(withdrawn).where(withdrawn.c.lifted_at.is_(None)).order_by(withdrawn.c.since)).mappings().all()
    names = ("entry", "record", "reason", "document", "since", "deadline", "effect")
    return [{name: row[name] for name in names} | {"recipient": recipient, "state": state, "at": at,
                "overdue": state in ("outstanding", "visible") and bool(row["deadline"]) and today.isoformat() > row["deadline"]}
            for row in rows for recipient, state, at in _by_recipient(gateway, row["entry"], row["record"])]


def outstanding(gateway: Gateway) -> list[str]:
    """The entries of which some recipient has not confirmed a takedown."""
    return sorted({row["entry"] for row in status(gateway, gateway.today) if row["state"] == "outstanding"})


def clear_times(gateway: Gateway) -> pd.DataFrame:
    """How long recipients took to confirm a takedown, from its opening to the receipt, over those that stand open.

    Columns recipient, records, p50, p95, p99: hours; a percentile is the time of a takedown that was, not one in between.
    """
    rows = [row for row in status(gateway, gateway.today) if row["state"] in ("confirmed", "verified") and row["at"] >= row["since"]]
    found = pd.DataFrame(rows, columns=["recipient", "since", "at"])
    took = (pd.to_datetime(found["at"], format="ISO8601", utc=True) - pd.to_datetime(found["since"], format="ISO8601", utc=True))
    hours = (took.dt.total_seconds() / 3600).groupby(found["recipient"])
    columns = {f"p{n}": hours.quantile(n / 100, interpolation="higher") for n in (50, 95, 99)}
    return pd.DataFrame({"records": hours.size(), **columns}).rename_axis("recipient").reset_index()


def _by_recipient(gateway: Gateway, entry: str, record: str) -> list[tuple[str, str, str]]:
    with gateway.engine.connect() as connection:
        served = connection.execute(sa.select(outbox.c.recipient).where(outbox.c.entry == entry).distinct()).scalars().all()
        return [found for recipient in sorted(served) if (found := _at(gateway, connection, Holder(recipient, entry), record))]


def _at(gateway: Gateway, connection: sa.Connection, holder: Holder, record: str) -> tuple[str, str, str] | None:
    """How one recipient stands to one record; None if it was never given it."""
    key = gateway.keyring.derive("handle", holder.recipient, holder.entry)
    told = history(connection, holder, handles(pd.Series([record], dtype=TEXT), key)[0])
    if told.empty:
        return None
    brought = told[told["effect"] == str(Effect.BRING)]["at"].max()
    # A withdrawal that was asked for once more and brought no receipt does not undo one that was confirmed.
    back = told[(told["effect"] != str(Effect.BRING)) & told["state"].isin(ANSWERED)]["at"].max()
    is_back = isinstance(back, str) and not (isinstance(brought, str) and brought > back)
    state = _read_back(connection, holder, record, str(back)) if is_back else "outstanding"
    return holder.recipient, state, str(back if is_back else told["at"].iloc[-1])


def _read_back(connection: sa.Connection, holder: Holder, record: str, since: str) -> str:
    """What the public pages said since the recipient confirmed."""
    query = sa.select(probes.c.visible).where(probes.c.recipient == holder.recipient, probes.c.entry == holder.entry,
                                              probes.c.record == record, probes.c.at >= since)
    return {None: "confirmed", True: "visible", False: "verified"}[connection.execute(query).scalar_one_or_none()]


def _entry_of(gateway: Gateway, connection: sa.Connection, record: str) -> str:
    try:
        return gateway.store.entry_of(connection, record)
    except KeyError:
        raise NoTakedown(f"record {record}: the store never had it; `gateway record` gives the id of a record from its key") from None


def _open(entry: str, record: str) -> tuple[sa.ColumnElement[bool], ...]:
    return withdrawn.c.entry == entry, withdrawn.c.record == record, withdrawn.c.lifted_at.is_(None)
