"""Which column is which field, and what stays outside."""

from __future__ import annotations

import pytest

from connectors import ContractBreach
from connectors.header import match, source_names
from tests.connectors.trial_feed import service_source


def test_a_field_is_known_by_its_code_its_chinese_title_and_the_names_of_the_feed():
    source = service_source("http://x", columns={"uscc": ("uni_social_crd_cd",)})
    for name in ("uscc", "统一社会信用代码", "uni_social_crd_cd"):
        assert match([name], source, "p").positions == {"uscc": 0}


@pytest.mark.parametrize("name", ["\ufeffuscc", "  uscc", "USCC", "ｕｓｃｃ", "uscc\u3000"])
def test_a_mark_blanks_width_and_case_make_no_difference(name):
    assert match([name], service_source("http://x"), "p").positions == {"uscc": 0}


def test_positions_stand_in_the_order_of_the_entry_and_the_rest_is_named():
    header = match(["备注", "reason", "", "name"], service_source("http://x"), "p")
    assert list(header.positions.items()) == [("name", 3), ("reason", 1)]
    assert header.dropped == ("备注", "(column 3, without a name)")
    assert header.missing == ("uscc", "listed_on")


@pytest.mark.parametrize("names", [["name", "企业名称"], ["name", "备注", "备注"], ["name", "Name"]])
def test_a_column_that_comes_twice_is_a_breach(names):
    with pytest.raises(ContractBreach) as breach:
        match(names, service_source("http://x"), "p")
    assert breach.value.reason == "duplicate-column"


def test_a_name_that_the_feed_gives_to_two_fields_is_a_breach():
    source = service_source("http://x", columns={"uscc": ("code",), "reason": ("code",)})
    with pytest.raises(ContractBreach, match="ambiguous-column"):
        match(["code"], source, "p")


def test_the_name_a_feed_gives_goes_before_a_title():
    source = service_source("http://x", columns={"reason": ("企业名称",)})
    assert match(["企业名称"], source, "p").positions == {"reason": 0}


def test_i8_a_header_without_any_field_is_refused_without_repeating_what_it_holds():
    with pytest.raises(ContractBreach) as breach:
        match(["张某某", "13800000000"], service_source("http://x"), "some.csv")
    assert breach.value.reason == "wrong-header"
    assert "13800000000" not in str(breach.value) and "张" not in str(breach.value)
    assert "office.trial" in str(breach.value) and "some.csv" in str(breach.value)


def test_what_is_reported_of_a_dropped_name_is_short_and_printable():
    header = match(["name", "x" * 500, "a\x1b[31mb\u202e"], service_source("http://x"), "p")
    assert header.dropped == ("x" * 40, "a[31mb")


def test_a_service_is_asked_for_the_names_of_the_feed_and_otherwise_for_codes():
    source = service_source("http://x", columns={"uscc": ("tyshxydm", "xydm")})
    assert source_names(source) == ["name", "tyshxydm", "xydm", "listed_on", "reason"]
