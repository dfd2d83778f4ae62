"""`gateway holdings` says who holds what under which terms, and never a value."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from tests.ledger.deciding import ABOUT, ENTRY, SITE, Deciding, decided, house


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deciding:
    """A site holds two records."""
    made = house(tmp_path, f"sqlite:///{tmp_path / 'gateway.db'}")
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    made.store({"1-a": {"CF_GSJZQ": "2027-10-12"}, "1-b": {"CF_GSJZQ": "2027-09-12"}})
    table = made.desk()
    for ready, _ in decided(table):
        made.settle(table, ready)
    return made


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["holdings", *arguments])


def test_it_counts_by_terms(held: Deciding) -> None:
    [row] = json.loads(ask("--json").stdout)
    assert (row["recipient"], row["entry"], row["records"], row["state"]) == (SITE, ENTRY, 2, "held")
    assert (row["first_end"], row["last_end"]) == ("2027-09-12", "2027-10-12")
    assert "CF_XDR_MC:" in row["fields"] and row["edition"] == held.gateway.catalog.edition and len(row["key_versions"].split()) == 3


def test_i8_it_tells_everything_of_one_record_but_a_value(held: Deciding) -> None:
    [row] = json.loads(ask("--record", "1-a", "--json").stdout)
    assert row["digest"] and row["handle"] and row["version"] and row["ends_on"] == "2027-10-12" and row["due_on"] == "2027-10-13"
    told = ask("--record", "1-a").stdout
    assert "接收方 recipient credit_china" in told and "公示截止 publicity end: 2027-10-12" in told
    assert not [value for value in ABOUT.values() if len(value) > 3 and value in told]


def test_a_time_is_told_by_the_clock_of_shanghai_with_its_zone(held: Deciding) -> None:
    [row] = json.loads(ask("--record", "1-a", "--json").stdout)
    for words, name in (("自 since: ", "since"), ("版本 version: ", "version")):
        told = ask("--record", "1-a").stdout.partition(words)[2].split()[0]
        assert told.endswith("+08:00") and datetime.fromisoformat(told) == datetime.fromisoformat(row[name]).replace(microsecond=0)


def test_it_ends_with_3_where_nothing_is_held(held: Deciding) -> None:
    for arguments in (("national_platform",), ("--entry", "tax_arrears"), ("--record", "1-z")):
        told = ask(*arguments)
        assert told.exit_code == 3 and "nobody holds anything" in told.stdout
