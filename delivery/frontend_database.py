"""A recipient's database as it must be opened: nothing waits in it for ever, and nothing is cut or altered to make it fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from delivery.base import Asked, Door, RecipientContractBreach, RecipientUnavailable
from records.silence import hang_up_after

_CONNECT_SECONDS = 5


def open_database(asked: Asked, door: Door) -> Engine:
    """An engine without a pool; a statement that has no answer by the recipient's deadline fails.

    Else a table that the recipient has locked would hold a takedown as well. MariaDB and MySQL are made strict: by many a
    setting they would cut a text that is too long, or write `?` for a rare character, and say nothing. Raises
    RecipientContractBreach if the connection has no usable address.
    """
    try:
        return _engine(sa.make_url(door.connection.url), door.recipient.deadline)
    except (ArgumentError, ModuleNotFoundError):
        raise RecipientContractBreach("no-address", f"{door.names(asked)}: connection {door.connection.name} has no usable database "
                                                    "address; correct it, see docs/connections.md") from None


@contextmanager
def worded(asked: Asked, door: Door, reason: str) -> Iterator[None]:
    """What the database says is worded anew, since databases quote the row they refuse (I8).

    Raises RecipientContractBreach if it does not take a value as it is, RecipientUnavailable with this reason for all else.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        # COPY's errors come bare from the driver.
        kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        if isinstance(error, DataError | psycopg.DataError):
            raise RecipientContractBreach("value-refused", f"{door.names(asked)}: its table does not take a value as it is ({kind}); the "
                                                           "recipient makes its columns text of any length in Unicode, see "
                                                           "docs/connections.md") from None
        raise RecipientUnavailable(reason, f"{door.names(asked)}: its database answered with {kind}; {asked.later}") from None


def _engine(url: sa.URL, deadline: int) -> Engine:
    match url.get_backend_name():
        case "postgresql":
            engine = _plain(url.set(drivername="postgresql+psycopg"), connect_timeout=_CONNECT_SECONDS)
            hang_up_after(engine, 2 * deadline)
            return _saying_first(engine, f"SET statement_timeout = {deadline * 1000}")
        case "mysql" | "mariadb" as name:
            utf8 = url.set(drivername=f"{name}+pymysql").update_query_dict({"charset": "utf8mb4"})
            engine = _plain(utf8, connect_timeout=_CONNECT_SECONDS, read_timeout=deadline, write_timeout=deadline)
            return _saying_first(engine, "SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
    return _plain(url)


def _plain(url: sa.URL, **reach: int) -> Engine:
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=reach)


def _saying_first(engine: Engine, first: str) -> Engine:
    @sa.event.listens_for(engine, "connect")
    def _say(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(first)
        # PostgreSQL takes a setting back with the transaction that made it.
        connection.commit()

    return engine
