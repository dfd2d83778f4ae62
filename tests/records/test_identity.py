"""Record ids, handles and digests: equal for equal content, different otherwise, meaningless without the key."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from keys.keyring import Keyring
from records.identity import TEXT, digests, handles, record_ids

RING = Keyring.for_tests()
CELL = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=6))


def frame(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.array(values, dtype=TEXT) for name, values in columns.items()})


def ids(**columns: list[str | None]) -> list[str]:
    made = frame(**columns)
    return record_ids(made, "entry", list(columns), RING.derive("identity")).to_list()


def test_brackets_of_a_document_number_do_not_make_another_record() -> None:
    same = ids(number=["甬市监〔2020〕1号", "甬市监[2020]1号", "甬市监（2020）1号", "甬市监(2020)1号", "甬市监【2020】1号"])
    assert len(set(same)) == 1


def test_a_record_without_its_key_field_has_no_id() -> None:
    made = record_ids(frame(a=["x", None]), "entry", ["a"], RING.derive("identity"))
    assert made.isna().to_list() == [False, True]


def test_the_same_key_in_another_entry_is_another_record() -> None:
    row = frame(a=["x"])
    key = RING.derive("identity")
    assert record_ids(row, "one", ["a"], key)[0] != record_ids(row, "two", ["a"], key)[0]


def test_i11_a_name_starts_with_its_key_version() -> None:
    ring = Keyring({"identity": {1: b"1" * 32, 7: b"7" * 32}})
    assert record_ids(frame(a=["x"]), "e", ["a"], ring.derive("identity"))[0].startswith("7-")


def test_i3_two_recipients_have_different_handles_of_one_record() -> None:
    records = pd.Series(ids(a=["x", "y"]), dtype=TEXT)
    here, there = (handles(records, RING.derive("handle", who)) for who in ("gsxt", "credit_china"))
    assert set(here).isdisjoint(there)


@given(st.lists(st.tuples(CELL, CELL), min_size=2, max_size=12))
def test_digests_are_equal_exactly_where_the_rows_are(rows: list[tuple[str | None, str | None]]) -> None:
    made = frame(a=[row[0] for row in rows], b=[row[1] for row in rows])
    found = digests(made, ["a", "b"], RING.derive("digest"), "terms").to_list()
    assert len(set(found)) == len(set(rows))


def test_other_terms_or_columns_give_other_digests() -> None:
    made = frame(a=["x"], b=["x"])
    key = RING.derive("digest")
    assert len({digests(made, columns, key, salt)[0] for columns in (["a"], ["b"]) for salt in ("s", "t")}) == 4
