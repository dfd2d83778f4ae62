"""Accepted records at rest, so that the gateway can decide again without collecting again: sealed one by one (D6, D11).

A block file holds each record sealed under a key of its own, derived from the store's key and a random salt; the salts stand
in the table `stored`. A record whose salt is destroyed can be read nowhere any more, not even in a backup of the blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from keys.keyring import Keyring
from records import database
from records.blocks import Blocks
from records.bulk import ARRIVING, add, beside_arriving, laid_down, set_wise
from records.identity import TEXT, digests, plain
from records.schema import blocks, stored
from records.stages import RECORD

UNTIL = "_until"
_CHUNK = 50_000
_NAMES_AT_ONCE = 10_000  # both databases take no more than some tens of thousands of parameters


class Erased(LookupError):
    """The record was erased: its salt is destroyed and nobody can read it any more."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where accepted records come from: the entry, the run that brought them, and the edition of the catalogue."""

    entry: str
    run: str
    edition: str


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of the blocks and the keys of what lies in them."""

    folder: Path
    keyring: Keyring

    def put(self, connection: Connection, origin: Origin, frame: pd.DataFrame, at: datetime) -> int:
        """Keeps accepted records and returns how many are new or changed; a record that did not come stays as it is (I7).

        frame: RECORD (unique) and text columns. The block is written first and whole, the rows in the caller's transaction.
        """
        fields = sorted(column for column in frame.columns if not column.startswith("_"))
        digest = digests(frame, fields, self.keyring.derive("store", "content", origin.entry), "stored")
        former = _former(connection, origin.entry, pd.DataFrame({"record": frame[RECORD], "digest": digest}))
        changed = (former != "same").to_numpy(dtype=bool)
        if not changed.any():
            return 0
        content = frame.loc[changed, [RECORD, *fields]]
        salts = _salts(len(content))
        path = self._blocks.write(origin.entry, origin.run, content, salts)
        at = _after_all(connection, origin.entry, at)
        _succeed(connection, origin.entry, content[RECORD][(former[changed] == "other").to_numpy(dtype=bool)], at)
        block = sa.insert(blocks).values(path=path, entry=origin.entry, run=origin.run, edition=origin.edition, since=at.isoformat())
        rows = pd.DataFrame({"record": content[RECORD], "digest": digest[changed], "salt": [salt.hex() for salt in salts]})
        add(connection, stored, rows.assign(block=connection.execute(block.returning(blocks.c.block)).scalar_one()))
        return len(rows)

    def current(self, connection: Connection, entry: str, fields: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        """The newest content of every record of an entry that is not erased, at most 50,000 at a time: RECORD and `fields`, or the
        fields they were stored with.

        A field that a record was stored without is NA. Raises StoreDamaged.
        """
        query = _of(entry).where(stored.c.until.is_(None), stored.c.salt.is_not(None)).order_by(blocks.c.block)
        yield from self.opened(entry, _rows(connection, query), fields)

    def former(self, connection: Connection, entry: str) -> Iterator[pd.DataFrame]:
        """The content of every version that another one followed and that is not erased, the oldest first: RECORD, UNTIL (when it was
        followed) and the fields it was stored with. Raises StoreDamaged."""
        query = sa.select(blocks.c.path, stored.c.record, stored.c.salt, stored.c.until).join(stored, stored.c.block == blocks.c.block)
        ended = query.where(blocks.c.entry == entry, stored.c.until.is_not(None), stored.c.salt.is_not(None)).order_by(blocks.c.block)
        rows = pd.DataFrame(list(map(tuple, connection.execute(ended).all())), columns=["path", "record", "salt", "until"])
        for _, part in rows.groupby("path", sort=False):
            for start in range(0, len(part), _CHUNK):
                chunk = part.iloc[start : start + _CHUNK]
                for frame in self.opened(entry, chunk, None):
                    yield frame.assign(**{UNTIL: chunk["until"].to_numpy()})

    def opened(self, entry: str, wanted: pd.DataFrame, fields: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        """The same of chosen versions: path of the block, record, salt. Raises StoreDamaged."""
        for path, rows in wanted.groupby("path", sort=False):
            block = self._blocks.read(entry, str(path))
            for start in range(0, len(rows), _CHUNK):
                yield self._blocks.open(block, rows.iloc[start : start + _CHUNK], fields)

    def some(self, connection: Connection, entry: str, records: Sequence[str], fields: Sequence[str]) -> pd.DataFrame:
        """The newest content of these records of an entry, as far as they are not erased: RECORD and `fields`. Raises StoreDamaged."""
        newest = _of(entry).where(stored.c.until.is_(None), stored.c.salt.is_not(None))
        found = [pd.DataFrame({name: pd.Series(dtype=TEXT) for name in (RECORD, *fields)})]
        for start in range(0, len(records), _NAMES_AT_ONCE):
            rows = _rows(connection, newest.where(stored.c.record.in_(records[start : start + _NAMES_AT_ONCE])))
            found += [self._blocks.open(self._blocks.read(entry, str(path)), wanted, fields)
                      for path, wanted in rows.groupby("path", sort=False)]
        return pd.concat(found, ignore_index=True)

    def at(self, connection: Connection, entry: str, record: str, instant: datetime) -> pd.DataFrame:
        """The content that a record had at an instant, as one row with the fields it was stored with.

        Raises KeyError if it was not known then, Erased, StoreDamaged.
        """
        moment = instant.isoformat()
        still = sa.or_(stored.c.until.is_(None), stored.c.until > moment)
        rows = _rows(connection, _of(entry).where(stored.c.record == record, blocks.c.since <= moment, still))
        if rows.empty:
            raise KeyError(record)
        if rows["salt"].isna().any():
            raise Erased(f"entry {entry}, record {record}: erased; nobody can read it any more")
        return self._blocks.open(self._blocks.read(entry, rows["path"].iloc[0]), rows, None)

    def entries(self, connection: Connection) -> list[str]:
        """Every entry of which there ever was a record, in a fixed order; also one that left the catalogue."""
        return list(connection.execute(sa.select(blocks.c.entry).distinct().order_by(blocks.c.entry)).scalars())

    def entry_of(self, connection: Connection, record: str) -> str:
        """The entry of a record. Raises KeyError if the store never had it."""
        query = sa.select(blocks.c.entry).join(stored, stored.c.block == blocks.c.block).where(stored.c.record == record)
        found = connection.execute(query.limit(1)).scalar_one_or_none()
        if found is None:
            raise KeyError(record)
        return str(found)

    def records_of(self, connection: Connection, entry: str) -> list[str]:
        """The ids of all records of an entry that are not erased."""
        query = sa.select(stored.c.record).where(_is_of(entry), stored.c.until.is_(None), stored.c.salt.is_not(None))
        return list(connection.execute(query).scalars())

    def erase(self, connection: Connection, entry: str, records: Sequence[str]) -> int:
        """Destroys the salts of all versions of records: no copy of them can be read again, and none is kept again (D58). Returns how
        many versions."""
        database.leave_no_trace(connection)
        gone = sa.update(stored).where(_is_of(entry), stored.c.record == sa.bindparam("this"), stored.c.salt.is_not(None)).values(salt=None)
        return sum(connection.execute(gone, {"this": record}).rowcount for record in records)

    def is_readable(self, connection: Connection, entry: str, record: str) -> bool:
        """Whether a record is there and was not erased."""
        query = sa.select(stored.c.record).where(_is_of(entry), stored.c.record == record, stored.c.salt.is_not(None))
        return connection.execute(query.limit(1)).first() is not None

    def sweep(self, connection: Connection, now: datetime) -> int:
        """Deletes blocks of transactions that failed, and returns how many."""
        return self._blocks.sweep(set(connection.execute(sa.select(blocks.c.path)).scalars()), now)

    @property
    def _blocks(self) -> Blocks:
        return Blocks(self.folder, self.keyring)


def _rows(connection: Connection, query: sa.Select[Any]) -> pd.DataFrame:
    # Plain tuples: pandas asks each of the database's own rows what it is, which takes three times as long as the query.
    return pd.DataFrame(list(map(tuple, connection.execute(query).all())), columns=["path", "record", "salt"])


def _is_of(entry: str) -> sa.ColumnElement[bool]:
    return stored.c.block.in_(sa.select(blocks.c.block).where(blocks.c.entry == entry))


def _of(entry: str) -> sa.Select[Any]:
    joined = sa.select(blocks.c.path, stored.c.record, stored.c.salt).join(stored, stored.c.block == blocks.c.block)
    return joined.where(blocks.c.entry == entry)


def _former(connection: Connection, entry: str, rows: pd.DataFrame) -> pd.Series:
    """How each record compares with its current version: "same" (or what was erased, which stays so), "other", or "" where there is
    none. rows: record, digest."""
    joined, known = beside_arriving(connection, stored, stored.c.record == ARRIVING.c.record, stored.c.until.is_(None), _is_of(entry))
    with laid_down(connection, rows):
        is_same = sa.or_(known.digest == ARRIVING.c.digest, known.salt.is_(None))
        found = connection.execute(sa.select(ARRIVING.c.record, is_same).select_from(joined)).all()
    compared = dict(map(tuple, found))
    words = {True: "same", False: "other", None: ""}
    return pd.Series([words[compared.get(record)] for record in plain(rows["record"]).to_pylist()], index=rows.index)


def _salts(count: int) -> list[bytes]:
    drawn = os.urandom(16 * count)
    return [drawn[start : start + 16] for start in range(0, len(drawn), 16)]


def _after_all(connection: Connection, entry: str, at: datetime) -> datetime:
    """A moment after every version of the entry: a clock that stands still or went back does not mix up their order."""
    latest = connection.execute(sa.select(sa.func.max(blocks.c.since)).where(blocks.c.entry == entry)).scalar_one_or_none()
    return at if latest is None else max(at, datetime.fromisoformat(latest) + timedelta(microseconds=1))


def _succeed(connection: Connection, entry: str, records: pd.Series, at: datetime) -> None:
    """Ends the former version of records that changed."""
    if len(records):
        with laid_down(connection, pd.DataFrame({"record": records})):
            set_wise(connection)
            these = stored.c.record.in_(sa.select(ARRIVING.c.record))
            connection.execute(sa.update(stored).where(_is_of(entry), stored.c.until.is_(None), these).values(until=at.isoformat()))
