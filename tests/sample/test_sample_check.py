"""The account of planted dirt against the gateway's own check: what is faulty is caught, what is sound passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

import connectors
import expectations
from catalog.load import Catalog, load
from connectors import Source, Window
from gateway.sample import World, creation
from gateway.sample.dirt import DIRT, Outcome
from keys import connection
from keys.keyring import Keyring

ON = date(2026, 11, 20)
ALL_NIGHTS = Window(
    datetime.fromisoformat("2026-11-17T02:00:00+08:00"), datetime.fromisoformat("2026-11-20T02:00:00+08:00")
)
CATALOG: Catalog = load()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    creation.create(home, ON, scale=0.1)
    with World(home, CATALOG.entries) as running:
        yield running


def source(world: World, feed: str) -> Source:
    definition = CATALOG.feeds[feed]
    known = connection.load(world.home / "secrets" / "connections.yml")
    return Source(feed, definition, CATALOG.entries[definition.entry], known[definition.connection])


def parts(world: World, feed: str) -> dict[str, Any]:
    account = json.loads((world.root / "planted.json").read_text(encoding="utf-8"))
    read: dict[str, Any] = account[feed]["parts"]
    return read


def accepted_and_quarantined(world: World, feed: str) -> Iterator[tuple[dict[str, list[int]], set[int], set[int]]]:
    """Per part: the account, the numbers of the accepted rows, those of the quarantined."""
    at, known = source(world, feed), parts(world, feed)
    for partition in connectors.partitions(at, ALL_NIGHTS):
        collected = connectors.collect(at, partition, ALL_NIGHTS)
        entry = CATALOG.feeds[feed].entry
        context = expectations.Context(
            entry, at.entry, at.feed, CATALOG.codes, Keyring.for_tests().derive("identity", entry), ON
        )
        checked = expectations.check(collected, context)
        own = known.get(partition.name, next(iter(known.values())))
        yield own["planted"], set(map(int, checked.accepted["_line"])), set(map(int, checked.quarantined["_line"]))


def test_the_account_names_exactly_the_feeds_of_the_catalogue(world: World) -> None:
    assert set(json.loads((world.root / "planted.json").read_text(encoding="utf-8"))) == set(CATALOG.feeds)


@pytest.mark.parametrize("feed", sorted(CATALOG.feeds))
def test_uncatalogued_columns_are_left_at_the_threshold_and_every_required_field_is_there(
    world: World, feed: str
) -> None:
    at, known = source(world, feed), parts(world, feed)
    for partition in connectors.partitions(at, ALL_NIGHTS):
        collected = connectors.collect(at, partition, ALL_NIGHTS)
        own = known.get(partition.name, next(iter(known.values())))
        # A service that is asked for the catalogued fields never sends the others.
        assert set(collected.dropped) == set(() if at.feed.method == "service" else own["uncatalogued"])
        assert not [name for name in collected.missing if at.entry.fields[name].required]


@pytest.mark.parametrize("feed", sorted(CATALOG.feeds))
def test_what_is_faulty_is_quarantined_and_what_is_sound_is_accepted(world: World, feed: str) -> None:
    for planted, accepted, quarantined in accepted_and_quarantined(world, feed):
        rows = {
            outcome: {row for dirt, numbers in planted.items() if DIRT[dirt] is outcome for row in numbers}
            for outcome in Outcome
        }
        assert rows[Outcome.FAULTY] <= quarantined
        assert quarantined <= rows[Outcome.FAULTY] | rows[Outcome.BY_CATALOGUE]
        assert accepted
