"""The ledger: it only grows, its lines make one tree, and figures that do not add up are refused (I2)."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.erasure import NotErasable, erase
from ledger.events import Event, Imbalance, Line
from ledger.leaf import canonical
from ledger.log import LedgerBroken, append, read, verify
from records import database
from records.database import writing
from records.schema import ledger_head, lines, openings

AT = datetime(2026, 11, 23, tzinfo=UTC)
SUBJECT = "1-" + "5" * 32
GOOD = {"accepted": 4, "delivered": 1, "unchanged": 1, "withheld": 1, "pending": 1}


def put(engine: Engine, *entries: Line) -> None:
    with writing(engine) as connection:
        append(connection, list(entries), AT)


def grown(engine: Engine) -> None:
    put(engine, Line(Event.RUN_OPENED, "r1", "f"), Line(Event.SOURCE_BALANCED, "r1", "f", figures={
        "collected": 5, "accepted": 4, "quarantined": 1}))
    put(engine, Line(Event.RECIPIENT_BALANCED, "r1", "f", "gsxt", GOOD), Line(Event.RUN_CLOSED, "r1", "f"))


def test_a_ledger_verifies_and_says_what_it_counted(engine: Engine) -> None:
    grown(engine)
    found = verify(engine)
    assert (found.lines, found.balances, found.open_runs) == (4, 2, ())


def test_i5_a_run_that_never_closed_stays_visible(engine: Engine) -> None:
    put(engine, Line(Event.RUN_OPENED, "r1", "f"))
    assert verify(engine).open_runs == ("r1",)


@pytest.mark.parametrize("wrong", [GOOD | {"delivered": 2}, GOOD | {"pending": 2, "delivered": 0, "accepted": 5},
                                   GOOD | {"pending": -1, "delivered": 3}])
def test_i2_figures_that_do_not_add_up_are_refused_with_everything_beside_them(engine: Engine, wrong: dict[str, int]) -> None:
    with pytest.raises(Imbalance, match="gsxt"):
        put(engine, Line(Event.INTENDED, "r1", "f", "gsxt"), Line(Event.RECIPIENT_BALANCED, "r1", "f", "gsxt", wrong))
    assert verify(engine).lines == 0


def tamper(engine: Engine, statement: sa.Executable) -> None:
    with writing(engine) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("column", ["at", "event", "run", "feed", "recipient", "body", "hash"])
def test_a_changed_column_of_a_line_is_noticed(engine: Engine, column: str) -> None:
    grown(engine)
    tamper(engine, sa.update(lines).where(lines.c.seq == 2).values({column: "run_opened" if column == "event" else "0"}))
    with pytest.raises(LedgerBroken, match="line 2"):
        verify(engine)


@pytest.mark.parametrize("seq", [1, 2, 3, 4])
def test_a_removed_line_is_noticed(engine: Engine, seq: int) -> None:
    grown(engine)
    tamper(engine, sa.delete(lines).where(lines.c.seq == seq))
    with pytest.raises(LedgerBroken):
        verify(engine)


def test_a_head_without_its_lines_is_noticed(engine: Engine) -> None:
    tamper(engine, sa.update(ledger_head).values(seq=1, frontier="00" * 32))
    with pytest.raises(LedgerBroken, match="missing at the end"):
        verify(engine)


def test_a_head_that_makes_no_tree_is_noticed(engine: Engine) -> None:
    tamper(engine, sa.update(ledger_head).values(seq=9, frontier="x"))
    with pytest.raises(LedgerBroken, match="makes no tree"):
        verify(engine)


def test_i8_what_is_no_code_stands_in_the_leaf_as_a_commitment_and_reads_as_it_was_written(engine: Engine) -> None:
    put(engine, Line(Event.TAKEDOWN_OPENED, "", "store.penalty", notes={"entry": "penalty", "record": "r" * 32, "by": "Li Si"}))
    with engine.connect() as connection:
        body = connection.execute(sa.select(lines.c.body)).scalar_one()
        [line] = read(connection)
    assert "Li Si" not in body and "r" * 32 not in body and '"entry":"penalty"' in body
    assert line.notes == {"entry": "penalty", "record": "r" * 32, "by": "Li Si"}


def test_i8_a_note_that_nobody_listed_is_committed_to(engine: Engine) -> None:
    put(engine, Line(Event.CHECKED, "r1", "f", notes={"a_new_note": "of somebody"}))
    with engine.connect() as connection:
        assert "of somebody" not in connection.execute(sa.select(lines.c.body)).scalar_one()


@pytest.mark.parametrize("column", ["salt", "value", "name"])
def test_an_opening_that_does_not_open_its_commitment_is_noticed(engine: Engine, column: str) -> None:
    put(engine, Line(Event.CHECKED, "r1", "f", notes={"partition": "a.csv"}))
    tamper(engine, sa.update(openings).values({column: {"salt": "00" * 32, "value": '"b.csv"', "name": "by"}[column]}))
    with pytest.raises(LedgerBroken, match="line 1"):
        verify(engine)


def test_what_was_erased_is_gone_and_the_ledger_verifies_all_the_same(engine: Engine) -> None:
    put(engine, Line(Event.LOOKED_UP, "", "", notes={"subject": SUBJECT, "person": "Li Si"}))
    before = verify(engine).root
    with writing(engine) as connection:
        assert erase(connection, SUBJECT, "decision 7", AT) == 1
        assert erase(connection, SUBJECT, "decision 7", AT) == 0
    with engine.connect() as connection:
        first, last = read(connection)
        assert first.notes == {"subject": "(erased)", "person": "Li Si"} and last.event is Event.ERASED
        assert SUBJECT not in str(connection.execute(sa.select(openings)).all())
    assert verify(engine).lines == 2 and before != verify(engine).root


@pytest.mark.parametrize("other", ["Li Si", "compliance", "audit", "", "decision 7", "1-" + "A" * 32])
def test_what_is_no_keyed_name_of_a_record_or_subject_is_not_erased(engine: Engine, other: str) -> None:
    """Who looked up, in which role and for what, stays on the ledger: nobody has himself erased from the register."""
    put(engine, Line(Event.LOOKED_UP, "", "", notes={"subject": SUBJECT, "person": "Li Si", "role": "compliance", "purpose": "audit",
                                                      "document": "decision 7", "reason": ""}))
    before = verify(engine)
    with pytest.raises(NotErasable), writing(engine) as connection:
        erase(connection, other, "decision 8", AT)
    assert verify(engine) == before
    with engine.connect() as connection:
        assert "(erased)" not in next(read(connection)).notes.values()


def test_what_was_erased_is_in_no_file_of_the_database(tmp_path: Path) -> None:
    """The log of what was written last (WAL) is one of them, and pages that were freed."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    database.migrate(url)
    engine = database.connect(url)
    put(engine, *(Line(Event.LOOKED_UP, "", "", notes={"subject": f"1-{n:032x}"}) for n in range(50)))
    with engine.connect() as connection:
        salt = connection.execute(sa.select(openings.c.salt).where(openings.c.seq == 8)).scalar_one().encode()
    assert [file.name for file in tmp_path.iterdir() if salt in file.read_bytes()]
    with writing(engine) as connection:
        assert erase(connection, f"1-{7:032x}", "decision 7", AT) == 1
    assert not [file.name for file in tmp_path.iterdir() if salt in file.read_bytes()]
    engine.dispose()


def test_i4_many_writers_at_once_make_one_tree(engine: Engine) -> None:
    threads = [threading.Thread(target=put, args=(engine, Line(Event.RUN_OPENED, f"r{n}", "f"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert verify(engine).lines == 8


@pytest.mark.parametrize("column", ["at", "event", "feed", "recipient", "run"])
def test_a_column_that_is_changed_and_kept_as_it_was_in_the_body_is_noticed(engine: Engine, column: str) -> None:
    """The gateway reads the columns: who hides a look-up from its register by another event must not keep the leaf's hash."""
    grown(engine)
    with writing(engine) as connection:
        row = connection.execute(sa.select(lines).where(lines.c.seq == 2)).mappings().one()
        body = canonical(json.loads(row["body"]) | {column: row[column]})
        changed = {"body": body, column: "probed" if column == "event" else "0"}
        connection.execute(sa.update(lines).where(lines.c.seq == 2).values(changed))
    with pytest.raises(LedgerBroken, match="line 2"):
        verify(engine)


def test_a_line_that_is_written_while_the_ledger_is_verified_is_no_missing_one(engine: Engine) -> None:
    grown(engine)
    beside = database.connect(engine.url.render_as_string(hide_password=False))
    waiting = ["one line more"]

    @sa.event.listens_for(engine, "before_cursor_execute")
    def write_beside(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM openings" in statement and waiting:
            put(beside, Line(Event.RUN_OPENED, waiting.pop(), "f"))

    assert verify(engine).lines == 4 and not waiting
    assert verify(engine).lines == 5
    beside.dispose()
