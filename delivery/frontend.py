"""Front-end databases 前置机: our columns into the recipient's table in one transaction, then its own flags are awaited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import NoSuchTableError

from delivery.base import TOO_LATE, Asked, Batch, Door, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from delivery.frontend_database import open_database, worded
from delivery.receipts import reason_code
from records.bulk import copy_replace
from records.stages import HANDLE, NOTICE, Receipt

CONTROL = ("handle", "batch", "pushed_at", "effect", "notice", "taken_flag", "taken_at", "failure_reason")
TAKEN, _FAILED = 1, 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_AT_ONCE = 500


def deliver(batch: Batch, door: Door) -> Receipt:
    """Pushes the batch into the table share_<entry> and returns what the recipient's flags say within the deadline.

    A row without a flag by then is left out of the receipt and stays pending. A row that withdraws holds effect and notice
    and no field. A batch that stands there and is taken by now is not pushed again. Raises RecipientContractBreach if the table or
    a column is missing or does not take a value as it is, ReceiptMismatch if a row reads back with another effect,
    RecipientUnavailable if the database cannot be reached or no row has a flag by then.
    """
    engine = open_database(batch, door)
    with worded(batch, door, "not-reached"):
        table = table_of(engine, batch, door, (name for name in batch.payload.columns if name not in (HANDLE, NOTICE)))
        if taken := _all_taken(engine, table, batch):
            return _receipt(taken, batch, door)
    rows = _rows(batch, door)
    if door.checkpoint and "checkpoint" in table.c:
        # once a batch, in its first row: it is the same for all of them
        rows["checkpoint"] = pd.Series([door.checkpoint, *[None] * (len(rows) - 1)], index=rows.index, dtype=rows["batch"].dtype)
    with worded(batch, door, "database-unavailable"):
        with engine.begin() as connection:
            (_copy if engine.dialect.name == "postgresql" else _replace)(connection, table, rows)
        return _await(engine, table, batch, door)


def table_of(engine: Engine, asked: Asked, door: Door, fields: Iterable[str] = ()) -> sa.Table:
    """The table share_<entry>. Raises RecipientContractBreach if it is not there, or lacks a column of CONTROL or of `fields`."""
    name = f"share_{door.entry_code}"
    try:
        table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    except NoSuchTableError:
        raise RecipientContractBreach("no-table", f"{door.names(asked)}: its database has no table {name}; the recipient "
                                                  "makes it, see docs/connections.md") from None
    # Wanted in every table: nothing is brought to a place that it could not be taken back from.
    missing = [column for column in (*CONTROL, *fields) if column not in table.c]
    if missing:
        raise RecipientContractBreach("no-column", f"{door.names(asked)}: table {table.name} lacks {', '.join(missing)}; the "
                                                   "recipient adds them as text columns")
    return table


def _rows(batch: Batch, door: Door) -> pd.DataFrame:
    """Our columns of the table, text or NA; a column that is not among them becomes NULL, so a withdrawal empties the fields."""
    named = batch.payload.rename(columns={HANDLE: "handle", NOTICE: "notice"})
    return named.assign(batch=batch.id, pushed_at=door.clock().isoformat(), **batch.says())


def _replace(connection: Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    """Any database: the handles' old rows go, the new ones come, in one transaction."""
    handles = rows["handle"].to_list()
    for start in range(0, len(handles), _AT_ONCE):
        connection.execute(sa.delete(table).where(table.c.handle.in_(handles[start : start + _AT_ONCE])))
    plain = rows.astype(object).where(rows.notna(), None)
    connection.execute(sa.insert(table), plain.to_dict("records"))  # type: ignore[arg-type]


def _copy(connection: Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    """PostgreSQL: what the recipient said of an earlier version of a row is taken back with it."""
    copy_replace(connection, table, rows, ["handle"])


def _await(engine: Engine, table: sa.Table, batch: Batch, door: Door) -> Receipt:
    until, pause = door.monotonic() + door.recipient.deadline, _FIRST_PAUSE
    while True:
        flags = _all_taken(engine, table, batch) or _flags(engine, table, batch, door)
        if all(flag is not None for _, flag, _ in flags) or door.monotonic() >= until:
            if all(flag is None for _, flag, _ in flags):
                raise RecipientUnavailable(TOO_LATE, f"{door.names(batch)}: its table has no flag for any row within "
                                                     f"{door.recipient.deadline} s; {batch.later}")
            return _receipt(flags, batch, door)
        door.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _all_taken(engine: Engine, table: sa.Table, batch: Batch) -> Sequence[Any]:
    """The same as `_flags` where every row of the batch is there and taken, which one count can tell; else nothing."""
    taken = sa.select(sa.func.count()).where(table.c.batch == batch.id, _as_pushed(table, batch), table.c.taken_flag == TAKEN)
    with engine.connect() as connection:
        if connection.execute(taken).scalar_one() != len(batch.payload):
            return []
    return [(handle, TAKEN, None) for handle in batch.payload[HANDLE].to_list()]


def _as_pushed(table: sa.Table, batch: Batch) -> sa.ColumnElement[bool]:
    """A flag is an answer to the effect that stands beside it in the row."""
    return table.c.effect.is_not_distinct_from(batch.says().get("effect"))


def _flags(engine: Engine, table: sa.Table, batch: Batch, door: Door) -> Sequence[Any]:
    """(handle, flag, reason) of the batch as the recipient's database tells it, read back after the commit."""
    mine = table.c.batch == batch.id
    query = sa.select(table.c.handle, table.c.taken_flag, table.c.failure_reason).where(mine, _as_pushed(table, batch))
    others = sa.select(sa.func.count()).where(mine, sa.not_(_as_pushed(table, batch)))
    with engine.connect() as connection:
        if connection.execute(others).scalar_one():
            raise ReceiptMismatch("another-effect", f"{door.names(batch)}: rows of its table read back with another effect than was "
                                                    "pushed; they stay pending; ask the recipient what writes into its table")
        return connection.execute(query.order_by(table.c.handle)).all()


def _receipt(flags: Sequence[Any], batch: Batch, door: Door) -> Receipt:
    sent = set(batch.payload[HANDLE].to_list())
    read_back = [(handle, flag, reason) for handle, flag, reason in flags if handle in sent]
    lines = "".join(f"{handle}|{flag}|{batch.effect}\n" for handle, flag, _ in read_back)
    accepted = tuple(handle for handle, flag, _ in read_back if flag == TAKEN)
    refused = {handle: reason_code(reason) for handle, flag, reason in read_back if flag == _FAILED}
    return Receipt(door.recipient_code, batch.id, accepted, refused, hashlib.sha256(lines.encode()).hexdigest(), "", door.clock())
