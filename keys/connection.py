"""Where a department or recipient is reached, and with which credential. Its address and token never show in a repr."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml


class ConnectionUnknown(Exception):
    """A connection is not registered, or its file cannot be trusted. Register it as the message says."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How one department or recipient is reached. `public_key` is the raw Ed25519 key of its receipts in base64.

    Paths of PEM files: `client_certificate` and `client_key` show who we are (mTLS), `ca` is the authority its certificate must
    come from.
    """

    name: str
    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    public_key: str = ""
    key_id: str = ""
    client_certificate: str = ""
    client_key: str = ""
    ca: str = ""


def load(path: Path) -> Mapping[str, Connection]:
    """Reads the connections file, by name.

    Raises ConnectionUnknown if the file is missing, readable by others than its owner, not YAML, or has an unknown key.
    """
    return {name: _connection(path, name, entry) for name, entry in _entries(path).items()}


def find(path: Path, name: str) -> Connection:
    """The connection of that name; a slip in the entry of another party cuts off that party alone.

    Raises ConnectionUnknown as `load` does, and if it is not registered.
    """
    entries = _entries(path)
    if name not in entries:
        raise ConnectionUnknown(f"{path}: connection {name} is not registered; add its url and credential there")
    return _connection(path, name, entries[name])


def _entries(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConnectionUnknown(f"{path}: no connections file; write one as docs/connections.md shows, mode 0600")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConnectionUnknown(f"{path}: others may read the credentials in it; run: chmod 600 {path}")
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError) as error:
        # Not the error itself: it quotes the line, and a credential may stand there.
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ConnectionUnknown(f"{path}: not readable as YAML{place}; write it as docs/connections.md shows") from None
    if not isinstance(entries, dict):
        raise ConnectionUnknown(f"{path}: names no connections; write it as docs/connections.md shows")
    return entries


def _connection(path: Path, name: str, entry: Any) -> Connection:
    if not isinstance(entry, dict):
        raise ConnectionUnknown(f"{path}: connection {name}: url and the rest stand below the name, as docs/connections.md shows")
    unknown = sorted(set(entry) - {one.name for one in fields(Connection)} - {"name"})
    if unknown or "url" not in entry:
        raise ConnectionUnknown(f"{path}: connection {name}: {'unknown key ' + unknown[0] if unknown else 'url is missing'}")
    if wrong := sorted(key for key, value in entry.items() if not isinstance(value, str)):
        raise ConnectionUnknown(f"{path}: connection {name}: {wrong[0]} is not text; put it in quotes")
    if ("client_certificate" in entry) != ("client_key" in entry):
        raise ConnectionUnknown(f"{path}: connection {name}: client_certificate and client_key come together")
    return Connection(name=name, **entry)


def save(path: Path, connections: Mapping[str, Mapping[str, str]]) -> None:
    """Writes the connections file at once and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump({name: dict(entry) for name, entry in connections.items()}, file, allow_unicode=True)
    os.replace(draft, path)
