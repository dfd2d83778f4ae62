"""Deliver 推送: one batch through a recipient's door; nothing counts as delivered without a valid receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from delivery import frontend, frontend_statement, package, rest
from delivery.base import (
    Batch,
    DeliveryFailed,
    Door,
    DoorShut,
    Effect,
    ReceiptMismatch,
    ReceiptToCome,
    RecipientContractBreach,
    RecipientUnavailable,
    batches,
    takedown_batches,
)
from delivery.statements import Inquiry
from records.stages import BatchState, Receipt

__all__ = ["Batch", "DeliveryFailed", "Door", "DoorShut", "Effect", "ReceiptMismatch", "ReceiptToCome", "RecipientContractBreach",
           "RecipientUnavailable", "ask", "batches", "deliver", "takedown_batches"]

_ASKS: dict[str, Callable[[Inquiry, Door], pd.DataFrame]] = {
    "rest": rest.ask, "package": package.ask, "frontend": frontend_statement.ask}
_METHODS = {"rest": rest.deliver, "package": package.deliver, "frontend": frontend.deliver}
_TRIES, _LONGEST_PAUSE = 3, 10
_Answer = TypeVar("_Answer")


def deliver(batch: Batch, door: Door) -> Receipt:
    """Hands a batch over by the recipient's exchange method, whether it brings or withdraws, and returns its verified receipt.

    A recipient that asks for a short pause (Retry-After) gets it, and the same batch again under the same key, three tries in
    all; every other fault is left to a later try of the caller. Raises RecipientUnavailable, ReceiptToCome, ReceiptMismatch or
    RecipientContractBreach; whatever it raises, the records stay pending.
    """
    return _patiently(lambda: _METHODS[door.recipient.method](batch, door), door)


def ask(inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """Asks a recipient by its exchange method what it holds, and returns its verified statement (delivery/statements.py).

    As patient as `deliver`. Raises RecipientUnavailable, ReceiptMismatch or RecipientContractBreach.
    """
    return _patiently(lambda: _ASKS[door.recipient.method](inquiry, door), door)


def _patiently(step: Callable[[], _Answer], door: Door) -> _Answer:
    former: RecipientUnavailable | None = None
    for last in (*[False] * (_TRIES - 1), True):
        try:
            return step()
        except DeliveryFailed as error:
            # What an earlier try may have brought there did leave, though this one did not get through.
            told = former if former and error.state is BatchState.NOT_REACHED else error
            if last or not isinstance(error, RecipientUnavailable) or error.retry_after is None or error.retry_after > _LONGEST_PAUSE:
                raise told from None
            former = error
            door.sleep(error.retry_after)
    raise AssertionError("a last try returns or raises")
