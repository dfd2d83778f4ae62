"""Many rows at once: by COPY into a PostgreSQL table, twenty times as fast as row by row; and laid down beside a table to be joined
with it, so that the database compares and Python does not."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy import Column, Integer, String
from sqlalchemy.engine import Connection

# One table for everything that is laid down; what a caller does not name is NULL.
ARRIVING = sa.Table(
    "arriving", sa.MetaData(),
    Column("record", String(40), primary_key=True),
    Column("digest", String(40)),
    Column("as_of", sa.BigInteger().with_variant(Integer, "sqlite")),
    Column("ends_on", String(10)),
    Column("due_on", String(10)),
    Column("reason", String(40)),
    prefixes=["TEMPORARY"],
)


@contextmanager
def laid_down(connection: Connection, rows: pd.DataFrame) -> Iterator[None]:
    """Puts rows into the table ARRIVING of this connection alone, for as long as the block lasts, to be joined with others.

    rows: `record` (unique) and any other column of ARRIVING. One at a time on a connection.
    """
    ARRIVING.create(connection)
    add(connection, ARRIVING, rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE arriving")  # a table without figures is joined row by row
    yield
    # Only where all went well: a transaction that failed takes the table with it.
    ARRIVING.drop(connection)


def set_wise(connection: Connection) -> None:
    """Lets PostgreSQL join whole tables in this transaction: while a table is being filled it has no figures about it, takes it for
    a handful of rows, and would walk through it once for each row of the other."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")


def beside_arriving(connection: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> tuple[sa.Join, Any]:
    """ARRIVING joined with the one row of `table`, if any, that meets the conditions; and the columns of that row.

    One look into the table's index for each record: PostgreSQL would read the whole of a large table for the sake of a few records,
    or, while it has no figures about it, walk through it once for each.
    """
    if connection.dialect.name == "postgresql":
        found = sa.select(table).where(*conditions).correlate(ARRIVING).limit(1).lateral()
        return sa.join(ARRIVING, found, sa.true()), found.c
    return sa.join(ARRIVING, table, sa.and_(*conditions)), table.c


def add(connection: Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    """Adds rows in the caller's transaction, on either database; columns not named become NULL."""
    if connection.dialect.name == "postgresql":
        copy_in(connection, table, rows)
    elif len(rows):
        plain: Any = rows.astype(object).where(rows.notna(), None).to_dict("records")
        connection.execute(sa.insert(table), plain)


def copy_replace(connection: Connection, table: sa.Table, rows: pd.DataFrame, key: Sequence[str]) -> None:
    """Puts rows in place of those with the same key, in the caller's transaction; columns not named become NULL.

    rows: text or NA, columns named as in the table; keys hold no control character. The connection is one to PostgreSQL
    by psycopg. COPY goes straight into the table: through a temporary one and ON CONFLICT each row was written twice.
    """
    quote = connection.dialect.identifier_preparer.quote
    name, keys = quote(table.name), [quote(column) for column in key]
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor:
        arrays = ", ".join(["string_to_array(%s, chr(31))"] * len(key))  # the driver's own arrays take ten times as long
        same = " AND ".join(f"former.{column} = arriving.{column}" for column in keys)
        cursor.execute(f"DELETE FROM {name} AS former USING unnest({arrays}) AS arriving ({', '.join(keys)}) WHERE {same}",
                       ["\x1f".join(pa.array(rows[column], pa.string()).to_pylist()) for column in key])
    copy_in(connection, table, rows)


def copy_in(connection: Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    """Adds rows, in the caller's transaction; columns not named become NULL. rows: text, whole numbers or NA.

    In the order of the table's key: its index grows at one end, and a third of the whole time is saved.
    """
    quote = connection.dialect.identifier_preparer.quote
    raw: Any = connection.connection.driver_connection
    columns = ", ".join(quote(column) for column in rows.columns)
    with raw.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(_csv(rows, [column.name for column in table.primary_key]))


def _csv(rows: pd.DataFrame, order: Sequence[str]) -> memoryview:
    """Every text in quotes and every missing value bare, which is how COPY tells "" from NULL."""
    buffer = io.BytesIO()
    table = pa.Table.from_pandas(rows, preserve_index=False).sort_by([(column, "ascending") for column in order])
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return buffer.getbuffer()
