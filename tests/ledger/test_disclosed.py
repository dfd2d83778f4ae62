"""Which batches named a record, and which of them may have arrived although nobody said so."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from ledger.disclosed import history, overdue, pack, uncertain, unpack
from ledger.holdings import Holder
from records.database import writing
from records.schema import outbox

HANDLES = st.builds(lambda version, name: f"{version}-{name:032x}", st.integers(1, 99), st.integers(0, 2**128 - 1))
ONE, OTHER = f"1-{1:032x}", f"1-{2:032x}"
SITE = Holder("credit_china", "penalty")


def batch(engine: Engine, name: str, state: str, *handles: str, effect: str = "bring", at: str = "") -> None:
    row = {"batch": name, "run": "r", "recipient": "credit_china", "entry": "penalty", "feed": "f", "effect": effect,
           "records": len(handles), "state": state, "reason": "", "changed_at": at or name, "handles": pack(handles)}
    with writing(engine) as connection:
        connection.execute(sa.insert(outbox).values(row))


@given(st.lists(HANDLES, min_size=1))
def test_handles_come_back_as_they_were(handles: list[str]) -> None:
    assert unpack(pack(handles)) == handles


def test_a_batch_keeps_a_handle_in_little_more_than_twenty_bytes() -> None:
    handles = [f"1-{hashlib.md5(str(n).encode()).hexdigest()}" for n in range(5000)]
    assert len(pack(handles)) < 21 * len(handles)


def test_i12_the_history_of_a_record_names_every_batch_and_effect_in_order(engine: Engine) -> None:
    batch(engine, "1", "applied", OTHER, ONE)
    batch(engine, "2", "applied", OTHER)
    batch(engine, "3", "applied", ONE, effect="delete")
    with engine.connect() as connection:
        found = history(connection, SITE, [ONE])
        assert history(connection, Holder("gsxt", "penalty"), [ONE]).empty
    assert found[["batch", "effect", "state"]].to_numpy().tolist() == [["1", "bring", "applied"], ["3", "delete", "applied"]]


def test_what_went_out_without_a_receipt_may_have_arrived_until_a_later_one_tells(engine: Engine) -> None:
    batch(engine, "1", "sent", ONE, OTHER)
    with engine.connect() as connection:
        assert uncertain(connection, SITE) == {ONE, OTHER}
    batch(engine, "2", "applied", ONE)
    with engine.connect() as connection:
        assert uncertain(connection, SITE) == {OTHER}
    batch(engine, "3", "applied", OTHER, effect="delete")
    batch(engine, "4", "intended", ONE)
    with engine.connect() as connection:
        assert uncertain(connection, SITE) == {ONE}


def test_a_receipt_that_is_overdue_is_waited_for_until_a_later_one_names_the_record(engine: Engine) -> None:
    batch(engine, "1", "overdue", ONE, effect="delete")
    batch(engine, "2", "overdue", ONE, OTHER, effect="mark")
    with engine.connect() as connection:
        assert overdue(connection, SITE) == {ONE, OTHER}
    batch(engine, "3", "applied", ONE)  # brought anew: what became of the order to give it back matters no more
    with engine.connect() as connection:
        assert overdue(connection, SITE) == {OTHER}


def test_a_receipt_of_before_tells_nothing_of_what_went_out_after(engine: Engine) -> None:
    batch(engine, "1", "applied", ONE)
    batch(engine, "2", "sent", ONE)
    with engine.connect() as connection:
        assert uncertain(connection, SITE) == {ONE}
