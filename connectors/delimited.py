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
from connectors.header import Header
from connectors.ragged import Lines, is_open
from connectors.rows import Received, joined, lines_of
from connectors.sheet import HEADER_WITHIN, Row, find_header, received, with_help_marked

_CHINESE = re.compile("[\u3400-\u9fff]")
# A line out of the ordinary costs the quick way for its block only.
_LINES = 8_192
MAX_LINES = 20_000_000


def read(raw: bytes, encodings: Sequence[str], source: Source, partition: str) -> Received:
    """The rows of a CSV file; line 1 is the header as a clerk sees it in a sheet, a cell with line breaks counts once.

    Raises ContractBreach: `unreadable-file` if no encoding fits the whole file, `too-large`, `cut-off-file` if it ends in
    the middle of a row, and as `find_header` does.
    """
    text, encoding = _decode(raw, encodings, source, partition)
    if text.count("\n") + text.count("\r") > MAX_LINES:
        raise source.breach("too-large", partition, f"the file has more than {MAX_LINES} lines; ask the department for smaller files")
    lines = list(io.StringIO(text, newline=""))
    foreign = _foreign_lines(lines, encoding)
    if lines and (0 in foreign or "\0" in lines[0] or lines[1:2] and lines[1].startswith("\0")):
        raise _unreadable(source, partition)
    reader = csv.reader(lines)
    try:
        place, header = find_header(islice(reader, HEADER_WITHIN), source, partition)
    except csv.Error:
        raise _unreadable(source, partition) from None
    ragged = Lines(lines, foreign, header.width)
    parts = list(_parts(lines, ragged, header, (reader.line_num, place + 2)))
    if ragged.is_cut_off:
        remedy = "the file ends in the middle of a row; ask the department to hand it in again, whole"
        raise source.breach("cut-off-file", partition, remedy)
    return joined(header, parts)


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


def _parts(lines: Sequence[str], ragged: Lines, header: Header, first: tuple[int, int]) -> Iterator[Received]:
    """The rows below the header, block by block: all at once where each line is one sound row, otherwise line by line.

    `first` is the physical line to begin with and the number a clerk would give it.
    """
    start, number = first
    size = 1  # The first row that says anything is read with care, for it may explain the template.
    while start < len(lines):
        if _is_blank(ahead := lines[start : start + _LINES]):
            start, number = start + len(ahead), number + len(ahead)
            continue
        block = ahead[:size]
        table = None if size == 1 or ragged.has_foreign(start, start + size) else _table(block, header)
        if table is not None:
            part = Received(header, table, lines_of(range(number, number + len(block))))
            start, number = start + len(block), number + len(block)
        else:
            rows, start = _until(ragged.rows(start, number), start + size)
            part = received(with_help_marked(rows) if size == 1 else rows, header)
            number += len(rows)
        size = size if size == 1 and not part else _LINES
        yield part


def _is_blank(block: Sequence[str]) -> bool:
    """Whether each line is a blank row; a workbook saved as CSV may end in a million of them."""
    return not "".join(block).strip(",\r\n")


def _until(rows: Iterator[tuple[Row, int]], goal: int) -> tuple[list[Row], int]:
    """Rows up to the first that ends at the line `goal` or behind it."""
    taken, reached = list[Row](), goal
    for row, reached in rows:
        taken.append(row)
        if reached >= goal:
            break
    return taken, reached


def _table(block: Sequence[str], header: Header) -> dict[str, pa.ChunkedArray] | None:
    """The fields of a block in which each line is one sound row that says something; None for any other block."""
    text = "".join(block)
    if "\0" in text or is_open(block[-1]) or max(map(len, block)) > csv.field_size_limit():
        return None
    table = _arrow_table(text.encode(), header)
    # Fewer rows than lines means cells with line breaks, or a stray quote that swallows its neighbours.
    if table is None or table.num_rows != len(block) or _has_blank_row(table):
        return None
    return dict(zip(header.positions, table.columns, strict=True))


def _arrow_table(text: bytes, header: Header) -> pa.Table | None:
    names = [f"c{place}" for place in range(header.width)]
    try:
        return arrow_csv.read_csv(
            pa.py_buffer(text),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=len(text) + 1),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=text_only([names[place] for place in header.positions.values()]),
        )
    except pa.ArrowInvalid:
        return None


def _has_blank_row(table: pa.Table) -> bool:
    """Whether a row says nothing in any field; whether it does so elsewhere is left to a closer look."""
    is_blank = pc.is_null(table.column(0))
    for column in table.columns[1:]:
        if not pc.any(is_blank).as_py():
            return False
        is_blank = pc.and_(is_blank, pc.is_null(column))
    return bool(pc.any(is_blank).as_py())


def text_only(wanted: Sequence[str]) -> arrow_csv.ConvertOptions:
    """Every wanted column as text, nothing guessed; an empty cell is missing."""
    types = dict.fromkeys(wanted, pa.string())
    return arrow_csv.ConvertOptions(
        include_columns=wanted, column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
    )


