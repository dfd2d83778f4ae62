"""What each recipient is asked to take back and whether it has: one row a recipient and handle, until the record goes out again
or its takedown is forgotten (D40, D41)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ledger.holdings import TEXT, Holder
from records.schema import holdings, withdrawals, withdrawn
from records.stages import HANDLE, NOTICE, RECORD

EFFECT = "effect"
_AT_ONCE = 5_000


class State(StrEnum):
    """How a recipient stands to a record that it is asked to take back."""

    OUTSTANDING = "outstanding"  # it holds the record, or may hold it
    CONFIRMED = "confirmed"  # a valid receipt said that it was taken back
    VERIFIED = "verified"  # and its public pages, read since, no longer show it
    VISIBLE = "visible"  # it confirmed, and its public pages still show it


def ask(connection: Connection, holder: Holder, rows: pd.DataFrame, terms: tuple[datetime, str]) -> None:
    """Notes what a recipient is to take back from now on; what it was asked for already with the same effect and has not
    confirmed keeps its time and deadline.

    rows: RECORD, HANDLE, NOTICE, EFFECT. terms: from when, and by which day (ISO date) it must have confirmed.
    """
    at, deadline = terms
    named = rows[[RECORD, HANDLE, NOTICE, EFFECT]].set_axis(["record", "handle", "notice", "effect"], axis=1)
    common = {"recipient": holder.recipient, "entry": holder.entry, "since": at.isoformat(), "deadline": deadline,
              "state": str(State.OUTSTANDING)}
    values: list[dict[str, Any]] = named.assign(**common).to_dict("records")  # type: ignore[assignment]
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(withdrawals)
    is_asked = sa.and_(withdrawals.c.state == State.OUTSTANDING, withdrawals.c.effect == insert.excluded.effect)
    kept = {name: sa.case((is_asked, withdrawals.c[name]), else_=insert.excluded[name]) for name in ("since", "deadline")}
    fresh = {name: sa.case((is_asked, withdrawals.c[name]), else_=sa.null()) for name in ("confirmed_at", "probed_at", "escalated_at")}
    told = {name: insert.excluded[name] for name in ("record", "notice", "effect", "state")}
    tries = sa.case((is_asked, withdrawals.c.tries), else_=0)
    change = insert.on_conflict_do_update(index_elements=["recipient", "entry", "handle"], set_=kept | fresh | told | {"tries": tries})
    for start in range(0, len(values), _AT_ONCE):
        connection.execute(change, values[start : start + _AT_ONCE])


def outstanding(connection: Connection, holder: Holder, only_fresh: bool = False) -> pd.DataFrame:
    """What a recipient has not confirmed to have taken back: RECORD, HANDLE, NOTICE, EFFECT, in the order of HANDLE.

    only_fresh: those that it was not asked for yet.
    """
    query = sa.select(withdrawals.c.record, withdrawals.c.handle, withdrawals.c.notice, withdrawals.c.effect).where(
        *_of(holder), withdrawals.c.state == State.OUTSTANDING).order_by(withdrawals.c.handle)
    rows = connection.execute(query.where(withdrawals.c.tries == 0) if only_fresh else query).all()
    return pd.DataFrame(list(map(tuple, rows)), columns=[RECORD, HANDLE, NOTICE, EFFECT], dtype=TEXT)


def unread(connection: Connection, recipient: str, at_most: int) -> list[dict[str, Any]]:
    """What a public site confirmed and its pages were not seen without since: entry, record, handle; what somebody ordered before
    what the day or the catalogue ended, the oldest first."""
    is_ordered = sa.exists().where(withdrawn.c.entry == withdrawals.c.entry, withdrawn.c.record == withdrawals.c.record,
                                   withdrawn.c.lifted_at.is_(None))
    query = sa.select(withdrawals.c.entry, withdrawals.c.record, withdrawals.c.handle).where(
        withdrawals.c.recipient == recipient, withdrawals.c.state.in_([State.CONFIRMED, State.VISIBLE]), withdrawals.c.effect != "mark")
    rows = connection.execute(query.order_by(sa.case((is_ordered, 0), else_=1), withdrawals.c.since, withdrawals.c.handle).limit(at_most))
    return [dict(row) for row in rows.mappings()]


def recipients(connection: Connection, entry: str) -> list[str]:
    """Who has not confirmed a withdrawal of an entry, in a fixed order."""
    query = sa.select(withdrawals.c.recipient).where(withdrawals.c.entry == entry, withdrawals.c.state == State.OUTSTANDING)
    return sorted(connection.execute(query.distinct()).scalars())


def entries(connection: Connection) -> list[str]:
    """The entries of which somebody has not confirmed a withdrawal, in a fixed order."""
    return sorted(connection.execute(sa.select(withdrawals.c.entry).where(withdrawals.c.state == State.OUTSTANDING).distinct()).scalars())


def tried(connection: Connection, holder: Holder, handles: pd.Series) -> None:
    """Notes that a recipient is being asked."""
    change = sa.update(withdrawals).where(*_of(holder), withdrawals.c.handle == sa.bindparam("this")).values(tries=withdrawals.c.tries + 1)
    _each(connection, change, handles)


def confirm(connection: Connection, holder: Holder, handles: pd.Series, told: tuple[str, datetime]) -> None:
    """Notes that a valid receipt says with which effect these were taken back, and when. Where another effect is wanted by now that
    stays outstanding: the receipt answers what was asked before the order changed (I6)."""
    effect, at = told
    this = (*_of(holder), withdrawals.c.handle == sa.bindparam("this"), withdrawals.c.effect == effect)
    change = sa.update(withdrawals).where(*this).values(state=str(State.CONFIRMED), confirmed_at=at.isoformat(), probed_at=None)
    _each(connection, change, handles)


def brought(connection: Connection, holder: Holder, handles: pd.Series) -> None:
    """Forgets the withdrawals of records that a recipient was brought again, but for those that stand on the suppression list:
    what slipped out beside a takedown is still to be taken back (I6)."""
    if connection.execute(sa.select(withdrawals.c.handle).where(*_of(holder)).limit(1)).first() is None:
        return
    listed = sa.select(withdrawn.c.record).where(withdrawn.c.entry == holder.entry, withdrawn.c.lifted_at.is_(None))
    this = (*_of(holder), withdrawals.c.handle == sa.bindparam("this"))
    _each(connection, sa.update(withdrawals).where(*this, withdrawals.c.record.in_(listed)).values(
        state=str(State.OUTSTANDING), confirmed_at=None), handles)
    _each(connection, sa.delete(withdrawals).where(*this, withdrawals.c.record.not_in(listed)), handles)


def probed(connection: Connection, holder: Holder, handle: str, told: tuple[bool, datetime]) -> None:
    """Notes whether a public site that confirmed still shows a record, and when that was seen."""
    visible, at = told
    connection.execute(sa.update(withdrawals).where(
        *_of(holder), withdrawals.c.handle == handle, withdrawals.c.state.in_([State.CONFIRMED, State.VISIBLE, State.VERIFIED])
    ).values(state=str(State.VISIBLE if visible else State.VERIFIED), probed_at=at.isoformat()))


def forget(connection: Connection, entry: str, records: Sequence[str]) -> None:
    """Forgets what was asked for records whose takedown was lifted.

    Who was asked and has not answered may have obeyed all the same: what is held there is not known, and it is brought anew.
    """
    asked = sa.exists().where(withdrawals.c.recipient == holdings.c.recipient, withdrawals.c.entry == holdings.c.entry,
                              withdrawals.c.record == holdings.c.record, withdrawals.c.state == State.OUTSTANDING, withdrawals.c.tries > 0)
    connection.execute(sa.update(holdings).where(
        holdings.c.entry == entry, holdings.c.record.in_(records), holdings.c.state == "held", asked).values(digest=""))
    connection.execute(sa.delete(withdrawals).where(withdrawals.c.entry == entry, withdrawals.c.record.in_(records)))


def _each(connection: Connection, change: Any, handles: pd.Series) -> None:
    values = [{"this": handle} for handle in handles]
    if values:
        connection.execute(change, values)


def _of(holder: Holder) -> tuple[sa.ColumnElement[bool], ...]:
    return withdrawals.c.recipient == holder.recipient, withdrawals.c.entry == holder.entry
