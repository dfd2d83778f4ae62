"""Writes what a department hands in: files in a drop folder, tables of a database, the store behind a service."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from gateway.sample.dirt import Planter

# A workbook names the time it was made; equal content shall be equal bytes.
_NO_TIME = datetime(2020, 12, 7)


@dataclass(frozen=True, slots=True)
class Part:
    """One file, table or store of a feed. `captions` maps the frame's columns to the department's own words for them.

    place: the path below the department's folder; for a table, `database#table`.
    """

    feed: str
    place: str
    planter: Planter
    captions: dict[str, str]
    encoding: str = "utf-8"
    uncatalogued: tuple[str, ...] = ()

    @property
    def rows(self) -> pd.DataFrame:
        return self.planter.frame[list(self.captions)].rename(columns=self.captions)

    @property
    def first(self) -> int:
        """Number of the first row: a file's header is line 1."""
        return 1 if "#" in self.place else 2

    def account(self) -> dict[str, Any]:
        """What lies in this part, with the numbers of the dirty rows."""
        return {
            "rows": len(self.planter.frame),
            "encoding": self.encoding,
            "uncatalogued": list(self.uncatalogued),
            "planted": self.planter.account(self.first),
        }


def write(part: Part, folder: Path) -> None:
    """Writes the part below the department's folder, by the form its place names."""
    path = folder / part.place.partition("#")[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        path.write_bytes(_csv(part))
    elif path.suffix == ".xlsx":
        _write_xlsx(part, path)
    else:
        _write_table(part, path)


def account(parts: list[Part]) -> dict[str, Any]:
    """{feed: {"rows", "planted": {dirt: [row numbers]}, "parts": {place: the same of one part}}}.

    Row numbers count as the department would: lines of a file with its header as line 1, rows of a table or service
    from 1. Where a feed has several parts, `planted` strings their numbers together; `parts` tells them apart.
    """
    result: dict[str, Any] = {}
    for part in parts:
        feed = result.setdefault(part.feed, {"rows": 0, "planted": {}, "parts": {}})
        own = part.account()
        feed["rows"] += own["rows"]
        feed["parts"][part.place] = own
        for dirt, numbers in own["planted"].items():
            feed["planted"].setdefault(dirt, []).extend(numbers)
    return result


def _csv(part: Part) -> bytes:
    # A clerk's own export puts no quotes where it should.
    unquoted = part.planter.positions("row-width")
    lines = [",".join(part.captions.values())]
    for position, row in enumerate(part.rows.itertuples(index=False, name=None)):
        cells = ["" if pd.isna(cell) else str(cell) for cell in row]
        lines.append(",".join(cells) if position in unquoted else _quoted(cells))
    return ("\n".join(lines) + "\n").encode(part.encoding)


def _quoted(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _write_xlsx(part: Part, path: Path) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False}) as book:
        book.set_properties({"created": _NO_TIME})
        sheet = book.add_worksheet("数据")
        sheet.write_row(0, 0, list(part.captions.values()))
        for number, row in enumerate(part.rows.itertuples(index=False, name=None), start=1):
            for column, cell in enumerate(row):
                if not pd.isna(cell):
                    sheet.write_string(number, column, str(cell))


def _write_table(part: Part, path: Path) -> None:
    table, rows = part.place.partition("#")[2], part.rows
    columns = ", ".join(f'"{name}" TEXT' for name in rows.columns)
    cells = [[None if pd.isna(cell) else str(cell) for cell in row] for row in rows.itertuples(index=False, name=None)]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'DROP TABLE IF EXISTS "{table}"')
        database.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, {columns})')
        marks = ", ".join("?" * (len(rows.columns) + 1))
        database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', [[n, *row] for n, row in enumerate(cells, 1)])


def write_account(parts: list[Part], path: Path) -> None:
    """Writes the account last and at once: a world with an account is whole."""
    draft = path.with_suffix(".tmp")
    feeds = [f"{json.dumps(feed)}: {json.dumps(own, ensure_ascii=False)}" for feed, own in account(parts).items()]
    draft.write_text("{\n" + ",\n".join(feeds) + "\n}\n", encoding="utf-8")
    draft.replace(path)
