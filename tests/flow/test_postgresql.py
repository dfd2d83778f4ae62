"""The same night with the gateway's state on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Thread

import pytest
import sqlalchemy as sa

from gateway import sample
from gateway.figures import night_figures
from gateway.night import run_night, take_back_all
from gateway.sample import World
from gateway.settings import Gateway, set_up
from gateway.takedown import open_takedown, outstanding
from ledger import log
from tests.flow.held_content import ON, content
from tests.flow.test_orders import REPAIR, rename
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import number, showing

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


@dataclass
class Meanwhile:
    """A clock at which something is done once, beside a night that has stored what came in and not yet committed it."""

    gateway: Gateway
    act: Callable[[], object]
    beside: Thread | None = None

    def __call__(self) -> datetime:
        if self.beside is None and self._is_about_to_commit():
            self.beside = Thread(target=self.act)
            self.beside.start()
            self.beside.join(timeout=5)  # it may have to wait until the night has committed
        return self.gateway.clock()

    def _is_about_to_commit(self) -> bool:
        owing = sa.text("SELECT count(*) FROM pg_locks WHERE relation = 'owed'::regclass AND mode = 'RowExclusiveLock'")
        with self.gateway.engine.connect() as connection:
            return bool(connection.execute(owing).scalar_one())


def test_i6_an_act_that_comes_in_under_another_name_while_it_is_ordered_back_goes_to_nobody(on_postgresql: Gateway, world: World) -> None:
    run_night(on_postgresql, ON, [FEED], print)
    record = held_by_all(on_postgresql)
    document = number(on_postgresql, record)
    rename(on_postgresql, document, "云岭新名称有限公司")

    def order() -> None:
        open_takedown(on_postgresql, [record], REPAIR)
        take_back_all(on_postgresql, [ENTRY])

    clock = Meanwhile(on_postgresql, order)
    run_night(replace(on_postgresql, clock=clock), ON, [FEED], print)
    assert clock.beside is not None
    clock.beside.join()
    take_back_all(on_postgresql, outstanding(on_postgresql))
    assert showing(on_postgresql, document) == set()
