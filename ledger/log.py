"""The append-only log: every line carries the hash of the one before, so that a changed or lost line shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ledger.events import Event, Line, prove_balance
from records.schema import ledger_head, lines

GENESIS = "0" * 64


class LedgerBroken(Exception):
    """The ledger does not verify: a line was changed, removed or inserted. Stop deliveries and call compliance."""


def append(connection: Connection, entries: list[Line], at: datetime) -> None:
    """Appends lines inside the caller's transaction, so that they stand or fall with what they tell.

    Raises Imbalance, and nothing is written, if a balance line does not add up.
    """
    for line in entries:
        prove_balance(line)
    # Taking the head first makes writers queue: one order of lines on every database.
    taken = connection.execute(sa.update(ledger_head).values(seq=ledger_head.c.seq).where(ledger_head.c.one == 1))
    if taken.rowcount != 1:
        raise LedgerBroken("ledger has no head; restore the state database, then run `gateway ledger verify`")
    head = connection.execute(sa.select(ledger_head)).mappings().one()
    rows = list(_chained(entries, at.astimezone(UTC).isoformat(timespec="milliseconds"), head["seq"], head["hash"]))
    if rows:
        connection.execute(sa.insert(lines), rows)
        connection.execute(sa.update(ledger_head).values(seq=rows[-1]["seq"], hash=rows[-1]["hash"]))


def _chained(entries: list[Line], at: str, seq: int, previous: str) -> Iterator[dict[str, str | int]]:
    for line in entries:
        seq += 1
        row: dict[str, str | int] = {
            "seq": seq, "at": at, "event": str(line.event), "run": line.run, "feed": line.feed,
            "recipient": line.recipient, "body": line.body(), "previous": previous}
        row["hash"] = previous = line_hash(row)
        yield row


def line_hash(row: dict[str, str | int]) -> str:
    """SHA-256 over all columns of a line but its own hash, each with its length in front."""
    parts = [str(row[name]) for name in ("seq", "at", "event", "run", "feed", "recipient", "body", "previous")]
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def told(engine: Engine, chosen: list[Event]) -> list[tuple[str, str, dict[str, Any]]]:
    """The lines of some events, the oldest first: at, event, notes."""
    query = sa.select(lines.c.at, lines.c.event, lines.c.body).where(lines.c.event.in_([str(event) for event in chosen]))
    with engine.connect() as connection:
        return [(row[0], row[1], json.loads(row[2])["notes"]) for row in connection.execute(query.order_by(lines.c.seq))]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found: how many lines, the head's hash, and the runs that were opened and never closed."""

    lines: int
    head: str
    open_runs: tuple[str, ...]
    balances: int


def verify(engine: Engine) -> Verified:
    """Reads the whole ledger, follows the chain and adds up every balance again.

    Raises LedgerBroken naming the first line that does not fit. A ledger cut short together with its head cannot be
    told from a shorter one by its own database; compare the head with one noted elsewhere.
    """
    previous, count, balances = GENESIS, 0, 0
    open_runs: dict[str, None] = {}
    with engine.connect() as connection:
        for row in connection.execute(sa.select(lines).order_by(lines.c.seq)).mappings():
            count += 1
            if row["seq"] != count or row["previous"] != previous or line_hash(dict(row)) != row["hash"]:
                raise LedgerBroken(f"ledger line {row['seq']}: does not follow from the line before it")
            previous = row["hash"]
            balances += _account(dict(row), open_runs)
        head = connection.execute(sa.select(ledger_head)).mappings().one()
    if (head["seq"], head["hash"]) != (count, previous):
        raise LedgerBroken(f"ledger ends at line {count}, but its head names another line: lines are missing at the end")
    return Verified(count, previous, tuple(open_runs), balances)


def _account(row: dict[str, str], open_runs: dict[str, None]) -> int:
    event = Event(row["event"])
    if event is Event.RUN_OPENED:
        open_runs[row["run"]] = None
    elif event is Event.RUN_CLOSED:
        open_runs.pop(row["run"], None)
    figures = json.loads(row["body"])["figures"]
    prove_balance(Line(event, row["run"], row["feed"], row["recipient"], figures))
    return event in (Event.SOURCE_BALANCED, Event.RECIPIENT_BALANCED)


Clock = Callable[[], datetime]


def now() -> datetime:
    """The wall clock in UTC; rooms take a Clock so that tests can set it."""
    return datetime.now(UTC)
