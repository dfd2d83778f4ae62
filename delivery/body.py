"""The bytes that leave: compact JSON with sorted keys, built from the payload's columns."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator

import pandas as pd

from delivery.base import Batch
from records.stages import HANDLE

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def rest_body(batch: Batch, entry: str) -> bytes:
    """{"batch","entry","records":[{"fields","handle"}]} as UTF-8."""
    records = ",".join(_records(batch.payload))
    return f'{{"batch":{_encode(batch.id)},"entry":{_encode(entry)},"records":[{records}]}}'.encode()


def json_lines(batch: Batch) -> bytes:
    """One {"fields","handle"} a line as UTF-8."""
    return "".join(f"{record}\n" for record in _records(batch.payload)).encode()


def content_digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530) with SHA-256."""
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


def _records(payload: pd.DataFrame) -> Iterator[str]:
    names = [name for name in payload.columns if name != HANDLE]
    columns = [payload[name].astype(object).where(payload[name].notna(), None).to_list() for name in names]
    for handle, *cells in zip(payload[HANDLE].to_list(), *columns, strict=True):
        yield _encode({"handle": handle, "fields": dict(zip(names, cells, strict=True))})
