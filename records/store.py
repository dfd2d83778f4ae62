"""Accepted records at rest, so that the gateway can decide again without collecting again: sealed one by one (D6, D11).

A block file holds each record sealed under a key of its own, derived from the store's key and a random salt; the salts stand
in the table `stored`. A record whose salt is destroyed can be read nowhere any more, not even in a backup of the blocks.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Connection

from keys.keyring import Derived, Keyring
from records.bulk import copy_in
from records.identity import digests
from records.schema import blocks, stored
from records.stages import RECORD
from records.staging import plain_part, write_whole

TEXT = pd.ArrowDtype(pa.string())
_BETWEEN, _ABSENT = "\x1f", "\x00"
_FIELDS = b"fields"
# A key seals one record once, so its nonce need not differ from another key's.
_NONCE = bytes(12)
_CHUNK = 50_000
_NAMES_AT_ONCE = 10_000  # both databases take no more than some tens of thousands of parameters
# A block without a row is one whose transaction failed, or has not ended yet.
_ORPHAN_AFTER = timedelta(days=1)


class StoreDamaged(Exception):
    """A block of the store is missing or altered. Restore it from its backup, or collect the feed again."""


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
        former = _current_digests(connection, origin.entry)
        before = frame[RECORD].map(former)
        changed = (before.isna() | (before != digest)).to_numpy(dtype=bool)
        if not changed.any():
            return 0
        rows = pd.DataFrame({RECORD: frame[RECORD][changed], "digest": digest[changed]}).reset_index(drop=True)
        salts = [os.urandom(16) for _ in range(len(rows))]
        at = _after_all(connection, origin.entry, at)
        path = self._write(origin, frame.loc[changed, [RECORD, *fields]], salts)
        _succeed(connection, origin.entry, rows[RECORD][before[changed].notna().to_numpy()], at)
        block = sa.insert(blocks).values(path=path, entry=origin.entry, run=origin.run, edition=origin.edition, since=at.isoformat())
        number = connection.execute(block.returning(blocks.c.block)).scalar_one()
        _insert(connection, rows.rename(columns={RECORD: "record"}).assign(block=number, salt=[salt.hex() for salt in salts]))
        return len(rows)

    def current(self, connection: Connection, entry: str, fields: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The newest content of every record of an entry that is not erased, at most 50,000 at a time: RECORD and `fields`.

        A field that a record was stored without is NA. Raises StoreDamaged.
        """
        query = _of(entry).where(stored.c.until.is_(None), stored.c.salt.is_not(None)).order_by(blocks.c.block)
        for path, wanted in _rows(connection, query).groupby("path", sort=False):
            block = self._block(entry, str(path))
            for start in range(0, len(wanted), _CHUNK):
                yield self._open(block, wanted.iloc[start : start + _CHUNK], fields)

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
        return self._open(self._block(entry, rows["path"].iloc[0]), rows, None)

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
        """Destroys the salts of all versions of records: no copy of them can be read again (D58). Returns how many versions."""
        gone = sa.update(stored).where(_is_of(entry), stored.c.record == sa.bindparam("this")).values(salt=None)
        return sum(connection.execute(gone, {"this": record}).rowcount for record in records)

    def sweep(self, connection: Connection, now: datetime) -> int:
        """Deletes blocks of transactions that failed, and returns how many."""
        known = set(connection.execute(sa.select(blocks.c.path)).scalars())
        old = (now - _ORPHAN_AFTER).timestamp()
        orphans = [file for file in self.folder.glob("*/*.block")
                   if str(file.relative_to(self.folder)) not in known and file.stat().st_mtime < old]
        for file in orphans:
            file.unlink()
        return len(orphans)

    def _write(self, origin: Origin, frame: pd.DataFrame, salts: list[bytes]) -> str:
        fields = [name for name in frame.columns if name != RECORD]
        sealing, parts = self._key(origin.entry), [_text(frame[name]) for name in fields]
        joined = pc.cast(pc.binary_join_element_wise(*parts, _BETWEEN) if len(parts) > 1 else parts[0], pa.binary())
        records = pa.array(frame[RECORD].array, pa.string()).to_pylist()
        about = f"{origin.entry}|".encode()
        sealed = [AESGCM(_own_key(sealing, salt)).encrypt(_NONCE, content, about + record.encode())
                  for content, record, salt in zip(joined.to_pylist(), records, salts, strict=True)]
        schema = pa.schema([(RECORD, pa.string()), ("sealed", pa.binary())],
                           metadata={_FIELDS: _BETWEEN.join(fields).encode(), b"key": sealing.id.encode()})
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.table([pa.array(records, pa.string()), pa.array(sealed, pa.binary())], schema=schema), buffer,
                       compression="none", use_dictionary=False)
        name = f"{plain_part(origin.entry)}/{plain_part(origin.run)}-{token_hex(4)}.block"
        write_whole(self.folder / name, buffer.getvalue().to_pybytes())
        return name

    def _open(self, block: _Block, wanted: pd.DataFrame, fields: Sequence[str] | None) -> pd.DataFrame:
        table, entry = block.table, block.entry
        records, salts = wanted["record"].to_list(), wanted["salt"].to_list()
        place = pc.index_in(pa.array(records, pa.string()), value_set=table[RECORD].combine_chunks())
        if place.null_count:
            raise StoreDamaged(_damage(entry, block.path, f"lacks {place.null_count} records"))
        key = self.keyring.reopen(table.schema.metadata[b"key"].decode(), entry)
        sealed, about = table["sealed"].combine_chunks().take(place).to_pylist(), f"{entry}|".encode()
        try:
            contents = [AESGCM(_own_key(key, bytes.fromhex(salt))).decrypt(_NONCE, one, about + record.encode())
                        for one, record, salt in zip(sealed, records, salts, strict=True)]
        except InvalidTag:
            raise StoreDamaged(_damage(entry, block.path, "was altered")) from None
        return _frame(records, contents, table.schema.metadata[_FIELDS].decode().split(_BETWEEN), fields)

    def _block(self, entry: str, path: str) -> _Block:
        try:
            return _Block(entry, path, pq.read_table(self.folder / path))
        except FileNotFoundError:
            raise StoreDamaged(_damage(entry, path, "is missing")) from None
        except (pa.ArrowInvalid, OSError):
            raise StoreDamaged(_damage(entry, path, "cannot be read")) from None

    def _key(self, entry: str) -> Derived:
        return self.keyring.derive("store", entry)


@dataclass(frozen=True, slots=True)
class _Block:
    entry: str
    path: str
    table: pa.Table


def _rows(connection: Connection, query: sa.Select[Any]) -> pd.DataFrame:
    # Plain tuples: pandas asks each of the database's own rows what it is, which takes three times as long as the query.
    return pd.DataFrame(list(map(tuple, connection.execute(query))), columns=["path", "record", "salt"])


def _own_key(key: Derived, salt: bytes) -> bytes:
    return hashlib.blake2b(salt, key=key.secret, digest_size=32).digest()


def _damage(entry: str, block: str, what: str) -> str:
    return f"entry {entry}: block {block} of the store {what}; restore it from its backup, or collect the entry's feed again"


def _text(column: pd.Series) -> pa.Array:
    values = pa.array(column.array, pa.string())
    return pc.fill_null(values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values, _ABSENT)


def _frame(records: list[str], contents: list[bytes], known: list[str], fields: Sequence[str] | None) -> pd.DataFrame:
    """The opened contents as columns. Control characters stand between the fields, since no checked value holds one."""
    cells = pc.split_pattern(pa.array(contents, pa.binary()).cast(pa.string()), _BETWEEN).flatten()
    size, absent = len(contents), pa.nulls(len(contents), pa.string())
    columns: dict[str, Any] = {RECORD: pa.array(records, pa.string())}
    for name in known if fields is None else fields:
        values = cells.take(np.arange(known.index(name), size * len(known), len(known))) if name in known else absent
        columns[name] = pc.if_else(pc.equal(values, _ABSENT), pa.scalar(None, pa.string()), values)
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _is_of(entry: str) -> sa.ColumnElement[bool]:
    return stored.c.block.in_(sa.select(blocks.c.block).where(blocks.c.entry == entry))


def _of(entry: str) -> sa.Select[Any]:
    joined = sa.select(blocks.c.path, stored.c.record, stored.c.salt).join(stored, stored.c.block == blocks.c.block)
    return joined.where(blocks.c.entry == entry)


def _current_digests(connection: Connection, entry: str) -> pd.Series:
    rows = connection.execute(sa.select(stored.c.record, stored.c.digest).where(_is_of(entry), stored.c.until.is_(None))).all()
    return pd.Series([row[1] for row in rows], index=pd.Index([row[0] for row in rows], dtype=TEXT), dtype=TEXT)


def _after_all(connection: Connection, entry: str, at: datetime) -> datetime:
    """A moment after every version of the entry: a clock that stands still or went back does not mix up their order."""
    latest = connection.execute(sa.select(sa.func.max(blocks.c.since)).where(blocks.c.entry == entry)).scalar_one_or_none()
    return at if latest is None else max(at, datetime.fromisoformat(latest) + timedelta(microseconds=1))


def _succeed(connection: Connection, entry: str, records: pd.Series, at: datetime) -> None:
    """Ends the former version of records that changed."""
    names = records.to_list()
    for start in range(0, len(names), _NAMES_AT_ONCE):
        these = stored.c.record.in_(names[start : start + _NAMES_AT_ONCE])
        connection.execute(sa.update(stored).where(_is_of(entry), stored.c.until.is_(None), these).values(until=at.isoformat()))


def _insert(connection: Connection, rows: pd.DataFrame) -> None:
    if connection.dialect.name == "postgresql":
        copy_in(connection, stored, rows)
    else:
        values: list[dict[str, Any]] = rows.to_dict("records")  # type: ignore[assignment]
        connection.execute(sa.insert(stored), values)
