"""What of the ledger can go, and how it says so: openings that are destroyed, and its name after a backup was restored."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ledger import log
from ledger.events import Event, Line
from ledger.leaf import canonical, leaf_of
from records.database import leave_no_trace
from records.schema import ledger_head, lines, openings

# As records/identity.py makes them: a key's version and 16 bytes.
_KEYED_NAME = re.compile(r"[0-9]+-[0-9a-f]{32}")


class NotErasable(ValueError):
    """What was named is no record id or keyed name. Who did something, in which role and for what, stays on the ledger."""


def opening(engine: Engine, seq: int) -> dict[str, Any]:
    """A line as its leaf, with the openings that are left of it (name, salt, value); empty if there is no such line."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(lines).where(lines.c.seq == seq)).mappings().one_or_none()
        left = connection.execute(sa.select(openings).where(openings.c.seq == seq).order_by(openings.c.name)).mappings().all()
    if row is None:
        return {}
    said = [{"name": one["name"], "salt": one["salt"], "value": json.loads(one["value"])} for one in left]
    return {"leaf": json.loads(leaf_of(dict(row))), "hash": row["hash"], "openings": said}


def erase(connection: Connection, named: str, document: str, at: datetime) -> int:
    """Destroys every opening whose value is the record id or keyed name of a subject, and returns how many there were.

    The lines keep their commitments, which without the salt stand for nothing (PIPL art. 47). Raises NotErasable for anything else,
    as a person's name: nobody takes himself out of the register of look-ups.
    """
    if not _KEYED_NAME.fullmatch(named):
        raise NotErasable("no record id or keyed name of a subject")
    erased = connection.execute(sa.delete(openings).where(openings.c.value == canonical(named))).rowcount
    if erased:
        leave_no_trace(connection)
        log.append(connection, [Line(Event.ERASED, "", "", figures={"openings": erased}, notes={"document": document})], at)
    return erased


def renew(connection: Connection, document: str, at: datetime) -> str:
    """Gives the ledger another name from its next line on, and returns it. Its lines stay, and so do its former checkpoints."""
    former, name = log.origin(connection), f"credit-gateway/ledger-{os.urandom(6).hex()}"
    log.append(connection, [Line(Event.LEDGER_RENEWED, "", "", notes={"former": former, "document": document})], at)
    connection.execute(sa.update(ledger_head).values(origin=name))
    return name
