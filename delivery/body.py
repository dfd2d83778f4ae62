"""The bytes that leave: compact JSON with sorted keys, built from the payload's columns."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator

from delivery.base import Batch, Effect
from records.stages import HANDLE, NOTICE

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def rest_body(batch: Batch, entry: str) -> bytes:
    """{"batch","effect","entry","records":[…]} as UTF-8; a record is {"fields","handle"}, or {"handle","notice"}.

    A batch that brings does not name its effect.
    """
    head = _encode({"batch": batch.id, "entry": entry, **batch.says()})
    return f'{head[:-1]},"records":[{",".join(_records(batch, {}))}]}}'.encode()


def json_lines(batch: Batch) -> bytes:
    """One {"fields","handle"} a line as UTF-8, or {"effect","handle","notice"}: the file alone tells what it does."""
    return "".join(f"{record}\n" for record in _records(batch, batch.says())).encode()


def content_digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530) with SHA-256."""
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


def _records(batch: Batch, said: dict[str, str]) -> Iterator[str]:
    payload = batch.payload
    if batch.effect is not Effect.BRING:
        for handle, notice in zip(payload[HANDLE].to_list(), payload[NOTICE].to_list(), strict=True):
            yield _encode({"handle": handle, "notice": notice, **said})
        return
    names = [name for name in payload.columns if name != HANDLE]
    columns = [payload[name].astype(object).where(payload[name].notna(), None).to_list() for name in names]
    for handle, *cells in zip(payload[HANDLE].to_list(), *columns, strict=True):
        yield _encode({"handle": handle, "fields": dict(zip(names, cells, strict=True))})
