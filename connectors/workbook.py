"""XLSX: the first sheet as rows of text, unpacked only after its true size is known."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice

from python_calamine import CalamineError, CalamineWorkbook

from connectors.base import ContractBreach, Source
from connectors.cells import sheet_text
from connectors.rows import Received
from connectors.sheet import HEADER_WITHIN, Row, find_header, received, with_help_marked

MARK = b"PK\x03\x04"

MAX_PARTS, MAX_UNPACKED = 10_000, 512 << 20
# The reader lays a sheet out as one rectangle, so two cells in far corners would cost as much as all between them.
MAX_CELLS = 20_000_000
_COLUMN, _ROW = re.compile(rb'\br="([A-Z]{1,3})[0-9]{1,7}"'), re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="([0-9]{1,7})"')


def read(raw: bytes, source: Source, partition: str) -> Received:
    """The rows of the first sheet; line 1 is the first row of the sheet, blank ones counted.

    Raises ContractBreach: `unreadable-file` if it is no sound workbook, `too-large` if it unpacks to more than the
    limits, and as `find_header` does.
    """
    _refuse_bomb(raw, source, partition)
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
        cells = [[sheet_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, OSError, IndexError, ValueError):
        raise _unreadable(source, partition) from None
    place, header = find_header(islice(cells, HEADER_WITHIN), source, partition)
    return received(with_help_marked(_rows(cells, place + 1)), header)


def _rows(cells: Sequence[Sequence[str]], start: int) -> Iterator[Row]:
    for place in range(start, len(cells)):
        yield Row(place + 1, cells[place], _as_csv(cells[place]))


def _as_csv(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _refuse_bomb(raw: bytes, source: Source, partition: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _too_large(source, partition)
            # Read to the end, a part proves its stated size and its checksum; only then is the sum above true.
            if any(_area(archive.read(part)) > MAX_CELLS for part in parts):
                raise _too_large(source, partition)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error):
        raise _unreadable(source, partition) from None


def _area(part: bytes) -> int:
    """Cells of the rectangle that a sheet spans; 0 for any other part."""
    if b"sheetData" not in part:
        return 0
    widest = max((_number(letters) for letters in set(_COLUMN.findall(part))), default=1)
    return widest * max(map(int, _ROW.findall(part)), default=1)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _too_large(source: Source, partition: str) -> ContractBreach:
    remedy = "the workbook unpacks to more than a workbook of records can hold; ask the department for CSV or smaller files"
    return source.breach("too-large", partition, remedy)


def _unreadable(source: Source, partition: str) -> ContractBreach:
    remedy = "the file is not a sound XLSX workbook; ask the department to save it again as XLSX without a password"
    return source.breach("unreadable-file", partition, remedy)
