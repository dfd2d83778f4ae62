"""The reader of the crash programme finds each thing that it says it does not find."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.sample.withdrawal import TABLES
from tests.crash import audit
from tests.small import reader
from tests.small.place import document

HELD = "(entry TEXT, handle TEXT PRIMARY KEY, fields TEXT)"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Every recipient shows penalties 0 to 3."""
    for recipient, table in reader.HELD.items():
        (tmp_path / "sample" / "recipients" / recipient).mkdir(parents=True)
        at(tmp_path, recipient, TABLES + f"CREATE TABLE {table} {HELD};")
    reader.keep_journal(tmp_path)
    for recipient in reader.HELD:
        for number in range(4):
            bring(tmp_path, recipient, number)
    return tmp_path


def at(home: Path, recipient: str, script: str) -> None:
    with closing(sqlite3.connect(home / "sample" / "recipients" / recipient / "holdings.db")) as database, database:
        database.executescript(script)


def bring(home: Path, recipient: str, number: int, handle: str = "", facts: str = "x") -> None:
    fields = json.dumps({reader.NUMBER: document(number), "CF_SY": facts, "BZ": None}, ensure_ascii=False)
    at(home, recipient, f"INSERT INTO {reader.HELD[recipient]} VALUES ('e', '{handle or number}', '{fields}') "
                        "ON CONFLICT (handle) DO UPDATE SET fields = excluded.fields;")


def take(home: Path, recipient: str, number: int) -> None:
    at(home, recipient, f"DELETE FROM {reader.HELD[recipient]} WHERE handle = '{number}';")


def found(home: Path, expected: reader.Reading) -> set[str]:
    said = audit.compare(home, audit.Expected(expected, {}))
    return {words.partition(":")[0] for words in said} - {"balance"}


def test_nothing_is_found_where_nothing_is_wrong(home: Path) -> None:
    assert found(home, reader.shown(home)) == set() and audit.after_kill(home) == []


@pytest.mark.parametrize("recipient", reader.HELD)
def test_a_lost_a_kept_a_doubled_and_an_altered_record_are_found(home: Path, recipient: str) -> None:
    before = reader.shown(home)
    take(home, recipient, 3)
    assert found(home, before) == {"lost"}
    bring(home, recipient, 3)
    bring(home, recipient, 4)
    assert "kept" in found(home, before)
    take(home, recipient, 4)
    bring(home, recipient, 3, handle="another")
    assert "duplicated" in found(home, before) and any(words.startswith("duplicated") for words in audit.after_kill(home))
    take(home, recipient, 3)
    bring(home, recipient, 3, facts="y", handle="another")
    assert "other content" in found(home, before)


@pytest.mark.parametrize("recipient", reader.HELD)
def test_a_record_that_came_back_is_found_even_if_it_is_gone_again(home: Path, recipient: str) -> None:
    take(home, recipient, 0)
    after = reader.shown(home)
    assert found(home, after) == set()
    bring(home, recipient, 0)
    take(home, recipient, 0)
    assert found(home, after) == {"brought back"}


def test_what_is_taken_in_twice_is_found_where_batches_are_known_and_counted_where_not(home: Path) -> None:
    before = reader.shown(home)
    bring(home, "public_resources", 2)
    assert found(home, before) == set() and audit.absorbed(home) == 1
    bring(home, "gsxt", 2)
    assert found(home, before) == {"duplicated"}


def test_a_mark_that_went_is_found(home: Path) -> None:
    at(home, "credit_china", "INSERT INTO marks VALUES ('e', '2', 'objection', 'then');")
    before = reader.shown(home)
    at(home, "credit_china", "DELETE FROM marks;")
    assert found(home, before) == {"mark", "mark lost"}


def test_a_missing_ledger_and_other_closing_figures_are_found(home: Path) -> None:
    assert any(words.startswith("balance") for words in audit.compare(home, audit.Expected(reader.shown(home), {})))
    export = home / "export"
    export.mkdir()
    leaf = {"event": "recipient_balanced", "recipient": "gsxt", "figures": {"accepted": 2, "delivered": 1, "unchanged": 0}}
    (export / "leaves.jsonl").write_text(json.dumps(leaf) + "\n", "utf-8")
    assert reader.closing_figures(export) == {"gsxt": leaf["figures"]}
