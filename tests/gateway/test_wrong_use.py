"""A command that is used wrongly says what is wrong and what to do next, keeps nothing of it, and never ends with a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.house import last_night
from gateway.lookups import look_ups
from gateway.settings import Gateway
from ledger.log import now
from tests.gateway.case_gateway import CLERK, ENTRY, PENALTY, gateway_at

RECORD = "1-" + "a" * 32
FEED = "market_regulation.enterprise_registration"
CODE = PENALTY["CF_XDR_SHXYM"]
Run = Callable[..., Result]
AS_CLERK = "--person", CLERK, "--purpose", "repair"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return gateway_at(tmp_path_factory.mktemp("used"), {RECORD: {}})


@pytest.fixture
def run(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GATEWAY_HOME", str(gateway.home))

    def invoke(*arguments: str, typed: str = "") -> Result:
        told = CliRunner().invoke(app, list(arguments), input=typed)
        assert told.exception is None or isinstance(told.exception, SystemExit), told.output
        assert CODE not in told.output and PENALTY["CF_XDR_MC"] not in told.output
        return told

    return invoke


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("papers") / "申请.pdf"
    place.write_bytes(b"of the applicant")
    return place


@pytest.fixture
def case(run: Run, paper: Path) -> str:
    """The name of an application for the record; the same one for every test."""
    run("repair", "apply", RECORD, "--by", CLERK, "--received-on", "2026-04-10", "--statement", str(paper))
    return run("repair", "status").output.split()[0]


@pytest.mark.parametrize("command", [
    ("takedown", "open", RECORD, "--reason", "repair", "--document", " ", "--by", "李某"),
    ("takedown", "open", RECORD, "--reason", "repair", "--document", "云信修〔2026〕7号", "--by", ""),
    ("takedown", "change", RECORD, "--reason", "repair", "--document", "", "--by", "李某"),
    ("takedown", "lift", RECORD, "--document", "", "--by", "李某"),
    ("repair", "decide", "repair-1", "grant", "--by", CLERK, "--document", ""),
    ("objection", "let-go", "objection-1", "--by", CLERK, "--document", ""),
    ("restore", "anew", "--by", "李某", "--document", ""),
    ("restore", "apply", "--by", " "),
    ("consent", "give", "--purpose", "loans", "--until", "2027-01-01", "--document", "")])
def test_nothing_is_ordered_by_nobody_or_on_no_document(run: Run, command: tuple[str, ...]) -> None:
    told = run(*command)
    assert told.exit_code == 2 and "不得为空" in told.output
    assert run("takedown", "status").output.startswith("0 takedowns open ")


@pytest.mark.parametrize("command", [("night", "--feed", FEED, "--on"), ("backfill", "--feed", FEED, "--from", "2026-01-01", "--to")])
def test_a_night_that_is_not_over_is_not_run(run: Run, gateway: Gateway, command: tuple[str, ...]) -> None:
    told = run(*command, (last_night(now()) + timedelta(days=1)).isoformat())
    assert told.exit_code == 2 and "not over" in told.output
    assert "0 balances" in run("ledger", "verify").output


def test_a_key_that_is_not_given_whole_is_not_looked_up(run: Run, gateway: Gateway) -> None:
    asked = len(look_ups(gateway))
    told = run("record", ENTRY, *AS_CLERK, typed="试罚〔2026〕1号\n")
    assert told.exit_code == 2 and "未输入完整" in told.output and len(look_ups(gateway)) == asked


def test_a_subject_without_a_number_is_not_looked_up(run: Run, gateway: Gateway) -> None:
    asked = len(look_ups(gateway))
    told = run("subject", "show", *AS_CLERK, typed="\n")
    assert told.exit_code == 2 and "请输入" in told.output and len(look_ups(gateway)) == asked


def test_a_subject_s_page_that_goes_nowhere_is_not_looked_up(run: Run, gateway: Gateway, tmp_path: Path) -> None:
    asked = len(look_ups(gateway))
    for nowhere in (tmp_path / "missing" / "page.html", tmp_path):
        assert run("subject", "report", *AS_CLERK, "--out", str(nowhere), typed=f"{CODE}\n").exit_code == 2
    assert len(look_ups(gateway)) == asked


def test_a_subject_s_page_is_closed_to_others_also_where_an_open_file_was(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.touch(0o644)
    assert run("subject", "report", *AS_CLERK, "--out", str(page), typed=f"{CODE}\n").exit_code == 0
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def register(gateway: Gateway) -> Iterator[Path]:
    """The register of people, which a test may spoil."""
    place = gateway.home / "secrets" / "people.yml"
    kept = place.read_bytes()
    yield place
    place.write_bytes(kept)


@pytest.mark.parametrize("content", [b"[broken: {", "乙某: repair".encode("gb18030"), "- 乙某".encode()])
def test_a_register_that_cannot_be_read_gives_nobody_a_role_and_says_so(run: Run, register: Path, content: bytes) -> None:
    register.write_bytes(content)
    for told in (run("subject", "show", *AS_CLERK, typed=f"{CODE}\n"),
                 run("repair", "apply", RECORD, "--by", CLERK, "--received-on", "2026-04-10")):
        assert told.exit_code == 3 and "名册无法读取" in told.output


def test_who_has_an_empty_unit_belongs_to_none(run: Run, register: Path) -> None:
    register.write_text(f"{CLERK}: {{role: repair, unit: }}\n", "utf-8")
    told = run("objection", "raise", RECORD, "--by", CLERK, "--received-on", "2026-04-10")
    assert told.exit_code == 3 and "may not handle cases" in told.output


def test_papers_that_go_nowhere_are_refused(run: Run, case: str, paper: Path) -> None:
    told = run("repair", "papers", case, *AS_CLERK, "--out", str(paper / "folder"))
    assert told.exit_code == 2 and "--out" in told.output


def test_a_key_that_goes_nowhere_is_not_made(run: Run, tmp_path: Path) -> None:
    told = run("catalog", "keygen", str(tmp_path / "missing" / "key"))
    assert told.exit_code == 2 and "name another place" in told.output


def test_no_paper_is_nothing_to_add(run: Run, case: str) -> None:
    told = run("repair", "add", case, "--by", CLERK)
    assert told.exit_code == 2 and "--performed" in told.output


def test_a_list_of_cases_ends_with_how_many_they_are(run: Run, case: str) -> None:
    assert run("repair", "status").output.splitlines()[-1] == "1 open 未办结"
    assert "未办结" not in run("repair", "status", case).output


def test_what_stands_against_an_application_is_read_in_chinese_and_in_english(run: Run, case: str) -> None:
    told = run("repair", "accept", case, "--by", CLERK)
    assert told.exit_code == 3 and "缺少公开的信用承诺" in told.output and "the public commitment is missing" in told.output
    told = run("takedown", "lift", RECORD, "--document", "云信修〔2026〕7号", "--by", "李某")
    assert told.exit_code == 2 and "没有可解除的在办撤回" in told.output and "no takedown is open that could be lifted" in told.output
