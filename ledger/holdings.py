"""Who holds what: the last delivered digest per recipient and record, changed only together with the line that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from records.bulk import copy_replace
from records.schema import holdings, withdrawn
from records.stages import DIGEST, HANDLE, RECORD

TEXT = pd.ArrowDtype(pa.string())
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Holder:
    """A recipient and an entry it holds records of."""

    recipient: str
    entry: str


def held_under(connection: Connection, holder: Holder) -> pd.DataFrame:
    """Every record a recipient holds of an entry: RECORD, HANDLE (the one it holds it under), DIGEST, state ("held" or "marked")."""
    query = sa.select(holdings.c.record, holdings.c.handle, holdings.c.digest, holdings.c.state).where(
        holdings.c.recipient == holder.recipient, holdings.c.entry == holder.entry)
    return pd.DataFrame(connection.execute(query).all(), columns=[RECORD, HANDLE, DIGEST, "state"], dtype=TEXT)


def hold(connection: Connection, rows: pd.DataFrame) -> None:
    """Takes into the holdings what a receipt tells, in place of what stood there of these records. rows: columns of the holdings."""
    key = ["recipient", "entry", "record"]
    if connection.dialect.name == "postgresql":
        copy_replace(connection, holdings, rows, key)
    elif len(rows):
        insert = sqlite.insert(holdings)
        rows = rows.reindex(columns=[column.name for column in holdings.columns])
        changed = {name: insert.excluded[name] for name in rows.columns if name not in key}
        records: Any = rows.astype(object).where(rows.notna(), None).to_dict("records")
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), records)


def hold_more(connection: Connection, rows: pd.DataFrame) -> None:
    """The same of records that do not stand there yet; the others stay as they are."""
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(holdings)
    records: Any = rows.to_dict("records")
    if records:
        connection.execute(insert.on_conflict_do_nothing(), records)


def doubt(connection: Connection, holder: Holder, records: list[str]) -> None:
    """Notes that what a recipient holds of these is not known until a receipt tells: another version of them is about to leave, and
    without a receipt nobody can say which of the two is there."""
    _each(connection, sa.update(holdings).values(digest=""), holder, records)


def strike_off(connection: Connection, holder: Holder, records: list[str]) -> None:
    """Takes out of the holdings what a recipient says it does not have and never said it had."""
    _each(connection, sa.delete(holdings), holder, records)


def _each(connection: Connection, change: Any, holder: Holder, records: list[str]) -> None:
    for start in range(0, len(records), _AT_ONCE):
        connection.execute(change.where(holdings.c.recipient == holder.recipient, holdings.c.entry == holder.entry,
                                        holdings.c.record.in_(records[start : start + _AT_ONCE])))


def holders(connection: Connection, entry: str) -> list[str]:
    """Every recipient that holds a record of an entry, in a fixed order."""
    query = sa.select(holdings.c.recipient).where(holdings.c.entry == entry).distinct().order_by(holdings.c.recipient)
    return list(connection.execute(query).scalars())


def held_entries(connection: Connection) -> list[str]:
    """Every entry of which some recipient holds a record, in a fixed order."""
    return list(connection.execute(sa.select(holdings.c.entry).distinct().order_by(holdings.c.entry)).scalars())


def withdrawal_reasons(connection: Connection, entry: str) -> pd.DataFrame:
    """Why each record of an entry on the suppression list stands there: columns reason, effects ("kind=effect …" where the order
    says so) and deadline by record id."""
    columns = ["reason", "effects", "deadline"]
    query = sa.select(withdrawn.c.record, *(withdrawn.c[name] for name in columns)).where(*_listed(entry))
    rows = connection.execute(query).all()
    index = pd.Index([row[0] for row in rows], dtype=TEXT)
    return pd.DataFrame([row[1:] for row in rows], index=index, columns=columns, dtype=TEXT)


def orders(connection: Connection, entry: str) -> dict[str, dict[str, str]]:
    """The order on which each record of an entry stands on the suppression list: reason, document, since and deadline by record id."""
    columns = ["reason", "document", "since", "deadline"]
    query = sa.select(withdrawn.c.record, *(withdrawn.c[name] for name in columns)).where(*_listed(entry))
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in connection.execute(query)}


def withdrawn_records(connection: Connection, entry: str) -> pd.Index:
    """Record ids of an entry on the suppression list (I6)."""
    rows = connection.execute(sa.select(withdrawn.c.record).where(*_listed(entry))).scalars().all()
    return pd.Index(rows, dtype=TEXT)


def _listed(entry: str) -> tuple[sa.ColumnElement[bool], ...]:
    return withdrawn.c.entry == entry, withdrawn.c.lifted_at.is_(None)


def count(connection: Connection) -> pd.DataFrame:
    """How many records each recipient holds: columns recipient, entry, records."""
    query = sa.select(holdings.c.recipient, holdings.c.entry, sa.func.count().label("records"))
    return pd.read_sql(query.group_by(holdings.c.recipient, holdings.c.entry), connection)
