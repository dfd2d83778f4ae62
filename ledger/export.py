"""The ledger as files for the auditor: leaves, checkpoints, and on request what the commitments stand for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from keys.whole import whole
from ledger.leaf import canonical, leaf_of
from ledger.log import LedgerBroken, head
from records.schema import checkpoints, lines, openings

LEAVES, CHECKPOINTS, OPENINGS = "leaves.jsonl", "checkpoints.jsonl", "openings.jsonl"


def export(connection: Connection, folder: Path, with_openings: bool, size: int | None = None) -> int:
    """Writes the ledger, or its first `size` lines, into a folder and returns how many they are; each file is there whole or not at
    all.

    The leaves hold no personal data; openings do: they name subjects, persons and files, and are written with mode 0600.
    Raises LedgerBroken if lines are missing.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # First: what is handed on must not hold those of an earlier export, nor of one that was killed, whatever becomes of this one.
    for former in folder.glob(f"{OPENINGS}*"):
        former.unlink()
    size = head(connection).size if size is None else size
    rows = connection.execute(sa.select(lines).where(lines.c.seq <= size).order_by(lines.c.seq)).mappings()
    written = _write(folder / LEAVES, (leaf_of(dict(row)).decode() for row in rows))
    if written != size:
        raise LedgerBroken(f"ledger of {size} lines", f"缺失 {size - written} 行；请运行 gateway ledger verify。",
                           f"{size - written} of them are missing; run gateway ledger verify")
    notes = connection.execute(sa.select(checkpoints).where(checkpoints.c.size <= size).order_by(checkpoints.c.size)).mappings()
    _write(folder / CHECKPOINTS, (canonical({"size": row["size"], "note": row["note"] + row["cosignatures"]}) for row in notes))
    if with_openings:
        found = connection.execute(sa.select(openings).where(openings.c.seq <= size).order_by(openings.c.seq, openings.c.name))
        _write(folder / OPENINGS, map(_opening, found.mappings()))
    return size


def _opening(row: Any) -> str:
    # The value is canonical already: as text, so that it is not read and written anew.
    return f'{{"name":{canonical(row["name"])},"salt":{canonical(row["salt"])},"seq":{row["seq"]},"value":{row["value"]}}}'


def _write(path: Path, texts: Iterable[str]) -> int:
    count = 0
    with whole(path) as file:
        for text in texts:
            file.write(f"{text}\n".encode())
            count += 1
    return count
