"""The exported files, read strictly: whatever is not exactly as agreed is a finding, and nothing is guessed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ledger_audit.notes import Checkpoint, NoteRefused, read_checkpoint
from ledger_audit.tree import leaf_hash

_KEYS = {"at", "event", "feed", "figures", "notes", "recipient", "run", "seq"}


class Unreadable(Exception):
    """The export is not there or not readable at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold: its class, the line it stands in (0 for none), and what is wrong, without a value."""

    kind: str
    line: int
    words: str


@dataclass
class Export:
    """The ledger as exported: leaf hashes, what each leaf says (None where it cannot be read), checkpoints, findings so far."""

    hashes: list[bytes] = field(default_factory=list)
    leaves: list[dict[str, Any] | None] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read(folder: Path) -> Export:
    """Reads the export in a folder. Raises Unreadable if there is none."""
    found = Export()
    for number, line in enumerate(_lines(folder / "leaves.jsonl"), 1):
        found.hashes.append(leaf_hash(line))
        try:
            found.leaves.append(_leaf(line, number))
        except ValueError as error:
            found.leaves.append(None)
            found.findings.append(Finding("leaf", number, str(error)))
    for number, line in enumerate(_lines(folder / "checkpoints.jsonl"), 1):
        try:
            found.checkpoints.append(_checkpoint(line))
        except ValueError as error:
            found.findings.append(Finding("checkpoint", number, str(error)))
    if (folder / "openings.jsonl").exists():
        found.findings += _openings(folder / "openings.jsonl", found.leaves)
    return found


def parse(line: bytes) -> dict[str, Any]:
    """One object of canonical JSON: no key twice, whole numbers only, sorted, no spaces. Raises ValueError."""
    value = json.loads(line.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
    if not isinstance(value, dict) or canonical(value).encode() != line:
        raise ValueError("not canonical JSON")
    return value


def canonical(value: Any) -> str:
    """The canonical JSON of a value (RFC 8785, for text, whole numbers, lists and objects)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}; export the ledger anew: gateway ledger export") from None
    *whole, rest = content.split(b"\n")
    yield from whole
    if rest:
        yield rest + b" (its line break is missing)"


def _leaf(line: bytes, number: int) -> dict[str, Any]:
    leaf = parse(line)
    if set(leaf) != _KEYS or leaf["seq"] != number:
        raise ValueError("not a leaf in its place: other keys, or another number")
    texts = [leaf[name] for name in ("at", "event", "feed", "recipient", "run")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(leaf["notes"], dict):
        raise ValueError("not a leaf: a column of another kind")
    figures = leaf["figures"]
    if not isinstance(figures, dict) or not all(type(n) is int for n in figures.values()):
        raise ValueError("not a leaf: figures that are no whole numbers")
    return leaf


def _checkpoint(line: bytes) -> Checkpoint:
    said = parse(line)
    if set(said) != {"note", "size"} or not isinstance(said["note"], str):
        raise NoteRefused("not a checkpoint with its size")
    note = read_checkpoint(said["note"])
    if note.size != said["size"]:
        raise NoteRefused("it names another size than its checkpoint")
    return note


def _openings(path: Path, leaves: list[dict[str, Any] | None]) -> Iterator[Finding]:
    for number, line in enumerate(_lines(path), 1):
        try:
            said = parse(line)
            leaf = leaves[said["seq"] - 1] if 0 < said["seq"] <= len(leaves) else None
            expected = leaf["notes"][said["name"]]["commitment"] if leaf else ""
            if not re.fullmatch(r"[0-9a-f]{64}", said["salt"]):
                raise ValueError("its salt is no 32 bytes")
            message = canonical([said["seq"], said["name"], said["value"]]).encode()
            opens = hmac.compare_digest(hmac.new(bytes.fromhex(said["salt"]), message, hashlib.sha256).hexdigest(), expected)
        except (ValueError, KeyError, TypeError):
            opens = False
        if not opens:
            yield Finding("opening", number, "it opens no commitment of the ledger")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse(_: str) -> NoReturn:
    raise ValueError("a number that is not whole")
