"""Block files of the store: each record sealed under a key of its own, derived from the store's key and a random salt (D11)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.keyring import Derived, Keyring
from keys.whole import whole
from records.identity import ABSENT, BETWEEN, contents, plain
from records.stages import RECORD
from records.staging import plain_part

_FIELDS = b"fields"
# A key seals one record once, so its nonce need not differ from another key's.
_NONCE = bytes(12)
# A block without a row is one whose transaction failed, or has not ended yet.
_ORPHAN_AFTER = timedelta(days=1)


class StoreDamaged(Exception):
    """A block of the store is missing or altered. Restore it from its backup, or collect the feed again."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block file that was read: its records are still sealed."""

    entry: str
    path: str
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Blocks:
    """The folder of the blocks and the keys of what lies in them."""

    folder: Path
    keyring: Keyring

    def write(self, entry: str, run: str, frame: pd.DataFrame, salts: Sequence[bytes]) -> str:
        """Seals records into a new block file, whole or not at all, and returns its path below the folder.

        frame: RECORD and text columns; salts: 16 random bytes for each row.
        """
        fields = [name for name in frame.columns if name != RECORD]
        key, about = self.keyring.derive("store", entry), f"{entry}|".encode()
        schema = pa.schema([(RECORD, pa.string()), ("sealed", pa.binary())],
                           metadata={_FIELDS: BETWEEN.join(fields).encode(), b"key": key.id.encode()})
        name = f"{plain_part(entry)}/{plain_part(run)}-{token_hex(4)}.block"
        records, done = plain(frame[RECORD]).to_pylist(), 0
        with whole(self.folder / name) as file, _writer(file, schema) as writer:
            for rows in contents(frame, fields):
                these, upto = records[done : done + len(rows)], done + len(rows)
                sealed = [AESGCM(_own_key(key, salt)).encrypt(_NONCE, row, about + record.encode())
                          for row, record, salt in zip(rows, these, salts[done:upto], strict=True)]
                writer.write_batch(pa.record_batch([pa.array(these, pa.string()), pa.array(sealed, pa.binary())], schema=schema))
                done = upto
        return name

    def read(self, entry: str, path: str) -> Block:
        """A block file. Raises StoreDamaged."""
        try:
            return Block(entry, path, pq.read_table(self.folder / path))
        except FileNotFoundError:
            raise StoreDamaged(_damage(entry, path, "is missing")) from None
        except (pa.ArrowInvalid, OSError):
            raise StoreDamaged(_damage(entry, path, "cannot be read")) from None

    def open(self, block: Block, wanted: pd.DataFrame, fields: Sequence[str] | None) -> pd.DataFrame:
        """Records of a block as RECORD and `fields`, or the fields they were stored with; wanted: record, salt (hexadecimal).

        A field that the records were stored without is NA. Raises StoreDamaged.
        """
        table, entry = block.table, block.entry
        records, salts = wanted["record"].to_list(), wanted["salt"].to_list()
        place = pc.index_in(pa.array(records, pa.string()), value_set=table[RECORD].combine_chunks())
        if place.null_count:
            raise StoreDamaged(_damage(entry, block.path, f"lacks {place.null_count} records"))
        key = self.keyring.reopen(table.schema.metadata[b"key"].decode(), entry)
        sealed, about = table["sealed"].combine_chunks().take(place).to_pylist(), f"{entry}|".encode()
        try:
            opened = [AESGCM(_own_key(key, bytes.fromhex(salt))).decrypt(_NONCE, one, about + record.encode())
                      for one, record, salt in zip(sealed, records, salts, strict=True)]
        except InvalidTag:
            raise StoreDamaged(_damage(entry, block.path, "was altered")) from None
        return _frame(records, opened, table.schema.metadata[_FIELDS].decode().split(BETWEEN), fields)

    def sweep(self, known: set[str], now: datetime) -> int:
        """Deletes blocks older than a day that are not among the known paths, and returns how many."""
        old = (now - _ORPHAN_AFTER).timestamp()
        orphans = [file for file in self.folder.glob("*/*.block")
                   if str(file.relative_to(self.folder)) not in known and file.stat().st_mtime < old]
        for file in orphans:
            file.unlink()
        return len(orphans)


def _writer(file: Any, schema: pa.Schema) -> pq.ParquetWriter:
    # What is sealed does not shrink, repeats nothing and is never searched by value.
    return pq.ParquetWriter(file, schema, compression="none", use_dictionary=False, write_statistics=False)


def _own_key(key: Derived, salt: bytes) -> bytes:
    return hashlib.blake2b(salt, key=key.secret, digest_size=32).digest()


def _damage(entry: str, block: str, what: str) -> str:
    return f"entry {entry}: block {block} of the store {what}; restore it from its backup, or collect the entry's feed again"


def _frame(records: list[str], opened: list[bytes], known: list[str], fields: Sequence[str] | None) -> pd.DataFrame:
    """The opened contents as columns. Control characters stand between the fields, since no checked value holds one."""
    cells = pc.split_pattern(pa.array(opened, pa.binary()).cast(pa.string()), BETWEEN).flatten()
    size, absent = len(opened), pa.nulls(len(opened), pa.string())
    columns: dict[str, Any] = {RECORD: pa.array(records, pa.string())}
    for name in known if fields is None else fields:
        values = cells.take(np.arange(known.index(name), size * len(known), len(known))) if name in known else absent
        columns[name] = pc.if_else(pc.equal(values, ABSENT), pa.scalar(None, pa.string()), values)
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
