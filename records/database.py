"""The state database: one seam for SQLite (embedded) and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from records.schema import METADATA


def connect(url: str) -> Engine:
    """An engine on the state database. SQLite waits for a lock up to 60 s and survives a crash (WAL, full sync)."""
    # As many connections as there are lanes of recipients; one that waits for another's would never be served. A database in memory
    # has the one connection that it lives in.
    lanes: dict[str, Any] = {} if sa.make_url(url).database in (None, ":memory:") else {"max_overflow": -1}
    engine = sa.create_engine(url, hide_parameters=True, **lanes, **_kept_alive(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _kept_alive(url: str) -> dict[str, Any]:
    """What keeps a connection of PostgreSQL's open while it is idle: the one that holds a lock is, for as long as a first load takes,
    and a firewall that cut it would let a second process to the same recipient."""
    kept = {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}
    return {"connect_args": kept} if sa.make_url(url).get_backend_name() == "postgresql" else {}


def _tune_sqlite(raw: Any, _: Any) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves; the driver's own rule leaves gaps between statements
    for pragma in ("busy_timeout=60000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader fails at once when another writes; asking for the lock first waits instead.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is kept, or none. Does what was left for the moment before its commit, or after it."""
    before: list[Callable[[], None]] = []
    after: list[Callable[[], None]] = []
    with engine.execution_options(writing=True, before=before, after=after).begin() as connection:
        yield connection
        for act in before:
            act()
    for act in after:
        act()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads the database as it stood at one moment, however many questions it asks beside writers."""
    # SQLite does so by itself; PostgreSQL would answer each question as of another moment.
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.execution_options(**options).connect() as connection:
        yield connection


def before_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Leaves something to do in the transaction of `writing`, as the last thing before it commits, if it does."""
    connection.get_execution_options()["before"].append(act)


def after_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Leaves something to do once the transaction of `writing` is committed."""
    connection.get_execution_options()["after"].append(act)


def leave_no_trace(connection: Connection) -> None:
    """Once the transaction of `writing` is committed, nothing of what it destroyed is left in SQLite's files.

    Where somebody reads for longer than a minute meanwhile, it is left in the log until that is written over. PostgreSQL keeps dead
    rows until it is vacuumed, and its archived log for as long as that is kept.
    """
    if connection.dialect.name == "sqlite":
        after_commit(connection, partial(_truncate_log, connection.engine))


def _truncate_log(engine: Engine) -> None:
    # The log holds pages as they were written, also those that were overwritten in the database since.
    with closing(engine.raw_connection()) as raw:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def lacking(engine: Engine) -> list[str]:
    """The tables that a state database does not have, and `table.column` of the others; makes no file where there is none."""
    place = engine.url.database if engine.dialect.name == "sqlite" else None
    if place and place != ":memory:" and not Path(place).is_file():
        return sorted(METADATA.tables)
    found = sa.inspect(engine).get_multi_columns(filter_names=list(METADATA.tables))
    known = {name: {column["name"] for column in columns} for (_, name), columns in found.items()}
    without = [f"{name}.{column.name}" for name, table in METADATA.tables.items() for column in table.c
               if name in known and column.name not in known[name]]
    return sorted(set(METADATA.tables) - set(known)) + sorted(without)


def migrate(url: str) -> None:
    """Brings the state database to the newest schema; does nothing if it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, "head")
