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
from gateway.cases.standing import overdue, settle, status
from gateway.cases.states import Decision, Kind, State
from gateway.cases.steps import hand_on
from gateway.cli import app
from gateway.night import run_night, take_back_all
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from ledger.events import Event
from ledger.questions import events
from records.schema import holdings, withdrawn
from tests.flow.case_people import CLERK, DECIDER, SECRET, application, register_people
from tests.flow.held_content import ON, content
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
    take_back_all(served, [ENTRY])
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
    take_back_all(served, [ENTRY], lambda words: None)
    assert settle(served) == [] and overdue(served, Kind.REPAIR) == []
    late = replace(served, clock=lambda: served.clock() + timedelta(days=30))
    assert [row["case"] for row in overdue(late, Kind.REPAIR)] == [case]
    faults.set("credit_china", Fault("none"))
    take_back_all(served, [ENTRY])
    assert [each.case for each in settle(late)] == [case] and overdue(late, Kind.REPAIR) == []
    assert [step["late"] for step in status(late, Kind.REPAIR, case)[0]["steps"]] == [False] * 5 + [True]



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


LISTING, LISTED = "serious_violation", "market_regulation.serious_violation"


def listed(gateway: Gateway) -> dict[str, set[str]]:
    """Who holds which listing, read from their own databases: recipients by what names the listing."""
    found: dict[str, set[str]] = {}
    for (recipient, entry, _), said in content(gateway.home).items():
        if entry == LISTING:
            fields = json.loads(said)
            found.setdefault("|".join((fields["uscc"], fields["listed_on"], fields["listing_reason"])), set()).add(recipient)
    return found


def test_d40_a_removal_from_the_list_reaches_everybody_in_time_and_no_other_listing(gateway: Gateway, world: World) -> None:
    run_night(gateway, ON, [LISTED], print)
    before = listed(gateway)
    with gateway.engine.connect() as connection:
        query = sa.select(holdings.c.record).where(holdings.c.entry == LISTING).group_by(holdings.c.record).having(sa.func.count() == len(ALL))
        record = str(connection.execute(query.order_by(holdings.c.record).limit(1)).scalar_one())
        row = gateway.store.at(connection, LISTING, record, gateway.clock()).iloc[0]
    register_people(gateway, record)
    case = accepted(gateway, record)
    granted = repairs.decide(gateway, case, DECIDER, (Decision.GRANT, "移出决定〔2026〕1号"))
    assert (granted.state, granted.due) == (State.PROPAGATING, "2026-11-26")
    take_back_all(gateway, [LISTING])
    assert [each.case for each in settle(gateway)] == [case]
    gone = "|".join((row["uscc"], row["listed_on"], row["listing_reason"]))
    assert before[gone] == ALL and listed(gateway) == {name: held for name, held in before.items() if name != gone}
    run_night(gateway, ON, [LISTED], print)
    assert gone not in listed(gateway)


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
    assert run("repair", "papers", case, "--person", "李某", "--purpose", "repair", f"--out={out}").exit_code == 0
    assert sorted(path.read_text("utf-8") for path in out.iterdir()) == [SECRET] * 3
    assert {oct(path.stat().st_mode)[-3:] for path in out.iterdir()} == {"600"}
