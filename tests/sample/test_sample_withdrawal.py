"""The sample recipients obey what is taken back, and take nothing for a withdrawal that is none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import delivery
from catalog.load import load
from delivery import Batch, Door, Effect, RecipientUnavailable
from gateway.sample import credentials, site, state
from gateway.sample.credentials import Credential
from gateway.sample.frontend import FrontEnd
from gateway.sample.inbox import Inbox
from gateway.sample.site import Search
from gateway.sample.store import Parcel, Store
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import HANDLE, NOTICE

PERSON = "欧阳静好"


@pytest.fixture
def credential(tmp_path: Path) -> Credential:
    return credentials.load(tmp_path, ("credit_china",))["credit_china"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sample" / "recipients" / "credit_china" / "holdings.db", {"penalty": "until"})


def take(store: Store, name: str, records: list[dict[str, Any]], effect: str = "bring") -> list[str]:
    """How the recipient answers to each record."""
    receipt = json.loads(store.take(Parcel(name, "penalty", f"digest of {name}", records, effect)))
    return [answer.get("reason", answer["status"]) for answer in receipt["records"]]


def brought(handle: str, until: str = "2999-01-01") -> dict[str, Any]:
    return {"handle": handle, "fields": {"name": PERSON, "until": until}}


def told(handle: str, notice: str = "repair") -> dict[str, Any]:
    return {"handle": handle, "notice": notice}


def visible(store: Store) -> dict[str, Any]:
    return {record["handle"]: record["mark"] for record in site.find(store, Search(PERSON, "", 1))[1]}


@pytest.mark.parametrize("effect", ["stop_sharing", "block", "delete"])
def test_what_is_taken_back_leaves_page_search_and_state_at_once_and_returns_only_when_brought(store: Store, effect: str) -> None:
    take(store, "b1", [brought("h1"), brought("h2")])
    assert take(store, "b2", [told("h1")], effect) == ["accepted"]
    assert set(visible(store)) == {"h2"} and site.read(store, "penalty", "h1") is None
    home = store.path.parents[3]
    assert state.held(home)["credit_china"] == {"penalty": 1} and state.handles(home, "credit_china", "penalty") == {"h2"}
    take(store, "b3", [told("h1", "objection")], "mark")  # a mark brings nothing back
    take(store, "b1", [brought("h1"), brought("h2")])  # nor does the old batch, should it come again
    assert set(visible(store)) == {"h2"}
    take(store, "b4", [brought("h1")])
    assert visible(store) == {"h1": None, "h2": None}


def test_only_a_deletion_leaves_no_field_of_the_record_with_the_recipient(store: Store) -> None:
    kept = {}
    for effect in ("block", "delete"):
        take(store, f"{effect} 1", [brought("h1")])
        take(store, f"{effect} 2", [told("h1")], effect)
        with store.open() as database:
            kept[effect] = PERSON in "\n".join(database.iterdump())
    assert kept == {"block": True, "delete": False}


def test_a_marked_record_says_so_in_both_languages_until_it_is_brought_anew(store: Store) -> None:
    take(store, "b1", [brought("h1"), brought("h2")])
    take(store, "b2", [told("h1", "objection"), told("unknown")], "mark")
    assert visible(store) == {"h1": ("异议", "objection"), "h2": None}
    take(store, "b3", [brought("h1")])
    assert visible(store) == {"h1": None, "h2": None}


def test_i9_a_marked_record_still_leaves_the_site_when_its_publicity_ends(store: Store) -> None:
    take(store, "b1", [brought("h1", "2026-11-20")])
    take(store, "b2", [told("h1", "objection")], "mark")
    later = replace(store, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert visible(later) == {} and site.read(later, "penalty", "h1") is None


@pytest.mark.parametrize(("record", "answer"), [
    ({"handle": "h1"}, "no-notice"), (told("h1", PERSON), "no-notice"), (told("h1") | {"fields": {}}, "more-than-a-notice"),
    (told("h1") | {"effect": "mark"}, "another-effect"), (told(""), "no-handle")], ids=str)
def test_a_record_of_a_withdrawal_holds_a_handle_and_a_reason_and_nothing_else(
        store: Store, record: dict[str, Any], answer: str) -> None:
    take(store, "b1", [brought("h1")])
    assert take(store, "b2", [record], "delete") == [answer] and set(visible(store)) == {"h1"}


@pytest.mark.parametrize("effect", ["burn", "", None, 1, ["delete"]], ids=str)
def test_an_effect_that_was_not_agreed_is_never_taken_for_another(store: Store, effect: Any) -> None:
    take(store, "b1", [brought("h1")])
    with pytest.raises(ValueError, match="effect"):
        take(store, "b2", [told("h1")], effect)
    assert set(visible(store)) == {"h1"}


def test_i6_a_withdrawal_that_finds_the_delivery_still_waiting_is_taken_after_it(
        tmp_path: Path, store: Store, credential: Credential) -> None:
    """The names would have it the other way round: what was brought last would have stayed for good."""
    signer = Ed25519Signer.from_seed(b"k" * 32, "sign.1")
    credentials.register(tmp_path, {credential.name: {signer.key_id: signer.public_key}})
    inbox = Inbox(tmp_path / "inbox", credential, store)
    inbox.create()
    moments = iter([datetime(2026, 11, 23, tzinfo=UTC) + timedelta(microseconds=number) for number in range(9)])
    recipient = load().recipients["gsxt"]
    door = Door("gsxt", recipient, "penalty", load().entries["serious_violation"],
                Connection("gsxt", inbox.folder.as_uri(), "", credential.public_key, credential.key_id),
                signer, clock=lambda: next(moments))
    for batch in (Batch("f" * 64, pd.DataFrame({HANDLE: ["h1"], "name": [PERSON], "until": ["2999-01-01"]}, dtype=TEXT)),
                  Batch("0" * 64, pd.DataFrame({HANDLE: ["h1"], NOTICE: ["repair"]}, dtype=TEXT), Effect.DELETE)):
        with pytest.raises(RecipientUnavailable):
            delivery.deliver(batch, replace(door, monotonic=iter([0.0, 999.0]).__next__))
    assert inbox.take() == 2 and visible(store) == {}
    assert PERSON not in "".join(path.read_text(errors="replace") for path in inbox.folder.rglob("*") if path.is_file())


@pytest.fixture
def front_end(tmp_path: Path, credential: Credential) -> FrontEnd:
    made = FrontEnd(tmp_path / "front.db", {"penalty": ("name",)}, credential)
    made.create()
    return made


def put(front_end: FrontEnd, handle: str, **cells: str | None) -> tuple[int, str | None]:
    """Puts one row and returns flag and reason."""
    row = {"handle": handle, "batch": "b", "effect": None, "notice": None, "name": None} | cells
    with closing(sqlite3.connect(front_end.path)) as database, database:
        database.execute(f"INSERT OR REPLACE INTO share_penalty ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])
    front_end.take()
    with closing(sqlite3.connect(front_end.path)) as database:
        flag, reason = database.execute("SELECT taken_flag, failure_reason FROM share_penalty WHERE handle = ?", [handle]).fetchone()
    return flag, reason


def holds(front_end: FrontEnd) -> list[str]:
    with closing(sqlite3.connect(front_end.path)) as database:
        return [row[0] for row in database.execute("SELECT handle FROM holdings ORDER BY handle")]


@pytest.mark.parametrize(("cells", "answer", "left"), [
    ({"effect": "delete", "notice": "repair"}, (1, None), []), ({"effect": "mark", "notice": "repair"}, (1, None), ["h1"]),
    ({"effect": "burn", "notice": "repair"}, (2, "unknown-effect"), ["h1"]), ({"effect": "delete"}, (2, "no-notice"), ["h1"]),
    ({"effect": "delete", "notice": "repair", "name": PERSON}, (2, "more-than-a-notice"), ["h1"])], ids=str)
def test_the_front_end_obeys_a_row_with_an_effect_and_refuses_what_is_no_withdrawal(
        front_end: FrontEnd, cells: dict[str, str], answer: tuple[int, str | None], left: list[str]) -> None:
    assert put(front_end, "h1", name=PERSON) == (1, None)
    assert put(front_end, "h1", **cells) == answer and holds(front_end) == left
    assert put(front_end, "h1", name=PERSON) == (1, None) and holds(front_end) == ["h1"]


def test_a_front_end_made_before_withdrawals_gains_their_columns(tmp_path: Path, credential: Credential) -> None:
    with closing(sqlite3.connect(tmp_path / "front.db")) as database, database:
        database.execute("CREATE TABLE share_penalty (handle TEXT PRIMARY KEY, batch TEXT, pushed_at TEXT, taken_flag INTEGER, "
                         "taken_at TEXT, failure_reason TEXT, name TEXT)")
    made = FrontEnd(tmp_path / "front.db", {"penalty": ("name",)}, credential)
    made.create()
    assert put(made, "h1", effect="delete", notice="repair") == (1, None)
