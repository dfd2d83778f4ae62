"""Tables for clerks 表格: CSV and XLSX that no spreadsheet program reads as formulas, and that give every value back exactly.

The rule of the cells, `apostrophe-1`: an empty cell is no value; of a cell that begins with an apostrophe that one apostrophe goes,
and then each \\u{…} is the character of that hexadecimal number; any other cell is the value as it stands. The writer leaves a
cell bare only if it begins as no formula and no number can (OWASP, CSV injection); what it does not know it prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from unicodedata import category

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from catalog.terms import LONGEST_CELL
from delivery.base import Batch, Door, Effect, RecipientContractBreach
from records.identity import plain
from records.stages import HANDLE, NOTICE

RULE = {
    "rule": "apostrophe-1",
    "zh": "空单元格表示无值；以半角撇号 ' 开头的，先去掉这一个撇号，再把每个 \\u{十六进制} 还原为该码位的字符；其余单元格原样读取",
    "en": "an empty cell is no value; of a cell that begins with an apostrophe that one apostrophe goes, then each \\u{hexadecimal} is "
          "that character; any other cell is the value as it stands"}
# Beginnings that a program takes neither for a formula nor, in CSV, for a number, a date or a logical value. In XLSX a cell says of
# itself that it is text, so digits may stand bare there.
_BARE = {"csv": r"^[\p{Lo}A-Za-z《【“]", "xlsx": r"^[\p{L}\p{Nd}《【“（(]"}
_CONVERTED = {"csv": r"(?i)^(true|false|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|[上下正]午)", "xlsx": r"^$"}
# What begins a formula, also in its full-width form; after a separator of another list than ours it would begin a cell.
_BEGINNERS, _SEPARATORS = "=+-@＝＋－＠", ',;|"'
_XLSX_ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")
# Cannot be seen, breaks a line, is not allowed in XML, or is an escape of XLSX's own; or begins a cell of another list.
_ESCAPED = (rf"[\p{{Cc}}\p{{Cf}}\p{{Zl}}\p{{Zp}}\x{{FFFE}}\x{{FFFF}}]|{_XLSX_ESCAPE.pattern}"
            rf"|[{_SEPARATORS}]\p{{Zs}}*[{re.escape(_BEGINNERS)}]")
_STAMP = datetime(2000, 1, 1)  # the same batch makes the same bytes, whenever it is tried


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its name in the manifest, its heading, its cells as they are written ("" for no value)."""

    name: str
    heading: str
    cells: pa.Array


def announced(batch: Batch, door: Door) -> dict[str, Any]:
    """What the manifest says of a table: {"format", "columns": names in the order of the cells, "cells": the rule}."""
    return {"format": door.recipient.format, "columns": list(_content(batch, door)), "cells": RULE}


def csv(batch: Batch, door: Door) -> bytes:
    """The batch as CSV: UTF-8 with BOM, comma, CRLF, every cell in quotes; one line of headings."""
    columns = _columns(batch, door)
    quoted = [pc.binary_join_element_wise('"', pc.replace_substring(column.cells, '"', '""'), '"', "") for column in columns]
    lines = pc.binary_join_element_wise(*quoted, ",").to_pylist()
    head = ",".join('"' + column.heading.replace('"', '""') + '"' for column in columns)
    return "".join(f"{line}\r\n" for line in (f"\ufeff{head}", *lines)).encode()


def xlsx(batch: Batch, door: Door) -> bytes:
    """The batch as an XLSX workbook of one sheet, every cell text, the first row headings.

    Raises RecipientContractBreach if a value is longer than a cell can be.
    """
    columns, made = _columns(batch, door), BytesIO()
    # In memory: what leaves for one recipient is not left in a temporary file, and the bytes do not depend on the machine.
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                    "strings_to_numbers": False}) as book:
        book.set_properties({"created": _STAMP})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, 20, book.add_format({"num_format": "@"}))
        for place, column in enumerate(columns):
            _expect_short(column, batch, door)
            for row, cell in enumerate((column.heading, *column.cells.to_pylist())):
                if cell:
                    sheet.write_string(row, place, cell)
    return made.getvalue()


MAKERS: dict[str, Callable[[Batch, Door], bytes]] = {"csv": csv, "xlsx": xlsx}


def _columns(batch: Batch, door: Door) -> list[_Column]:
    kind = door.recipient.format
    return [_Column(name, _cells(pa.array([title]), kind)[0].as_py(), _cells(values, kind))
            for name, (title, values) in _content(batch, door).items()]


def _content(batch: Batch, door: Door) -> dict[str, tuple[str, pa.Array]]:
    """By name in the manifest: the heading that clerks read, and the values."""
    payload, fields = batch.payload, door.entry.fields
    handle = {"handle": ("记录编号 handle", _texts(payload[HANDLE]))}
    if batch.effect is Effect.BRING:
        return handle | {name: (fields[name].title.zh, _texts(payload[name])) for name in payload.columns if name != HANDLE}
    effects = pa.array([str(batch.effect)] * len(payload), pa.string())
    return handle | {"effect": ("处理 effect", effects), "notice": ("原因 notice", _texts(payload[NOTICE]))}


def _texts(column: pd.Series) -> pa.Array:
    return plain(column).combine_chunks()


def _cells(values: pa.Array, kind: str) -> pa.Array:
    """Values as cells of a kind of table, by the rule."""
    needs_escape = pc.match_substring_regex(values, _ESCAPED)
    is_bare = pc.and_(pc.match_substring_regex(values, _BARE[kind]),
                      pc.invert(pc.or_(needs_escape, pc.match_substring_regex(values, _CONVERTED[kind]))))
    marked = pc.binary_join_element_wise("'", pc.replace_substring(values, "\\", "\\u{5c}"), "")
    if pc.any(needs_escape).as_py():  # rare, and so one by one
        escaped = pa.array([_escaped(value) for value in values.filter(needs_escape).to_pylist()], pa.string())
        marked = pc.replace_with_mask(marked, pc.fill_null(needs_escape, False), escaped)
    return pc.fill_null(pc.if_else(is_bare, values, marked), "")


def _escaped(value: str) -> str:
    cell, is_begun = "'", False
    for place, letter in enumerate(value):
        kind = category(letter)
        is_hidden = kind in ("Cc", "Cf", "Zl", "Zp") or letter in "\\\ufffe\uffff" or _XLSX_ESCAPE.match(value, place)
        cell += f"\\u{{{ord(letter):x}}}" if is_hidden or (is_begun and letter in _BEGINNERS) else letter
        is_begun = letter in _SEPARATORS or (is_begun and kind == "Zs")
    return cell


def _expect_short(column: _Column, batch: Batch, door: Door) -> None:
    for place, cell in enumerate(column.cells.to_pylist()):
        if len(cell) > LONGEST_CELL // 2 and len(cell.encode("utf-16-le")) > 2 * LONGEST_CELL:
            handle = batch.payload[HANDLE].iloc[place]
            raise RecipientContractBreach("cell-too-long", f"{door.names(batch)}: field {column.name} of the record it knows as {handle} "
                                          f"is longer than a cell of xlsx can be; agree csv with the recipient; {batch.later}")
