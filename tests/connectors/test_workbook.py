"""XLSX as departments hand it in, and archives that only pretend to be one."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time

import pytest
import xlsxwriter

from connectors import ContractBreach, workbook
from connectors.rows import collected
from records.stages import DAMAGE, LINE, RAW
from tests.connectors.trial_feed import TITLES, service_source

SOURCE = service_source("http://x")
SHEET = "xl/worksheets/sheet1.xml"


def workbook_of(rows, first_row=0):
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows, first_row):
        sheet.write_row(number, 0, row)
    book.add_worksheet("second").write_row(0, 0, ["企业名称"])
    book.close()
    return written.getvalue()


def read(raw):
    return collected(SOURCE, "p.xlsx", workbook.read(raw, SOURCE, "p.xlsx"), "").rows


def reason_of(raw):
    with pytest.raises(ContractBreach) as breach:
        read(raw)
    assert "office.trial" in str(breach.value) and "p.xlsx" in str(breach.value)
    return breach.value.reason


def repacked(raw, **parts):
    """The workbook with some parts exchanged, and others added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name, None) or old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (3, "3"), (3.5, "3.5"), (0.1 + 0.2, "0.3"), (10_912_000.0, "10912000"), (123456789012345, "123456789012345"),
        ("007", "007"), (date(2020, 1, 2), "2020-01-02"), (datetime(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5), "2020-01-02 03:04:05"), (time(3, 4), "03:04:00"), (True, "true"), (" 甲 ", " 甲 "),
    ],
)  # fmt: skip
def test_a_cell_comes_as_the_text_a_clerk_reads(cell, text):
    assert read(workbook_of([TITLES.values(), ["甲", "A1", "x", cell]]))["reason"].tolist() == [text]


def test_a_number_that_lost_its_last_digits_shows_it():
    assert read(workbook_of([TITLES.values(), ["甲", 330106198001011234, "x", ""]]))["uscc"].tolist() == ["3.30106198001011e+17"]


def test_lines_are_the_rows_of_the_sheet_and_blank_ones_are_counted():
    rows = read(workbook_of([["试例信息表"], TITLES.values(), ["甲", "A1"], [], ["乙", "B2"], ["", ""]], first_row=2))
    assert rows["uscc"].tolist() == ["A1", "B2"] and rows[LINE].tolist() == [5, 7]
    assert rows["reason"].isna().all()


def test_a_help_row_in_a_merged_cell_stays_a_damaged_row():
    rows = read(workbook_of([TITLES.values(), ["填表说明：日期写作年-月-日"], ["甲", "A1"]]))
    assert rows[DAMAGE].tolist()[0] == "help-row" and rows[RAW].tolist()[0] == "填表说明：日期写作年-月-日,,,"


def test_uncatalogued_columns_of_a_workbook_stay_outside():
    rows = read(workbook_of([[*TITLES.values(), "联系电话"], ["甲", "A1", "x", "y", "13800000000"]]))
    assert "13800000000" not in rows.to_csv()


@pytest.mark.parametrize("raw", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500, workbook_of([["企业名称"]])[:-40]])
def test_a_broken_archive_is_unreadable(raw):
    assert reason_of(raw) == "unreadable-file"


def test_an_archive_that_is_no_workbook_is_unreadable():
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("../../escape.csv", "x")
        archive.writestr("/etc/cron.d/escape", "x")
    assert reason_of(written.getvalue()) == "unreadable-file"


def test_a_part_with_a_wrong_checksum_is_unreadable():
    raw = bytearray(workbook_of([TITLES.values(), ["甲", "A1", "x", "y"]]))
    place = raw.index(b"PK\x01\x02") + 16
    raw[place] ^= 0xFF
    assert reason_of(bytes(raw)) == "unreadable-file"


def stating(size):
    """A sound workbook, one part of which states another size than it has."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook_of([["企业名称"], ["甲"]]))) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.getinfo(SHEET).file_size = size
    return written.getvalue()


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused_without_unpacking():
    assert reason_of(stating(workbook.MAX_UNPACKED)) == "too-large"


def test_a_part_that_is_larger_than_it_states_is_refused():
    assert reason_of(stating(10)) == "unreadable-file"


def test_an_archive_of_very_many_parts_is_refused():
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number in range(workbook.MAX_PARTS + 1):
            archive.writestr(str(number), b"")
    assert reason_of(written.getvalue()) == "too-large"


def test_a_sheet_with_cells_in_far_corners_is_refused_before_it_fills_the_memory():
    raw = workbook_of([["企业名称"]])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheet = archive.read(SHEET).decode()
    far = sheet.replace("</sheetData>", '<row r="1048576"><c s="0" r="XFD1048576"><v>1</v></c></row></sheetData>')
    assert reason_of(repacked(raw, **{SHEET: far})) == "too-large"


def test_an_entity_in_a_sheet_is_never_expanded_nor_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("do-not-read")
    raw = workbook_of([TITLES.values(), ["甲", "A1", "x", "y"]])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        strings = archive.read("xl/sharedStrings.xml").decode()
    attack = strings.replace("<sst", f'<!DOCTYPE s [<!ENTITY e SYSTEM "{secret.as_uri()}">]><sst', 1).replace("甲", "&e;")
    try:
        assert "do-not-read" not in read(repacked(raw, **{"xl/sharedStrings.xml": attack})).to_csv()
    except ContractBreach as breach:
        assert breach.reason == "unreadable-file"
