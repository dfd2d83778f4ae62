"""An order that changes or ends while a recipient is being asked for the former one: the answer speaks of what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from delivery import Effect
from gateway.effects import everywhere
from gateway.lanes import Lanes
from gateway.night import decide_all, run_night, take_back_all
from gateway.orders import Order
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import change, lift, open_takedown
from records.schema import outbox
from records.stages import BatchState, Notice
from tests.flow.held_content import ON, marks
from tests.flow.quiet import nobody_writes
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import ALL, number, showing, states

MARKED = Order(Notice.OBJECTION, "云信异〔2026〕5号", "李某", everywhere(Effect.MARK))


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


@dataclass
class Meanwhile:
    """A clock at which something is done once, while the first batch with a mark is on its way to a recipient."""

    gateway: Gateway
    act: Callable[[], object]
    is_done: bool = False

    def __call__(self) -> datetime:
        if not self.is_done and nobody_writes(self.gateway.home) and self._is_under_way():
            self.is_done = True
            self.act()
        return self.gateway.clock()

    def _is_under_way(self) -> bool:
        query = sa.select(outbox.c.batch).where(outbox.c.effect == str(Effect.MARK), outbox.c.state == BatchState.INTENDED)
        with self.gateway.engine.connect() as connection:
            return connection.execute(query).first() is not None


def mark_and_meanwhile(served: Gateway, act: Callable[[], object]) -> None:
    clock = Meanwhile(served, act)
    take_back_all(replace(served, clock=clock), [ENTRY], print, Lanes(side_by_side=False))
    assert clock.is_done


def test_i6_who_obeyed_a_mark_has_not_confirmed_the_withdrawal_that_was_ordered_meanwhile(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], MARKED)
    mark_and_meanwhile(served, lambda: change(served, record, Order(Notice.REPAIR, "云信修〔2026〕6号", "李某")))
    shown = showing(served, number(served, record))
    assert {name for name, (state, _) in states(served).items() if state == "outstanding"} >= shown, "no one confirmed what it still shows"
    take_back_all(served, [ENTRY])
    assert showing(served, number(served, record)) == set() and {state for state, _ in states(served).values()} == {"confirmed"}


def test_a_mark_that_is_lifted_while_a_recipient_is_asked_for_it_does_not_stay(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], MARKED)
    mark_and_meanwhile(served, lambda: lift(served, record, "异议处理〔2026〕5号", "李某"))
    decide_all(served, [ENTRY])
    assert showing(served, number(served, record)) == ALL and marks(served.home) == {}
