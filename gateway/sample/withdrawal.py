"""How a pretend recipient obeys a withdrawal: what it shows and answers from, what it has set aside, what it has marked."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS marks (
    entry TEXT NOT NULL, handle TEXT NOT NULL, notice TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (entry, handle));
CREATE TABLE IF NOT EXISTS set_aside (
    entry TEXT NOT NULL, handle TEXT NOT NULL, effect TEXT NOT NULL, notice TEXT NOT NULL, since TEXT NOT NULL,
    fields TEXT NOT NULL, PRIMARY KEY (entry, handle));
"""
EFFECTS = ("stop_sharing", "mark", "block", "delete")

Notices = Sequence[tuple[str, str]]


def bring(database: sqlite3.Connection, entry: str, handles: Sequence[str]) -> None:
    """What is brought anew is neither marked nor set aside any more."""
    for table in ("marks", "set_aside"):
        database.executemany(f"DELETE FROM {table} WHERE entry = ? AND handle = ?", [(entry, handle) for handle in handles])


def obey(database: sqlite3.Connection, held: str, command: tuple[str, str, str], notices: Notices) -> None:
    """Marks, sets aside or deletes the records named; one that is not known changes nothing.

    held: the table that everything shown and answered is read from, so that what leaves it is out of every answer at once.
    command: entry, effect, time; notices: handle and reason code. A record stopped or blocked is kept apart from what answers,
    until it is deleted or brought anew; a deleted one is kept nowhere.
    """
    entry, effect, at = command
    named = [{"entry": entry, "handle": handle, "effect": effect, "notice": notice, "at": at} for handle, notice in notices]
    this = "entry = :entry AND handle = :handle"
    if effect == "mark":
        database.executemany(f"INSERT OR REPLACE INTO marks SELECT entry, handle, :notice, :at FROM {held} WHERE {this}", named)
        return
    if effect == "delete":
        database.executemany(f"DELETE FROM set_aside WHERE {this}", named)
    else:
        database.executemany(
            f"INSERT OR REPLACE INTO set_aside SELECT entry, handle, :effect, :notice, :at, fields FROM {held} WHERE {this}", named
        )
    for table in (held, "marks"):
        database.executemany(f"DELETE FROM {table} WHERE {this}", named)


def refusal(record: dict[str, Any], effect: str) -> str:
    """Why a record of a withdrawal cannot be obeyed, "" if it can: it holds a handle, a reason code and nothing else."""
    if set(record) - {"effect", "handle", "notice"}:
        return "more-than-a-notice"
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", str(record.get("notice"))):
        return "no-notice"
    return "" if record.get("effect", effect) == effect else "another-effect"
