"""From columns of text and damaged rows to the frame of `Collected`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connectors.base import Source
from connectors.header import Header
from records.stages import DAMAGE, LINE, RAW, Collected

TEXT = pd.ArrowDtype(pa.string())

ROW_WIDTH, UNDECODABLE, HELP_ROW = "row-width", "undecodable", "help-row"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that could not be read: where it stands, why, and as it came."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Received:
    """What an exchange method read. `columns` are Arrow strings by field code; `lines` (int64) has the same length."""

    header: Header
    columns: dict[str, pa.ChunkedArray]
    lines: np.ndarray
    damaged: list[Damaged] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines) + len(self.damaged)


def collected(source: Source, partition: str, received: Received, digest: str) -> Collected:
    """The rows in the order of their lines, sound and damaged together; an empty cell is NA."""
    header = received.header
    rows = pd.DataFrame({field: _text(received, field) for field in header.positions})
    rows[LINE] = np.concatenate([received.lines, lines_of([row.line for row in received.damaged])])
    rows[DAMAGE] = _marks(received, [row.reason for row in received.damaged])
    rows[RAW] = _marks(received, [row.raw for row in received.damaged])
    if received.damaged:
        rows = rows.sort_values(LINE, kind="stable", ignore_index=True)
    return Collected(source.feed_key, source.feed.entry, partition, rows, header.dropped, header.missing, digest)


def text_array(values: Sequence[str | None]) -> pa.ChunkedArray:
    """A column of text in which an empty cell is missing.

    Raises UnicodeEncodeError for half a surrogate pair, which is no character.
    """
    cells = pa.array(values, pa.string())
    return pa.chunked_array([pc.if_else(pc.equal(cells, ""), None, cells)])


def lines_of(numbers: Sequence[int] | range) -> np.ndarray:
    """Line numbers in the form in which `Received` holds them."""
    return np.array(numbers, dtype="int64")


def joined(header: Header, parts: Sequence[Received]) -> Received:
    """What was read part by part, as one."""
    chunks = {field: [chunk for part in parts for chunk in part.columns[field].chunks] for field in header.positions}
    return Received(
        header,
        {field: pa.chunked_array(chunks[field], pa.string()) for field in header.positions},
        np.concatenate([lines_of([]), *(part.lines for part in parts)]),
        [row for part in parts for row in part.damaged],
    )


def without_nul(received: Received) -> Received:
    """Rows that hold a NUL set apart as damaged: most stores cut the text there, so it would not arrive as it was checked."""
    has_nul = np.zeros(len(received.lines), dtype=bool)
    for column in received.columns.values():
        has_nul |= pc.fill_null(pc.match_substring(column, "\0"), False).to_numpy()
    if not has_nul.any():
        return received
    found = np.flatnonzero(has_nul).tolist()
    damaged = [Damaged(int(received.lines[row]), UNDECODABLE, _as_json(received, row)) for row in found]
    columns = {name: column.filter(pa.array(~has_nul)) for name, column in received.columns.items()}
    return Received(received.header, columns, received.lines[~has_nul], received.damaged + damaged)


def _text(received: Received, name: str) -> pd.Series:
    absent = pa.nulls(len(received.damaged), pa.string())
    column = pa.chunked_array([*received.columns[name].chunks, absent], pa.string())
    return pd.Series(pd.arrays.ArrowExtensionArray(column), dtype=TEXT)


def _marks(received: Received, values: Sequence[str]) -> pd.Series:
    column = pa.chunked_array([pa.nulls(len(received.lines), pa.string()), pa.array(values, pa.string())])
    return pd.Series(pd.arrays.ArrowExtensionArray(column), dtype=TEXT)


def _as_json(received: Received, row: int) -> str:
    cells = {name: column[row].as_py() for name, column in received.columns.items()}
    return json.dumps(cells, ensure_ascii=False)
