"""One night from departments to recipients, counted by a reader that shares no code with delivery."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from gateway import sample
from gateway.figures import last_line, night_figures
from gateway.intake import night_window
from gateway.night import run_feed, run_night
from gateway.sample import World
from gateway.settings import Gateway
from ledger import log, questions
from ledger.events import Event
from ledger.holdings import count
from records.database import writing
from records.schema import outbox, withdrawn
from tests.flow.held_content import ON, content

REGISTER = "market_regulation.enterprise_registration"
DEFAULTERS = "court.judgment_defaulter"


def night(gateway: Gateway, *feeds: str, **options: bool) -> tuple[dict, list[str]]:
    """Runs a night and returns its figures and what was told."""
    told: list[str] = []
    runs = run_night(gateway, ON, list(feeds) or sorted(gateway.catalog.feeds), told.append, **options)
    return night_figures(gateway, runs), told


def test_i2_recipients_hold_what_the_ledger_says_and_the_next_night_sends_nothing(gateway: Gateway, world: World) -> None:
    figures, told = night(gateway)
    assert told == [] and figures["balanced"]
    for recipient in figures["recipients"]:
        assert sum(sample.held(gateway.home)[recipient["recipient"]].values()) == recipient["delivered"] > 0
    with gateway.engine.connect() as connection:
        holdings = {(row.recipient, row.entry): row.records for row in count(connection).itertuples()}
    read = {(name, entry): n for name, entries in sample.held(gateway.home).items() for entry, n in entries.items()}
    assert holdings == read
    before = content(gateway.home)
    again, _ = night(gateway)
    assert again["totals"]["delivered"] == 0 and again["totals"]["unchanged"] == figures["totals"]["delivered"]
    assert content(gateway.home) == before
    assert "pending=0 balanced=yes" in last_line(again)
    verified = log.verify(gateway.engine)
    assert verified.open_runs == () and verified.balances > 0


def test_every_planted_fault_is_quarantined_and_every_sound_row_is_accepted(gateway: Gateway, world: World) -> None:
    figures, _ = night(gateway, REGISTER)
    planted = json.loads((gateway.home / "sample" / "planted.json").read_text("utf-8"))[REGISTER]
    faulty = sum(len(rows) for dirt, rows in planted["planted"].items() if sample.dirt.DIRT[dirt] == "faulty")
    assert figures["feeds"][0]["quarantined"] == faulty and figures["feeds"][0]["collected"] == planted["rows"]


def test_a_recipient_that_is_down_holds_up_nobody_and_is_served_by_the_next_run(gateway: Gateway, world: World) -> None:
    world.fault("credit_china", "down")
    figures, told = night(gateway, REGISTER)
    out = figures["feeds"][0]["recipients"]
    assert out["credit_china"]["pending"] == out["credit_china"]["accepted"] > 0 and figures["balanced"]
    assert all(out[name]["pending"] == 0 for name in out if name != "credit_china")
    assert figures["feeds"][0]["state"] == "incomplete" and "credit_china" in " ".join(told)
    world.fault("credit_china", "none")
    again, _ = night(gateway, REGISTER)
    out = again["feeds"][0]["recipients"]
    assert out["credit_china"]["delivered"] == out["credit_china"]["accepted"] and out["gsxt"]["delivered"] == 0


def test_what_a_window_brought_while_a_recipient_was_down_is_caught_up_on_the_next_night(
        gateway: Gateway, world: World) -> None:
    world.fault("national_platform", "down")
    night(gateway, DEFAULTERS)
    world.fault("national_platform", "none")
    owed = content(gateway.home)
    run_feed(gateway, DEFAULTERS, night_window(ON + timedelta(days=1)))  # a window in which nothing changed
    fresh = set(content(gateway.home)) - set(owed)
    assert fresh and {name for name, _, _ in fresh} == {"national_platform"}
    runs = questions.nights(gateway.engine)["run"].to_list()
    caught_up = questions.events(gateway.engine, runs, Event.CAUGHT_UP)
    assert caught_up["figures"].iloc[-1]["delivered"] == len(fresh)
    assert not list((gateway.home / "staging").rglob("*.sealed"))


def test_a_receipt_with_a_wrong_signature_counts_for_nothing(gateway: Gateway, world: World) -> None:
    world.fault("national_platform", "wrong-signature")
    figures, told = night(gateway, DEFAULTERS)
    platform = figures["feeds"][0]["recipients"]["national_platform"]
    assert platform["delivered"] == 0 and platform["pending"] > 0 and "signature" in " ".join(told)
    world.fault("national_platform", "none")
    again, _ = night(gateway, DEFAULTERS)
    assert again["feeds"][0]["recipients"]["national_platform"]["pending"] == 0


def test_i5_every_intent_stands_on_the_ledger_before_its_delivery(gateway: Gateway, world: World) -> None:
    world.fault("credit_china", "down")
    figures, _ = night(gateway, DEFAULTERS)
    runs = [feed["run"] for feed in figures["feeds"]]
    intended = {notes["batch"] for notes in questions.events(gateway.engine, runs, Event.INTENDED)["notes"]}
    settled = [notes["batch"] for event in (Event.DELIVERED, Event.UNDELIVERED)
               for notes in questions.events(gateway.engine, runs, event)["notes"]]
    assert sorted(settled) == sorted(intended)
    with gateway.engine.connect() as connection:
        states = Counter(connection.execute(sa.select(outbox.c.state)).scalars())
    assert states["intended"] == 0 and states["sent"] == 1


def test_i6_a_withdrawn_record_goes_to_nobody(gateway: Gateway, world: World) -> None:
    night(gateway, DEFAULTERS)
    with gateway.engine.connect() as connection:
        record = connection.execute(sa.text("SELECT record FROM holdings WHERE recipient = 'credit_china'")).scalars().first()
    with writing(gateway.engine) as connection:
        connection.execute(sa.insert(withdrawn).values(entry="judgment_defaulter", record=record, reason="repair",
                                                       document="", since=""))
        connection.execute(sa.text("DELETE FROM holdings"))  # as after an old backup came back
    figures, _ = night(gateway, DEFAULTERS)
    reasons = questions.reasons(gateway.engine, [figures["feeds"][0]["run"]], Event.RECIPIENT_BALANCED, "withheld")
    gone = reasons[reasons["reason"] == "withdrawn"]
    assert set(gone["recipient"]) == set(figures["feeds"][0]["recipients"]) and set(gone["records"]) == {1}


def test_i7_a_register_that_shrank_stops_for_a_person_and_takes_nothing_down(gateway: Gateway, world: World) -> None:
    night(gateway, REGISTER)
    before = content(gateway.home)
    for file in (gateway.home / "sample/departments/market_regulation").glob("*.csv"):
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:20]))
    figures, told = night(gateway, REGISTER)
    assert figures["feeds"][0]["state"] == "failed" and "accept-shrunken" in told[0]
    assert content(gateway.home) == before
    accepted, _ = night(gateway, REGISTER, accept_shrunken=True)
    assert accepted["feeds"][0]["state"] == "complete" and before.items() <= content(gateway.home).items()


def test_i10_two_files_that_hold_one_record_deliver_it_once(gateway: Gateway, world: World) -> None:
    folder = gateway.home / "sample/departments/market_regulation"
    first = sorted(folder.glob("*.csv"))[0]
    (folder / "zz_again.csv").write_bytes(first.read_bytes())
    figures, _ = night(gateway, REGISTER)
    feed = figures["feeds"][0]
    assert feed["state"] == "complete" and feed["by_reason"]["duplicate-row"] > feed["accepted"] / 2
    assert feed["accepted"] == len({handle for name, _, handle in content(gateway.home) if name == "gsxt"})


def test_staging_is_empty_after_a_complete_night(gateway: Gateway, world: World) -> None:
    night(gateway, REGISTER)
    assert not [file for file in (gateway.home / "staging").rglob("*") if file.is_file()]



def test_the_state_folder_is_readable_by_its_owner_only(gateway: Gateway) -> None:
    for name in ("secrets", "keys", "staging"):
        assert Path(gateway.home / name).stat().st_mode & 0o077 == 0
