"""Databases of others that are alive and say nothing."""

from __future__ import annotations

import os
import socket
from threading import Timer
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Engine


def hang_up_after(engine: Engine, seconds: float) -> None:
    """Ends each connection of an engine of psycopg's after so long; what still waits on it fails as if the other side had hung up.

    The server's own timeout is no help against a server that is stopped or cut off, and libpq waits for it without end.
    """

    @sa.event.listens_for(engine, "connect", insert=True)  # before the dialect asks its first question
    def _begin(connection: psycopg.Connection, record: Any) -> None:
        record.info["watch"] = watch = Timer(seconds, _hang_up, [connection])
        watch.daemon = True
        watch.start()

    @sa.event.listens_for(engine, "close")
    def _end(_connection: object, record: Any) -> None:
        record.info["watch"].cancel()


def _hang_up(connection: psycopg.Connection) -> None:
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
