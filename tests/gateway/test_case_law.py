"""Whatever anybody tries, a case goes from state to state as the law draws them, in time or told to be late, or nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.alike import seek
from gateway.cases import book, repairs
from gateway.cases.standing import settle
from gateway.cases.states import CaseFailed, Decision, Ground, Kind, State
from gateway.cases.steps import add_papers, hand_on
from gateway.settings import Gateway
from ledger.events import Event
from records.schema import case_steps, cases, lines, withdrawn
from records.workdays import add_working_days
from tests.gateway.case_gateway import CLERK, DECIDER, ENTRY, ON, PAPERS, STRANGER, application, gateway_at

# Written down once more, by hand: the code's own table is what is on trial.
PATHS = {
    ("applied", "refused"), ("applied", "withdrawn"), ("applied", "accepted", "withdrawn"),
    ("applied", "accepted", "handed_on", "withdrawn"), ("applied", "accepted", "handed_on", "decided", "denied"),
    ("applied", "accepted", "handed_on", "decided", "propagating", "confirmed"), ("applied", "accepted", "decided", "denied"),
    ("applied", "accepted", "decided", "propagating", "confirmed"),
}  # fmt: skip
PREFIXES = {path[:n] for path in PATHS for n in range(1, len(path) + 1)}
OVER = {path[-1] for path in PATHS}
MANY = 120

Try = Callable[[Gateway, str, str], object]
STEPS: dict[str, Try] = {
    "accept": repairs.accept,
    "refuse": lambda gateway, case, by: repairs.refuse(gateway, case, by, (Ground.INCOMPLETE, "不予受理1号")),
    "hand on": lambda gateway, case, by: hand_on(gateway, Kind.REPAIR, case, by),
    "grant": lambda gateway, case, by: repairs.decide(gateway, case, by, (Decision.GRANT, "修复1号")),
    "deny": lambda gateway, case, by: repairs.decide(gateway, case, by, (Decision.DENY, "修复2号")),
    "withdraw": lambda gateway, case, by: repairs.withdraw(gateway, case, by, "撤回1号"),
    "add": lambda gateway, case, by: add_papers(gateway, Kind.REPAIR, case, by, PAPERS),
    "settle": lambda gateway, case, by: (seek(gateway, ENTRY), settle(gateway)),
}
numbers = count(1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home: Path = tmp_path_factory.mktemp("cases")
    made = gateway_at(home, {f"1-{n:032x}": {} for n in range(MANY)})
    yield made
    made.engine.dispose()


def found(gateway: Gateway, case: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The case's row and its steps in order; each step of every case has its line on the ledger, and each line its step."""
    with gateway.engine.connect() as connection:
        row = dict(connection.execute(sa.select(cases).where(cases.c.case == case)).mappings().one())
        told = connection.execute(sa.select(sa.func.count()).select_from(lines).where(
            lines.c.event.in_([Event.CASE_OPENED, Event.CASE_MOVED]))).scalar_one()
        assert told == connection.execute(sa.select(sa.func.count()).select_from(case_steps)).scalar_one()
        return row, book.steps(connection, case)


DONE = [("accept", DECIDER, 0), ("grant", DECIDER, 2), ("settle", "nobody", 1)]


@example(DECIDER, DONE)
@example(CLERK, [("accept", CLERK, 1), ("grant", DECIDER, 1), ("hand on", CLERK, 1), ("grant", CLERK, 0), *DONE[1:], ("withdraw", CLERK, 0)])
@example(DECIDER, [*DONE[:2], ("withdraw", DECIDER, 0), ("deny", DECIDER, 0)])
@example(CLERK, [("add", CLERK, 9), ("withdraw", CLERK, 9), ("accept", CLERK, 0)])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([CLERK, DECIDER]), st.lists(st.tuples(
    st.sampled_from([*STEPS, "accept", "grant", "hand on"]), st.sampled_from([CLERK, DECIDER, DECIDER, STRANGER, "nobody"]), st.integers(0, 9)), max_size=9))
def test_d44_no_path_skips_a_state_and_every_end_is_reached_under_its_clock(
        gateway: Gateway, receiver: str, tries: list[tuple[str, str, int]]) -> None:
    record, now = f"1-{next(numbers):032x}", gateway.clock()
    case = repairs.apply(gateway, application(record, by=receiver)).case
    before = found(gateway, case)
    for step, by, days in tries:
        now += timedelta(days=days)
        moved = True
        try:
            STEPS[step](replace(gateway, clock=lambda at=now: at), case, by)  # type: ignore[misc]
        except CaseFailed:
            moved = False
        after = found(gateway, case)
        assert moved or after == before, f"{step} by {by} was refused and changed something"
        before = after
    row, steps = before
    path = tuple(step["state"] for step in steps)
    assert path in PREFIXES and row["state"] == path[-1]
    assert [step["due"] != "" for step in steps] == [False] + [True] * (len(steps) - 1)
    assert (row["due"] == "") == (row["state"] in OVER)
    assert row["decide_by"] == add_working_days(ON, 10).isoformat()
    with closing(gateway.engine.connect()) as connection:
        listed = connection.execute(sa.select(withdrawn.c.reason).where(withdrawn.c.record == record)).scalars().all()
    assert listed == (["repair"] if "propagating" in path else []), "exactly what was granted is taken back"
    decided = [step for step in steps if step["state"] == "decided"]
    assert all(step["by"] == DECIDER for step in decided), "who determined it decides"


def test_every_state_but_the_first_has_a_way_in_and_every_end_has_none_out() -> None:
    from gateway.cases.states import NEXT

    assert {state for after in NEXT.values() for state in after} == set(State) - {State.APPLIED}
    assert {str(state) for state, after in NEXT.items() if not after} == OVER - {"confirmed"} | {"corrected"}
