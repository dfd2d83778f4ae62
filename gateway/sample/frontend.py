"""A department with a front-end database (前置机): it makes the tables, and a loop takes away what is put there."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.sample import withdrawal
from gateway.sample.credentials import Credential, Fault

_FIXED = "handle TEXT PRIMARY KEY, batch TEXT, pushed_at TEXT, taken_flag INTEGER, taken_at TEXT, failure_reason TEXT"
_TOLD = ("effect", "notice")
_NOT_FIELDS = ("rowid", "handle", "batch", "pushed_at", "taken_flag", "taken_at", "failure_reason", "checkpoint", *_TOLD)
_TAKEN, _FAILED = 1, 2


@dataclass(frozen=True)
class FrontEnd:
    """The front-end database of a department, and behind it the table `holdings` with what it took.

    `columns` names, by entry, the fields that this department is granted.
    """

    path: Path
    columns: Mapping[str, tuple[str, ...]]
    credential: Credential

    def create(self) -> None:
        """Makes the tables and columns that are missing: share_<entry> for each granted entry, and holdings."""
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS holdings (entry TEXT NOT NULL, handle TEXT NOT NULL, "
                "taken_at TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (entry, handle))"
            )
            database.executescript(withdrawal.TABLES)
            for entry, fields in self.columns.items():
                database.execute(f'CREATE TABLE IF NOT EXISTS "share_{entry}" ({_FIXED})')
                known = {row[1] for row in database.execute(f'PRAGMA table_info("share_{entry}")')}
                for name in ("checkpoint", *_TOLD, *fields):
                    if name not in known:
                        database.execute(f'ALTER TABLE "share_{entry}" ADD COLUMN "{name}" TEXT')

    def take(self) -> int:
        """Takes what waits in all tables and returns how many rows that was; does nothing while the fault is `down`."""
        if self.credential.fault is Fault.DOWN:
            return 0
        return sum(self._take_entry(entry) for entry in self.columns)

    def _take_entry(self, entry: str) -> int:
        with self._open() as database:
            database.row_factory = sqlite3.Row
            # Looking first keeps an idle loop from locking out the one who pushes.
            if database.execute(f'SELECT 1 FROM "share_{entry}" WHERE taken_flag IS NULL LIMIT 1').fetchone() is None:
                return 0
            if self.credential.fault is Fault.SLOW:
                time.sleep(self.credential.faults.pause)
            database.execute("BEGIN IMMEDIATE")
            rows = database.execute(f'SELECT rowid, * FROM "share_{entry}" WHERE taken_flag IS NULL').fetchall()
            at = datetime.now(UTC).isoformat(timespec="seconds")
            reasons = [_refusal(row) for row in rows]
            self._obey(database, entry, at, [row for row, reason in zip(rows, reasons, strict=True) if not reason])
            database.executemany(
                f'UPDATE "share_{entry}" SET taken_flag = ?, taken_at = ?, failure_reason = ? WHERE rowid = ?',
                [
                    (_FAILED if reason else _TAKEN, at, reason or None, row["rowid"])
                    for row, reason in zip(rows, reasons, strict=True)
                ],
            )
            return len(rows)

    def _obey(self, database: sqlite3.Connection, entry: str, at: str, rows: list[sqlite3.Row]) -> None:
        brought = [row for row in rows if row["effect"] is None]
        withdrawal.bring(database, entry, [row["handle"] for row in brought])
        database.executemany(
            "INSERT INTO holdings VALUES (?, ?, ?, ?) ON CONFLICT (entry, handle) DO UPDATE SET "
            "taken_at = excluded.taken_at, fields = excluded.fields",
            [(entry, row["handle"], at, _fields(row)) for row in brought],
        )
        for effect in withdrawal.EFFECTS:
            notices = [(row["handle"], row["notice"]) for row in rows if row["effect"] == effect]
            withdrawal.obey(database, "holdings", (entry, effect, at), notices)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            with database:
                yield database


def _refusal(row: sqlite3.Row) -> str:
    """Why a row cannot be taken, "" if it can."""
    if not row["handle"]:
        return "no-handle"
    if row["effect"] is None:
        return ""
    if row["effect"] not in withdrawal.EFFECTS:
        return "unknown-effect"
    told = {name: text for name, text in dict(row).items() if name not in _NOT_FIELDS and text is not None}
    return withdrawal.refusal(told | {name: row[name] for name in ("handle", *_TOLD)}, row["effect"])


def _fields(row: sqlite3.Row) -> str:
    cells: dict[str, Any] = {name: text for name, text in dict(row).items() if name not in _NOT_FIELDS}
    return json.dumps(cells, ensure_ascii=False, sort_keys=True)
