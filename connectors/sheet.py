"""What CSV files and workbooks share: a header row, and below it rows of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from connectors.base import Source
from connectors.header import Header, match, matches_any
from connectors.rows import HELP_ROW, ROW_WIDTH, Damaged, Received, lines_of, text_array

# How far down a header may stand: under a title, which templates put into one merged cell.
HEADER_WITHIN = 5
_HELP = ("表格说明", "填表说明", "填写说明", "填报说明")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the sheet. `damage` is "" or why it could not be read."""

    line: int
    cells: Sequence[str]
    raw: str
    damage: str = ""


def find_header(rows: Iterable[Sequence[str]], source: Source, partition: str) -> tuple[int, Header]:
    """The place of the header among the first rows (0-based) and what it says.

    Blank rows and title rows, which fill one cell and name no field, may stand above it.
    Raises ContractBreach as `header.match` does, `empty-file` if there are only blank rows.
    """
    for place, cells in enumerate(rows):
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) > 1 or matches_any(filled, source):
            return place, match(cells, source, partition)
    raise source.breach("empty-file", partition, "there is no header; ask the department to hand the file in again")


def received(rows: Iterable[Row], header: Header) -> Received:
    """Sound and damaged rows apart. A wholly blank row is no record: it is passed over, but its line is counted."""
    sound: list[Sequence[str]] = []
    lines: list[int] = []
    damaged: list[Damaged] = []
    for row in rows:
        if not row.damage and len(row.cells) == header.width and any(row.cells):
            sound.append(row.cells)
            lines.append(row.line)
        elif row.damage or any(row.cells):
            damaged.append(Damaged(row.line, row.damage or ROW_WIDTH, row.raw))
    return Received(header, _columns(sound, header), lines_of(lines), damaged)


def with_help_marked(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows under a header; where the first that is not blank explains the template, it is damaged as `help-row`."""
    is_first = True
    for row in rows:
        is_help = is_first and bool(row.cells) and row.cells[0].strip().startswith(_HELP)
        is_first = is_first and not any(row.cells)
        yield replace(row, damage=HELP_ROW) if is_help and not row.damage else row


def _columns(sound: Sequence[Sequence[str]], header: Header) -> dict[str, pa.ChunkedArray]:
    return {field: text_array([cells[place] for cells in sound]) for field, place in header.positions.items()}
