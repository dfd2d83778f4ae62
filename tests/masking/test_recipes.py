"""Recipes: what may be seen of a value."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.model import Mask
from keys.keyring import Keyring
from masking.citizen import check_digit, is_citizen_number, is_short_citizen_number
from masking.pseudonym import tokens
from masking.recipes import RECIPES, STARS

VECTORS = Path(__file__).parents[1] / "vectors"
HIDING = [mask for mask in RECIPES if mask is not Mask.OPEN]


def cases(name: str) -> list[tuple[str | None, str | None]]:
    return [(case["in"], case["out"]) for case in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]]


def masked(mask: Mask, *values: str | None) -> list[str | None]:
    seen: list[str | None] = RECIPES[mask](pa.array(values, pa.string())).to_pylist()
    return seen


def column(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype=pd.ArrowDtype(pa.string()))


citizen_numbers = st.builds(
    lambda day, serial: (body := f"339999{day:%Y%m%d}{serial:03d}") + check_digit(body),
    st.dates(pd.Timestamp("1930-01-01").date(), pd.Timestamp("2020-12-31").date()),
    st.integers(0, 999),
)
anything = st.one_of(
    st.text(max_size=40),
    st.text("0123456789X*- 张省市区县路号", max_size=24),
    citizen_numbers,
    st.from_regex(r"1[3-9]\d{9}"),
)


@pytest.mark.parametrize("mask", list(RECIPES))
def test_a_recipe_gives_what_its_vectors_say(mask: Mask) -> None:
    values = cases(mask.value)
    assert masked(mask, *(given for given, _ in values)) == [wanted for _, wanted in values]


def test_a_token_is_what_its_vectors_say() -> None:
    key = Keyring.for_tests().derive("token", "a_recipient")
    values = cases("token")
    made = tokens(column(*(given for given, _ in values)), key)
    assert [None if value is pd.NA else value for value in made] == [wanted for _, wanted in values]


def test_every_mask_of_the_catalogue_has_a_recipe_and_vectors() -> None:
    assert {*RECIPES, Mask.TOKEN} == set(Mask)
    assert all(len(cases(mask.value)) > 3 for mask in Mask)


@given(st.sampled_from(HIDING), anything)
@example(Mask.ADDRESS, "339999199003072314")
def test_no_mask_is_a_right_citizen_number(mask: Mask, value: str) -> None:
    (seen,) = masked(mask, value)
    assert seen is not None and not is_citizen_number(seen) and not is_short_citizen_number(seen)


@given(st.sampled_from(HIDING), anything)
def test_a_mask_never_equals_its_value_unless_that_was_stars(mask: Mask, value: str) -> None:
    (seen,) = masked(mask, value)
    assert seen != value or "*" in value


@given(st.sampled_from(HIDING), st.lists(st.none() | anything, max_size=6))
def test_a_mask_depends_on_its_own_value_only_and_null_stays_null(mask: Mask, values: list[str | None]) -> None:
    assert masked(mask, *values) == [masked(mask, value)[0] for value in values]


@given(citizen_numbers, citizen_numbers)
def test_two_people_of_one_place_look_the_same(one: str, other: str) -> None:
    assert masked(Mask.ID_NUMBER, one) == masked(Mask.ID_NUMBER, other)


@given(st.text("0123456789甲乙", min_size=1, max_size=12))
def test_an_address_shows_nothing_behind_its_district(rest: str) -> None:
    assert masked(Mask.ADDRESS, f"浙江省杭州市西湖区{rest}") == ["浙江省杭州市西湖区***"]


def test_the_length_of_an_unknown_value_cannot_be_seen() -> None:
    assert masked(Mask.ID_NUMBER, "E1", "E123456789012") == [STARS, STARS]


@given(st.lists(citizen_numbers, min_size=1, max_size=5))
def test_i11_a_token_names_its_key_version_and_differs_by_recipient_and_version(numbers: list[str]) -> None:
    ring = Keyring({"token": {1: b"1" * 32, 2: b"2" * 32}})
    columns = [
        tokens(column(*numbers), key).tolist()
        for key in (ring.derive("token", "one"), ring.derive("token", "two"), ring.derive_version(1, "token", "one"))
    ]
    assert all(token.startswith("t1.2.") for token in columns[0] + columns[1])
    assert all(token.startswith("t1.1.") for token in columns[2])
    tails = [{token.rpartition(".")[2] for token in made} for made in columns]
    assert not tails[0] & tails[1] and not tails[0] & tails[2]


@given(citizen_numbers, st.booleans(), st.booleans(), st.sampled_from(["", " ", "　"]))
def test_a_token_does_not_depend_on_the_spelling(number: str, is_wide: bool, is_lower: bool, edge: str) -> None:
    spelt = number.lower() if is_lower else number
    spelt = "".join(chr(ord(sign) + 0xFEE0) for sign in spelt) if is_wide else spelt
    key = Keyring.for_tests().derive("token", "a_recipient")
    first, second = tokens(column(number, edge + spelt + edge), key)
    assert first == second


@given(citizen_numbers.filter(lambda number: number[6:8] == "19"))
def test_a_number_of_15_places_has_the_token_and_the_mask_of_its_18(number: str) -> None:
    short = number[:6] + number[8:17]
    key = Keyring.for_tests().derive("token", "a_recipient")
    assert tokens(column(short), key)[0] == tokens(column(number), key)[0]
    assert masked(Mask.ID_NUMBER, short) == masked(Mask.ID_NUMBER, number)


@given(st.lists(citizen_numbers, unique=True, min_size=2, max_size=30))
def test_different_people_have_different_tokens(numbers: list[str]) -> None:
    assert tokens(column(*numbers), Keyring.for_tests().derive("token", "a_recipient")).nunique() == len(numbers)
