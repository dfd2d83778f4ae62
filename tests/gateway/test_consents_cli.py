"""Consents on the command line: a line on the ledger for each, and the subject's number nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.settings import from_environment
from ledger.log import read
from records.schema import lines
from tests.catalog.altered import PERSON, alter, copied

NUMBER = "339999199003072314"
GIVE = ("give", "--purpose", "loans", "--until", "2026-12-31", "--since", "2026-01-01", "--document", "同意书1号")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path / "home"))
    root = copied(tmp_path)
    title = {"zh": "书面同意", "en": "in writing"}
    alter(root, PERSON, {"grants.national_platform.consent": {"purpose": "loans", "scope": title, "method": title, "max_days": 366},
                         "grants.national_platform.basis.2": {"instrument": "pipl", "article": "art. 13 and 14"}})
    monkeypatch.setenv("GATEWAY_CATALOG", str(root))
    assert CliRunner().invoke(app, ["setup"]).exit_code == 0

    def invoke(*arguments: str, number: str = NUMBER) -> Result:
        return CliRunner().invoke(app, ["consent", *arguments], input=f"{number}\n")

    return invoke


def test_i8_a_consent_is_given_listed_and_revoked_and_the_number_is_nowhere(run, tmp_path: Path) -> None:
    told = [run(*GIVE), run("list"), run("revoke", "--purpose", "loans", "--on", "2026-06-01"), run("list", "--json")]
    assert [each.exit_code for each in told] == [0, 0, 0, 0], [each.output for each in told]
    [row] = json.loads(told[3].stdout)
    assert row["revoked_on"] == "2026-06-01" and row["scope"] == "书面同意" and row["document"] == "同意书1号"
    with from_environment().engine.connect() as connection:
        events = list(read(connection, lines.c.event.like("consent%")))
    assert [event.event for event in events] == ["consent_given", "consent_revoked"]
    assert events[0].notes["document"] == "同意书1号"
    assert all(event.notes["subject"] == row["subject"] for event in events)
    assert not any(NUMBER in each.output for each in told)
    assert not any(NUMBER.encode() in file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file())
    assert CliRunner().invoke(app, ["ledger", "verify"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "number", "code", "why"),
    [
        ((*GIVE[:4], "2028-01-01", *GIVE[5:]), NUMBER, 3, "366 days"),
        (GIVE, "339999199003072315", 3, "no sound credit code or ID number"),
        (("give", "--purpose", "rent", *GIVE[3:]), NUMBER, 2, "the catalogue knows loans"),
        (("revoke", "--purpose", "loans"), NUMBER, 3, "no consent to revoke"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_leaves_nothing(run, arguments: tuple[str, ...], number: str, code: int, why: str) -> None:
    told = run(*arguments, number=number)
    assert (told.exit_code, why in told.output, number in told.output) == (code, True, False), told.output
    assert "0 consents" in run("list").output


def test_a_consent_revoked_and_given_anew_from_the_same_day_is_told_to_begin_on_another_day(run) -> None:
    run(*GIVE)
    run("revoke", "--purpose", "loans", "--on", "2026-06-01")
    told = run(*GIVE)
    assert told.exit_code == 3 and "revoke it first" not in told.output, "it cannot be revoked once more"
    assert "自 2026-06-01 起撤销" in told.output and "begin on another day" in told.output
    assert run(*GIVE[:6], "2026-06-02", *GIVE[7:]).exit_code == 0


def test_what_a_clerk_reads_of_consents_is_in_chinese_and_english(run) -> None:
    told = [run(*GIVE), run("list"), run("revoke", "--purpose", "loans"), run("revoke", "--purpose", "loans")]
    for each, words in zip(told, ("已录入同意 consent", "1 consents 条同意", "同意已撤销 consent", "没有可撤销的同意"), strict=True):
        assert words in each.output, each.output
