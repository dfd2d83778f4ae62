"""A recipient that takes tables for clerks is served, reconciled and taken back from like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.discrepancies import Kind
from gateway.night import decide_all, reconcile_all, run_night
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import open_takedown
from tests.catalog.altered import alter, copied
from tests.flow.held_content import ON, content
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import REPAIR, states

RECIPIENT = "gsxt"


@pytest.fixture(params=["csv", "xlsx"])
def served(gateway: Gateway, world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Gateway:
    root = copied(tmp_path, local=True)
    alter(root, f"recipients/{RECIPIENT}.yml", {"format": request.param, "batch_size": 10})
    made = replace(gateway, catalog_root=root)
    run_night(made, ON, [FEED], print)
    return made


def fields_at(gateway: Gateway) -> list[dict[str, str | None]]:
    return [json.loads(fields) for (recipient, entry, _), fields in content(gateway.home).items() if (recipient, entry) == (RECIPIENT, ENTRY)]


def test_what_comes_as_a_table_is_exactly_what_should_be_held_and_is_taken_back_like_the_rest(served: Gateway) -> None:
    archive = served.home / "sample" / "recipients" / RECIPIENT / "archive"
    manifests = [json.loads(path.read_bytes()) for path in archive.glob("*.manifest.json")]
    kind = served.catalog.recipients[RECIPIENT].format
    assert len(manifests) > 1 and all(each["format"] == kind and each["cells"]["rule"] == "apostrophe-1" for each in manifests)
    assert any(fields["CF_XDR_SHXYM"].startswith("9") and fields["CF_JDRQ"].startswith("20") for fields in fields_at(served))
    told = reconcile_all(served, [ENTRY], print)[RECIPIENT]
    assert told["held"] == told["found"] == len(fields_at(served)) and sum(told[str(kind)] for kind in Kind) == 0
    before = len(fields_at(served))
    open_takedown(served, [held_by_all(served)], REPAIR)
    decide_all(served, [ENTRY])
    assert len(fields_at(served)) == before - 1 and states(served)[RECIPIENT] == ("confirmed", False)
