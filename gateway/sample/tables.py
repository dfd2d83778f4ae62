"""How a pretend recipient reads the data of a package: JSON lines, or a table by the rule that its manifest names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import python_calamine

FORMATS = ("jsonl", "csv", "xlsx")
_RULE = "apostrophe-1"


def records(body: bytes, manifest: dict[str, Any]) -> list[Any]:
    """The records of a package's data, as in JSON lines. Raises ValueError if it is not what the manifest says."""
    kind = manifest.get("format", "jsonl")
    if kind == "jsonl":
        return [json.loads(line) for line in body.splitlines()]
    if manifest["cells"]["rule"] != _RULE:
        raise ValueError("the manifest names a rule for cells that was not agreed")
    names, (_, *rows) = list(manifest["columns"]), _of_csv(body) if kind == "csv" else _of_xlsx(body)
    cells = [dict(zip(names, map(value, row), strict=True)) for row in rows]
    return cells if "effect" in manifest else [{"handle": row.pop("handle"), "fields": row} for row in cells]


def value(cell: str) -> str | None:
    """What a cell stands for by the rule."""
    if not cell.startswith("'"):
        return cell or None
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), cell[1:])


def _of_csv(body: bytes) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    except csv.Error as error:
        raise ValueError("the file is no CSV") from error


def _of_xlsx(body: bytes) -> Iterator[list[str]]:
    try:
        sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0)
    except python_calamine.CalamineError as error:
        raise ValueError("the file is no workbook") from error
    for row in sheet.to_python(skip_empty_area=False):
        if not all(isinstance(cell, str) for cell in row):
            raise ValueError("a cell of the workbook is not text")
        yield [str(cell) for cell in row]
