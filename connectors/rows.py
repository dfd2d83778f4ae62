"""From columns of text and damaged rows to the frame of `Collected`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
    """What an exchange method read. `columns` are Arrow strings by field code; `lines` has the same length."""

    header: Header
    columns: dict[str, pa.ChunkedArray]
    lines: Sequence[int] | range
    damaged: list[Damaged] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines) + len(self.damaged)


def collected(source: Source, partition: str, received: Received, digest: str) -> Collected:
    """The rows in the order of their lines, sound and damaged together; an empty cell is NA."""
    received = _without_nul(received)
    header = received.header
    rows = pd.DataFrame({field: _text(received, field) for field in header.positions})
    rows[LINE] = np.array([*received.lines, *(row.line for row in received.damaged)], dtype="int64")
    rows[DAMAGE] = _marks(received, [row.reason for row in received.damaged])
    rows[RAW] = _marks(received, [row.raw for row in received.damaged])
    if received.damaged:
        rows = rows.sort_values(LINE, kind="stable", ignore_index=True)
    return Collected(source.feed_key, source.feed.entry, partition, rows, header.dropped, header.missing, digest)


def text_array(values: Iterable[str | None]) -> pa.ChunkedArray:
    """A column of text in which an empty cell is missing.

    Raises UnicodeEncodeError for half a surrogate pair, which is no character.
    """
    return pa.chunked_array([pa.array([value or None for value in values], pa.string())])


def _text(received: Received, name: str) -> pd.Series:
    absent = pa.nulls(len(received.damaged), pa.string())
    column = pa.chunked_array([*received.columns[name].chunks, absent], pa.string())
    return pd.Series(pd.arrays.ArrowExtensionArray(column), dtype=TEXT)


def _marks(received: Received, values: Sequence[str]) -> pd.Series:
    column = pa.chunked_array([pa.nulls(len(received.lines), pa.string()), pa.array(values, pa.string())])
    return pd.Series(pd.arrays.ArrowExtensionArray(column), dtype=TEXT)


def _without_nul(received: Received) -> Received:
    """Rows that hold a NUL are damaged: most stores cut the text there, so it would not arrive as it was checked."""
    has_nul = np.zeros(len(received.lines), dtype=bool)
    for column in received.columns.values():
        has_nul |= pc.fill_null(pc.match_substring(column, "\0"), False).to_numpy()
    if not has_nul.any():
        return received
    damaged = [Damaged(received.lines[row], UNDECODABLE, _as_json(received, row)) for row in np.flatnonzero(has_nul).tolist()]
    sound = pa.array(~has_nul)
    columns = {name: column.filter(sound) for name, column in received.columns.items()}
    lines = np.asarray(received.lines)[~has_nul].tolist()
    return Received(received.header, columns, lines, received.damaged + damaged)


def _as_json(received: Received, row: int) -> str:
    cells = {name: column[row].as_py() for name, column in received.columns.items()}
    return json.dumps(cells, ensure_ascii=False)
