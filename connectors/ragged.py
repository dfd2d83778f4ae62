"""CSV lines that are out of the ordinary, read one by one so that a stray quote costs its own line only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from connectors.rows import ROW_WIDTH, UNDECODABLE
from connectors.sheet import Row


class Lines:
    """The physical lines of a file, and which of them are foreign to its encoding.

    `is_cut_off` tells, once the last row is read, that the file ends without an end of line in a row that is not whole.
    """

    def __init__(self, lines: Sequence[str], foreign: set[int], width: int) -> None:
        self._lines, self._foreign, self._width = lines, foreign, width
        self.is_cut_off = False

    def rows(self, start: int, number: int) -> Iterator[tuple[Row, int]]:
        """Rows from the physical line `start` on, the first one numbered `number`, each with the place behind it."""
        while start < len(self._lines):
            for row, end in self._run(start, number):
                if end == len(self._lines) and not self._lines[-1].endswith(("\r", "\n")):
                    self.is_cut_off = len(row.cells) < self._width
                yield row, end
                start, number = end, number + 1

    def has_foreign(self, start: int, end: int) -> bool:
        """Whether a line from `start` up to but without `end` is foreign."""
        return bool(self._foreign) and not self._foreign.isdisjoint(range(start, end))

    def _run(self, first: int, number: int) -> Iterator[tuple[Row, int]]:
        """Rows up to and with the first line that must be taken alone."""
        start = first
        reader = csv.reader(self._lines[at] for at in range(first, len(self._lines)))
        while start < len(self._lines):
            try:
                cells = next(reader)
                end = first + reader.line_num
                has_run_away = self._has_run_away(start, end, cells)
            except csv.Error:
                has_run_away = True
            if has_run_away:
                yield Row(number, (), self._lines[start].rstrip("\r\n"), ROW_WIDTH), start + 1
                return
            yield self._row(number, start, end, cells), end
            start, number = end, number + 1

    def _row(self, number: int, start: int, end: int, cells: Sequence[str]) -> Row:
        raw = "".join(self._lines[start:end])
        is_undecodable = "\0" in raw or self.has_foreign(start, end)
        return Row(number, cells, raw.rstrip("\r\n"), UNDECODABLE if is_undecodable else "")

    def _has_run_away(self, start: int, end: int, cells: Sequence[str]) -> bool:
        if end - start == 1:
            return end == len(self._lines) and is_open(self._lines[start])
        return len(cells) != self._width or bool(_fault(self._lines[start:end]))


def is_open(line: str) -> bool:
    """Whether a quote is opened and never closed."""
    return '"' in line and _fault([line]) == "unexpected end of data"


def _fault(lines: Sequence[str]) -> str:
    """What a strict reader objects to, "" for nothing."""
    try:
        for _ in csv.reader(lines, strict=True):
            continue
    except csv.Error as error:
        return str(error)
    return ""
