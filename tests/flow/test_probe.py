"""A site's word is not its page: a takedown is verified only when the public pages, read as a visitor reads them, show nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from delivery import Effect
from gateway.effects import everywhere
from gateway.night import decide_all, run_night
from gateway.probe import probe
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown, status
from ledger import log
from ledger.events import Event
from records.database import writing
from records.schema import lines
from records.stages import Notice
from tests.flow.held_content import ON
from tests.flow.test_story import ENTRY, FEED, SITE, held_by_all
from tests.flow.test_takedown import number

REPAIR = Order(Notice.REPAIR, "云信修〔2026〕3号", "李某")


@pytest.fixture
def withdrawn(gateway: Gateway, world: World) -> tuple[Gateway, str]:
    run_night(gateway, ON, [FEED], print)
    record = held_by_all(gateway)
    open_takedown(gateway, [record], REPAIR)
    return gateway, record


def at_site(gateway: Gateway) -> str:
    return next(row["state"] for row in status(gateway, ON) if row["recipient"] == SITE)


def probed(gateway: Gateway) -> list[dict[str, int]]:
    with gateway.engine.connect() as connection:
        return [line.figures for line in log.read(connection, lines.c.event == str(Event.PROBED))]


def test_a_takedown_is_verified_once_the_public_pages_show_nothing(withdrawn: tuple[Gateway, str]) -> None:
    gateway, _ = withdrawn
    assert probe(gateway) == [] and at_site(gateway) == "outstanding"
    decide_all(gateway, [ENTRY])
    assert at_site(gateway) == "confirmed"
    assert probe(gateway) == [] and at_site(gateway) == "verified"
    assert probe(gateway) == [] and probed(gateway) == [{"gone": 1, "visible": 0, "unread": 0}]


@pytest.mark.parametrize("how", ["page", "search"])
def test_a_site_that_confirms_and_still_shows_the_record_is_told_and_overdue(withdrawn: tuple[Gateway, str], how: str) -> None:
    """The site's receipt is sound, and a copy comes back: under its own address, or in the search only."""
    gateway, record = withdrawn
    place, document = gateway.home / "sample" / "recipients" / SITE / "holdings.db", number(gateway, record)
    with closing(sqlite3.connect(place)) as site, site:
        [row] = site.execute("SELECT * FROM records WHERE words LIKE ?", [f"%{document}%"]).fetchall()
    decide_all(gateway, [ENTRY])
    copy = [ENTRY, row[1], *row[2:5], "", row[6]] if how == "page" else [ENTRY, f"{row[1]}-copy", *row[2:]]
    with closing(sqlite3.connect(place)) as site, site:
        site.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", copy)
    [words] = probe(gateway)
    assert record in words and document not in words and "仍可见" in words
    assert at_site(gateway) == "visible"
    assert next(row["overdue"] for row in status(gateway, ON.replace(year=2027)) if row["recipient"] == SITE)
    with closing(sqlite3.connect(place)) as site, site:
        site.execute("DELETE FROM records WHERE handle LIKE ?", [f"{row[1]}%"])
    assert probe(gateway) == [] and at_site(gateway) == "verified"


def test_a_site_that_cannot_be_read_verifies_nothing(withdrawn: tuple[Gateway, str]) -> None:
    gateway, record = withdrawn
    decide_all(gateway, [ENTRY])
    Faults(gateway.home / "sample" / "faults.json").set(SITE, Fault.DOWN)
    [words] = probe(gateway)
    assert "503" in words and number(gateway, record) not in words
    assert at_site(gateway) == "confirmed" and probed(gateway)[-1]["unread"] == 1


def test_d58_a_record_that_was_erased_meanwhile_is_verified_by_its_own_page_and_holds_up_no_other(withdrawn: tuple[Gateway, str]) -> None:
    gateway, record = withdrawn
    with gateway.engine.connect() as connection:
        other = next(each for each in gateway.store.records_of(connection, ENTRY) if each != record)
    open_takedown(gateway, [other], REPAIR)
    decide_all(gateway, [ENTRY])
    with writing(gateway.engine) as connection:
        gateway.store.erase(connection, ENTRY, [record])
    assert probe(gateway) == []
    assert {row["state"] for row in status(gateway, ON) if row["recipient"] == SITE} == {"verified"}


def test_a_damaged_store_verifies_nothing_and_is_told(withdrawn: tuple[Gateway, str]) -> None:
    gateway, _ = withdrawn
    decide_all(gateway, [ENTRY])
    (gateway.home / "store").rename(gateway.home / "store.away")
    [words] = probe(gateway)
    assert "restore it from its backup" in words and at_site(gateway) == "confirmed"


def test_d41_a_marked_record_is_meant_to_be_seen_and_is_not_probed(gateway: Gateway, world: World) -> None:
    run_night(gateway, ON, [FEED], print)
    open_takedown(gateway, [held_by_all(gateway)], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    decide_all(gateway, [ENTRY])
    assert probe(gateway) == [] and probed(gateway) == []


def test_a_site_whose_connection_cannot_be_read_stays_unverified_in_words(withdrawn: tuple[Gateway, str]) -> None:
    gateway, _ = withdrawn
    decide_all(gateway, [ENTRY])
    (gateway.home / "secrets" / "connections.yml").write_text("broken: [", "utf-8")
    [told] = probe(gateway)
    assert f"recipient {SITE}: " in told and "connections.yml: not readable as YAML" in told and at_site(gateway) == "confirmed"
