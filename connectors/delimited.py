"""CSV: decoded strictly, read fast where every line is one sound record, and with care everywhere else."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from connectors.base import Source
from connectors.header import Header, matches_any
from connectors.rows import ROW_WIDTH, UNDECODABLE, Received
from connectors.sheet import HEADER_WITHIN, Row, find_header, is_help, received

_CHINESE = re.compile("[\u3400-\u9fff]")
_BLOCK = 8 << 20


def read(raw: bytes, encodings: Sequence[str], source: Source, partition: str) -> Received:
    """The rows of a CSV file; line 1 is the header as a clerk sees it in a sheet, a cell with line breaks counts once.

    Raises ContractBreach: `unreadable-file` if no encoding fits the whole file, `cut-off-file` if it ends in the middle
    of a row, and as `find_header` does.
    """
    text, encoding = _decode(raw, encodings, source, partition)
    lines = list(io.StringIO(text, newline=""))
    foreign = _foreign_lines(lines, encoding)
    if lines and (0 in foreign or "\0" in lines[0] or lines[1:2] and lines[1].startswith("\0")):
        raise _unreadable(source, partition)
    quick = None if foreign else _read_sound(text, lines, source, partition)
    return _read_carefully(lines, foreign, source, partition) if quick is None else quick


def _decode(raw: bytes, encodings: Sequence[str], source: Source, partition: str) -> tuple[str, str]:
    # Behind a UTF-8 mark nothing but UTF-8 is believed: gb18030 makes text of nearly any bytes.
    tried = ["utf-8-sig"] if raw.startswith(codecs.BOM_UTF8) else encodings
    for encoding in tried:
        try:
            return raw.decode(encoding, "strict"), encoding
        except UnicodeDecodeError:
            continue
    raise _unreadable(source, partition)


def _unreadable(source: Source, partition: str) -> Exception:
    remedy = "the file is not text in one of the agreed encodings; ask the department to save it again as CSV in UTF-8"
    return source.breach("unreadable-file", partition, remedy)


def _foreign_lines(lines: Sequence[str], encoding: str) -> set[int]:
    """Lines of a gb18030 file that were written in UTF-8: files put together from two systems mix both.

    Chinese in gb18030 hardly ever is valid UTF-8 that again gives Chinese, so these lines would arrive as rubbish.
    """
    if codecs.lookup(encoding).name.startswith("utf-8"):
        return set()
    return {number for number, line in enumerate(lines) if not line.isascii() and _is_utf8(line.encode(encoding))}


def _is_utf8(line: bytes) -> bool:
    try:
        return bool(_CHINESE.search(line.decode("utf-8")))
    except UnicodeDecodeError:
        return False


def _read_sound(text: str, lines: Sequence[str], source: Source, partition: str) -> Received | None:
    """The whole file at once, or None if anything about it is out of the ordinary."""
    if "\0" in text or len(lines) < 2 or max(map(len, lines)) > csv.field_size_limit():
        return None
    if any(_fault([line]) for line in (*lines[:2], lines[-1])):
        return None
    top = [next(csv.reader([line])) for line in lines[:2]]
    if not matches_any(top[0], source) or is_help(top[1]):
        return None
    _, header = find_header(top[:1], source, partition)
    table = _arrow_table(text, header)
    # Fewer records than lines means cells with line breaks, or a stray quote that swallows its neighbours.
    if table is None or table.num_rows != len(lines) - 1 or _has_blank_row(table):
        return None
    columns = {field: table.column(name) for field, name in zip(header.positions, table.column_names, strict=True)}
    return Received(header, columns, range(2, table.num_rows + 2))


def _arrow_table(text: str, header: Header) -> pa.Table | None:
    names = [f"c{place}" for place in range(header.width)]
    wanted = [names[place] for place in header.positions.values()]
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(text.encode("utf-8")),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=text_only(wanted),
        )
    except pa.ArrowInvalid:
        return None


def text_only(wanted: Sequence[str]) -> arrow_csv.ConvertOptions:
    """Every wanted column as text, nothing guessed; an empty cell is missing."""
    types = dict.fromkeys(wanted, pa.string())
    return arrow_csv.ConvertOptions(
        include_columns=wanted, column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
    )


def _has_blank_row(table: pa.Table) -> bool:
    is_blank = pc.is_null(table.column(0))
    for column in table.columns[1:]:
        is_blank = pc.and_(is_blank, pc.is_null(column))
    return bool(pc.any(is_blank).as_py())


def _read_carefully(lines: Sequence[str], foreign: set[int], source: Source, partition: str) -> Received:
    reader = csv.reader(lines)
    try:
        place, header = find_header(islice(reader, HEADER_WITHIN), source, partition)
    except csv.Error:
        raise _unreadable(source, partition) from None
    rows = _Rows(lines, foreign, header.width)
    answer = received(rows.read(reader.line_num, place + 2), header)
    if rows.is_cut_off:
        remedy = "the file ends in the middle of a row; ask the department to hand it in again, whole"
        raise source.breach("cut-off-file", partition, remedy)
    return answer


class _Rows:
    """The rows below the header. A stray quote costs its own line, never the lines behind it.

    `is_cut_off` tells, once they are read, that the file ends without an end of line in a row that is not whole.
    """

    def __init__(self, lines: Sequence[str], foreign: set[int], width: int) -> None:
        self._lines, self._foreign, self._width = lines, foreign, width
        self.is_cut_off = False

    def read(self, start: int, number: int) -> Iterator[Row]:
        """Rows from the physical line `start` on, the first one numbered `number`."""
        while start < len(self._lines):
            for row, end in self._run(start):
                start = end
                if end == len(self._lines) and not self._lines[-1].endswith(("\r", "\n")):
                    self.is_cut_off = len(row.cells) < self._width
                yield Row(number, row.cells, row.raw, row.damage)
                number += 1

    def _run(self, first: int) -> Iterator[tuple[Row, int]]:
        """Rows and the place behind each, up to and with the first line that must be taken alone."""
        position = first
        reader = csv.reader(self._lines[at] for at in range(first, len(self._lines)))
        while position < len(self._lines):
            try:
                cells = next(reader)
                end = first + reader.line_num
                has_run_away = self._has_run_away(position, end, cells)
            except csv.Error:
                has_run_away = True
            if has_run_away:
                yield Row(0, (), self._lines[position].rstrip("\r\n"), ROW_WIDTH), position + 1
                return
            yield self._row(position, end, cells), end
            position = end

    def _row(self, start: int, end: int, cells: Sequence[str]) -> Row:
        raw = "".join(self._lines[start:end])
        is_undecodable = "\0" in raw or not self._foreign.isdisjoint(range(start, end))
        return Row(0, cells, raw.rstrip("\r\n"), UNDECODABLE if is_undecodable else "")

    def _has_run_away(self, start: int, end: int, cells: Sequence[str]) -> bool:
        if end - start == 1:
            return end == len(self._lines) and _is_open(self._lines[start])
        return len(cells) != self._width or bool(_fault(self._lines[start:end]))


def _is_open(line: str) -> bool:
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
