"""The moment at which an order can be entered in the midst of a journey."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def nobody_writes(home: Path) -> bool:
    """Whether no transaction of another thread is writing to the state database: who waited for it here would wait for ever."""
    with closing(sqlite3.connect(home / "gateway.db", timeout=0)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True
