"""The fast way out of PostgreSQL: COPY of the same SELECT, read by Arrow."""

from __future__ import annotations

import hashlib
import io

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv as arrow_csv
from sqlalchemy.pool import NullPool

from connectors.base import Partition
from connectors.delimited import text_only
from connectors.header import Header
from connectors.rows import Received, lines_of
from connectors.table import CONNECT_SECONDS, HERE, Table, select
from records.silence import hang_up_after

FAULTS = (psycopg.Error,)
# SQLSTATE class 28 is a refused account, 42501 a missing privilege.
REFUSED = ("28", "42501")
_BLOCK = 64 << 20
# A partition that takes longer does not come to an end.
_LONGEST_SECONDS = 3600


def open_for_reading(url: sa.URL) -> sa.Engine:
    """Connections that can write nothing, see the table as of one moment, and last an hour at most."""
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"), poolclass=NullPool, isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True}, connect_args={"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8"})
    hang_up_after(engine, _LONGEST_SECONDS)
    return engine


def copy(connection: sa.Connection, table: Table, header: Header, partition: Partition) -> tuple[Received, str]:
    """The rows of a partition and sha256 over them as the database wrote them.

    Times come as local time in ISO form. Raises psycopg.Error; ArrowInvalid if the database holds text that is not UTF-8.
    """
    connection.exec_driver_sql(f"SET LOCAL timezone = '{HERE.key}'")
    connection.exec_driver_sql("SET LOCAL datestyle = 'ISO'")
    compiled = select(table, header, partition).compile(dialect=connection.dialect)
    # Without values psycopg takes the text as it is, so the doubled percent signs of names are made single here.
    question = str(compiled) if compiled.params else str(compiled) % ()
    statement = f"COPY ({question}) TO STDOUT (FORMAT csv)".encode()
    written, digest = io.BytesIO(), hashlib.sha256()
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the PostgreSQL driver must be psycopg")
    # The values are bound: psycopg quotes them by the rules of the server, COPY takes none over the wire.
    with driver.cursor() as cursor, cursor.copy(statement, compiled.params) as blocks:
        for block in blocks:
            written.write(block)
            digest.update(block)
    columns = _columns(written.getbuffer(), header) if written.tell() else _no_columns(header)
    count = len(next(iter(columns.values())))
    return Received(header, columns, lines_of(range(1, count + 1))), digest.hexdigest()


def _columns(written: memoryview, header: Header) -> dict[str, pa.ChunkedArray]:
    fields = list(header.positions)
    table = arrow_csv.read_csv(
        pa.py_buffer(written),
        read_options=arrow_csv.ReadOptions(column_names=fields, block_size=_BLOCK),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=text_only(fields),
    )
    return {field: table.column(field) for field in fields}


def _no_columns(header: Header) -> dict[str, pa.ChunkedArray]:
    return {field: pa.chunked_array([], pa.string()) for field in header.positions}
