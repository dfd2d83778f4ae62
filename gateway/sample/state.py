"""What each pretend recipient holds now, read from its own database and from nothing of the gateway's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_TABLES = {"national_platform": "records", "credit_china": "records", "gsxt": "records", "public_resources": "holdings"}


def held(home: Path) -> dict[str, dict[str, int]]:
    """Records held by recipient and entry; a recipient that never got anything has no entries."""
    return {
        name: _count(home / "sample" / "recipients" / name / "holdings.db", table) for name, table in _TABLES.items()
    }


def handles(home: Path, recipient: str, entry: str) -> frozenset[str]:
    """The handles of the records a recipient holds of an entry."""
    path = home / "sample" / "recipients" / recipient / "holdings.db"
    rows = _query(path, f"SELECT handle FROM {_TABLES[recipient]} WHERE entry = ?", [entry])
    return frozenset(str(row[0]) for row in rows)


def _count(path: Path, table: str) -> dict[str, int]:
    return {
        str(entry): int(size)
        for entry, size in _query(path, f"SELECT entry, count(*) FROM {table} GROUP BY entry ORDER BY entry", [])
    }


def _query(path: Path, statement: str, values: list[str]) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name IN ('records', 'holdings')").fetchone():
            return []
        return database.execute(statement, values).fetchall()
