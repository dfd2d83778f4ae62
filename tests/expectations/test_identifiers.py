"""Identifiers: laws of the check digits, and agreement with an independent implementation."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc

from expectations import identifiers
from tests.expectations.penalty import ORGANISATION_WEIGHTS, TEXT, TODAY, credit_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
serials = st.integers(0, 99_999_999)
regions = st.from_regex(r"[1-6][0-9]{5}", fullmatch=True)
prefixes = st.sampled_from(["11", "12", "51", "52", "53", "81", "91", "92", "93", "99", "N1", "N2", "Y1", "A1", "2X"])


def verdicts(check: str, *values: str | None) -> list[bool]:
    return [bool(v) for v in getattr(identifiers, check)(pd.Series(list(values), dtype=TEXT))]


def citizen(number: str) -> list[bool]:
    return [bool(v) for v in identifiers.is_citizen_number(pd.Series([number], dtype=TEXT), TODAY)]


def citizen_number(born: date, region: str, order: int) -> str:
    body = f"{region}{born:%Y%m%d}{order:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


@given(serials, prefixes, regions)
def test_a_code_with_right_check_digits_passes_whatever_authority_issued_it(
    serial: int, prefix: str, region: str
) -> None:
    assert verdicts("is_uscc", credit_code(serial, prefix, region)) == [True]


@given(serials, prefixes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_a_code_with_one_character_changed_is_caught(serial: int, prefix: str, place: int, other: str) -> None:
    code = credit_code(serial, prefix)
    changed = code[:place] + other + code[place + 1 :]
    assert verdicts("is_uscc", changed) == [changed == code]


@given(st.text(ALPHABET, min_size=9, max_size=9), regions)
def test_every_code_that_passes_is_valid_in_stdnum(body: str, region: str) -> None:
    code = f"91{region}{body}"
    code += stdnum_uscc.calc_check_digit(code)
    if verdicts("is_uscc", code) == [True]:
        assert stdnum_uscc.is_valid(code)


def test_a_code_with_a_right_last_digit_around_a_wrong_organisation_code_is_caught() -> None:
    good = credit_code(12345678)
    bad = good[:16] + ("0" if good[16] != "0" else "1")
    bad += stdnum_uscc.calc_check_digit(bad)
    assert stdnum_uscc.is_valid(bad)
    assert verdicts("is_uscc", good, bad) == [True, False]


@pytest.mark.parametrize("value", [
    None, "", "9133", "9" * 19, credit_code(7, "N1").lower(), "测试测试测试", "９１" + "3" * 16,
])
def test_what_is_no_credit_code_is_false_and_never_an_error(value: str | None) -> None:
    assert verdicts("is_uscc", value, credit_code(7)) == [False, True]


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999))
def test_a_citizen_number_with_a_right_check_digit_passes(born: date, order: int) -> None:
    assert citizen(citizen_number(born, "330102", order)) == [True]


@given(st.from_regex(r"11010119[0-9]{9}[0-9X]", fullmatch=True))
def test_citizen_numbers_of_a_region_that_always_was_are_judged_as_stdnum_judges_them(number: str) -> None:
    assert citizen(number) == [ric.is_valid(number)]


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_a_citizen_number_with_one_digit_changed_is_caught(born: date, order: int, place: int, other: str) -> None:
    number = citizen_number(born, "330102", order)
    changed = number[:place] + other + number[place + 1 :]
    assert citizen(changed) == [changed == number]


def test_a_citizen_number_with_an_impossible_birth_date_or_region_is_caught_despite_its_check_digit() -> None:
    for body in ("33010219900230001", "33010218991231001", "03010219900201001", "33010219901301001"):
        assert citizen(body + str(ric.calc_check_digit(body + "0"))) == [False]
    assert citizen(citizen_number(TODAY + timedelta(days=1), "330102", 1)) == [False]
    assert citizen(citizen_number(TODAY, "330102", 1)) == [True]


@given(serials)
def test_an_organisation_code_passes_with_and_without_hyphen(serial: int) -> None:
    code = credit_code(serial)[8:17]
    assert verdicts("is_organisation_code", code, f"{code[:8]}-{code[8]}") == [True, True]


@given(serials, st.integers(0, 7), st.integers(1, 9))
def test_an_organisation_code_with_one_digit_changed_is_caught(serial: int, place: int, step: int) -> None:
    code = credit_code(serial)[8:17]
    changed = code[:place] + str((int(code[place]) + step) % 10) + code[place + 1 :]
    assert ORGANISATION_WEIGHTS[place] % 11
    assert verdicts("is_organisation_code", changed) == [False]


def test_old_registration_numbers_are_13_or_15_digits() -> None:
    given_values = ("3301001234567", "330100123456789", "33010012345678", "33010012345678X", None)
    assert verdicts("is_old_registration_number", *given_values) == [True, True, False, False, False]


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), serials.map(credit_code))))
def test_a_column_is_judged_value_by_value(values: list[str | None]) -> None:
    alone = [verdicts("is_uscc", value)[0] for value in values]
    assert verdicts("is_uscc", *values) == alone
