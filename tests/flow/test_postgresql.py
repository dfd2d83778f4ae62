"""The same night with the gateway's state on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway import sample
from gateway.figures import night_figures
from gateway.night import run_night
from gateway.sample import World
from gateway.settings import Gateway, set_up
from ledger import log
from tests.flow.held_content import ON, content

FEEDS = ["law_enforcement.administrative_penalty_legal", "court.judgment_defaulter"]


@pytest.fixture
def on_postgresql(gateway: Gateway, empty_postgresql_url: str) -> Iterator[Gateway]:
    made = replace(gateway, database=empty_postgresql_url)
    set_up(made)
    yield made
    made.engine.dispose()


def test_i2_i4_a_night_on_postgresql_balances_and_a_second_one_sends_nothing(on_postgresql: Gateway, world: World) -> None:
    told: list[str] = []
    world.fault("credit_china", "down")
    first = night_figures(on_postgresql, run_night(on_postgresql, ON, FEEDS, told.append))
    assert first["balanced"] and first["totals"]["pending"] > 0 and told
    world.fault("credit_china", "none")
    second = night_figures(on_postgresql, run_night(on_postgresql, ON, FEEDS, told.append))
    assert second["totals"]["delivered"] == first["totals"]["pending"] and second["totals"]["pending"] == 0
    before = content(on_postgresql.home)
    third = night_figures(on_postgresql, run_night(on_postgresql, ON, FEEDS, told.append))
    assert third["totals"]["delivered"] == 0 and content(on_postgresql.home) == before
    held = sum(n for entries in sample.held(on_postgresql.home).values() for n in entries.values())
    assert third["totals"]["unchanged"] == held
    assert log.verify(on_postgresql.engine).open_runs == ()
