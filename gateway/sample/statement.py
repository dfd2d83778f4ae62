"""What a pretend recipient answers when it is asked what it holds: segments of handles, or record by record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from gateway.sample.store import Store, content_digest


class BadInquiry(ValueError):
    """The inquiry does not say what was agreed."""


def answer(body: bytes, store: Store) -> bytes:
    """The statement that an inquiry asks for, reckoned from what is in the database now. Raises BadInquiry."""
    try:
        asked: dict[str, Any] = json.loads(body)
        prefixes, length = tuple(map(str, asked["prefixes"])), int(asked["length"])
        said = {"inquiry": str(asked["inquiry"]), "entry": str(asked["entry"]), "content_digest": content_digest(body)}
        ends = str(asked["publicity_end"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInquiry("the body is not an inquiry") from error
    with store.open() as database:
        rows = database.execute("SELECT handle, fields FROM records WHERE entry = ? ORDER BY handle", [said["entry"]]).fetchall()
    held = [(handle, json.loads(fields)) for handle, fields in rows if handle.startswith(prefixes)]
    told = {"segments": _segments(held, length)} if length else {"records": _records(held, ends)}
    return json.dumps(said | told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(handle: str, fields: dict[str, str | None]) -> str:
    told = "".join(f"\x1f{name}\x1e{text}" for name, text in sorted(fields.items()) if text is not None)
    return hashlib.sha256(f"{handle}{told}".encode()).hexdigest()


def _records(held: Iterable[tuple[str, dict[str, str | None]]], ends: str) -> list[dict[str, Any]]:
    return [{"handle": handle, "digest": _digest(handle, fields), "ends_on": fields.get(ends)} for handle, fields in held]


def _segments(held: Iterable[tuple[str, dict[str, str | None]]], length: int) -> list[dict[str, Any]]:
    found: dict[str, list[str]] = {}
    for handle, fields in held:
        found.setdefault(handle[:length], []).append(_digest(handle, fields))
    return [{"prefix": prefix, "records": len(digests), "digest": hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()}
            for prefix, digests in found.items()]
