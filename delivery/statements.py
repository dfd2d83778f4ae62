"""Statements 对账单: what a recipient says it holds, by segments of handles, or record by record.

Both sides reckon in one canonical form. The digest of a record is the SHA-256 in hexadecimal over its handle and, in the order
of their names, every field that is not null: the handle, then for each field U+001F, the name, U+001E, the value. The digest of
a segment is the SHA-256 over the digests of its records, in ascending order, one after the other. Any database can reckon it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from delivery.base import Door
from delivery.receipts import document, refuse
from records.identity import plain
from records.stages import HANDLE

BEFORE_NAME, BEFORE_VALUE = "\x1f", "\x1e"
CONTENT, ENDS, PREFIX, RECORDS = "_content", "_ends_on", "_prefix", "_records"
TEXT = pd.ArrowDtype(pa.string())
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question to a recipient about the records whose handles begin with one of `prefixes`.

    With a `length` it asks for segments of so many characters, with 0 for the records themselves; `ends_field` names the field
    that holds the end of publicity, "" if none.
    """

    id: str
    prefixes: tuple[str, ...]
    length: int = 0
    ends_field: str = ""

    @property
    def later(self) -> str:
        """What comes of it if no sound answer comes."""
        return "what it holds is asked after again with the next reconciliation"

    def body(self, entry: str) -> bytes:
        """The inquiry as JSON in UTF-8: {"inquiry", "entry", "prefixes", "length", "publicity_end"}."""
        said = {"inquiry": self.id, "entry": entry, "prefixes": list(self.prefixes), "length": self.length,
                "publicity_end": self.ends_field}
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def contents(payload: pd.DataFrame) -> pd.Series[str]:
    """The digest of each record in the canonical form. payload: HANDLE and the fields that left, text or NA."""
    names = sorted(name for name in payload.columns if name != HANDLE)
    parts = [plain(payload[HANDLE])]
    for name in names:
        told = pc.binary_join_element_wise(pa.scalar(f"{BEFORE_NAME}{name}"), plain(payload[name]), pa.scalar(BEFORE_VALUE))
        parts.append(pc.fill_null(told, ""))
    joined = pc.binary_join_element_wise(*parts, pa.scalar(""))
    digests = [hashlib.sha256(text).hexdigest() for text in pc.cast(joined, pa.binary()).to_pylist()]
    return pd.Series(digests, index=payload.index, dtype=TEXT)


def segments(held: pd.DataFrame, length: int) -> pd.DataFrame:
    """Records by segment: PREFIX, RECORDS, CONTENT (the digest of the segment). held: HANDLE, CONTENT."""
    prefix = held[HANDLE].str.slice(0, length)
    ordered = pd.DataFrame({PREFIX: prefix, CONTENT: held[CONTENT]}).sort_values(CONTENT)
    rows = [(str(name), len(part), hashlib.sha256("".join(part).encode()).hexdigest()) for name, part in ordered.groupby(PREFIX)[CONTENT]]
    return segments_frame(rows)


def read_statement(body: bytes, sent_digest: str, inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """What a verified answer says: PREFIX, RECORDS, CONTENT of segments, or HANDLE, CONTENT, ENDS of records.

    Raises ReceiptMismatch if it answers another inquiry, or says anything that was not agreed.
    """
    said = document(body, inquiry, door)
    if (said.get("inquiry"), said.get("entry"), said.get("content_digest")) != (inquiry.id, door.entry_code, sent_digest):
        refuse(inquiry, door, "another-inquiry", "the statement answers another inquiry")
    rows = said.get("segments" if inquiry.length else "records")
    if not isinstance(rows, list) or not all(_is_sound(row, inquiry) for row in rows):
        refuse(inquiry, door, "no-statement", "the statement does not say what was agreed")
    named = ("prefix", "records", "digest") if inquiry.length else ("handle", "digest", "ends_on")
    if len({row[named[0]] for row in rows}) < len(rows):
        refuse(inquiry, door, "no-statement", "the statement names a segment or record twice")
    return (segments_frame if inquiry.length else records_frame)([[row.get(name) for name in named] for row in rows])


def segments_frame(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """A statement of segments from (prefix, records, digest): PREFIX, RECORDS, CONTENT."""
    return _frame(rows, [PREFIX, RECORDS, CONTENT])


def records_frame(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """A statement of records from (handle, digest, end of publicity or None): HANDLE, CONTENT, ENDS."""
    return _frame(rows, [HANDLE, CONTENT, ENDS])


def _frame(rows: Sequence[Sequence[Any]], names: list[str]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pd.DataFrame({name: pd.Series(list(values), dtype="int64" if name == RECORDS else TEXT)
                         for name, values in zip(names, columns, strict=True)})


def _is_sound(row: object, inquiry: Inquiry) -> bool:
    match row:
        case {"prefix": str(named), "records": int(records), "digest": str(digest)} if inquiry.length:
            is_well = records > 0 and not isinstance(records, bool) and len(named) <= inquiry.length
        case {"handle": str(named), "digest": str(digest), **rest} if not inquiry.length:
            is_well = isinstance(rest.get("ends_on"), str | None)
        case _:
            return False
    return is_well and bool(_HEX.fullmatch(digest)) and named.startswith(inquiry.prefixes)
