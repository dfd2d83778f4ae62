"""An objection holds the record everywhere until it is settled, and then it is back, gone, or corrected (clauses 8, 11, 16)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cases import objections, repairs
from gateway.cases.standing import settle, status
from gateway.cases.states import CaseRefused, Decision, Kind, State
from gateway.cli import app
from gateway.night import decide_all, run_night, take_back_all
from gateway.sample import World
from gateway.settings import Gateway
from tests.flow.case_people import DECIDER, SECRET, application, register_people
from tests.flow.held_content import ON, content, marks
from tests.flow.test_repair import due
from tests.flow.test_story import ALL, ENTRY, FEED
from tests.flow.test_takedown import number, showing

USERS = {"national_platform", "public_resources"}
DOCUMENT = "异议处理〔2026〕1号"


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


@pytest.fixture
def record(served: Gateway) -> str:
    found = due(served, is_due=True)
    register_people(served, found)
    return found


def raised(gateway: Gateway, record: str) -> str:
    """An objection that the unit itself took in and up; every recipient has been told."""
    case = objections.take(gateway, application(record, by=DECIDER)).case
    objections.accept(gateway, case, DECIDER)
    decide_all(gateway, [ENTRY])
    return case


def facts(gateway: Gateway, document: str) -> set[str]:
    """The facts of a penalty as the recipients show them."""
    return {json.loads(fields)["CF_SY"] for (_, entry, _), fields in content(gateway.home).items()
            if entry == ENTRY and json.loads(fields).get("CF_WSH") == document and "CF_SY" in json.loads(fields)}


def correct(gateway: Gateway, document: str, words: str) -> None:
    """The department mends the facts of its record."""
    with closing(sqlite3.connect(gateway.home / "sample/departments/law_enforcement/enforcement.db")) as database, database:
        changed = database.execute("UPDATE cf_legal SET CF_SY = ? WHERE CF_WSH LIKE ?", [words, f"%{document[-8:]}"])
        assert changed.rowcount == 1


def test_d28_an_accepted_objection_marks_it_at_users_hides_it_on_sites_and_no_path_brings_it_anew(served: Gateway, record: str) -> None:
    document = number(served, record)
    before = facts(served, document)
    case = raised(served, record)
    assert showing(served, document) == USERS and {place[0] for place in marks(served.home)} == USERS
    correct(served, document, "核实中变更的事实")
    run_night(served, ON, [FEED], print)
    decide_all(served, [ENTRY])
    assert showing(served, document) == USERS and facts(served, document) == before, "what is held does not change at anybody's"
    assert objections.decide(served, case, DECIDER, (Decision.DISMISS, DOCUMENT)).state is State.DENIED
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL and marks(served.home) == {} and facts(served, document) == {"核实中变更的事实"}


def test_d6_an_upheld_objection_takes_it_back_and_a_person_lets_the_corrected_version_go(served: Gateway, record: str) -> None:
    document = number(served, record)
    case = raised(served, record)
    objections.decide(served, case, DECIDER, (Decision.CORRECT, DOCUMENT))
    take_back_all(served, [ENTRY])
    assert showing(served, document) == set() and [each.state for each in settle(served)] == [State.CONFIRMED]
    assert [row["case"] for row in status(served, Kind.OBJECTION)] == [case], "the corrected one is still to be let go"
    run_night(served, ON, [FEED], print)
    with pytest.raises(CaseRefused, match="has not handed the corrected record in"):
        objections.let_corrected_go(served, case, DECIDER, DOCUMENT)
    correct(served, document, "更正后的事实")
    run_night(served, ON, [FEED], print)
    assert showing(served, document) == set(), "a person lets it go, not the source"
    assert objections.let_corrected_go(served, case, DECIDER, DOCUMENT).state is State.CORRECTED
    assert status(served, Kind.OBJECTION) == []
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL and facts(served, document) == {"更正后的事实"}


def test_i6_a_repair_granted_while_an_objection_stands_takes_it_back_for_good(served: Gateway, record: str) -> None:
    document = number(served, record)
    case = raised(served, record)
    repair = repairs.apply(served, application(record, by=DECIDER)).case
    repairs.accept(served, repair, DECIDER)
    assert repairs.decide(served, repair, DECIDER, (Decision.GRANT, "准予修复1号")).state is State.PROPAGATING
    take_back_all(served, [ENTRY])
    assert showing(served, document) == set() and [each.case for each in settle(served)] == [repair]
    assert objections.decide(served, case, DECIDER, (Decision.DISMISS, DOCUMENT)).state is State.DENIED
    run_night(served, ON, [FEED], print)
    decide_all(served, [ENTRY])
    assert showing(served, document) == set(), "the objection is settled, the repair stands"
    assert status(served, Kind.OBJECTION) == status(served, Kind.REPAIR) == []


Run = Callable[..., Result]


def test_d58_the_whole_way_on_the_command_line(served: Gateway, record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["objection", *arguments])

    paper = tmp_path / "异议.txt"
    paper.write_text(SECRET, "utf-8")
    told = run("raise", record, "--by", DECIDER, f"--received-on={ON}", f"--statement={paper}")
    assert told.exit_code == 0, told.output
    case = told.output.partition(":")[0]
    assert run("accept", case, "--by", DECIDER).exit_code == 0
    assert showing(served, number(served, record)) == USERS
    for wrong in (("uphold",), ("dismiss", "--as=correction")):
        assert run("decide", case, *wrong, "--by", DECIDER, "--document=1").exit_code == 2
    done = run("decide", case, "uphold", "--as=revocation", "--by", DECIDER, "--document=撤销1号")
    assert done.exit_code == 0 and f"{case}: confirmed" in done.output, done.output
    assert showing(served, number(served, record)) == set()
    assert run("let-go", case, "--by", DECIDER, "--document=1").exit_code == 3
    assert run("overdue").exit_code == 0 and run("accept", "objection-x", "--by", DECIDER).exit_code == 2
    assert json.loads(run("status", "--json").output) == [] and SECRET not in run("status", case).output
