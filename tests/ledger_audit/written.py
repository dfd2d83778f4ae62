"""A ledger written by the gateway's own writer, and exported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import Connection

from keys.notes import NoteKey
from keys.sign import Ed25519Signer
from ledger import checkpoints
from ledger.events import Event, Line
from ledger.export import export
from ledger.log import append, origin
from ledger_audit.check import Keys
from ledger_audit.notes import read_key
from records import database

AT = datetime(2026, 11, 24, tzinfo=UTC)
SIGNER = Ed25519Signer.from_seed(b"l" * 32, "sign.1")
SIZE = 200


@dataclass(frozen=True)
class Written:
    """An export, the database it came from, and the key that checks it."""

    folder: Path
    url: str
    keys: Keys


def night(connection: Connection, n: int) -> None:
    """One night of five lines, with figures that add up."""
    run, parts = f"2026-11-24.feed.{n:08d}", {"delivered": 3, "unchanged": 1, "withheld": 1, "pending": 0}
    append(connection, [
        Line(Event.RUN_OPENED, run, "a.b", notes={"night": "2026-11-24", "trigger": f"command:{n}"}),
        Line(Event.INTENDED, run, "a.b", "gsxt", {"records": 3}, {"batch": f"{n:064x}"}),
        Line(Event.DELIVERED, run, "a.b", "gsxt", {"accepted": 3, "refused": 0, "silent": 0},
             {"batch": f"{n:064x}", "receipt": f"{n + 1:064x}", "key": "gsxt-1", "refused": {}}),
        Line(Event.RECIPIENT_BALANCED, run, "a.b", "gsxt", {"accepted": 5, **parts}),
        Line(Event.RUN_CLOSED, run, "a.b", notes={"state": "complete"}),
    ], AT)


def written(place: Path, nights: int) -> Written:
    """Writes a ledger of some nights into a folder, with a checkpoint after each tenth, and exports it."""
    url = f"sqlite:///{place / 'state.db'}"
    database.migrate(url)
    engine = database.connect(url)
    with database.writing(engine) as connection:
        for n in range(nights):
            night(connection, n)
            if (n + 1) % 10 == 0:
                checkpoints.sign(connection, SIGNER, SIGNER.public_key, AT)
        checkpoints.sign(connection, SIGNER, SIGNER.public_key, AT)
        export(connection, place / "export", with_openings=True)
        key = read_key(NoteKey(origin(connection), SIGNER.public_key).text)
    engine.dispose()
    return Written(place / "export", url, Keys((key,)))
