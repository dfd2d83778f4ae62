"""A reader of the recipients' own databases; it shares no code with delivery or ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

ON = date(2026, 11, 23)


TABLES = {"national_platform": "records", "credit_china": "records", "gsxt": "records", "public_resources": "holdings"}


def content(home: Path) -> dict[tuple[str, str, str], str]:
    """What every recipient shows and answers from, read from its own database: fields by recipient, entry and handle.

    A record that a recipient keeps apart (stopped or blocked) is not among it; a marked one is.
    """
    return {(name, entry, handle): fields for name, table in TABLES.items()
            for entry, handle, fields in _read(home, name, table, "fields")}


def marks(home: Path) -> dict[tuple[str, str, str], str]:
    """Which of it is marked, and why: reason code by recipient, entry and handle."""
    return {(name, entry, handle): notice for name in TABLES for entry, handle, notice in _read(home, name, "marks", "notice")}


def _read(home: Path, recipient: str, table: str, what: str) -> Iterator[tuple[str, str, str]]:
    path = home / "sample" / "recipients" / recipient / "holdings.db"
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as database:
        known = database.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
        yield from database.execute(f"SELECT entry, handle, {what} FROM {table}") if known else []
