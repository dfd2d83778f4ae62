"""Tables for clerks: no spreadsheet program takes a cell for a formula, and the rule in the manifest gives every value back exactly."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from dataclasses import replace
from zipfile import ZipFile

import pandas as pd
import pytest
import python_calamine
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.load import load
from delivery import Batch, Door, Effect, RecipientContractBreach, batches, takedown_batches
from delivery.sheets import MAKERS, announced
from gateway.sample.tables import records
from gateway.sample.tables import value as as_read
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import DIGEST, HANDLE, NOTICE, RECORD, Masked

KNOWN = load()
ENTRY = "enterprise_registration"
FIELDS = list(KNOWN.entries[ENTRY].fields)[:2]
FORMULA = "=+-@＝＋－＠"
NASTY = ["=1+1", " =1", "＝1", "+86", "-5", "@SUM(1)", "\t=1", "\r\n=1", "\ufeff=1", "'=1", "a;=cmd|' /C calc'!A0", 'a"; ＝1', "a\n=1", "a,\t-1",
         "007", "110101199003074518", "2026-11-23", "9133E10", "1/2", "TRUE", "Jan-26", "", "'", "''", "\\u{3d}1", "'\\u{3d}", "_x0041_",
         "_x0041_x0042_", "a_x000D_b", "\x00", "\x0b", "\ufffe", "\U000e0001", "𠮷野", " 某 ", "某公司", "《x》", "三一", "上午9:30"]
VALUES = st.none() | st.sampled_from(NASTY) | st.text() | st.tuples(st.sampled_from(NASTY), st.sampled_from(NASTY)).map("".join)
ROWS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6)
BOTH = pytest.mark.parametrize("kind", ["csv", "xlsx"])


def door(kind: str) -> Door:
    recipient = KNOWN.recipients["gsxt"].model_copy(update={"format": kind})
    signer = Ed25519Signer.from_seed(b"k" * 32, "sign.1")
    return Door("gsxt", recipient, ENTRY, KNOWN.entries[ENTRY], Connection("gsxt", "file:///none"), signer)


def batch(rows: list[tuple[str | None, str | None]]) -> Batch:
    columns = {name: pd.array([row[place] for row in rows], dtype=TEXT) for place, name in enumerate(FIELDS)}
    return Batch("b" * 64, pd.DataFrame({HANDLE: pd.array([f"1-{place}" for place in range(len(rows))], dtype=TEXT), **columns}))


def cells(body: bytes, kind: str, separator: str = ",") -> list[str]:
    """Every cell as a spreadsheet program meets it."""
    if kind == "csv":
        return [cell for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=separator) for cell in row]
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert all(isinstance(cell, str) for row in rows for cell in row)
    return [str(cell) for row in rows for cell in row]


def is_formula(cell: str) -> bool:
    """What a program that skips spaces, quotes and what cannot be seen would take for a formula."""
    seen = "".join(letter for letter in cell if unicodedata.category(letter) not in ("Cf", "Zs", "Zl", "Zp", "Cc"))
    return seen.lstrip('"')[:1] in tuple(FORMULA)


@pytest.mark.parametrize(("kind", "names"), [("jsonl", 1), ("csv", 2), ("xlsx", 2)])
def test_i4_a_table_under_another_heading_is_another_package_so_that_one_that_waits_keeps_its_bytes(kind: str, names: int) -> None:
    """A title may change while a package waits: put again by its name, it would be other than its manifest and its receipt say."""
    title = KNOWN.entries[ENTRY].fields[FIELDS[0]].title.model_copy(update={"zh": "另一标题"})
    fields = KNOWN.entries[ENTRY].fields | {FIELDS[0]: KNOWN.entries[ENTRY].fields[FIELDS[0]].model_copy(update={"title": title})}
    since = replace(door(kind), entry=KNOWN.entries[ENTRY].model_copy(update={"fields": fields}))
    rows = pd.DataFrame({RECORD: ["r"], HANDLE: ["1-0"], DIGEST: ["d"], **dict.fromkeys(FIELDS, "值")}, dtype=TEXT)
    masked = Masked(ENTRY, "gsxt", rows, rows.iloc[:0])
    assert len({batches(masked, each)[0].id for each in (door(kind), since)}) == names


@BOTH
@given(ROWS)
@example([(value, value) for value in NASTY])
def test_reading_by_the_rule_gives_exactly_the_content(kind: str, rows: list[tuple[str | None, str | None]]) -> None:
    sent = batch(rows)
    told = records(MAKERS[kind](sent, door(kind)), announced(sent, door(kind)))
    assert told == [{"handle": f"1-{place}", "fields": dict(zip(FIELDS, row, strict=True))} for place, row in enumerate(rows)]


@BOTH
@given(ROWS)
@example([(value, value) for value in NASTY])
def test_no_cell_is_a_formula_whatever_the_program_takes_for_the_separator(kind: str, rows: list[tuple[str | None, str | None]]) -> None:
    body = MAKERS[kind](batch(rows), door(kind))
    assert not [cell for separator in ",;\t|" for cell in cells(body, kind, separator) if is_formula(cell)]
    assert not [cell for cell in cells(body, kind) if any(unicodedata.category(letter) in ("Cc", "Cf") for letter in cell)]


@given(st.from_regex(r"[ (]?-?[0-9０-９.,/:-]{1,20}([eE][0-9]{1,3})?%?", fullmatch=True) | st.dates().map(str) | st.sampled_from(["true", "FALSE", "May 3", "上午9时"]))
def test_what_looks_like_a_number_or_a_date_stays_text_in_csv_too(value: str) -> None:
    [_, cell, other] = cells(MAKERS["csv"](batch([(value, "某公司")]), door("csv")), "csv")[3:]
    assert cell.startswith("'") and as_read(cell) == value and other == "某公司"


def test_a_name_stands_bare_and_a_code_does_in_xlsx_where_its_cell_is_text() -> None:
    body = MAKERS["xlsx"](batch([("0110101199003074518", "某公司")]), door("xlsx"))
    assert cells(body, "xlsx")[3:] == ["1-0", "0110101199003074518", "某公司"]
    sheet = ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and set(re.findall(r'<c [^>]*t="(\w+)"', sheet)) == {"s"} and sheet.count("<c ") == sheet.count(' t="s"')


@BOTH
def test_a_heading_is_no_formula_either(kind: str) -> None:
    at, entry = door(kind), KNOWN.entries[ENTRY]
    field = entry.fields[FIELDS[0]]
    slipped = field.model_copy(update={"title": field.title.model_copy(update={"zh": "=HYPERLINK(1)"})})
    at = Door(at.recipient_code, at.recipient, ENTRY, entry.model_copy(update={"fields": entry.fields | {FIELDS[0]: slipped}}), at.connection, at.signer)
    assert cells(MAKERS[kind](batch([("某", "某")]), at), kind)[1] == "'=HYPERLINK(1)"


def test_csv_is_utf_8_with_bom_commas_and_every_cell_in_quotes() -> None:
    first, second = (KNOWN.entries[ENTRY].fields[name].title.zh for name in FIELDS)
    assert MAKERS["csv"](batch([('某"公司', None)]), door("csv")) == (
        f'\ufeff"记录编号 handle","{first}","{second}"\r\n"\'1-0","某""公司",""\r\n'.encode())


@BOTH
def test_i4_the_same_batch_makes_the_same_bytes_wherever_it_is_tried_again(kind: str) -> None:
    sent, before = batch([("某", "1")]), os.umask(0o022)
    try:
        first = MAKERS[kind](sent, door(kind))
        os.umask(0o077)
        assert MAKERS[kind](sent, door(kind)) == first
    finally:
        os.umask(before)


@BOTH
def test_a_withdrawal_names_effect_and_reason_in_each_row(kind: str) -> None:
    sent = Batch("b" * 64, pd.DataFrame({HANDLE: pd.array(["1-a"], dtype=TEXT), NOTICE: pd.array(["repair"], dtype=TEXT)}), Effect.DELETE)
    told = records(MAKERS[kind](sent, door(kind)), announced(sent, door(kind)) | sent.says())
    assert told == [{"handle": "1-a", "effect": "delete", "notice": "repair"}]


def test_a_value_that_no_cell_holds_is_not_cut_short() -> None:
    with pytest.raises(RecipientContractBreach, match=f"field {FIELDS[0]} of the record it knows as 1-1 is longer than a cell"):
        MAKERS["xlsx"](batch([("某" * 32_767, "x"), ("𠮷" * 16_384, "x")]), door("xlsx"))


def test_the_same_content_in_another_format_is_another_batch() -> None:
    rows = pd.DataFrame({HANDLE: pd.array(["1-a"], dtype=TEXT), NOTICE: pd.array(["repair"], dtype=TEXT)})
    names = {takedown_batches(rows, Effect.DELETE, door(kind))[0].id for kind in ("jsonl", "csv", "xlsx")}
    assert len(names) == 3, "a receipt that comes late is of the file that was sent, and no proof of another"
