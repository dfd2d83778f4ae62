"""The departments' second day: what it changes is told row by row, and nothing else changes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import uscc

from gateway.sample import create, next_day
from gateway.sample.__main__ import main
from gateway.sample.creation import NoWorld

ON = date(2026, 11, 20)
LATER = date(2026, 11, 21)
PENALTIES, PEOPLE, DEFAULTERS = (
    "law_enforcement.administrative_penalty_legal", "law_enforcement.administrative_penalty_natural", "court.judgment_defaulter")
TABLES = {PENALTIES: ("law_enforcement/enforcement.db", "cf_legal"), PEOPLE: ("law_enforcement/enforcement.db", "cf_natural"),
          DEFAULTERS: ("court/court.db", "judgment_defaulters")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create(tmp_path, ON, scale=0.04)
    return tmp_path


def rows(home: Path, feed: str) -> dict[int, dict[str, Any]]:
    place, table = TABLES[feed]
    with closing(sqlite3.connect(home / "sample/departments" / place)) as database:
        database.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in database.execute(f"SELECT * FROM {table}")}


def files(home: Path) -> dict[str, bytes]:
    folder = home / "sample" / "departments"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.suffix in (".csv", ".xlsx")}


@pytest.mark.parametrize("feed", TABLES)
def test_exactly_the_rows_told_differ_from_the_first_day(home: Path, feed: str) -> None:
    before = rows(home, feed)
    told = next_day(home, LATER)[feed]
    after = rows(home, feed)
    assert {number for number, row in after.items() if row != before.get(number)} == {n for own in told.values() for n in own}
    assert set(after) - set(before) == {*told["new"], *told.get("stray-person", [])} and set(before) <= set(after)


def test_a_record_that_changed_is_still_the_same_record(home: Path) -> None:
    before = rows(home, PENALTIES)
    told = next_day(home, LATER)[PENALTIES]
    for number in (*told["changed"], *told["revoked"]):
        after = rows(home, PENALTIES)[number]
        assert [after[key] for key in ("CF_WSH", "CF_CFJGDM", "CF_XDR_MC")] == [
            before[number][key] for key in ("CF_WSH", "CF_CFJGDM", "CF_XDR_MC")]


def test_the_revoked_penalty_says_so_and_the_stray_person_stands_among_firms(home: Path) -> None:
    told, after = next_day(home, LATER)[PENALTIES], rows(home, PENALTIES)
    assert [after[number]["CF_ZT"] for number in told["revoked"]] == ["撤销"]
    assert [after[number]["CF_XDR_LB"] for number in told["stray-person"]] == ["自然人"]


@pytest.mark.parametrize("feed", [PEOPLE, DEFAULTERS])
def test_what_a_window_is_to_bring_changed_within_the_night(home: Path, feed: str) -> None:
    told, after = next_day(home, LATER)[feed], rows(home, feed)
    end = datetime(LATER.year, LATER.month, LATER.day, 2)
    for number in (n for own in told.values() for n in own):
        assert end - timedelta(days=1) <= datetime.fromisoformat(after[number]["updated_at"]) < end


def test_a_firm_founded_has_a_valid_code_that_no_other_row_bears(home: Path) -> None:
    lines = next_day(home, LATER)["market_regulation.enterprise_registration"]["new"]
    text = files(home)["market_regulation/enterprise_registration_city.csv"].decode("utf-8")
    for line in lines:
        code = text.split("\n")[line - 1].split(",")[1]
        assert uscc.is_valid(code) and text.count(code) == 1


def test_only_the_feeds_told_are_rewritten_and_a_second_call_changes_nothing_more(home: Path) -> None:
    before = files(home)
    next_day(home, LATER)
    after = files(home)
    assert {name for name in after if after[name] != before[name]} == {
        "market_regulation/enterprise_registration_city.csv", "market_regulation/serious_violation.xlsx"}
    next_day(home, LATER)
    assert files(home) == after


def test_the_account_counts_the_rows_of_the_second_day(home: Path) -> None:
    next_day(home, LATER)
    account = json.loads((home / "sample" / "planted.json").read_text("utf-8"))
    assert {feed: account[feed]["rows"] for feed in TABLES} == {feed: len(rows(home, feed)) for feed in TABLES}


def test_a_night_repeated_stays_on_the_second_day_and_force_returns_to_the_first(home: Path) -> None:
    first = files(home)
    next_day(home, LATER)
    second = files(home)
    assert not create(home, LATER, scale=0.04) and files(home) == second
    assert create(home, ON, scale=0.04, force=True) and files(home) == first
    assert not (home / "sample" / "second_day.json").exists()


def test_the_command_says_what_became_of_how_many(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--home", str(home), "next-day", "--on", "2026-11-21"])
    assert "1 revoked" in capsys.readouterr().out


def test_without_a_world_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NoWorld, match="create --force"):
        next_day(tmp_path, LATER)
    with pytest.raises(SystemExit, match="create --force"):
        main(["--home", str(tmp_path), "next-day"])
