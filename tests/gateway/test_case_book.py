"""The book of cases on both databases: a step is taken once, from the state it was read in, and its line stands or falls with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from gateway.cases import book
from gateway.cases.book import Act, Case
from gateway.cases.papers import Paper, PaperKind
from gateway.cases.states import CaseRefused, Kind, State
from gateway.people import Person
from ledger import log
from records.database import writing
from records.schema import case_steps, cases, lines
from tests.conftest import NOON

CLERK = Person("乙某", "repair", "窗口")
CASE = Case("repair-20261123-0", Kind.REPAIR, "penalty", "1-" + "0" * 32, "1-" + "1" * 32, "2026-11-23", "窗口", "执法局", "窗口",
            State.APPLIED, "2026-11-26", "2026-12-07", "order_36_2025", "credit_repair_2025_36")


@pytest.fixture
def opened(engine: Engine) -> Case:
    with writing(engine) as connection:
        return book.open_case(connection, CASE, CLERK, NOON)


def count(engine: Engine, table: sa.Table) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_a_step_is_taken_once_however_many_read_the_case_before(engine: Engine, opened: Case) -> None:
    act = Act(CLERK, NOON, "2026-12-07")
    with writing(engine) as connection:
        accepted = book.move(connection, opened, State.ACCEPTED, act)
    for stale, to in ((opened, State.ACCEPTED), (opened, State.REFUSED), (replace(accepted, changed_at="2026-01-01"), State.DECIDED)):
        with pytest.raises(CaseRefused, match="at the same moment"), writing(engine) as connection:
            book.move(connection, stale, to, act)
    with engine.connect() as connection:
        assert book.find(connection, CASE.case, Kind.REPAIR) == accepted
        assert [step["state"] for step in book.steps(connection, CASE.case)] == ["applied", "accepted"]
    assert log.verify(engine).lines == 2 == count(engine, case_steps)


def test_two_cases_of_one_record_opened_at_the_same_moment_are_one(engine: Engine, opened: Case) -> None:
    with writing(engine) as connection:
        connection.execute(sa.update(cases).values(state="refused"))  # so that only the name is in the way
    with pytest.raises(CaseRefused, match="at the same moment"), writing(engine) as connection:
        book.open_case(connection, CASE, CLERK, NOON)
    assert count(engine, cases) == 1 == count(engine, lines)


def test_a_step_whose_transaction_fails_left_no_line(engine: Engine, opened: Case) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        book.move(connection, opened, State.WITHDRAWN, Act(CLERK, NOON))
        raise RuntimeError
    assert count(engine, lines) == 1 == count(engine, case_steps)


def test_i8_a_paper_shows_nothing_of_itself_by_accident() -> None:
    assert "张三" not in repr(Paper(PaperKind.STATEMENT, "张三.pdf", "张三".encode()))
