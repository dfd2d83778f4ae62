"""The command line answers with a clear word and an exit code that means something."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.settings import from_environment
from keys import connection
from records.database import writing
from records.schema import runs
from tests.catalog.altered import GONE, alter, copied

HEADER = "企业名称,统一社会信用代码,注册日期\n"
REGISTER = "market_regulation.enterprise_registration"
GOOD, BAD = "91330105WW01385009", "91330105WW01385008"


def handed_in(tmp_path: Path) -> Path:
    """A file with one good row and one whose code is wrong."""
    (tmp_path / "drop").mkdir()
    path = tmp_path / "drop" / "register.csv"
    path.write_text(f"{HEADER}试样甲公司,{GOOD},2020-01-02\n试样乙公司,{BAD},2020-01-02\n", "utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return invoke


@pytest.mark.parametrize("command", [("night",), ("quarantine", "list"), ("ledger", "verify")])
def test_before_the_set_up_a_command_says_what_to_do(run, command: tuple[str, ...]) -> None:
    told = run(*command)
    assert told.exit_code == 2 and "gateway setup" in told.output and "Traceback" not in told.output


def test_an_unknown_feed_or_entry_is_wrong_usage(run, tmp_path: Path) -> None:
    run("setup")
    assert run("night", "--feed", "nobody.nothing").exit_code == 2
    (tmp_path / "a.csv").write_text(HEADER, "utf-8")
    assert run("try", str(tmp_path / "a.csv"), "--entry", "nothing").exit_code == 2


def test_a_file_is_tried_without_a_set_up_and_leaves_nothing(run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "试样公司,91330100WW0000008L,2020-01-02\n", "utf-8")
    told = run("try", str(tmp_path / "a.csv"), "--entry", "enterprise_registration", "--json", "--rows")
    assert told.exit_code == 3 and '"collected": 1' in told.output and '"row": 2' in told.output
    assert "试样" not in told.output and not (tmp_path / "home").exists()


def test_a_file_without_a_fault_ends_with_zero(run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}试样公司,{GOOD},2020-01-02\n", "utf-8")
    told = run("try", str(tmp_path / "a.csv"), "--entry", "enterprise_registration")
    assert told.exit_code == 0 and "accepted: 1" in told.output


def test_a_file_that_is_no_table_is_refused_with_a_word_for_the_department(run, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    told = run("try", str(tmp_path / "a.xlsx"), "--entry", "enterprise_registration")
    assert told.exit_code == 3 and "ask the department" in told.output and "refused: unreadable-file" in told.output


@pytest.mark.parametrize("command", [("--help",), ("night", "--help"), ("try", "--help"), ("catalog", "check", "--help"),
                                     ("quarantine", "list", "--help"), ("ledger", "verify", "--help"), ("setup", "--help")])
def test_every_command_explains_itself(run, tmp_path: Path, command: tuple[str, ...]) -> None:
    told = run(*command)
    assert told.exit_code == 0 and "Usage" in told.output and not (tmp_path / "home").exists()


def test_the_shipped_catalogue_is_good(run) -> None:
    told = run("catalog", "check")
    assert told.exit_code == 0 and told.output.endswith("good\n")


def test_every_problem_of_a_broken_catalogue_is_named_and_no_command_goes_on_with_it(
        run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copied(tmp_path)
    for file in ("gsxt", "public_resources"):
        alter(root, f"recipients/{file}.yml", {"deadline": GONE})
    monkeypatch.setenv("GATEWAY_CATALOG", str(root))
    run("setup")
    path = handed_in(tmp_path)
    for command in (("catalog", "check"), ("night",), ("quarantine", "list"), ("try", str(path), "--entry", "tax_arrears")):
        told = run(*command)
        assert told.exit_code == 3
        assert all(f"recipients/{file}.yml: deadline: missing" in told.output for file in ("gsxt", "public_resources"))


def test_a_missing_connection_is_named_once_with_what_to_do(run) -> None:
    run("setup")
    told = run("night", "--feed", REGISTER)
    assert told.exit_code == 3 and "defect" not in told.output
    assert sum(line.endswith("write one as docs/connections.md shows, mode 0600") for line in told.output.splitlines()) == 1


def test_a_feed_whose_recipients_are_not_registered_names_each(run, tmp_path: Path) -> None:
    run("setup")
    handed_in(tmp_path)
    connection.save(tmp_path / "home/secrets/connections.yml", {"market_regulation_drop": {"url": f"file://{tmp_path / 'drop'}"}})
    told = run("night", "--feed", REGISTER)
    assert told.exit_code == 3 and "defect" not in told.output
    assert all(f"connection {name} is not registered" in told.output for name in ("credit_china", "gsxt", "national_platform"))


def test_a_night_with_a_lost_keyring_ends_before_it_begins(run, tmp_path: Path) -> None:
    run("setup")
    (tmp_path / "home/keys/keyring.json").unlink()
    for command in (("night",), ("quarantine", "list")):
        told = run(*command)
        assert told.exit_code == 3 and "restore it from its backup" in told.output
    assert run("ledger", "verify").exit_code == 0


@pytest.mark.parametrize("command", [("night",), ("quarantine", "list"), ("ledger", "verify")])
def test_a_lost_state_is_told_and_no_empty_one_takes_its_place(run, tmp_path: Path, command: tuple[str, ...]) -> None:
    run("setup")
    for path in (tmp_path / "home").glob("gateway.db*"):
        path.unlink()
    told = run(*command)
    assert told.exit_code == 3 and "restore its backup" in told.output and not (tmp_path / "home/gateway.db").exists()


def test_a_state_from_before_an_upgrade_is_brought_up_to_date_by_the_set_up(run) -> None:
    run("setup")
    with writing(from_environment().engine) as connection:
        connection.execute(sa.text("DROP TABLE owed"))
    told = run("ledger", "verify")
    assert told.exit_code == 3 and "lacks owed" in told.output and "gateway setup" in told.output


@pytest.mark.parametrize("url", ["postgresql+psycopg://reader:hush@127.0.0.1:1/state", "hush", "mysql://reader:hush@127.0.0.1/state"])
def test_i8_a_state_that_does_not_answer_is_told_without_its_address(run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    run("setup")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    for command in (("setup",), ("night",), ("ledger", "verify")):
        told = run(*command)
        assert told.exit_code == 3 and "does not answer" in told.output and "hush" not in told.output


def test_i8_the_quarantine_list_tells_place_and_reason_and_never_content(run, tmp_path: Path) -> None:
    run("setup")
    handed_in(tmp_path)
    connection.save(tmp_path / "home/secrets/connections.yml", {"market_regulation_drop": {"url": f"file://{tmp_path / 'drop'}"}})
    run("night", "--feed", REGISTER)
    for command in (("quarantine", "list"), ("quarantine", "list", "--json"), ("quarantine", "list", "--feed", REGISTER)):
        told = run(*command)
        assert told.exit_code == 0 and "uscc-invalid" in told.output and "register.csv" in told.output
        assert "试样" not in told.output and BAD not in told.output
    assert run("quarantine", "list", "--feed", "nobody.nothing").exit_code == 2


def test_a_feed_that_cannot_be_accounted_for_is_told_without_a_traceback(run) -> None:
    run("setup")
    with writing(from_environment().engine) as connection:
        connection.execute(sa.text("CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'full'); END"))
    told = run("night", "--feed", REGISTER)
    assert told.exit_code == 1 and told.output.endswith("mend disk or database and run again\n")


def test_a_line_altered_behind_the_ledgers_back_is_told_by_the_exit_code(run) -> None:
    run("setup")
    run("night", "--feed", REGISTER)
    assert run("ledger", "verify").exit_code == 0
    with writing(from_environment().engine) as connection:
        connection.execute(sa.text("UPDATE ledger SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 2"))
    told = run("ledger", "verify")
    assert told.exit_code == 5 and "line 2" in told.output


def test_a_tampered_ledger_is_told_by_its_exit_code(run) -> None:
    run("setup")
    assert run("ledger", "verify").exit_code == 0
    with writing(from_environment().engine) as connection:
        connection.execute(sa.text("UPDATE ledger_head SET seq = 7"))
    assert run("ledger", "verify").exit_code == 5
    with from_environment().engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(runs)).scalar_one() == 0
