"""The statement of a front-end database 前置机: reckoned by PostgreSQL where the rows lie, so that only digests travel."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from delivery.base import Door, Effect
from delivery.frontend import TAKEN, table_of
from delivery.frontend_database import open_database, worded
from delivery.statements import (
    BEFORE_NAME,
    BEFORE_VALUE,
    CONTENT,
    ENDS,
    TEXT,
    Inquiry,
    contents,
    records_frame,
    segments,
    segments_frame,
)
from records.stages import HANDLE


def ask(inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """What stands as taken in the table share_<entry> and is not withdrawn; a marked row by its handle, since it keeps no field.
    Columns of the recipient's own are not read.

    Any other database than PostgreSQL hands the rows over and they are reckoned here. Raises RecipientContractBreach if there is
    no table, RecipientUnavailable if the database does not answer.
    """
    engine = open_database(inquiry, door)
    with worded(inquiry, door, "database-unavailable"):
        table = table_of(engine, inquiry, door)
        with engine.connect() as connection:
            fields = [column for column in table.c if column.name in door.entry.fields]
            reckoned = _reckoned_there if engine.dialect.name == "postgresql" else _reckoned_here
            return reckoned(connection, table, fields, inquiry)


def _held(table: sa.Table, inquiry: Inquiry) -> sa.ColumnElement[bool]:
    named = [sa.func.substr(table.c.handle, 1, length).in_([p for p in inquiry.prefixes if len(p) == length])
             for length in sorted({len(prefix) for prefix in inquiry.prefixes} - {0})]
    among = sa.or_(*named) if "" not in inquiry.prefixes else sa.true()
    return (table.c.taken_flag == TAKEN) & sa.or_(table.c.effect.is_(None), table.c.effect == str(Effect.MARK)) & among


def _ends(table: sa.Table, inquiry: Inquiry) -> sa.ColumnElement[Any]:
    return table.c[inquiry.ends_field] if inquiry.ends_field in table.c else sa.null()


_Fields = list[sa.Column[Any]]


def _reckoned_there(connection: Connection, table: sa.Table, fields: _Fields, inquiry: Inquiry) -> pd.DataFrame:
    told = [sa.func.coalesce(sa.literal(f"{BEFORE_NAME}{field.name}{BEFORE_VALUE}") + field, "")
            for field in sorted(fields, key=lambda field: field.name)]
    digest = _sha256(reduce(add, told, table.c.handle))
    rows = sa.select(table.c.handle, digest.label("digest"), _ends(table, inquiry)).where(_held(table, inquiry))
    if not inquiry.length:
        return records_frame([tuple(row) for row in connection.execute(rows)])
    each = sa.select(sa.func.substr(table.c.handle, 1, inquiry.length).label("prefix"), digest.label("digest"))
    part = each.where(_held(table, inquiry)).subquery()
    in_order = sa.func.string_agg(part.c.digest, sa.text("'' ORDER BY digest COLLATE \"C\""))
    grouped = sa.select(part.c.prefix, sa.func.count(), _sha256(in_order)).group_by(part.c.prefix)
    return segments_frame([tuple(row) for row in connection.execute(grouped)])


def _sha256(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.encode(sa.func.sha256(sa.func.convert_to(text, "UTF8")), "hex")


def _reckoned_here(connection: Connection, table: sa.Table, fields: _Fields, inquiry: Inquiry) -> pd.DataFrame:
    found = connection.execute(sa.select(table.c.handle, *fields).where(_held(table, inquiry))).all()
    rows = pd.DataFrame(found, columns=[HANDLE, *(column.name for column in fields)], dtype=TEXT)
    held = pd.DataFrame({HANDLE: rows[HANDLE], CONTENT: contents(rows)})
    if inquiry.length:
        return segments(held, inquiry.length)
    return held.assign(**{ENDS: rows[inquiry.ends_field] if inquiry.ends_field in rows else pd.Series(pd.NA, index=rows.index, dtype=TEXT)})
