"""A reader of the recipients' own databases; it shares no code with delivery or ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

ON = date(2026, 11, 23)


def content(home: Path) -> dict[tuple[str, str, str], str]:
    """What every recipient holds, read from its own database: fields by recipient, entry and handle."""
    found: dict[tuple[str, str, str], str] = {}
    for name, table in (("national_platform", "records"), ("credit_china", "records"), ("gsxt", "records"),
                        ("public_resources", "holdings")):
        path = home / "sample" / "recipients" / name / "holdings.db"
        if not path.exists():
            continue
        with closing(sqlite3.connect(path)) as database:
            known = database.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
            rows = database.execute(f"SELECT entry, handle, fields FROM {table}") if known else []
            found |= {(name, entry, handle): fields for entry, handle, fields in rows}
    return found
