"""The quarantine: sealed, kept once, opened by item, and gone when it expires."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records.database import writing
from records.identity import TEXT
from records.quarantine import Store
from records.schema import quarantine
from records.stages import LINE, RAW, REASONS, RECORD, Checked, Unbalanced

PERSON = "慕容若水"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def checked(partition: str = "part.csv") -> Checked:
    bad = pd.DataFrame({LINE: [5, 6], REASONS: pd.array(["uscc;length", "row-width"], dtype=TEXT),
                        RECORD: pd.array([None, None], dtype=TEXT), RAW: pd.array([None, "a,b"], dtype=TEXT),
                        "name": pd.array([PERSON, None], dtype=TEXT)})
    return Checked("market.registration", "registration", partition, 2, bad.iloc[:0], bad, ())


@pytest.fixture
def store(engine: Engine, keyring: Keyring) -> Store:
    return Store(engine, keyring)


def put(store: Store, run: str) -> None:
    with writing(store.engine) as connection:
        store.put(connection, checked(), run, AT)


def test_i8_a_quarantined_value_lies_sealed_and_opens_by_item(store: Store) -> None:
    put(store, "run1")
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(quarantine)).all()
    assert PERSON not in repr(rows) and PERSON.encode() not in b"".join(row.sealed for row in rows)
    first = store.items().iloc[0]
    assert store.open(first["id"])["name"] == PERSON


def test_items_tell_place_and_reasons_but_never_content(store: Store) -> None:
    put(store, "run1")
    items = store.items("market.registration")
    assert items["line"].to_list() == [5, 6] and items["reason"].to_list() == ["uscc", "row-width"]
    assert "sealed" not in items and PERSON not in items.to_string()
    assert store.items("another.feed").empty


def test_the_same_row_on_the_next_night_is_the_same_item_seen_again(store: Store) -> None:
    put(store, "run1")
    put(store, "run2")
    items = store.items()
    assert len(items) == 2 and set(items["run"]) == {"run2"}


def test_items_expire(store: Store) -> None:
    put(store, "run1")
    assert store.expire(date(2027, 1, 1)) == 0
    assert store.expire(date(2027, 6, 1)) == 2


def test_i2_a_stage_that_does_not_add_up_cannot_be_made() -> None:
    bad = checked().quarantined
    with pytest.raises(Unbalanced, match=r"market\.registration"):
        Checked("market.registration", "registration", "part.csv", 3, bad.iloc[:0], bad, ())
