"""What the pretend departments hand in: invented codes that hold, and dirt that lies where the account says."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from stdnum.cn import ric, uscc

from gateway.sample import codes, creation, subjects
from gateway.sample.dirt import DIRT

ON = date(2026, 11, 20)
PREFIXES = ["91", "92", "93", "12", "51", "52", "81"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    assert creation.create(folder, ON, scale=0.1)
    return folder


@pytest.fixture(scope="module")
def account(home: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((home / "sample" / "planted.json").read_text(encoding="utf-8"))
    return read


def register_lines(home: Path, name: str) -> list[bytes]:
    return (home / "sample" / "departments" / "market_regulation" / name).read_bytes().rstrip(b"\n").split(b"\n")


def register_part(account: dict[str, Any], name: str) -> dict[str, list[int]]:
    planted: dict[str, list[int]] = account["market_regulation.enterprise_registration"]["parts"][name]["planted"]
    return planted


def table(home: Path, place: str, name: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(home / "sample" / "departments" / place)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {name} ORDER BY id")]


def cells(lines: list[bytes], encoding: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        yield number, next(csv.reader([line.decode(encoding, "surrogateescape")]))


def test_a_code_of_every_prefix_passes_the_public_validator() -> None:
    serials = np.arange(123_000, 123_000 + len(PREFIXES))
    assert [uscc.validate(code) for code in codes.usccs(PREFIXES, ["330122"] * len(PREFIXES), serials)]


def test_a_rural_collective_code_passes_the_check_that_the_public_validator_refuses_to_do() -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = str(codes.usccs(["N1"], ["330122"], np.array([77]))[0])
    assert (
        sum(alphabet.index(sign) * 3**place for place, sign in enumerate(code[:17])) + alphabet.index(code[17])
    ) % 31 == 0


def test_no_code_could_ever_have_been_given_out() -> None:
    everyone = subjects.invent(np.random.default_rng(1), ON, 0.1)
    assert set(everyone.all_legal()["uscc"].str[8:10]) == {"WW"}
    assert set(everyone.people["id_number"].str[14:17]) == {"000"}


def test_every_citizen_number_is_valid_and_some_belong_to_minors() -> None:
    people = subjects.invent(np.random.default_rng(1), ON, 1.0).people
    assert all(ric.is_valid(number) for number in people["id_number"])
    minors = [born for born in people["born_on"] if born > ON - timedelta(days=365 * 18)]
    assert 20 < len(minors) < 120


def test_a_whole_world_holds_more_than_twenty_thousand_rows_of_eleven_entries() -> None:
    parts = creation.invent(ON)
    assert len({part.feed for part in parts}) == 11
    assert sum(len(part.rows) for part in parts) >= 20_000


def test_the_same_seed_makes_the_same_bytes_and_another_seed_does_not(home: Path, tmp_path: Path) -> None:
    for name, seed in (("again", creation.SEED), ("other", 1)):
        creation.create(tmp_path / name, ON, seed, scale=0.1)
    for file in (home / "sample" / "departments").rglob("*.[cx][sl]*"):
        place = file.relative_to(home)
        assert file.read_bytes() == (tmp_path / "again" / place).read_bytes()
        assert file.read_bytes() != (tmp_path / "other" / place).read_bytes()


def test_a_world_that_is_there_stays_as_it_is_unless_forced(tmp_path: Path) -> None:
    held = tmp_path / "sample" / "recipients" / "gsxt" / "holdings.db"
    assert creation.create(tmp_path, ON, scale=0.01)
    held.parent.mkdir(parents=True)
    held.touch()
    assert not creation.create(tmp_path, ON, seed=2, scale=0.01) and held.exists()
    assert creation.create(tmp_path, ON, seed=2, scale=0.01, force=True) and not held.exists()


def test_a_world_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    creation.create(tmp_path, ON, scale=0.01)
    (tmp_path / "sample" / "planted.json").unlink()
    assert creation.create(tmp_path, ON, scale=0.01)


def test_only_kinds_of_dirt_with_a_known_outcome_are_planted_and_each_is(account: dict[str, Any]) -> None:
    planted = {dirt for feed in account.values() for dirt, numbers in feed["planted"].items() if numbers}
    assert planted == set(DIRT)


def test_rows_that_are_too_wide_are_exactly_the_planted_ones(home: Path, account: dict[str, Any]) -> None:
    name = "enterprise_registration_city.csv"
    wide = [number for number, row in cells(register_lines(home, name), "utf-8") if len(row) != 10]
    assert wide == register_part(account, name)["row-width"]


def test_rows_with_a_replacement_character_are_exactly_the_planted_ones(home: Path, account: dict[str, Any]) -> None:
    name = "enterprise_registration_city.csv"
    damaged = [number for number, line in enumerate(register_lines(home, name), 1) if "\ufffd" in line.decode()]
    assert damaged == register_part(account, name)["replacement-character"]


def test_a_code_fails_only_where_the_account_says_so(home: Path, account: dict[str, Any]) -> None:
    name = "enterprise_registration_city.csv"
    planted = register_part(account, name)
    failing = {number for number, row in cells(register_lines(home, name)[1:], "utf-8") if not uscc.is_valid(row[1])}
    said = [planted[dirt] for dirt in ("wrong-check-digit", "no-code", "old-registration-number", "columns-shifted")]
    allowed = set(planted["replacement-character"])  # half of these rows are shifted as well
    assert {number + 1 for number in failing} - allowed == set().union(*said)


def test_a_duplicate_is_a_copy_of_an_earlier_row(home: Path, account: dict[str, Any]) -> None:
    name = "enterprise_registration_counties.csv"
    lines = register_lines(home, name)
    for number in register_part(account, name)["duplicate-row"]:
        assert lines[number - 1] in lines[: number - 1]


def test_a_fine_disagrees_with_its_text_only_where_the_account_says_so(home: Path, account: dict[str, Any]) -> None:
    rows = table(home, "law_enforcement/enforcement.db", "cf_legal")
    wrong = [
        row["id"]
        for row in rows
        if row["CF_NR_FK"] and f"罚款{round(float(row['CF_NR_FK']) * 10_000)}元" != row["CF_NR"]
    ]
    assert wrong == account["law_enforcement.administrative_penalty_legal"]["planted"]["fine-in-yuan"]


@pytest.mark.parametrize(
    "place, name", [("law_enforcement/enforcement.db", "cf_natural"), ("court/court.db", "judgment_defaulters")]
)
def test_each_of_three_nights_has_its_changes(home: Path, place: str, name: str) -> None:
    changed = [datetime.fromisoformat(row["updated_at"]) for row in table(home, place, name)]
    for night in range(3):
        end = datetime(ON.year, ON.month, ON.day, 2) - timedelta(days=night)
        assert any(end - timedelta(days=1) <= moment < end for moment in changed)


def test_spreadsheets_hold_what_the_account_counts(home: Path, account: dict[str, Any]) -> None:
    for feed, file in (
        ("market_regulation.serious_violation", "serious_violation.xlsx"),
        ("taxation.class_a_taxpayer", "class_a_taxpayer.xlsx"),
    ):
        book = CalamineWorkbook.from_path(str(home / "sample" / "departments" / feed.partition(".")[0] / file))
        assert len(book.get_sheet_by_index(0).to_python()) == account[feed]["rows"] + 1


def test_one_row_has_at_most_one_kind_of_dirt_that_could_get_it_quarantined(account: dict[str, Any]) -> None:
    for feed in account.values():
        for part in feed["parts"].values():
            numbers = [number for dirt, rows in part["planted"].items() if DIRT[dirt] != "harmless" for number in rows]
            assert len(numbers) == len(set(numbers))


def test_the_other_entries_are_about_firms_of_the_register(home: Path) -> None:
    files = {"enterprise_registration_city.csv": "utf-8", "enterprise_registration_counties.csv": "gb18030"}
    known = {row[1] for name, encoding in files.items() for _, row in cells(register_lines(home, name), encoding)}
    licensed = [row["XK_XDR_SHXYM"] for row in table(home, "administrative_approval/approval.db", "xk_legal")]
    assert sum(code in known for code in licensed) > 0.8 * len(licensed)
