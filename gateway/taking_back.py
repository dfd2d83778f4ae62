"""The short road of a takedown: what a recipient has not confirmed it is asked for at once, without reading the store (D41)."""

from __future__ import annotations

import time

import delivery
from gateway.again import expect_door
from gateway.failing import Run, failing
from gateway.handover import ask_late
from gateway.intake import Json, errand
from gateway.settings import Gateway
from gateway.way import Way, ask_back, lock_of, way_of
from ledger import withdrawals
from ledger.holdings import Holder
from records.lock import attempt

_PAUSE = 0.25  # seconds


def recipients(gateway: Gateway, run: Run) -> list[str]:
    """Who has not confirmed a withdrawal of the run's entry."""
    with gateway.engine.connect() as connection:
        return withdrawals.recipients(connection, run["entry"])


def take_back(gateway: Gateway, run: Run, recipient: str) -> Json:
    """Asks a recipient for all of an entry that it has not confirmed to have taken back; returns the figures.

    While the recipient is being served, whoever serves it asks in between, and this waits for the answer. Raises DeliveryFailed if a
    batch brought no valid receipt, NoDoor if the recipient cannot be addressed.
    """
    expect_door(gateway, run, recipient)
    with failing(gateway, run, f"(take back from {recipient})", (delivery.DeliveryFailed,)):
        way = way_of(gateway, errand(gateway, run, recipient))
        way.faults.clear()  # no witness, no bringing; but what must come back is asked for all the same
        before = _left(way)
        while before and not _asked(way):
            time.sleep(_PAUSE)
        for fault in way.faults:
            raise fault
    left = _left(way)
    return {"withdrawn": max(before - left, 0), "outstanding": left}


def _asked(way: Way) -> bool:
    """Whether the recipient was asked, here or by whoever serves it."""
    with attempt(way.gateway.engine, way.gateway.locks, lock_of(way.errand)) as is_mine:
        if is_mine:
            ask_late(way)
            ask_back(way)
            return True
    return not _left(way, only_fresh=True)


def _left(way: Way, only_fresh: bool = False) -> int:
    with way.gateway.engine.connect() as connection:
        return len(withdrawals.outstanding(connection, Holder(way.errand.recipient, way.errand.entry), only_fresh))
