"""The second day of the sample world: what changed goes out, what was revoked comes back, who strayed goes to nobody."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.figures import night_figures
from gateway.night import decide_all, run_night
from gateway.sample import World, next_day
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event
from ledger.questions import events
from tests.flow.held_content import ON, content

PENALTIES, LISTINGS = "law_enforcement.administrative_penalty_legal", "market_regulation.serious_violation"
ALL, SITES = {"credit_china", "gsxt", "national_platform", "public_resources"}, {"credit_china", "gsxt"}


def night(gateway: Gateway, feed: str) -> tuple[dict[str, dict[str, int]], dict[str, Counter[str]]]:
    """One feed's figures and its reasons to withhold, by recipient."""
    told: list[str] = []
    runs = run_night(gateway, ON, [feed], told.append)
    assert told == []
    found = events(gateway.engine, runs, Event.RECIPIENT_BALANCED)
    withheld = {str(name): Counter(notes["withheld"]) for name, notes in zip(found["recipient"], found["notes"], strict=True)}
    return night_figures(gateway, runs)["feeds"][0]["recipients"], withheld


def penalty(gateway: Gateway, number: int) -> tuple[str, str]:
    """Document number and subject of a row as the department has it."""
    with closing(sqlite3.connect(gateway.home / "sample/departments/law_enforcement/enforcement.db")) as database:
        found = database.execute("SELECT CF_WSH, CF_XDR_MC FROM cf_legal WHERE id = ?", [number]).fetchone()
        return str(found[0]), str(found[1])


def holding(gateway: Gateway, number: str) -> set[str]:
    """Who holds the penalty of that document number; brackets may have been brought to normal form."""
    serial = number.rpartition("第")[2]
    return {name for (name, entry, _), fields in content(gateway.home).items()
            if entry == "administrative_penalty_legal" and str(json.loads(fields)["CF_WSH"]).endswith(f"第{serial}")}


def test_what_changed_and_what_is_new_goes_out_and_nothing_else(gateway: Gateway, world: World) -> None:
    night(gateway, PENALTIES)
    told = next_day(gateway.home, ON)[PENALTIES]
    figures, _ = night(gateway, PENALTIES)
    assert figures["national_platform"]["delivered"] == len(told["changed"]) + len(told["new"])
    again, _ = night(gateway, PENALTIES)
    assert {out["delivered"] for out in again.values()} == {0}


def test_i1_a_person_who_strayed_among_firms_goes_to_nobody(gateway: Gateway, world: World) -> None:
    _, before = night(gateway, PENALTIES)
    stray = next_day(gateway.home, ON)[PENALTIES]["stray-person"]
    _, after = night(gateway, PENALTIES)
    assert {name: after[name]["subject-kind"] - before[name]["subject-kind"] for name in ALL} == dict.fromkeys(ALL, len(stray))
    assert [holding(gateway, penalty(gateway, number)[0]) for number in stray] == [set()]


def test_a_penalty_revoked_after_it_was_shared_comes_back_from_everybody(gateway: Gateway, world: World) -> None:
    night(gateway, PENALTIES)
    [revoked] = next_day(gateway.home, ON)[PENALTIES]["revoked"]
    number, _ = penalty(gateway, revoked)
    assert holding(gateway, number) == ALL
    _, withheld = night(gateway, PENALTIES)
    assert all(withheld[name]["document-not-in-effect"] for name in ALL)
    figures = decide_all(gateway, ["administrative_penalty_legal"])
    assert {name: figures[name]["withdrawn"] for name in figures} == dict.fromkeys(ALL, 1)
    assert holding(gateway, number) == set()
    log.verify(gateway.engine)


def test_a_listing_that_ended_leaves_the_sites_and_the_departments_learn_of_its_end(gateway: Gateway, world: World) -> None:
    night(gateway, LISTINGS)
    before = Counter(name for name, _, _ in content(gateway.home))
    told = next_day(gateway.home, ON)[LISTINGS]
    figures, _ = night(gateway, LISTINGS)
    assert figures["national_platform"]["delivered"] == len(told["removed"]) + len(told["new"])
    again = decide_all(gateway, ["serious_violation"])
    assert {name for name in again if again[name]["withdrawn"] == 1} == SITES
    after = Counter(name for name, _, _ in content(gateway.home))
    assert {name: after[name] - before[name] for name in ALL} == {
        name: len(told["new"]) - (len(told["removed"]) if name in SITES else 0) for name in ALL}


@pytest.mark.parametrize("feed, place, table", [
    ("court.judgment_defaulter", "court/court.db", "judgment_defaulters"),
    ("law_enforcement.administrative_penalty_natural", "law_enforcement/enforcement.db", "cf_natural")])
def test_a_window_brings_what_changed_on_the_second_day(gateway: Gateway, world: World, feed: str, place: str, table: str) -> None:
    collected = []
    for is_second in (False, True):
        told = next_day(gateway.home, ON)[feed] if is_second else {}
        collected.append(night_figures(gateway, run_night(gateway, ON, [feed], print))["feeds"][0]["collected"])
        with closing(sqlite3.connect(gateway.home / "sample/departments" / place)) as database:
            query = f"SELECT id FROM {table} WHERE updated_at >= ? AND updated_at < ?"
            due = {row[0] for row in database.execute(query, [f"{ON - timedelta(days=1)} 02:00:00", f"{ON} 02:00:00"])}
        assert collected[-1] == len(due) and {number for own in told.values() for number in own} <= due
    assert collected[0] < collected[1]
