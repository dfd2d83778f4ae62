"""A batch at a recipient's door: whether it may go now, what becomes of it, and the receipt that is asked for later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

import delivery
from delivery import Effect, ReceiptToCome, RecipientUnavailable, awaited, deferred, doors, half_put, outbox
from delivery.base import TOO_LATE
from gateway.settings import in_shanghai
from ledger.holdings import Holder
from records.database import writing
from records.stages import BatchState, Receipt

if TYPE_CHECKING:
    from gateway.way import Way

# What a trial may take beside the recipient's own deadline, before another may try.
_GRACE = timedelta(minutes=1)


def may_go(way: Way, effect: Effect) -> bool:
    """Whether a batch may go to the recipient now; waits for its turn where the recipient wants so many a minute at most.

    If it may not, the way's faults say why and until when. What takes records back may always try, and goes before what brings.
    """
    if (shut := _shut(way, effect is not Effect.BRING)) is not None:
        way.faults.append(shut)
        return False
    _take_turn(way, effect is not Effect.BRING)
    return True


def expect_asked(way: Way) -> None:
    """Returns if the recipient may be asked now. Raises DoorShut."""
    if (shut := _shut(way, takes_back=False)) is not None:
        raise shut


def _shut(way: Way, takes_back: bool) -> delivery.DoorShut | None:
    with way.gateway.engine.connect() as connection:
        if doors.is_closed(connection, way.errand.recipient):
            return None
    lease = timedelta(seconds=way.door.recipient.deadline) + _GRACE
    with writing(way.gateway.engine) as connection:
        shut = doors.admit(connection, doors.Caller(way.errand.recipient, takes_back, lease), way.gateway.clock())
    if shut is None:
        return None
    # No word of the entry: it is one trouble for all of them, and told once.
    return delivery.DoorShut("door-shut", (
        f"recipient {way.errand.recipient}: 暂停推送 not asked before {in_shanghai(shut.until)}, since it was unavailable {shut.failures} "
        f"times in a row (last: {shut.reason}); its records stay pending. Once it is well: gateway recipient resume"))


def _take_turn(way: Way, takes_back: bool) -> None:
    caller = doors.Caller(way.errand.recipient, takes_back, rate=way.door.recipient.rate)
    if caller.rate is None:
        return
    at = way.gateway.clock()
    while True:
        with writing(way.gateway.engine) as connection:
            wait = doors.turn(connection, caller, at)
        if not wait:
            return
        way.door.sleep(wait)
        if takes_back:
            return
        # Not the wall clock alone: should it be set back, the turn would never come.
        at = max(at + timedelta(seconds=wait), way.gateway.clock())


def hand_over(way: Way, batch: delivery.Batch, rows: pd.DataFrame) -> Receipt:
    """Delivers a batch that is intended and returns its verified receipt, asked for until the deadline if it was promised.

    rows: RECORD, HANDLE and DIGEST, or NOTICE where it takes back. Raises as `delivery.deliver` does, after the door has noted it.
    """
    with noted(way):
        try:
            return delivery.deliver(batch, way.door)
        except ReceiptToCome as error:
            with writing(way.gateway.engine) as connection:
                awaited.remember(connection, way.errand, (batch, rows), error.promise, way.gateway.clock())
            return deferred.collect(error.promise, batch, way.door)


class noted:
    """Around an exchange with a recipient: its door is told whether it answered."""

    def __init__(self, way: Way) -> None:
        self._gateway, self._recipient = way.gateway, way.errand.recipient

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, RecipientUnavailable):
            with writing(self._gateway.engine) as connection:
                doors.unavailable(connection, self._recipient, error, self._gateway.clock())
        elif error is None or isinstance(error, delivery.DeliveryFailed):
            self._well()

    def _well(self) -> None:
        with self._gateway.engine.connect() as connection:
            if doors.is_closed(connection, self._recipient):
                return
        with writing(self._gateway.engine) as connection:
            doors.answered(connection, self._recipient, self._gateway.clock())


def ask_late(way: Way) -> None:
    """Asks first for the receipts that the recipient still owes for this entry, and settles what has come by now; what a killed try
    left half put at the recipient is taken away.

    Of what has not come nothing is awaited any more: it may have arrived, stands as overdue, and is offered again by the same name.
    Under the lock of the errand, before anything else goes, so that no late receipt speaks of a record that changed since.
    """
    holder, at = Holder(way.errand.recipient, way.errand.entry), way.gateway.clock()
    with way.gateway.engine.connect() as connection:
        late = awaited.promised(connection, holder)
        try:
            half_put.clear(connection, way.door)
        except RecipientUnavailable as error:
            way.faults.append(error)
    for one in late:
        _ask_late(way, one)
    with writing(way.gateway.engine) as connection:
        awaited.overdue(connection, holder, timedelta(seconds=way.door.recipient.deadline), at)


def _ask_late(way: Way, one: awaited.Awaited) -> None:
    settle = outbox.settle if one.batch.effect is Effect.BRING else outbox.settle_withdrawal
    receipt, error = None, delivery.DeliveryFailed(TOO_LATE, "")
    if not way.faults and _shut(way, takes_back=False) is None:
        try:
            with noted(way):
                receipt = deferred.collect(one.promise, one.batch, way.door)
        except delivery.DeliveryFailed as failed:
            error = failed
    with writing(way.gateway.engine) as connection:
        if receipt is not None:
            settle(connection, one.errand, one.rows, receipt)
            return
        if one.state is BatchState.ACCEPTED:  # its process was killed while it waited: nobody has told the ledger yet
            outbox.give_up(connection, one.errand, one.batch.id, error, way.gateway.clock())
        awaited.drop(connection, one)
