"""`gateway ledger`: what an operator and an auditor's contact type, and what they are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.settings import from_environment
from ledger.events import Event, Line
from ledger.log import append
from ledger_audit.command import main as audit
from records.database import writing

RECORD = "1-" + "a" * 32


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    assert invoke("setup").exit_code == 0
    return invoke


def note(**notes: str) -> None:
    gateway = from_environment()
    with writing(gateway.engine) as connection:
        append(connection, [Line(Event.TAKEDOWN_OPENED, "", "store.penalty", notes=notes)], gateway.clock())


def test_an_export_is_clean_for_the_auditor_and_says_so_when_it_was_altered(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note(record=RECORD, by="Li Si", entry="penalty")
    told = run("ledger", "export", str(tmp_path / "out"))
    assert told.exit_code == 0 and "2 lines" in told.output
    key = run("ledger", "key").output.strip()
    assert audit(["check", str(tmp_path / "out"), "--key", key]) == 0
    leaves = tmp_path / "out" / "leaves.jsonl"
    leaves.write_text(leaves.read_text().replace("penalty", "penolty"))
    assert audit(["check", str(tmp_path / "out"), "--key", key]) == 1


def test_a_line_that_is_written_while_an_export_is_made_is_no_line_without_a_checkpoint(
        run, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    key, signed = run("ledger", "key").output.strip(), list[str]()

    def write_beside(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO checkpoints"):
            signed.append(statement)
        elif signed and "FROM ledger" in statement:  # the next transaction, which has read nothing yet
            signed.clear()
            note(record=RECORD)

    sa.event.listen(sa.Engine, "before_cursor_execute", write_beside)
    request.addfinalizer(lambda: sa.event.remove(sa.Engine, "before_cursor_execute", write_beside))
    assert run("ledger", "export", str(tmp_path / "out")).exit_code == 0
    assert audit(["check", str(tmp_path / "out"), "--key", key]) == 0
    assert json.loads(run("ledger", "open", "2").output)["leaf"]["event"] == "takedown_opened"


def test_a_run_that_broke_off_is_told_with_what_there_is_to_run(run) -> None:
    gateway = from_environment()
    with writing(gateway.engine) as connection:
        append(connection, [Line(Event.RUN_OPENED, "2026-11-23.store.penalty.1", "store.penalty"),
                            Line(Event.RUN_OPENED, "2026-11-23.city.penalty.2", "city.penalty")], gateway.clock())
    told = [line for line in run("ledger", "verify").output.splitlines() if line.startswith("open")]
    assert [("gateway decide-again" in line, "run its feed again" in line) for line in told] == [(True, False), (False, True)]


def test_an_export_into_a_place_that_cannot_be_written_is_told(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("ledger", "export", str(tmp_path / "file" / "below"))
    assert told.exit_code == 3 and "Traceback" not in told.output


def test_a_line_is_opened_then_erased_and_can_be_opened_no_more(run) -> None:
    note(record=RECORD, by="Li Si", entry="penalty")
    opened = json.loads(run("ledger", "open", "2").output)
    assert {each["name"]: each["value"] for each in opened["openings"]} == {"record": RECORD, "by": "Li Si"}
    assert RECORD not in json.dumps(opened["leaf"])
    assert run("ledger", "open", "99").exit_code == 2
    assert run("ledger", "erase", RECORD, "--document", " ").exit_code == 2
    assert run("ledger", "erase", RECORD, "--document", "decision 4").exit_code == 0
    assert run("ledger", "erase", RECORD, "--document", "decision 4").exit_code == 2
    assert [each["name"] for each in json.loads(run("ledger", "open", "2").output)["openings"]] == ["by"]
    assert run("ledger", "verify").exit_code == 0


@pytest.mark.parametrize("name", ["Li Si", "compliance", ""])
def test_who_did_something_is_not_erased_from_the_ledger(run, name: str) -> None:
    note(record=RECORD, by="Li Si", entry="penalty")
    told = run("ledger", "erase", name, "--document", "decision 4")
    assert told.exit_code == 2 and "记录编号" in told.output
    assert {each["name"] for each in json.loads(run("ledger", "open", "2").output)["openings"]} == {"record", "by"}


def test_verifying_says_whether_anybody_vouches(run) -> None:
    told = run("ledger", "verify")
    assert told.exit_code == 0 and "not witnessed" in told.output
    answer = json.loads(run("ledger", "verify", "--json").output)
    assert answer["lines"] == 1 and answer["witnessed_at"] == "" and len(answer["root"]) == 64


def test_without_a_registered_witness_the_command_says_what_to_register(run) -> None:
    told = run("ledger", "witness")
    assert told.exit_code == 3 and "nothing is brought" in told.output and "Traceback" not in told.output


def test_a_renewed_ledger_has_another_key_and_still_verifies(run) -> None:
    before = run("ledger", "key").output
    assert run("ledger", "renew", "--document", "").exit_code == 2
    assert run("ledger", "renew", "--document", "decision 5").exit_code == 0
    assert run("ledger", "key").output.split("+")[0] != before.split("+")[0]
    assert run("ledger", "verify").exit_code == 0


@pytest.mark.parametrize("hours", ["soon", "-1", "nan", "100000"])
@pytest.mark.parametrize("command", [("ledger", "verify"), ("setup",), ("catalog", "check"), ("night",)])
def test_hours_that_are_none_run_nothing(run, monkeypatch: pytest.MonkeyPatch, hours: str, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("GATEWAY_WITNESS_HOURS", hours)
    told = run(*command)
    assert told.exit_code == 3 and "GATEWAY_WITNESS_HOURS" in told.output and "Traceback" not in told.output


@pytest.mark.parametrize("command", [("takedown", "probe"), ("takedown", "times"), ("recipient", "keys")])
def test_commands_with_nothing_to_do_end_well(run, command: tuple[str, ...]) -> None:
    assert run(*command).exit_code == 0
