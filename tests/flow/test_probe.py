"""A site's word is not its page: a takedown is verified only when the public pages, read as a visitor reads them, show nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from delivery import Effect
from gateway.cli import app
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
from tests.catalog.altered import alter, copied
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


class _Garbled(BaseHTTPRequestHandler):
    """A site whose pages say that they are compressed, and are not."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"plain")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def garbled() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Garbled) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def two_sites(gateway: Gateway, world: World, tmp_path: Path) -> tuple[Gateway, Callable[[dict[str, Any]], None]]:
    """A takedown that two sites with public pages have confirmed, the other one's served at another address from now on; and a way
    to alter the connections of both."""
    root = copied(tmp_path)
    pages = gateway.catalog.recipients[SITE].public
    assert pages
    alter(root, "recipients/gsxt.yml", {"method": "rest", "public": pages.model_dump()})
    run_night(gateway, ON, [FEED], print)
    open_takedown(gateway, [held_by_all(gateway)], REPAIR)
    decide_all(gateway, [ENTRY])
    place = gateway.home / "secrets" / "connections.yml"
    served_at = gateway.connection(SITE).url

    def change(connections: dict[str, Any]) -> None:
        known = yaml.safe_load(place.read_text("utf-8"))
        known["gsxt"]["url"] = served_at
        known |= connections
        place.write_text(yaml.safe_dump({name: one for name, one in known.items() if one}), "utf-8")

    return replace(gateway, catalog_root=root), change


@pytest.mark.parametrize(("how", "words"), [
    ("missing", "is not registered"), ("misspelt", "unknown key tokn"), ("nowhere", "at its public pages"), ("garbled", "at its public pages")])
def test_one_site_that_cannot_be_reached_is_told_and_holds_up_no_other(
        two_sites: tuple[Gateway, Callable[[dict[str, Any]], None]], garbled: str, how: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, change = two_sites
    change({SITE: {"missing": None, "misspelt": {"url": "http://x", "tokn": "y"}, "nowhere": {"url": "nowhere"}, "garbled": {"url": garbled}}[how]})
    monkeypatch.setenv("GATEWAY_HOME", str(gateway.home))
    monkeypatch.setenv("GATEWAY_CATALOG", str(gateway.catalog_root))
    told = CliRunner().invoke(app, ["takedown", "probe"])
    assert told.exit_code == 3 and f"recipient {SITE}: " in told.output and words in told.output and "gsxt" not in told.output
    states = {row["recipient"]: row["state"] for row in status(gateway, ON)}
    assert (states[SITE], states["gsxt"]) == ("confirmed", "verified")
