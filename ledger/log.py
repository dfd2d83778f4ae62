"""The append-only log: its lines are the leaves of one Merkle tree, so that a changed, lost or inserted line shows (RFC 6962)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ledger.events import Event, Line, prove_balance
from ledger.leaf import body_of, canonical, commitment, is_commitment, leaf_of, opened
from ledger.tree import Frontier, leaf_hash
from records.database import reading
from records.schema import ledger_head, lines, openings

_RESTORE = "请恢复状态数据库，再运行 gateway ledger verify。", "restore the state database, then run gateway ledger verify"


class LedgerBroken(Exception):
    """The ledger does not verify: a line was changed, removed or inserted. Stop deliveries and call compliance.

    `about` names the place, `zh` and `en` say what is wrong with it and what to do.
    """

    def __init__(self, about: str, zh: str, en: str) -> None:
        super().__init__(f"{about}: {zh} {en}")


def append(connection: Connection, entries: list[Line], at: datetime) -> int:
    """Appends lines inside the caller's transaction, so that they stand or fall with what they tell; returns the number of the last.

    Raises Imbalance, and nothing is written, if a balance line does not add up.
    """
    for line in entries:
        prove_balance(line)
    queue(connection)
    frontier, rows, said = head(connection), [], []
    when = at.astimezone(UTC).isoformat(timespec="milliseconds")
    for line in entries:
        body, opening = body_of(line, frontier.size + 1)
        row = {"seq": frontier.size + 1, "at": when, "event": str(line.event), "run": line.run, "feed": line.feed,
               "recipient": line.recipient, "body": body}
        leaf = leaf_hash(leaf_of(row))
        frontier = frontier.grown(leaf)
        rows.append(row | {"hash": leaf.hex()})
        said += opening
    _write(connection, frontier, rows, said)
    return frontier.size


def queue(connection: Connection) -> None:
    """Waits until no other transaction is writing to the ledger, and holds off others until the caller's ends: what it reads
    after this was committed, and nothing slips in beside it. Raises LedgerBroken if the ledger has no head."""
    # Taking the head makes writers queue: one order of lines on every database.
    taken = connection.execute(sa.update(ledger_head).values(seq=ledger_head.c.seq).where(ledger_head.c.one == 1))
    if taken.rowcount != 1:
        raise LedgerBroken("ledger", f"没有末端记录；{_RESTORE[0]}", f"it has no head; {_RESTORE[1]}")


def _write(connection: Connection, frontier: Frontier, rows: list[dict[str, Any]], said: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(lines), rows)
        roots = " ".join(root.hex() for root in frontier.roots)
        connection.execute(sa.update(ledger_head).values(seq=frontier.size, frontier=roots))
    if said:
        connection.execute(sa.insert(openings), said)


def head(connection: Connection) -> Frontier:
    """The tree as its head tells it. Raises LedgerBroken if the head makes no tree."""
    row = connection.execute(sa.select(ledger_head)).mappings().one()
    try:
        return Frontier(row["seq"], tuple(bytes.fromhex(root) for root in row["frontier"].split()))
    except ValueError:
        raise LedgerBroken("ledger", f"末端记录不成树；{_RESTORE[0]}", f"its head makes no tree; {_RESTORE[1]}") from None


def origin(connection: Connection) -> str:
    """The name of this ledger, which no other has; it stands in every checkpoint."""
    return str(connection.execute(sa.select(ledger_head.c.origin)).scalar_one())


@dataclass(frozen=True, slots=True)
class Told:
    """A line as it reads: figures, and notes with what their commitments stand for ("(erased)" where that was destroyed)."""

    seq: int
    at: str
    event: Event
    run: str
    feed: str
    recipient: str
    figures: dict[str, int]
    notes: dict[str, Any]


def read(connection: Connection, *where: sa.ColumnElement[bool]) -> Iterator[Told]:
    """The lines that fit, the oldest first."""
    found = connection.execute(sa.select(lines).where(*where).order_by(lines.c.seq)).mappings().all()
    known: dict[int, dict[str, str]] = {}
    query = sa.select(openings.c.seq, openings.c.name, openings.c.value).join(lines, lines.c.seq == openings.c.seq).where(*where)
    for seq, name, value in connection.execute(query):
        known.setdefault(seq, {})[name] = value
    for row in found:
        body = json.loads(row["body"])
        yield Told(row["seq"], row["at"], Event(row["event"]), row["run"], row["feed"], row["recipient"], body["figures"],
                   opened(body["notes"], known.get(row["seq"], {})))


def told(engine: Engine, chosen: list[Event]) -> list[tuple[str, str, dict[str, Any]]]:
    """The lines of some events, the oldest first: at, event, notes."""
    with engine.connect() as connection:
        return [(line.at, str(line.event), line.notes) for line in read(connection, lines.c.event.in_([str(event) for event in chosen]))]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found: how many lines, the tree's root in hexadecimal, and the runs that were opened and never closed."""

    lines: int
    root: str
    open_runs: tuple[str, ...]
    balances: int


def verify(engine: Engine) -> Verified:
    """Reads the whole ledger, builds its tree anew, opens every commitment and adds up every balance again.

    Raises LedgerBroken naming the first line that does not fit. A ledger cut short together with its head cannot be told
    from a shorter one by its own database: its checkpoints are compared by `checkpoints.expect_all`, those of others by the auditor.
    """
    tree, balances = Frontier(), 0
    open_runs: dict[str, None] = {}
    with reading(engine) as connection:
        for row in connection.execute(sa.select(lines).order_by(lines.c.seq)).mappings():
            tree = tree.grown(_expected(dict(row), tree.size + 1))
            balances += _account(dict(row), open_runs)
        _expect_openings(connection)
        if head(connection) != tree:
            raise LedgerBroken(f"ledger, line {tree.size}", "总账止于此行，而末端记录所记的树与此不同：末尾有行缺失。",
                               "it ends here, but its head names another tree: lines are missing at the end")
    return Verified(tree.size, tree.root.hex(), tuple(open_runs), balances)


def _expected(row: dict[str, Any], seq: int) -> bytes:
    """The leaf hash of a line that is in its place and hashes to what it says."""
    try:
        leaf = leaf_hash(leaf_of(row))
        is_sound = row["seq"] == seq and leaf.hex() == row["hash"] and row["body"] == canonical(json.loads(row["body"]))
    except (ValueError, TypeError):  # a body that is no JSON, or no object
        is_sound = False
    if not is_sound:
        raise LedgerBroken(f"ledger line {row['seq']}", "不是当初写入的行，或者其前有行缺失。",
                           "it is not the line that was written, or a line is missing before it")
    return leaf


def _expect_openings(connection: Connection) -> None:
    """Returns if every opening that is left opens the commitment it belongs to."""
    query = sa.select(openings, lines.c.body).outerjoin(lines, lines.c.seq == openings.c.seq).order_by(openings.c.seq)
    for row in connection.execute(query).mappings():
        try:
            said = json.loads(row["body"] or "{}").get("notes", {}).get(row["name"])
            found = commitment(bytes.fromhex(row["salt"]), row["seq"], row["name"], json.loads(row["value"]))
        except ValueError:
            said = found = ""
        if not is_commitment(said) or not hmac.compare_digest(said["commitment"], found):
            raise LedgerBroken(f"ledger line {row['seq']}, {row['name']}", "与该行的承诺值不符。", "it is not what the line committed to")


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
