"""A takedown goes first: it leaves the queue of what waits, and reaches a recipient while that is being served."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from gateway.lanes import Lanes
from gateway.night import run_night
from gateway.orders import Order
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import open_takedown, status
from ledger.events import Event
from ledger.questions import events
from records.schema import holdings
from records.stages import RECORD, Notice
from tests.catalog.altered import copied
from tests.flow.held_content import ON
from tests.flow.quiet import nobody_writes
from tests.flow.test_story import ENTRY, FEED
from tests.flow.test_takedown import number, showing

SITE = "credit_china"


def in_small_batches(gateway: Gateway, root: Path) -> Gateway:
    path = copied(root, local=True)
    for file in path.rglob("recipients/*.yml"):
        lines = file.read_text("utf-8").splitlines()
        file.write_text("\n".join("batch_size: 5" if line.startswith("batch_size:") else line for line in lines), "utf-8")
    return replace(gateway, catalog_root=path)


@dataclass
class Interrupting:
    """A clock at which, once a site holds two batches and the third is about to leave, somebody orders a takedown of everything."""

    gateway: Gateway
    ordered: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def __call__(self) -> datetime:
        if not self.ordered and nobody_writes(self.gateway.home) and len(self._held()) == 10:
            self.held = self._held()
            with self.gateway.engine.connect() as connection:
                self.ordered += [row for chunk in self.gateway.store.current(connection, ENTRY, []) for row in chunk[RECORD]]
            open_takedown(self.gateway, self.ordered, Order(Notice.REPAIR, "云信修〔2026〕12号", "李某"))
        return self.gateway.clock()

    def _held(self) -> set[str]:
        with self.gateway.engine.connect() as connection:
            return set(connection.execute(sa.select(holdings.c.record).where(holdings.c.recipient == SITE)).scalars())


def test_i6_a_takedown_that_is_ordered_while_a_site_is_served_cancels_what_waits_and_takes_back_what_went(
        gateway: Gateway, world: World, tmp_path: Path) -> None:
    small = in_small_batches(gateway, tmp_path)
    clock = Interrupting(small)
    runs = run_night(replace(small, clock=clock), ON, [FEED], print, Lanes(side_by_side=False))
    assert len(clock.ordered) > 50 and len(clock.held) == 10
    assert all(showing(small, number(small, record)) == set() for record in sorted(clock.held))
    balanced = events(small.engine, runs, Event.RECIPIENT_BALANCED)
    figures = {row.recipient: row.figures for row in balanced.itertuples()}
    assert figures[SITE]["delivered"] == 15 and figures[SITE]["pending"] == 0, "the third batch was in flight; nothing after it left"
    mine = [row for row in status(small, ON) if row["recipient"] == SITE]
    assert len(mine) == 15 and {row["state"] for row in mine} == {"confirmed"}, "it was asked before its next batch, in the same night"
    assert not [row for row in status(small, ON) if row["state"] == "outstanding" and row["recipient"] == SITE]
