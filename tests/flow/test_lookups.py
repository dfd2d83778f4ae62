"""The access register: who looks something up needs a role and a purpose, stands on the ledger, and is reviewed by somebody else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from console.report import render
from gateway.cli import app
from gateway.lookups import Asker, Finding, NotReviewed, Refused, answered, counts, look_up, look_ups, review
from gateway.people import refusal
from gateway.settings import Gateway, set_up
from gateway.subject import LookUp, report
from ledger import log
from ledger.erasure import erase
from records.database import writing
from records.schema import lines
from tests.flow.conftest import gateway_at

RECORD, ENTRY = "1-" + "a" * 32, "administrative_penalty_legal"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    made = gateway_at(tmp_path)
    set_up(made)
    (tmp_path / "secrets" / "people.yml").write_text("李某: compliance\n王某: compliance\n赵某: engineer\n周某: clerk\n", "utf-8")
    return made


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def asked(gateway: Gateway, person: str = "李某", purpose: str = "audit") -> int:
    seq = look_up(gateway, Asker(person, purpose), "explain", {"record": RECORD, "recipient": "gsxt"})
    answered(gateway, seq, 1)
    return seq


@pytest.mark.parametrize(("role", "purpose", "values", "reason"), [
    ("compliance", "audit", True, ""), ("repair", "objection", True, ""), ("engineer", "fault", False, ""), ("engineer", "incident", True, ""),
    ("engineer", "fault", True, "not-for-this-role"), ("repair", "audit", True, "not-for-this-role"), ("compliance", "fault", False, "not-for-this-role"),
    ("compliance", "", True, "no-purpose"), ("compliance", "好奇", True, "unknown-purpose"), ("clerk", "audit", False, "no-role"), ("", "audit", False, "no-role"),
])
def test_d46_a_role_looks_up_for_its_purposes_and_for_no_other(role: str, purpose: str, values: bool, reason: str) -> None:
    assert refusal(role, purpose, values) == reason


@pytest.mark.parametrize(("command", "typed"), [
    (("explain", RECORD, "--to", "gsxt"), ""), (("record", ENTRY), "杭市监罚〔2026〕1号\n" * 9), (("subject", "show"), "91330100MA00000000\n"),
    (("subject", "report", "--out", "page.html"), "91330100MA00000000\n")])
def test_d47_no_command_looks_up_for_nobody_or_for_no_purpose_and_the_refusal_is_on_the_ledger(
        house: Gateway, command: tuple[str, ...], typed: str) -> None:
    for person, reason in (("", "no-role"), ("周某", "no-role"), ("李某", "no-purpose")):
        told = run(*command, *(["--person", person] if person else []), typed=typed)
        assert told.exit_code == 3 and f"no look-up ({reason})" in told.output and RECORD[:8] not in told.stdout
    assert [(row["person"], row["outcome"]) for row in look_ups(house)] == [("", "no-role"), ("周某", "no-role"), ("李某", "no-purpose")]


def test_an_engineer_explains_for_a_fault_and_sees_no_subject(house: Gateway) -> None:
    told = run("explain", RECORD, "--to", "gsxt", "--person", "赵某", "--purpose", "fault", "--document", "工单7")
    assert told.exit_code == 2 and "the store never had it" in told.output
    assert run("subject", "show", "--person", "赵某", "--purpose", "fault", typed="91330100MA00000000\n").exit_code == 3
    assert [(row["what"], row["outcome"], row["records"], row["document"]) for row in look_ups(house)] == [
        ("explain", "answered", 0, "工单7"), ("show", "not-for-this-role", None, "")]


def test_i8_what_somebody_typed_as_the_recipient_is_only_committed_to(house: Gateway) -> None:
    """A slip of the hand, the subject's number for the recipient, must not stand open in a leaf for good."""
    number = "339999199003072314"
    run("explain", RECORD, "--to", number, "--person", "赵某", "--purpose", "fault")
    with house.engine.connect() as connection:
        assert number not in "".join(connection.execute(sa.select(lines.c.body)).scalars())
    assert [row["about"] for row in look_ups(house)] == [{"record": RECORD, "recipient": number}]


def test_a_look_up_that_was_cut_off_stays_unfinished_on_the_list(house: Gateway) -> None:
    look_up(house, Asker("李某", "audit"), "explain", {"record": RECORD})
    assert [(row["outcome"], row["records"]) for row in look_ups(house)] == [("unfinished", None)]


def test_i8_what_was_looked_up_by_whom_and_for_what_is_only_committed_to(house: Gateway) -> None:
    asked(house)
    review(house, look_ups(house)[0]["seq"], "王某", Finding.OK)
    with house.engine.connect() as connection:
        leaves = "".join(connection.execute(sa.select(lines.c.body)).scalars())
    assert not [word for word in (RECORD, "李某", "王某", "audit") if word in leaves]
    with writing(house.engine) as state:
        assert erase(state, RECORD, "删除2026-1", house.clock()) == 1
    assert look_ups(house)[0]["about"]["record"] == "(erased)" and look_ups(house)[0]["finding"] == "ok"
    log.verify(house.engine)


def test_each_look_up_waits_for_a_review_by_somebody_else_of_compliance(house: Gateway) -> None:
    seq = asked(house)
    for line, by, why in ((seq, "李某", "somebody else"), (seq, "周某", "not of compliance"), (seq, "赵某", "not of compliance"), (seq + 1, "王某", "no look-up")):
        with pytest.raises(NotReviewed, match=why):
            review(house, line, by, Finding.OK)
    assert counts(house)["unreviewed"] == 1
    review(house, seq, "王某", Finding.QUERY)
    assert counts(house)["unreviewed"] == 1, "who has to explain has not been cleared"
    review(house, seq, "王某", Finding.ABUSE)
    assert counts(house) == {"look_ups": 1, "refused": 0, "over_quota": 0, "unreviewed": 0, "overdue": 0, "abuse": 1}


def test_a_review_is_overdue_after_five_working_days_and_the_report_says_so(house: Gateway) -> None:
    asked(house)
    with pytest.raises(Refused):
        report(house, LookUp("91330100MA00000000", "周某", "audit"))
    in_time, late = (replace(house, clock=lambda days=days: house.clock() + timedelta(days=days)) for days in (7, 8))
    assert counts(in_time)["overdue"] == 0 and counts(late)["overdue"] == 2
    page = render("lookups.html", look_ups=counts(late))
    assert "共查询 2 次，其中拒绝 1 次（因超出当日次数且未审查 0 次）；待审查 2 次，逾期未审查 2 次" in page and "trouble" in page


def test_compliance_lists_filters_and_reviews_by_command(house: Gateway) -> None:
    first, second = asked(house), asked(house, "赵某", "fault")
    rows = json.loads(run("subject", "lookups", "--by", "赵某", "--json").stdout)
    assert [row["seq"] for row in rows] == [second]
    assert json.loads(run("subject", "lookups", "--since", "2026-11-24", "--json").stdout) == []
    assert len(json.loads(run("subject", "lookups", "--since", "2026-11-23", "--json").stdout)) == 2
    assert run("subject", "review", str(first), "--by", "王某", "--finding", "ok").exit_code == 0
    assert run("subject", "review", str(first), "--by", "李某", "--finding", "ok").exit_code == 2
    left = run("subject", "lookups", "--unreviewed").stdout
    assert "1 look-ups 次查询，1 to review 待审查" in left and "赵某 (engineer)" in left


def test_d49_whoever_looks_up_in_bulk_is_stopped_for_the_day_and_compliance_sees_the_refusal(house: Gateway) -> None:
    (house.home / "secrets" / "people.yml").write_text("李某: {role: compliance, daily: 3}\n王某: compliance\n孙某: {role: auditor, daily: 很多}\n", "utf-8")
    for _ in range(3):
        asked(house)
    for person in ("李某", "孙某"):
        with pytest.raises(Refused, match="over-quota.*daily"):
            asked(house, person)
    asked(house, "王某")
    assert [(row["person"], row["outcome"]) for row in look_ups(house)][3:5] == [("李某", "over-quota"), ("孙某", "over-quota")]
    assert (counts(house)["refused"], counts(house)["over_quota"]) == (2, 2)
    review(house, look_ups(house)[3]["seq"], "王某", Finding.ABUSE)
    assert (counts(house)["over_quota"], counts(house)["abuse"]) == (1, 1)
    tomorrow = replace(house, clock=lambda: house.clock() + timedelta(days=1))
    assert asked(tomorrow) > 0


@pytest.mark.parametrize("number", ["20417", "00417", "1e3", "2026-11-23", "no"])
def test_a_person_is_registered_by_a_staff_number_as_it_is_written(house: Gateway, number: str) -> None:
    """In YAML it would be a number, a day or a truth value, and whoever bears it be told to register."""
    (house.home / "secrets" / "people.yml").write_text(f"{number}: {{role: auditor, daily: 1}}\n李某:\n", "utf-8")
    assert asked(house, number) > 0
    with pytest.raises(Refused, match="over-quota"):
        asked(house, number)
    with pytest.raises(Refused, match="no-role"):
        asked(house)


def test_d49_two_that_ask_at_once_cannot_both_be_the_last_of_the_day(house: Gateway) -> None:
    (house.home / "secrets" / "people.yml").write_text("李某: {role: compliance, daily: 5}\n", "utf-8")

    def ask(_: int) -> bool:
        try:
            return asked(house) > 0
        except Refused:
            return False

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(ask, range(16))) == 5
