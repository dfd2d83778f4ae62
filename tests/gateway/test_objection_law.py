"""Whatever anybody tries, an objected record is held for exactly as long as the law holds it, and a repaired one stays back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.alike import seek
from gateway.cases import book, objections, repairs
from gateway.cases.standing import settle
from gateway.cases.states import CaseFailed, Decision, Kind
from gateway.cases.steps import hand_on
from gateway.settings import Gateway
from records.schema import cases, withdrawn
from tests.gateway.case_gateway import CLERK, DECIDER, ENTRY, STRANGER, application, gateway_at, hold

BEGUN = ("applied", "accepted"), ("applied", "accepted", "handed_on")
PATHS = {("applied", "refused"), ("applied", "withdrawn")} | {
    begun + end for begun in BEGUN for end in (("withdrawn",), ("decided", "denied"), ("decided", "propagating", "confirmed", "corrected"))}
PREFIXES = {path[:n] for path in PATHS for n in range(1, len(path) + 1)}
# The reason on the suppression list while no repair was granted; "" for none.
HELD = {"applied": "", "refused": "", "withdrawn": "", "denied": "", "corrected": "", "accepted": "objection", "handed_on": "objection"}
UPHELD = {"correct": "correction", "revoke": "revocation"}
MANY = 120


def decided(decision: Decision) -> Callable[[Gateway, str, str, str], object]:
    return lambda gateway, record, case, by: objections.decide(gateway, case, by, (decision, "异议1号"))


def corrected_at_the_source(gateway: Gateway, record: str, case: str, by: str) -> None:
    hold(gateway, {record: {"CF_SY": f"更正于{gateway.clock()}"}})


def repaired(gateway: Gateway, record: str, case: str, by: str) -> None:
    other = repairs.apply(gateway, application(record, by=DECIDER)).case
    try:
        repairs.accept(gateway, other, DECIDER)
    except CaseFailed:
        repairs.withdraw(gateway, other, DECIDER, "撤回2号")
        raise
    repairs.decide(gateway, other, DECIDER, (Decision.GRANT, "修复1号"))


STEPS: dict[str, Callable[[Gateway, str, str, str], object]] = {
    "accept": lambda gateway, record, case, by: objections.accept(gateway, case, by),
    "refuse": lambda gateway, record, case, by: objections.refuse(gateway, case, by, "不予受理1号"),
    "hand on": lambda gateway, record, case, by: hand_on(gateway, Kind.OBJECTION, case, by),
    "dismiss": decided(Decision.DISMISS), "correct": decided(Decision.CORRECT), "revoke": decided(Decision.REVOKE),
    "withdraw": lambda gateway, record, case, by: objections.withdraw(gateway, case, by, "撤回1号"),
    "let go": lambda gateway, record, case, by: objections.let_corrected_go(gateway, case, by, "更正1号"),
    "source": corrected_at_the_source, "repair": repaired, "settle": lambda gateway, record, case, by: (seek(gateway, ENTRY), settle(gateway)),
}  # fmt: skip
numbers = count(1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = gateway_at(tmp_path_factory.mktemp("objections"), {f"1-{n:032x}": {} for n in range(MANY)})
    yield made
    made.engine.dispose()


def expected(state: str, decision: str, is_repaired: bool) -> str:
    if is_repaired:
        return "repair"
    return HELD.get(state, UPHELD.get(decision, "?"))


GONE = [(step, DECIDER) for step in ("accept", "correct", "settle")]


@example(DECIDER, [*GONE, ("let go", DECIDER), ("source", DECIDER), ("let go", CLERK), ("let go", DECIDER), ("let go", DECIDER)])
@example(DECIDER, [*GONE, ("source", DECIDER), ("repair", DECIDER), ("let go", DECIDER)])
@example(DECIDER, [("accept", DECIDER), ("repair", DECIDER), ("dismiss", DECIDER)])
@example(DECIDER, [("repair", DECIDER), ("accept", DECIDER), ("revoke", DECIDER), ("settle", DECIDER), ("let go", DECIDER)])
@example(CLERK, [("accept", CLERK), ("hand on", CLERK), ("withdraw", CLERK)])
@settings(max_examples=12)
@given(st.sampled_from([CLERK, DECIDER]), st.lists(st.tuples(
    st.sampled_from([*STEPS, "accept", "correct", "settle"]), st.sampled_from([CLERK, DECIDER, DECIDER, STRANGER])), max_size=10))
def test_d28_a_record_is_held_for_exactly_as_long_as_its_objection_is_open_or_upheld(
        gateway: Gateway, receiver: str, tries: list[tuple[str, str]]) -> None:
    record, now, is_repaired, is_mended = f"1-{next(numbers):032x}", gateway.clock(), False, False
    case = objections.take(gateway, application(record, by=receiver)).case
    for step, by in tries:
        now += timedelta(hours=1)
        before = reason(gateway, record)
        try:
            STEPS[step](replace(gateway, clock=lambda at=now: at), record, case, by)  # type: ignore[misc]
            # What was revoked is gone for good already.
            is_repaired |= step == "repair" and before != "revocation"
            is_mended = step == "source" or (is_mended and step != "correct")
            assert step != "let go" or (is_mended and not is_repaired), "only what was corrected since, and is held for nothing else"
        except CaseFailed:
            assert reason(gateway, record) == before, f"{step} by {by} was refused and changed something"
        with gateway.engine.connect() as connection:
            row = connection.execute(sa.select(cases.c.state, cases.c.decision).where(cases.c.case == case)).one()
            path = tuple(each["state"] for each in book.steps(connection, case))
        assert path in PREFIXES and row.state == path[-1]
        assert reason(gateway, record) == expected(row.state, row.decision, is_repaired)
        assert row.state != "corrected" or row.decision == "correct"


def reason(gateway: Gateway, record: str) -> str:
    with gateway.engine.connect() as connection:
        query = sa.select(withdrawn.c.reason).where(withdrawn.c.record == record, withdrawn.c.lifted_at.is_(None))
        return str(connection.execute(query).scalar_one_or_none() or "")
