"""A separate reader: the recipients' own databases and the exported ledger; it knows nothing of the gateway's code and tables."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from ledger_audit.notes import read_key

HELD = {"national_platform": "records", "credit_china": "records", "gsxt": "records", "public_resources": "holdings"}
NUMBER = "CF_WSH"
_JOURNAL = """
CREATE TABLE IF NOT EXISTS journal (n INTEGER PRIMARY KEY, what TEXT, handle TEXT, old TEXT, new TEXT);
CREATE TRIGGER IF NOT EXISTS brought AFTER INSERT ON {held} BEGIN
    INSERT INTO journal (what, handle, new) VALUES ('brought', NEW.handle, NEW.fields); END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE ON {held} BEGIN
    INSERT INTO journal (what, handle, old, new) VALUES ('changed', NEW.handle, OLD.fields, NEW.fields); END;
CREATE TRIGGER IF NOT EXISTS gone AFTER DELETE ON {held} BEGIN
    INSERT INTO journal (what, handle, old) VALUES ('gone', OLD.handle, OLD.fields); END;
CREATE TRIGGER IF NOT EXISTS marked AFTER INSERT ON marks BEGIN
    INSERT INTO journal (what, handle) VALUES ('marked', NEW.handle); END;
CREATE TRIGGER IF NOT EXISTS unmarked AFTER DELETE ON marks BEGIN
    INSERT INTO journal (what, handle) VALUES ('unmarked', OLD.handle); END;
"""
Place = tuple[str, str]


@dataclass
class Reading:
    """What recipients show: fields without the empty ones, marks and numbers of copies, by recipient and document number."""

    fields: dict[Place, dict[str, str]] = field(default_factory=dict)
    copies: Counter[Place] = field(default_factory=Counter)
    marked: set[Place] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Happened:
    """One change at a recipient: what, of which document, and whether the content became another."""

    recipient: str
    what: str
    document: str
    is_other: bool


def keep_journal(home: Path) -> None:
    """Has every recipient's database note each change of what it shows, from here on."""
    for recipient, held in HELD.items():
        with _database(home, recipient) as database:
            database.executescript(_JOURNAL.format(held=held))


def shown(home: Path) -> Reading:
    """What every recipient shows now."""
    found = Reading()
    for recipient, held in HELD.items():
        with _database(home, recipient) as database:
            known = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
            if held not in known:
                continue
            marked = {row[0] for row in database.execute("SELECT handle FROM marks")}
            for handle, fields in database.execute(f"SELECT handle, fields FROM {held}"):
                content = {name: value for name, value in json.loads(fields).items() if value is not None}
                place = recipient, content[NUMBER]
                found.fields[place] = content
                found.copies[place] += 1
                if handle in marked:
                    found.marked.add(place)
    return found


def happened(home: Path) -> Iterator[Happened]:
    """Every change since the journal was begun, in the order of each recipient."""
    for recipient in HELD:
        with _database(home, recipient) as database:
            documents: dict[str, str] = {}
            rows = database.execute("SELECT what, handle, old, new FROM journal ORDER BY n").fetchall()
            for _, handle, old, new in rows:
                if said := new or old:
                    documents[handle] = json.loads(said)[NUMBER]
            for what, handle, old, new in rows:
                yield Happened(recipient, what, documents.get(handle, ""), old != new)


def kept_apart(home: Path) -> set[str]:
    """The document numbers of what sites keep although they were told to delete it; there must be none."""
    found = set()
    for recipient in ("credit_china", "gsxt"):
        with _database(home, recipient) as database:
            rows = database.execute("SELECT fields FROM set_aside WHERE effect = 'delete'").fetchall()
            found |= {json.loads(row[0])[NUMBER] for row in rows}
    return found


def breaches(export: Path) -> list[str]:
    """What the auditor finds in an exported ledger: tree, checkpoint, balances, intents and receipts."""
    keys = Keys((read_key((export / "key").read_text("utf-8")),))
    return [f"{found.kind}: {found.words}" for found in check(read(export), keys)]


def closing_figures(export: Path) -> dict[str, dict[str, int]]:
    """The last balance of a night by recipient, as the exported ledger says it."""
    found: dict[str, dict[str, int]] = {}
    for line in (export / "leaves.jsonl").read_text("utf-8").splitlines():
        leaf = json.loads(line)
        if leaf["event"] == "recipient_balanced":
            found[leaf["recipient"]] = leaf["figures"]
    return found


@contextmanager
def _database(home: Path, recipient: str) -> Iterator[sqlite3.Connection]:
    path = home / "sample" / "recipients" / recipient / "holdings.db"
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        yield database
