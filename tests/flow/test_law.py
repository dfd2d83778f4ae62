"""What the sample world plants for the law to hold back is held back, for that reason, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gateway.night import run_night
from gateway.sample import World
from gateway.sample.dirt import DIRT, Outcome
from gateway.settings import Gateway
from ledger.events import Event
from ledger.questions import events
from tests.flow.held_content import ON

PENALTIES, LISTINGS = "law_enforcement.administrative_penalty_legal", "market_regulation.serious_violation"
OF_SITES = {"lenient", "not-published", "publicity-ended", "listing-ended"}


def withheld(gateway: Gateway, feed: str) -> dict[str, Counter[str]]:
    """Reasons by recipient of one night of a feed."""
    told: list[str] = []
    runs = run_night(gateway, ON, [feed], told.append)
    assert told == []
    found = events(gateway.engine, runs, Event.RECIPIENT_BALANCED)
    return {str(name): Counter(notes["withheld"]) for name, notes in zip(found["recipient"], found["notes"], strict=True)}


def planted(gateway: Gateway, feed: str) -> Counter[str]:
    account = json.loads((gateway.home / "sample" / "planted.json").read_text("utf-8"))[feed]["planted"]
    return Counter({name: len(rows) for name, rows in account.items() if DIRT[name] is Outcome.WITHHELD})


@pytest.mark.parametrize("feed", [PENALTIES, LISTINGS])
def test_the_platform_is_kept_exactly_what_was_planted_for_the_law(gateway: Gateway, world: World, feed: str) -> None:
    found = withheld(gateway, feed)
    expected = planted(gateway, feed)
    assert found["national_platform"] == {name: n for name, n in expected.items() if name not in OF_SITES}
    assert expected and sum(found["national_platform"].values()) > 0


@pytest.mark.parametrize("site", ["credit_china", "gsxt"])
def test_a_site_is_kept_the_same_and_what_only_sites_may_not_show(gateway: Gateway, world: World, site: str) -> None:
    found, expected = withheld(gateway, PENALTIES), planted(gateway, PENALTIES)
    assert set(found[site]) <= set(expected) | OF_SITES
    assert {name: found[site][name] for name in expected} == expected
