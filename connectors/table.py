"""A department's table as it really is, and the condition that bounds a reading of it; bound parameters only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

from catalog.model import DatabaseFeed
from connectors.base import Partition, Source, Window
from connectors.header import Header, normal_name

HERE = ZoneInfo("Asia/Shanghai")
CONNECT_SECONDS = 5

Ends = tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """Names and types of a table's columns, in its own order, and what bounds the reading."""

    schema: str | None
    name: str
    names: tuple[str, ...]
    types: tuple[Any, ...]
    partition_place: int | None
    window_place: int | None
    window: Ends | None

    @classmethod
    def inspect(cls, connection: sa.Connection, source: Source, window: Window) -> Table:
        """Asks the database. Raises NoSuchTableError; ContractBreach `wrong-table` if it lacks a column of the feed."""
        feed = source.feed
        if not isinstance(feed, DatabaseFeed):
            raise TypeError(f"feed {source.feed_key} is not a database feed")
        schema, _, name = feed.table.rpartition(".")
        columns = sa.inspect(connection).get_columns(name, schema or None)
        names = tuple(str(column["name"]) for column in columns)
        types = tuple(column["type"] for column in columns)
        parting = _place(source, names, feed.partition_column) if feed.partition_column else None
        if source.hands_in_stock:
            return cls(schema or None, name, names, types, parting, None, None)
        if feed.window_column is None:
            raise _wrong(source, "a reading of changes needs `window_column`; add it to the feed in the catalogue")
        place = _place(source, names, feed.window_column)
        ends = _ends(source, types[place], connection.dialect.name, window)
        return cls(schema or None, name, names, types, parting, place, ends)

    @property
    def clause(self) -> sa.TableClause:
        schema = quoted_name(self.schema, quote=True) if self.schema else None
        return sa.table(quoted_name(self.name, quote=True), schema=schema)

    def column(self, place: int) -> sa.ColumnClause[Any]:
        """A column under its quoted name and without a type, so that the driver's own value comes through."""
        return sa.column(quoted_name(self.names[place], quote=True))


def select(table: Table, header: Header, partition: Partition) -> sa.Select[Any]:
    """The catalogued columns of a partition, in the order of `header.positions`."""
    wanted = [table.column(place) for place in header.positions.values()]
    return sa.select(*wanted).select_from(table.clause).where(condition(table, partition))


def condition(table: Table, partition: Partition) -> sa.ColumnElement[bool]:
    """What a row must meet. A row without a partition value belongs to the first range: it must not fall between two."""
    terms: list[sa.ColumnElement[bool]] = []
    if table.window_place is not None and table.window is not None:
        changed = table.column(table.window_place)
        terms += [changed >= table.window[0], changed < table.window[1]]
    if table.partition_place is not None:
        parting = table.column(table.partition_place)
        if "from" in partition.spec:
            terms.append(parting >= int(partition.spec["from"]))
        elif "below" in partition.spec:
            terms.append(sa.or_(parting < int(partition.spec["below"]), parting.is_(None)))
        if "from" in partition.spec and "below" in partition.spec:
            terms.append(parting < int(partition.spec["below"]))
    return sa.and_(sa.true(), *terms)


def bounds(connection: sa.Connection, table: Table) -> tuple[int | None, int | None, int]:
    """Lowest and highest value of the partition column among the rows to be read, None where there are none; and how many these are."""
    if table.partition_place is None:
        return None, None, 0
    parting = table.column(table.partition_place)
    whole = condition(table, Partition(table.name, {}))
    figures = sa.select(sa.func.min(parting), sa.func.max(parting), sa.func.count())
    row = connection.execute(figures.select_from(table.clause).where(whole)).one()
    return (None, None, 0) if row[0] is None else (int(row[0]), int(row[1]), int(row[2]))


def _place(source: Source, names: tuple[str, ...], wanted: str) -> int:
    for place, name in enumerate(names):
        if normal_name(name) == normal_name(wanted):
            return place
    raise _wrong(source, f"the table has no column {wanted}, which the feed names; ask the department, then correct the feed")


def _ends(source: Source, kind: Any, dialect: str, window: Window) -> Ends:
    """Both ends of the window in the form in which the column keeps its times."""
    match kind:
        case sa.String():
            return _bound(_words, sa.String(), window)
        case sa.DateTime() | sa.Date() if dialect == "sqlite":
            # SQLite keeps times as text, and compares them as text.
            return _bound(_words, sa.String(), window)
        case sa.DateTime(timezone=True):
            return _bound(lambda moment: moment, kind, window)
        case sa.DateTime():
            return _bound(_local, kind, window)
        case sa.Date():
            return _bound(_day, kind, window)
    raise _wrong(source, "`window_column` is neither text nor a time; name one that is in the feed")


def _bound(form: Callable[[datetime], Any], kind: Any, window: Window) -> Ends:
    return sa.literal(form(window.start), kind), sa.literal(form(window.end), kind)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(HERE).replace(tzinfo=None)


def _day(moment: datetime) -> date:
    return _local(moment).date()


def _words(moment: datetime) -> str:
    return _local(moment).strftime("%Y-%m-%d %H:%M:%S")


def _wrong(source: Source, remedy: str) -> Exception:
    return source.breach("wrong-table", "", remedy)
