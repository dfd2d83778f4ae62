"""docs/duties.md tells the truth: every duty has its row, files exist, and what is kept on paper is broken once by its number."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATES = {"paper", "run", "part", "to come", "outside"}
TESTED = re.compile(r'^    "(D\d+)[:"]|^def test_(d\d+)_', re.MULTILINE)


def rows() -> list[list[str]]:
    text = (ROOT / "docs/duties.md").read_text("utf-8")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if re.match(r"\| D\d+ \|", line)]


def states(row: list[str]) -> set[str]:
    return set(row[2].split(", "))


def test_every_duty_has_its_row_in_order() -> None:
    assert [row[0] for row in rows()] == [f"D{number}" for number in range(1, 67)]
    assert all(len(row) == 5 and row[1] and states(row) <= STATES for row in rows())


def test_every_file_named_exists() -> None:
    named = {name for row in rows() for cell in row for name in re.findall(r"`([a-z_]+/[\w/.]+)`", cell)}
    assert named and sorted(name for name in named if not (ROOT / name).exists()) == []


def test_what_is_kept_names_where_and_what_is_not_says_what_is_missing() -> None:
    for number, _, _, kept, missing in rows():
        row = next(row for row in rows() if row[0] == number)
        assert kept or states(row) == {"to come"}, number
        assert missing or states(row) <= {"paper", "run"}, number


def test_what_is_kept_on_paper_is_broken_once_by_its_number() -> None:
    tested = {(one or other).upper() for file in (ROOT / "tests/catalog").glob("test_*.py")
              for one, other in TESTED.findall(file.read_text("utf-8"))}  # fmt: skip
    assert sorted({row[0] for row in rows() if "paper" in states(row)} - tested) == []
