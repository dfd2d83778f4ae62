"""CSV as departments write it: every encoding, every kind of damage, and never a row lost without a trace."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import ContractBreach
from connectors import delimited as reader
from connectors.header import match
from connectors.ragged import Lines
from connectors.rows import collected
from connectors.sheet import received
from records.stages import DAMAGE, LINE, RAW
from tests.connectors.trial_feed import TITLES, service_source

SOURCE = service_source("http://x")
HEADER = ",".join(TITLES.values()) + "\n"
ENCODINGS = ("utf-8-sig", "gb18030")
# Everything that a text file can hold, but for NUL and what no encoding can write.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=4, max_size=4).filter(any), min_size=1, max_size=8).filter(lambda table: "说明" not in table[0][0])


def read(raw):
    return collected(SOURCE, "p.csv", reader.read(raw, ENCODINGS, SOURCE, "p.csv"), "").rows


def cells(rows):
    return rows[list(TITLES)].astype(object).where(rows[list(TITLES)].notna(), "").to_numpy().tolist()


def damage(rows):
    return dict(rows.loc[rows[DAMAGE].notna(), [LINE, DAMAGE]].itertuples(index=False, name=None))


def reason_of(raw):
    with pytest.raises(ContractBreach) as breach:
        read(raw)
    return breach.value.reason


def written(table, encoding):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([TITLES.values(), *table])
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@given(table=TABLES)
@example(table=[['a"b', "c,d", "e\r\nf", '"']])
@example(table=[["联通", "浣", "\x85", "\u2028"]])
def test_any_table_comes_back_as_it_was_written(encoding, table):
    rows = read(written(table, encoding))
    assert cells(rows) == table
    assert rows[LINE].tolist() == list(range(2, len(table) + 2))
    assert not damage(rows)


@given(text=st.text(st.sampled_from('ab,"\n\r 中\0'), max_size=60))
@example(text='甲,A1,2020,w\n乙,B2,2020,"x\n丙,C3,2020,"y"\n丁,D4,2020,z\n')
def test_the_quick_way_and_the_careful_way_read_the_same(text):
    """Whatever the quick way takes as a block, line by line it gives the same."""
    block = list(io.StringIO(text, newline=""))
    header = match(list(TITLES), SOURCE, "p")
    quick = reader._table(block, header) if block else None
    if quick is not None:
        rows = [row for row, _ in Lines(block, set(), header.width).rows(0, 1)]
        careful = received(rows, header)
        assert not careful.damaged and careful.lines.tolist() == list(range(1, len(block) + 1))
        assert {field: column.to_pylist() for field, column in careful.columns.items()} == {
            field: column.to_pylist() for field, column in quick.items()
        }


@given(text=st.text(st.sampled_from('ab,"\n 中\0'), max_size=60))
def test_i2_every_line_that_says_anything_arrives_as_a_row_or_in_the_raw_of_one(text):
    rows = read((HEADER + "a,a,a,a\n" + text + "\n").encode()).iloc[1:]
    arrived = "".join("".join(row) for row in cells(rows)) + "".join(rows[RAW].dropna())
    for sign in "b中\0":
        assert arrived.count(sign) == text.count(sign)


@pytest.mark.parametrize("line", ["甲,A1,2020", "甲,A1,2020,住所,更多", "甲"])
def test_a_line_with_the_wrong_number_of_cells_stays_a_row(line):
    rows = read(f"{HEADER}乙,B2,2020,x\n{line}\n丙,C3,2020,y\n".encode())
    assert damage(rows) == {3: "row-width"}
    assert rows[RAW].tolist()[1] == line and rows["name"].isna().tolist() == [False, True, False]
    assert rows["uscc"].dropna().tolist() == ["B2", "C3"]


def test_a_thousands_comma_without_quotes_costs_its_own_row_only():
    rows = read(f'{HEADER}甲,A1,"3,000",x\n乙,B2,3,000,y\n'.encode())
    assert rows["listed_on"].tolist()[0] == "3,000" and damage(rows) == {3: "row-width"}


def test_a_doubled_quote_inside_a_quoted_cell_is_one_quote():
    assert cells(read(f'{HEADER}甲,A1,2020,"零售.*"""\n'.encode())) == [["甲", "A1", "2020", '零售.*"']]


def test_a_stray_quote_costs_its_own_line_and_not_the_lines_behind_it():
    body = "".join(f'公司{n},C{n},2020,"原因{n}"\n' for n in range(50))
    rows = read(f'{HEADER}{body}坏,"B0,2020,x\n{body}'.encode())
    assert len(rows) == 101 and damage(rows) == {52: "row-width"}


def test_a_stray_quote_in_the_last_column_does_not_swallow_rows_of_the_right_width():
    rows = read(f'{HEADER}甲,A1,2020,"x\n乙,B2,2020,y\n丙,C3,2020,"z"\n丁,D4,2020,w\n'.encode())
    assert damage(rows) == {2: "row-width"} and rows["uscc"].dropna().tolist() == ["B2", "C3", "D4"]


def test_a_quote_never_closed_costs_its_own_line():
    rows = read(f'{HEADER}甲,"A1,2020,x\n乙,B2,2020,y\n'.encode())
    assert damage(rows) == {2: "row-width"} and rows["uscc"].dropna().tolist() == ["B2"]
    rows = read(f'{HEADER}乙,B2,2020,y\n甲,A1,2020,"x\n'.encode())
    assert damage(rows) == {3: "row-width"}


def test_a_stray_quote_that_another_one_closes_costs_their_two_lines():
    rows = read(f'{HEADER}甲,"A1,2020,x\n乙,B2,2020,y\n丙,"\n丁,D4,2020,z\n'.encode())
    assert damage(rows) == {2: "row-width", 4: "row-width"} and rows["uscc"].dropna().tolist() == ["B2", "D4"]


def test_a_cell_longer_than_any_cell_is_costs_its_own_line():
    rows = read(f'{HEADER}甲,A1,2020,x\n乙,B2,2020,{"长" * 200_000}\n丙,C3,2020,y\n'.encode())
    assert damage(rows) == {3: "row-width"} and len(rows) == 3


def test_a_cell_with_line_breaks_is_one_row_and_counts_as_one_line():
    rows = read(f'{HEADER}甲,A1,2020,"一\n二\r\n三"\n乙,B2,2020,y\n'.encode())
    assert rows["reason"].tolist() == ["一\n二\r\n三", "y"] and rows[LINE].tolist() == [2, 3]


def test_a_blank_row_is_no_record_but_its_line_is_counted():
    rows = read(f"{HEADER}甲,A1,2020,x\n\n,,,\n乙,B2,2020,y\n,,,\n\n".encode())
    assert rows[LINE].tolist() == [2, 5] and not damage(rows)


@pytest.mark.parametrize("line", ["表格说明：日期写作年-月-日", "填写说明：日期写作年-月-日,,,"])
def test_a_help_row_under_the_header_stays_a_damaged_row(line):
    below = read(f"{HEADER}\n{line}\n甲,A1,2020,x\n".encode())
    assert damage(below) == {3: "help-row"} and len(below) == 2
    rows = read(f"{HEADER}{line}\n甲,A1,2020,x\n".encode())
    assert damage(rows) == {2: "help-row"} and rows[RAW].tolist()[0] == line


@pytest.mark.parametrize("title", ["试例信息表\n", "试例信息表,,,\n", "\n试例信息表\n"])
def test_a_title_above_the_header_is_passed_over(title):
    rows = read(f"{title}{HEADER}甲,A1,2020,x\n".encode())
    assert rows["uscc"].tolist() == ["A1"] and rows[LINE].tolist() == [title.count("\n") + 2]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "big5", "euc_kr", "utf-7"])
def test_a_file_in_another_encoding_is_never_passed_as_rubbish(encoding):
    table = "公司,統一,2020,x\n" * 3
    assert reason_of((HEADER.replace("统", "統").replace("码", "碼") + table).encode(encoding, "replace")) in ("unreadable-file", "wrong-header")


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80"])
def test_bytes_that_are_no_text_make_a_file_unreadable_or_its_header_wrong(bad):
    assert reason_of(HEADER.encode() + b"\xe7\x94\xb2," + bad + b",2020,x\n") in ("unreadable-file", "wrong-header")


def test_behind_a_utf8_mark_nothing_but_utf8_is_believed():
    assert reason_of(b"\xef\xbb\xbf" + ("name,uscc\n" + "甲,A1\n").encode("gb18030")) == "unreadable-file"


def test_a_utf8_line_in_a_gb18030_file_is_undecodable_and_its_neighbours_are_sound():
    mixed = (HEADER + "甲公司,A1,2020,x\n").encode("gb18030") + "乙公,B2,2020,住所\n".encode() + "丙,C3,2020,联通\n".encode("gb18030")
    rows = read(mixed)
    assert damage(rows) == {3: "undecodable"} and rows["reason"].tolist()[2] == "联通"


def test_a_replacement_character_in_sound_utf8_stays_what_it_is():
    rows = read(f"{HEADER}甲\ufffd公司,A1,2020,x\n".encode())
    assert rows["name"].tolist() == ["甲\ufffd公司"] and not damage(rows)


def test_a_nul_damages_its_row():
    rows = read(f"{HEADER}甲,A1,2020,x\n乙\0,B2,2020,y\n".encode())
    assert damage(rows) == {3: "undecodable"} and rows[RAW].tolist()[1] == "乙\0,B2,2020,y"


def test_a_nul_in_the_header_makes_a_file_unreadable():
    assert reason_of(b"na\0me,uscc\na,b\n") == "unreadable-file"


@pytest.mark.parametrize("line_end", ["\r", "\r\n", "\n"])
def test_each_kind_of_line_end_is_understood(line_end):
    assert len(read(f"{HEADER}甲,A1,2020,x\n乙,B2,2020,y\n".replace("\n", line_end).encode())) == 2


@pytest.mark.parametrize("tail", ["乙,B2", "乙", '乙,B2,2020,"y', '乙,"B2'])
def test_i7_a_file_that_ends_in_the_middle_of_a_row_is_refused_whole(tail):
    assert reason_of(f"{HEADER}甲,A1,2020,x\n{tail}".encode()) == "cut-off-file"


@pytest.mark.parametrize("tail", ["乙,B2,2020,y", '乙,B2,2020,"y"', '"乙\n有限",B2,2020,y', '乙,B2,2020,"y\nz"'])
def test_a_whole_last_row_needs_no_end_of_line(tail):
    rows = read(f"{HEADER}甲,A1,2020,x\n{tail}".encode())
    assert len(rows) == 2 and not damage(rows)


def test_a_file_of_stray_quotes_is_read_in_time_that_grows_with_its_length():
    rows = read((HEADER + '甲,"A1,2020,x\n' * 20_000).encode())
    assert len(rows) == 20_000


@pytest.mark.timeout(20)
def test_a_million_blank_rows_at_the_end_cost_nothing_and_endless_ones_are_refused():
    assert len(read((HEADER + "甲,A1,2020,x\n" + ",,,\n" * 1_000_000).encode())) == 1
    assert reason_of(HEADER.encode() + b"\n" * (reader.MAX_LINES + 1)) == "too-large"


def test_a_damaged_line_far_down_is_found_under_its_number():
    body = "".join(f"公司{n},C{n},2020,x\n" for n in range(30_000)).splitlines(keepends=True)
    body[20_000] = "坏,B0\n"
    body[25_000] = '多行,B1,2020,"一\n二"\n'
    rows = read((HEADER + "".join(body)).encode())
    assert damage(rows) == {20_002: "row-width"} and len(rows) == 30_000
    assert rows[LINE].tolist() == list(range(2, 30_002)) and rows["uscc"].tolist()[-1] == "C29999"


def test_awkward_text_comes_through_untouched():
    awkward = ["\u202e甲", "e\u0301", "９１３３", "91\u00a033", "\u3000甲\u3000", "\U00020000", "=1+1", "\\N", " 甲"]
    rows = read(HEADER.encode() + "".join(f"{text},A1,2020,x\n" for text in awkward).encode())
    assert rows["name"].tolist() == awkward
