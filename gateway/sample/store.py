"""What a pretend recipient keeps: the records it took, those it withdrew, the receipts it gave, in its own SQLite file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.sample import withdrawal

_TABLES = withdrawal.TABLES + """
CREATE TABLE IF NOT EXISTS records (
    entry TEXT NOT NULL, handle TEXT NOT NULL, batch TEXT NOT NULL, received_at TEXT NOT NULL,
    ends_on TEXT, words TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (entry, handle));
CREATE TABLE IF NOT EXISTS receipts (
    batch TEXT PRIMARY KEY, digest TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, until TEXT NOT NULL);
"""
_UPSERT = """
INSERT INTO records VALUES (:entry, :handle, :batch, :received_at, :ends_on, :words, :fields)
ON CONFLICT (entry, handle) DO UPDATE SET batch = excluded.batch, received_at = excluded.received_at,
    ends_on = excluded.ends_on, words = excluded.words, fields = excluded.fields
"""


class BatchConflict(Exception):
    """A batch id came again with other content."""


class UnknownBatch(LookupError):
    """A batch that was never taken in."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One batch as it arrived: its id, its entry, the digest of its bytes, its records as parsed, and what it does to them."""

    batch: str
    entry: str
    digest: str
    records: list[Any]
    effect: str = "bring"

    def __post_init__(self) -> None:
        if self.effect not in ("bring", *withdrawal.EFFECTS):
            raise ValueError("the batch names an effect that was not agreed")


@dataclass(frozen=True)
class Store:
    """A recipient's own database. `publicity_ends` names, by entry, the field that holds the end of publicity."""

    path: Path
    publicity_ends: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def take(self, parcel: Parcel) -> bytes:
        """Takes a batch in once and returns the receipt's bytes; the same batch again gets the same receipt again.

        Raises BatchConflict if the batch id is known with another digest.
        """
        with self.open() as database:
            database.execute("BEGIN IMMEDIATE")
            known = database.execute("SELECT digest, body FROM receipts WHERE batch = ?", [parcel.batch]).fetchone()
            if known is None:
                return self._take_anew(database, parcel)
            if known[0] != parcel.digest:
                raise BatchConflict(f"batch {parcel.batch} is known with other content")
            return bytes(known[1])

    def receipt(self, batch: str) -> bytes:
        """The receipt given for a batch that was taken. Raises UnknownBatch if it never was."""
        with self.open() as database:
            found = database.execute("SELECT body FROM receipts WHERE batch = ?", [batch]).fetchone()
        if found is None:
            raise UnknownBatch(f"batch {batch} was never taken")
        return bytes(found[0])

    def first_time(self, nonce: str, until: datetime) -> bool:
        """Whether a nonce has not been seen; it is remembered until that moment."""
        now = datetime.now(UTC).isoformat()
        with self.open() as database:
            database.execute("DELETE FROM nonces WHERE until < ?", [now])
            row = [nonce, until.isoformat()]
            return database.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", row).rowcount == 1

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A transaction on the database: kept whole, or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as database:
            database.executescript("PRAGMA journal_mode=WAL;" + _TABLES)
            with database:
                yield database

    def _take_anew(self, database: sqlite3.Connection, parcel: Parcel) -> bytes:
        at = self.clock().isoformat(timespec="seconds")
        answers = [_answer(record, parcel.effect) for record in parcel.records]
        taken = [
            record for record, answer in zip(parcel.records, answers, strict=True) if answer["status"] == "accepted"
        ]
        if parcel.effect == "bring":
            withdrawal.bring(database, parcel.entry, [record["handle"] for record in taken])
            database.executemany(_UPSERT, [self._row(parcel, record, at) for record in taken])
        else:
            notices = [(record["handle"], record["notice"]) for record in taken]
            withdrawal.obey(database, "records", (parcel.entry, parcel.effect, at), notices)
        receipt = {
            "batch": parcel.batch,
            "entry": parcel.entry,
            "content_digest": parcel.digest,
            "received_at": at,
            "records": answers,
        }
        body = json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        database.execute("INSERT INTO receipts VALUES (?, ?, ?)", [parcel.batch, parcel.digest, body])
        return body

    def _row(self, parcel: Parcel, record: Mapping[str, Any], at: str) -> dict[str, str | None]:
        fields: Mapping[str, str | None] = record["fields"]
        return {
            "entry": parcel.entry,
            "handle": record["handle"],
            "batch": parcel.batch,
            "received_at": at,
            "ends_on": fields.get(self.publicity_ends.get(parcel.entry, "")),
            "words": " ".join(text for text in fields.values() if text),
            "fields": json.dumps(fields, ensure_ascii=False, sort_keys=True),
        }


def content_digest(content: bytes) -> str:
    """The digest of a batch's bytes in the form of the Content-Digest header (RFC 9530)."""
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


def _answer(record: Any, effect: str) -> dict[str, str]:
    """What the receipt says of one record."""
    handle = record.get("handle") if isinstance(record, dict) else None
    if not isinstance(handle, str) or not handle:
        return {"handle": "", "status": "refused", "reason": "no-handle"}
    reason = _not_text(record) if effect == "bring" else withdrawal.refusal(record, effect)
    return {"handle": handle, "status": "refused", "reason": reason} if reason else {"handle": handle, "status": "accepted"}


def _not_text(record: dict[str, Any]) -> str:
    fields = record.get("fields")
    sound = isinstance(fields, dict) and all(text is None or isinstance(text, str) for text in fields.values())
    return "" if sound else "fields-not-text"
