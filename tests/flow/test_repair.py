"""A subject's application goes its way: taken in once, decided by who determined the record, acted on by everybody (clauses 11, 12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from gateway.cases import repairs
from gateway.cases.about import about
from gateway.cases.desk import Application
from gateway.cases.papers import show
from gateway.cases.standing import overdue, settle, status
from gateway.cases.states import CaseRefused, Decision, Ground, Kind, NoCase, NotDue, State
from gateway.cases.steps import hand_on
from gateway.cli import app
from gateway.night import decide_all, run_night
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event
from ledger.questions import events
from records.schema import case_papers, holdings, lines, openings, withdrawn
from tests.flow.case_people import CLERK, DECIDER, PAPERS, SECRET, application, register_people
from tests.flow.held_content import ON
from tests.flow.test_story import ALL, ENTRY, FEED
from tests.flow.test_takedown import number, showing

GRANT, DENY = (Decision.GRANT, "准予修复〔2026〕9号"), (Decision.DENY, "不予修复〔2026〕9号")


def held(gateway: Gateway) -> list[str]:
    """The records that everybody holds."""
    with gateway.engine.connect() as connection:
        query = sa.select(holdings.c.record).where(holdings.c.entry == ENTRY).group_by(holdings.c.record).order_by(holdings.c.record)
        return list(connection.execute(query.having(sa.func.count() == len(ALL))).scalars())


def due(gateway: Gateway, *, is_due: bool) -> str:
    """A record that everybody holds and whose minimum period of publicity is over, or is not."""
    with gateway.engine.connect() as connection:
        return next(record for record in held(gateway)
                    if ((about(gateway, connection, record).earliest or date.max) < gateway.today) == is_due)


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


@pytest.fixture
def record(served: Gateway) -> str:
    """A record that can be repaired, its people registered."""
    found = due(served, is_due=True)
    register_people(served, found)
    return found


def accepted(gateway: Gateway, record: str) -> str:
    case = repairs.apply(gateway, application(record)).case
    repairs.accept(gateway, case, CLERK)
    hand_on(gateway, Kind.REPAIR, case, CLERK)
    return case


def states(gateway: Gateway, case: str) -> list[str]:
    return [step["state"] for step in status(gateway, Kind.REPAIR, case)[0]["steps"]]


def test_i6_a_granted_repair_reaches_all_and_a_lagging_source_raises_an_alarm_and_nothing_else(served: Gateway, record: str) -> None:
    document = number(served, record)
    case = accepted(served, record)
    assert showing(served, document) == ALL, "until it is decided nothing changes"
    assert repairs.decide(served, case, DECIDER, GRANT).state is State.PROPAGATING
    assert settle(served) == [] and showing(served, document) == ALL
    decide_all(served, [ENTRY])
    assert showing(served, document) == set()
    assert [each.case for each in settle(served)] == [case] and settle(served) == []
    assert states(served, case) == ["applied", "accepted", "handed_on", "decided", "propagating", "confirmed"]
    runs = run_night(served, ON, [FEED], print)
    assert showing(served, document) == set()
    assert [figures["records"] for figures in events(served.engine, runs, Event.RESURFACED)["figures"]] == [1]
    assert states(served, case)[-1] == "confirmed" and status(served, Kind.REPAIR) == []


def test_d44_a_recipient_that_is_down_keeps_the_case_open_and_its_clock_is_told(served: Gateway, record: str) -> None:
    faults = Faults(served.home / "sample" / "faults.json")
    faults.set("credit_china", Fault("down"))
    case = accepted(served, record)
    repairs.decide(served, case, DECIDER, GRANT)
    decide_all(served, [ENTRY], lambda words: None)
    assert settle(served) == [] and overdue(served, Kind.REPAIR) == []
    late = replace(served, clock=lambda: served.clock() + timedelta(days=30))
    assert [row["case"] for row in overdue(late, Kind.REPAIR)] == [case]
    faults.set("credit_china", Fault("none"))
    decide_all(served, [ENTRY])
    assert [each.case for each in settle(late)] == [case] and overdue(late, Kind.REPAIR) == []
    assert [step["late"] for step in status(late, Kind.REPAIR, case)[0]["steps"]] == [False] * 5 + [True]


def test_who_determined_it_decides_and_nobody_else(served: Gateway, record: str) -> None:
    case = repairs.apply(served, application(record)).case
    repairs.accept(served, case, CLERK)
    with pytest.raises(CaseRefused, match="hand it on by"):
        repairs.decide(served, case, CLERK, GRANT)
    with pytest.raises(CaseRefused, match="hands it on first"):
        repairs.decide(served, case, DECIDER, GRANT)
    for nobody in ("李某", "陌生人"):
        with pytest.raises(CaseRefused, match="may not handle cases"):
            repairs.decide(served, case, nobody, GRANT)
    hand_on(served, Kind.REPAIR, case, CLERK)
    with pytest.raises(CaseRefused, match="determined the record and decides"):
        repairs.decide(served, case, CLERK, GRANT)
    assert repairs.decide(served, case, DECIDER, DENY).state is State.DENIED
    decide_all(served, [ENTRY])
    assert showing(served, number(served, record)) == ALL


def test_d38_an_application_that_is_not_due_is_told_every_ground_and_refused_only_for_one_of_them(served: Gateway) -> None:
    early = due(served, is_due=False)
    register_people(served, early)
    case = repairs.apply(served, Application(early, DECIDER, ON, PAPERS[:1])).case
    with pytest.raises(NotDue) as told:
        repairs.accept(served, case, DECIDER)
    assert set(told.value.grounds) == {Ground.TOO_EARLY, Ground.NOT_PERFORMED, Ground.NO_COMMITMENT}
    with pytest.raises(CaseRefused, match="does not stand against it"):
        repairs.refuse(served, case, DECIDER, (Ground.FORBIDDEN, "不予受理1号"))
    assert repairs.refuse(served, case, DECIDER, (Ground.TOO_EARLY, "不予受理1号")).state is State.REFUSED
    assert repairs.apply(served, application(early)).state is State.APPLIED, "a refusal bars no later application"


def test_d44_each_step_has_its_working_day_by_the_rule_of_the_day_of_receipt(served: Gateway, record: str) -> None:
    """The National Day of 2026 is off from 1 to 7 October; Saturday the 10th and Sunday 20 September are worked for it."""
    later = replace(served, clock=lambda: served.clock())
    case = repairs.apply(later, application(record, received_on=date(2026, 9, 29)))
    assert (case.rule, case.instrument) == ("order_36_2025", "credit_repair_2025_36")
    assert (case.due, case.decide_by) == ("2026-10-09", "2026-10-19")
    repairs.withdraw(later, case.case, CLERK, "撤回申请1号")
    former = repairs.apply(later, application(record, received_on=date(2026, 3, 31)))
    assert (former.rule, former.due) == ("order_58_2023", "2026-04-03")
    with pytest.raises(CaseRefused, match="no instrument on credit repair"):
        repairs.apply(later, application(held(served)[-1], received_on=date(2022, 1, 4)))
    with pytest.raises(CaseRefused, match="not come yet"):
        repairs.apply(later, application(held(served)[-1], received_on=ON + timedelta(days=1)))


def test_a_second_application_for_one_record_and_an_unknown_record_are_told(served: Gateway, record: str) -> None:
    repairs.apply(served, application(record))
    with pytest.raises(CaseRefused, match="is open already"):
        repairs.apply(served, application(record))
    with pytest.raises(NoCase):
        repairs.apply(served, application("1-" + "0" * 32))
    with pytest.raises(NoCase):
        repairs.accept(served, "repair-20260101-0", CLERK)


def test_i8_what_the_applicant_says_is_sealed_and_read_only_on_the_record(served: Gateway, record: str) -> None:
    case = repairs.apply(served, application(record))
    with served.engine.connect() as connection:
        stored = b"".join(connection.execute(sa.select(case_papers.c.sealed)).scalars())
        told = str(connection.execute(sa.select(lines)).all()) + str(connection.execute(sa.select(openings)).all())
    assert SECRET.encode() not in stored and "张三".encode() not in stored and "张三" not in told
    assert show(served, case, "李某", "核对申请材料") == list(PAPERS)
    for person, purpose in (("李某", " "), ("陌生人", "好奇")):
        with pytest.raises(CaseRefused, match="stay closed"):
            show(served, case, person, purpose)
    with served.engine.connect() as connection:
        looked = [line.event for line in log.read(connection, lines.c.event.in_([Event.LOOKED_UP, Event.LOOK_UP_REFUSED]))]
    assert looked == [Event.LOOKED_UP, Event.LOOK_UP_REFUSED, Event.LOOK_UP_REFUSED]


def test_a_step_and_its_takedown_stand_or_fall_together(served: Gateway, record: str) -> None:
    """The suppression list takes nothing in: then the case is not decided either."""
    case = accepted(served, record)
    with served.engine.begin() as connection:
        connection.execute(sa.text("CREATE TRIGGER full BEFORE INSERT ON withdrawn BEGIN SELECT RAISE(ABORT, 'full'); END"))
    with pytest.raises(sa.exc.DBAPIError):
        repairs.decide(served, case, DECIDER, GRANT)
    with served.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER full"))
        assert connection.execute(sa.select(withdrawn.c.record)).all() == []
    assert states(served, case)[-1] == "handed_on"
    assert repairs.decide(served, case, DECIDER, GRANT).state is State.PROPAGATING


Run = Callable[..., Result]


@pytest.fixture
def run(served: Gateway, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_d45_the_whole_way_on_the_command_line_and_a_fee_has_no_place_in_it(run: Run, served: Gateway, record: str, tmp_path: Path) -> None:
    paper = tmp_path / "材料.txt"
    paper.write_text(SECRET, "utf-8")
    files = [f"--{kind}={paper}" for kind in ("statement", "performed", "commitment")]
    day = f"--received-on={ON}"
    assert run("repair", "apply", record, "--by", CLERK, day, *files, "--fee=100").exit_code == 2
    told = run("repair", "apply", record, "--by", CLERK, day, *files)
    assert told.exit_code == 0, told.output
    case = told.output.partition(":")[0]
    assert run("repair", "accept", case, "--by", "陌生人").exit_code == 3
    assert run("repair", "accept", "repair-x", "--by", CLERK).exit_code == 2
    assert run("repair", "accept", case, "--by", CLERK).exit_code == 0
    assert run("repair", "decide", case, "grant", "--by", CLERK, "--document=准1号").exit_code == 3
    assert run("repair", "hand-on", case, "--by", CLERK).exit_code == 0
    done = run("repair", "decide", case, "grant", "--by", DECIDER, "--document=准1号")
    assert done.exit_code == 0 and f"{case}: confirmed" in done.output, done.output
    assert showing(served, number(served, record)) == set()
    listed = run("repair", "status", case, "--json")
    assert [row["state"] for row in json.loads(listed.output)] == ["confirmed"] and SECRET not in listed.output
    assert run("repair", "overdue").exit_code == 0 and run("repair", "status", "repair-x").exit_code == 2
    out = tmp_path / "out"
    assert run("repair", "papers", case, "--person", "李某", "--purpose", "复核", f"--out={out}").exit_code == 0
    assert sorted(path.read_text("utf-8") for path in out.iterdir()) == [SECRET] * 3
    assert {oct(path.stat().st_mode)[-3:] for path in out.iterdir()} == {"600"}
