"""Database exchange 数据库对接: catalogued columns of one table, read in a single read-only transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from catalog.model import DatabaseFeed
from connectors import mariadb, postgresql
from connectors.base import Partition, Source, Window
from connectors.cells import texts
from connectors.header import Header, match
from connectors.rows import Received, collected, joined, lines_of, text_array, without_nul
from connectors.table import CONNECT_SECONDS, Table, bounds, select
from records.stages import Collected

_BLOCK = 5_000
_WORTH_A_PARTITION = 5_000


def partitions(source: Source, window: Window) -> list[Partition]:
    """The table as one partition, or as ranges of its partition column; the outer ones are open, so that no row falls out.

    Raises SourceUnavailable if the database cannot be reached, ContractBreach as `collect` does.
    """
    feed = _feed(source)
    if feed.partitions == 1 or feed.partition_column is None:
        return [Partition(feed.table, {})]
    with _reading(source, feed.table) as connection:
        table = Table.inspect(connection, source, window)
        lowest, highest, rows = bounds(connection, table)
    if lowest is None or highest is None:
        return [Partition(feed.table, {})]
    # A night's changes are few where the stock is large, and each partition is checked at a price of its own.
    wanted = feed.partitions if source.hands_in_stock else min(feed.partitions, max(1, rows // _WORTH_A_PARTITION))
    if wanted == 1:
        return [Partition(feed.table, {})]
    step = max(1, -(-(highest - lowest + 1) // wanted))
    cuts = list(range(lowest + step, highest + 1, step))
    ranges = zip([None, *cuts], [*cuts, None], strict=True)
    return [Partition(f"{feed.table}.{number}", _spec(*ends)) for number, ends in enumerate(ranges, 1)]


def collect(source: Source, partition: Partition, window: Window) -> Collected:
    """The rows of a partition as text; LINE counts them in the order in which the database gives them.

    Raises SourceUnavailable if the database cannot be reached or the connection breaks, ContractBreach:
    `missing-table`, `wrong-table` if a column of the feed is missing or of a type that cannot bound a reading,
    `refused` if the account may not read it, `empty-source` if a whole stock is empty, and as `header.match` does.
    """
    with _reading(source, partition.name) as connection:
        table = Table.inspect(connection, source, window)
        header = match(table.names, source, partition.name)
        if connection.dialect.name == "postgresql":
            received, digest = postgresql.copy(connection, table, header, partition)
        else:
            received, digest = _stream(connection, table, header, partition)
    # The plan saw the lowest and the highest row, so only a range between two others may have become empty.
    if not received and source.hands_in_stock and len(partition.spec) < 2:
        remedy = "the table is empty, which is never believed of a whole stock; ask the department what happened to it"
        raise source.breach("empty-source", partition.name, remedy)
    return collected(source, partition.name, received, digest)


def _stream(connection: sa.Connection, table: Table, header: Header, partition: Partition) -> tuple[Received, str]:
    statement = select(table, header, partition)
    blocks, digest, count = list[Received](), hashlib.sha256(), 0
    for block in connection.execution_options(yield_per=_BLOCK).execute(statement).partitions():
        columns = [texts(values) for values in zip(*block, strict=True)]
        digest.update(json.dumps(columns).encode())
        lines = lines_of(range(count + 1, count + len(block) + 1))
        blocks.append(Received(header, dict(zip(header.positions, map(text_array, columns), strict=True)), lines))
        count += len(block)
    return without_nul(joined(header, blocks)), digest.hexdigest()


@contextmanager
def _reading(source: Source, place: str) -> Iterator[sa.Connection]:
    """A read-only connection; what a driver says is worded anew, for it may quote values and addresses (I8)."""
    engine = _engine(source)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.NoSuchTableError:
        remedy = "the table is missing; ask the department whether it was renamed, then correct `table` of the feed"
        raise source.breach("missing-table", place, remedy) from None
    except sa.exc.DBAPIError as error:
        raise _worded(source, place, error.orig) from None
    except pa.ArrowInvalid:
        remedy = "the table holds text that is not UTF-8; ask the department in which encoding its database stands"
        raise source.breach("unreadable-table", place, remedy) from None
    except postgresql.FAULTS as error:
        raise _worded(source, place, error) from None
    finally:
        engine.dispose()


def _worded(source: Source, place: str, error: BaseException | None) -> Exception:
    state = getattr(error, "sqlstate", None) or ""
    kind = type(error).__name__ + (f" {state}" if state else "")
    if state.startswith(postgresql.REFUSED) or mariadb.is_refusal(error):
        return source.breach("refused", place, f"the database refuses the account ({kind}); ask the department for the right to read")
    return source.unavailable(place, f"the database cannot be read ({kind}); it is tried again, then ask the department")


def _engine(source: Source) -> sa.Engine:
    try:
        url = sa.make_url(source.connection.url)
        match url.get_backend_name():
            case "postgresql":
                return postgresql.open_for_reading(url)
            case "mysql" | "mariadb":
                return mariadb.open_for_reading(url)
            case "sqlite":
                # Opened for reading only: a mistyped path must not make an empty database, which would look like an empty source.
                file = f"file:{quote(url.database or '')}?mode=ro&uri=true"
                return sa.create_engine(f"sqlite:///{file}", poolclass=NullPool, connect_args={"timeout": CONNECT_SECONDS})
            case _:
                return sa.create_engine(url, poolclass=NullPool)
    except (sa.exc.ArgumentError, ModuleNotFoundError):
        name = source.connection.name
        raise source.breach("wrong-connection", "", f"connection {name} has no usable database address; correct it") from None


def _feed(source: Source) -> DatabaseFeed:
    if not isinstance(source.feed, DatabaseFeed):
        raise TypeError(f"feed {source.feed_key} is not a database feed")
    return source.feed


def _spec(low: int | None, high: int | None) -> dict[str, str | int]:
    return {key: end for key, end in (("from", low), ("below", high)) if end is not None}
