"""A line of the ledger as a leaf of its tree: canonical JSON that holds codes, digests and figures, and of all else only a
salted commitment (RFC 8785; D50, D53).

What a commitment stands for lies beside it with its salt, in a table of openings. Who destroys the opening erases the value for
good, and the tree stays as it is. Whatever is not on the list below is committed to, so that a new note cannot leak by being new.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from ledger.events import Line, Note

# Reason codes, digests, keys of the catalogue, dates and counts by code: nothing of a subject, a person or a file's name.
PLAIN = frozenset({
    "night", "window_start", "window_end", "edition", "rules", "version", "state", "entry", "effect", "waits", "batch", "receipt",
    "key", "reason", "reasons", "refused", "notices", "withheld", "withdrawn", "deadline", "from", "to", "keys", "head", "former",
    "catalogue", "algorithm", "look_up", "finding", "what",
})
ERASED = "(erased)"
_COMMITMENT = "commitment"


def canonical(value: Any) -> str:
    """The canonical JSON of a value of text, whole numbers, lists and objects with ASCII keys (RFC 8785)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def commitment(salt: bytes, seq: int, name: str, value: Note) -> str:
    """What stands in the leaf for a note: HMAC-SHA256 under the salt over line number, name and value, in hexadecimal."""
    return hmac.new(salt, canonical([seq, name, value]).encode(), hashlib.sha256).hexdigest()


def body_of(line: Line, seq: int) -> tuple[str, list[dict[str, Any]]]:
    """The canonical body of a line and the openings of what it commits to: rows with seq, name, salt (hex), value (JSON)."""
    notes: dict[str, Any] = {name: note for name, note in line.notes.items() if name in PLAIN}
    openings = []
    for name in line.notes.keys() - PLAIN:
        salt, value = secrets.token_bytes(32), line.notes[name]
        notes[name] = {_COMMITMENT: commitment(salt, seq, name, value)}
        openings.append({"seq": seq, "name": name, "salt": salt.hex(), "value": canonical(value)})
    return canonical({"figures": dict(line.figures), "notes": notes}), openings


def leaf_of(row: Mapping[str, Any]) -> bytes:
    """The bytes of a leaf, from a row of the ledger: all of it but its own hash."""
    leaf = {name: row[name] for name in ("at", "event", "feed", "recipient", "run", "seq")}
    # The columns last: they are what the gateway reads, and a body that named one of them would keep the hash while the column changed.
    return canonical(json.loads(row["body"]) | leaf).encode()


def opened(notes: Mapping[str, Any], openings: Mapping[str, str]) -> dict[str, Any]:
    """The notes with what their commitments stand for (JSON by name); "(erased)" where the opening was destroyed."""
    return {name: (json.loads(openings[name]) if name in openings else ERASED) if is_commitment(note) else note
            for name, note in notes.items()}


def is_commitment(note: Any) -> bool:
    """Whether a note of a leaf is a commitment. No plain note is one: their objects hold counts."""
    return isinstance(note, dict) and isinstance(note.get(_COMMITMENT), str)
