"""A breaker for each recipient 熔断: who was unavailable too often is not asked again before a set time, then by one trial.

    closed ── TRIES faults in a row, or "ask me later" ──▶ open ── its time has come, or something must be taken back ──▶ half-open
      ▲                                                     ▲                                                               │
      └──────────────── an answer of any kind ──────────────┼────────────── the trial fails: twice as long ────────────────┘

What is to be taken back may always try. Every record stays owed; each change of state is a line on the ledger. The same row keeps
the pace of a recipient that wants so many batches a minute at most, over all processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from delivery.base import RecipientUnavailable
from ledger import log
from ledger.events import Event, Line
from records.schema import doors

# More batches than these never wait for one recipient: a turn further off was given by a clock that went back since.
_MOST_WAITING = 100
TRIES, FIRST_PAUSE, LONGEST_PAUSE = 3, timedelta(minutes=1), timedelta(hours=1)


class DoorState(StrEnum):
    """Closed as a circuit is: closed lets everything through, open lets nothing through, half-open one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Shut:
    """Why and until when (ISO time) a recipient is not asked, after how many faults in a row."""

    until: str
    reason: str
    failures: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants to go to a recipient: whether to take something back, how long a trial may last before another may try, and how many
    batches a minute the recipient wants at most (None: any)."""

    recipient: str
    takes_back: bool = False
    lease: timedelta = FIRST_PAUSE
    rate: int | None = None


def is_closed(connection: Connection, recipient: str) -> bool:
    """Whether nothing is known against a recipient, not even one fault; asked first, since it takes no lock."""
    row = connection.execute(sa.select(doors.c.state, doors.c.failures).where(doors.c.recipient == recipient)).one_or_none()
    return row is None or (row.state == DoorState.CLOSED and not row.failures)


def admit(connection: Connection, caller: Caller, at: datetime) -> Shut | None:
    """None if the caller may go now, as the trial if the door is not closed; else why not and until when."""
    row = _row(connection, caller.recipient)
    if row["state"] == DoorState.CLOSED:
        return None
    # A pause longer than any that is made: the clock was set back since, and nobody waits for it to catch up.
    longest = at + max(LONGEST_PAUSE, caller.lease)
    if not caller.takes_back and at.isoformat() < row["next_try_at"] <= longest.isoformat():
        return Shut(row["next_try_at"], row["reason"], row["failures"])
    # Should the trial be killed, the next may try when its time is over.
    _change(connection, row, at, state=DoorState.HALF_OPEN, next_try_at=(at + caller.lease).isoformat())
    return None


def unavailable(connection: Connection, recipient: str, error: RecipientUnavailable, at: datetime) -> None:
    """Counts a fault, and opens the door after TRIES in a row, after a trial that failed, or if the recipient wants a pause."""
    row = _row(connection, recipient)
    failures = row["failures"] + 1
    if failures < TRIES and row["state"] == DoorState.CLOSED and not error.retry_after:
        _change(connection, row, at, failures=failures, reason=error.reason)
        return
    pause = FIRST_PAUSE * 2 ** min(max(failures - TRIES, 0), 10)
    until = at + min(max(pause, timedelta(seconds=min(error.retry_after or 0, 86_400))), LONGEST_PAUSE)
    opened = {} if row["opened_at"] else {"opened_at": at.isoformat()}
    _change(connection, row, at, state=DoorState.OPEN, failures=failures, reason=error.reason, next_try_at=until.isoformat(), **opened)


def answered(connection: Connection, recipient: str, at: datetime) -> None:
    """Closes the door: the recipient is there, whatever it answered, or a person says so."""
    row = _row(connection, recipient)
    _change(connection, row, at, state=DoorState.CLOSED, failures=0, reason="", opened_at="", next_try_at="")


def turn(connection: Connection, caller: Caller, at: datetime) -> float:
    """The seconds until this batch may go by the recipient's rate; 0 if it may go now.

    What takes back has its turn kept, and goes after the wait; what brings asks again after it, so that it never goes before.
    """
    if caller.rate is None:
        return 0.0
    row, apart = _row(connection, caller.recipient), timedelta(seconds=60 / caller.rate)
    free = datetime.fromisoformat(row["next_slot_at"]) if row["next_slot_at"] else at
    free = min(free, at + _MOST_WAITING * apart)
    wait = max(0.0, (free - at).total_seconds())
    if caller.takes_back or not wait:
        _write(connection, caller.recipient, next_slot_at=(max(free, at) + apart).isoformat())
    return wait


def _row(connection: Connection, recipient: str) -> dict[str, Any]:
    """The row of a recipient, made if there is none, and kept from other writers until the transaction ends."""
    known = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = {"recipient": recipient, "state": DoorState.CLOSED, "failures": 0} | dict.fromkeys(
        ("opened_at", "next_try_at", "reason", "next_slot_at"), "")
    insert: Any = known.insert(doors).values(new)
    connection.execute(insert.on_conflict_do_nothing())
    query = sa.select(doors).where(doors.c.recipient == recipient).with_for_update()
    return dict(connection.execute(query).mappings().one())


def _change(connection: Connection, row: dict[str, Any], at: datetime, **values: Any) -> None:
    _write(connection, row["recipient"], **values)
    new = row | values
    if new["state"] != row["state"]:
        notes = {"state": str(new["state"]), "from": str(row["state"]), "reason": new["reason"] or row["reason"]}
        log.append(connection, [Line(Event.DOOR_CHANGED, "", "", row["recipient"], {"failures": new["failures"]}, notes)], at)


def _write(connection: Connection, recipient: str, **values: Any) -> None:
    connection.execute(sa.update(doors).where(doors.c.recipient == recipient).values(values))
