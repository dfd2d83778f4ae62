"""From text as received to normal form, and what is said about the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.amounts import amount, integer
from expectations.codes import CodeSet
from expectations.normal import Changed, normal_form
from tests.expectations.penalty import CODES, collected, credit_code, entry, row

SETS = {name: CodeSet.of(names) for name, names in CODES.items()}


def read(field: str, *values: str | None, sentinels: tuple[str, ...] = ()) -> list[str | None]:
    return read_noting(field, *values, sentinels=sentinels)[0]


def read_noting(
    field: str, *values: str | None, sentinels: tuple[str, ...] = ()
) -> tuple[list[str | None], list[Changed]]:
    rows = collected([row(1, **{field: value}) for value in values]).rows
    frame, changed = normal_form(rows, entry(), sentinels, SETS)
    texts = frame[field].array.to_numpy(dtype=object, na_value=None)
    return list(texts), [each for each in changed if each.field == field]


@pytest.mark.parametrize("written", [
    "2019-5-22 0:00:00", "2019-05-22", "2019/5/22", "20190522", "2019年05月22日", "2019年5月22日", "2019.5.22",
    " 2019-05-22\u3000", "2019-05-22T08:30:00", "2019-05-22 08:30:00.123", "2019-05-22T00:00:00+08:00", "1558454400",
    "1558454400000", "２０１９-05-22",
])
def test_a_date_is_understood_in_every_form_that_departments_use(written: str) -> None:
    assert read("decided_on", written) == ["2019-05-22"]


@pytest.mark.parametrize("written", [
    "2014年12月", "Oct-17", "2014-12", "201412", "12.02.19", "2019-05-22T20:00:00Z", "昨天", "2019-5-22x",
])
def test_what_names_no_single_day_is_left_as_it_came(written: str) -> None:
    assert read("decided_on", written) == [written]


@pytest.mark.parametrize("written", [
    "1900-1-1 0:00:00", "1899-12-31 12:00:00", "1900/1/1", "无处罚期限", "— —", "\\N", "", " ",
])
def test_a_date_that_stands_for_no_date_is_empty(written: str) -> None:
    assert read("publicity_end", written) == [None]


def test_dates_far_ahead_stay_dates() -> None:
    assert read("publicity_end", "2099-12-31", "2099-01-31") == ["2099-12-31", "2099-01-31"]


def test_sentinels_of_all_and_of_this_feed_are_empty_and_counted_but_an_empty_text_is_no_sentinel() -> None:
    values, changed = read_noting("facts", "暂无", "无", "N/A", "—", "不详", "", None, "有", sentinels=("不详",))
    assert values == [None, None, None, None, None, None, None, "有"]
    assert [(each.rule, list(each.rows)) for each in changed] == [("sentinel", [True] * 5 + [False] * 3)]


def test_identifiers_are_read_in_half_width_and_upper_case_and_both_is_said() -> None:
    values, changed = read_noting("uscc", "ｎ1" + credit_code(5)[2:], credit_code(5, "N1").lower(), credit_code(5))
    assert values[0] == "N1" + credit_code(5)[2:]
    assert values[1:] == [credit_code(5, "N1"), credit_code(5)]
    assert [(each.rule, list(each.rows)) for each in changed] == [
        ("full-width", [True, False, False]), ("letter-case", [True, True, False])]


def test_free_text_keeps_its_full_width_letters_and_line_ends_but_not_its_edges() -> None:
    assert read("facts", "\u3000第１条\n第２条\x7f ", "\xa0甲") == ["第１条\n第２条", "甲"]


@pytest.mark.parametrize(("written", "meant"), [
    ("3,000", "3000"), ("３，０００.５０", "3000.5"), (" 1 234 ", "1234"), ("0.200000", "0.2"),
    ("8890.0", "8890"), (".5", "0.5"), ("5000元", "0.5"), ("0.5万元", "0.5"), ("007", "7"), ("0", "0"),
    ("10,912,000", "10912000"),
])
def test_an_amount_becomes_plain_decimal_text_in_the_unit_of_the_field(written: str, meant: str) -> None:
    assert read("fine", written) == [meant]


@pytest.mark.parametrize("written", [
    "3,5", "1,00,000", "1e5", "-1", "50(万美元)", "约5000", "1.2.3", "伍仟元", "5000-6000",
])
def test_what_is_no_amount_is_left_as_it_came(written: str) -> None:
    assert read("fine", written) == [written]


@pytest.mark.parametrize(("written", "meant"), [
    ("50(万元)", "500000"), ("50(万元人民币)", "500000"), ("50万人民币", "500000"), ("3,000（万元）", "30000000"),
    ("50(万)", "500000"), ("50(万人民币元)", "500000"), ("22(万美元)", "220000 USD"), ("10万香港元", "100000 HKD"),
    ("1(万法国法郎)", "10000 FRF"),
    ("5 (万元)", "50000"), ("1.5亿元", "150000000"), ("50(万元美元)", "500000 USD"), ("12345.0", "12345"),
])
def test_registered_capital_is_read_in_yuan_or_in_its_currency(written: str, meant: str) -> None:
    assert read("capital", written) == [meant]


@given(st.decimals(0, 10**12, places=6, allow_nan=False))
def test_an_amount_in_normal_form_stays_as_it_is(value: object) -> None:
    once = amount(f"{value:f}", "yuan")
    assert amount(once, "yuan") == once
    assert "E" not in once


@pytest.mark.parametrize(("written", "meant"), [
    ("1,234", "1234"), ("8890.0", "8890"), ("１２", "12"), ("1.5", "1.5"), ("十", "十"),
])
def test_a_whole_number_loses_commas_and_the_tail_of_spreadsheets(written: str, meant: str) -> None:
    assert read("employees", written) == [meant]
    assert integer(meant) == meant


def test_a_code_is_understood_by_its_chinese_name_too() -> None:
    assert read("category", "个体工商户", "1", "自然人") == ["2", "1", "自然人"]


@pytest.mark.parametrize(("written", "meant"), [
    ("警告", "1"), ("警告、罚款", "1;2"), ("罚款；警告", "2;1"), ("1-2", "1;2"),
    ("没收违法所得、没收非法财物、罚款", "3;2"), ("警告; 警告", "1"),
    ("警告、拘留", "警告、拘留"), ("警告罚款", "警告罚款"),
])
def test_several_codes_in_one_cell_are_told_apart_even_if_a_name_holds_one(written: str, meant: str) -> None:
    assert read("classes", written) == [meant]


@given(st.lists(st.sampled_from(["2019-5-22", "2019年5月22日", "Oct-17", None, "", "1558454400", "暂无"]), max_size=12))
@settings(max_examples=25, deadline=None)
def test_normal_form_is_the_same_in_any_company_and_when_read_twice(values: list[str | None]) -> None:
    once = read("decided_on", *values)
    assert once == [read("decided_on", value)[0] for value in values]
    assert read("decided_on", *once) == once


def test_a_field_that_the_department_does_not_hand_in_is_empty() -> None:
    frame, _ = normal_form(collected([row()], missing=("facts",)).rows, entry(), (), SETS)
    assert frame["facts"].isna().all()
