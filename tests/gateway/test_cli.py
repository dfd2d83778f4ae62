"""The command line answers with a clear word and an exit code that means something."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.settings import from_environment
from records.schema import runs, writing

HEADER = "企业名称,统一社会信用代码,注册日期\n"


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


def test_the_shipped_catalogue_is_good_and_a_broken_one_is_not(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("catalog", "check").exit_code == 0
    monkeypatch.setenv("GATEWAY_CATALOG", str(tmp_path / "none"))
    assert run("catalog", "check").exit_code == 3


def test_a_tampered_ledger_is_told_by_its_exit_code(run) -> None:
    run("setup")
    assert run("ledger", "verify").exit_code == 0
    with writing(from_environment().engine) as connection:
        connection.execute(sa.text("UPDATE ledger_head SET seq = 7"))
    assert run("ledger", "verify").exit_code == 5
    with from_environment().engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(runs)).scalar_one() == 0
