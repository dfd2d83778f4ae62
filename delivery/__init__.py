"""Deliver 推送: one batch through a recipient's door; nothing counts as delivered without a valid receipt."""

from __future__ import annotations

from delivery import frontend, package, rest
from delivery.base import (
    Batch,
    DeliveryFailed,
    Door,
    Effect,
    ReceiptMismatch,
    RecipientContractBreach,
    RecipientUnavailable,
    batches,
    takedown_batches,
)
from records.stages import Receipt

__all__ = ["Batch", "DeliveryFailed", "Door", "Effect", "ReceiptMismatch", "RecipientContractBreach", "RecipientUnavailable",
           "batches", "deliver", "takedown_batches"]

_METHODS = {"rest": rest.deliver, "package": package.deliver, "frontend": frontend.deliver}


def deliver(batch: Batch, door: Door) -> Receipt:
    """Hands a batch over by the recipient's exchange method, whether it brings or withdraws, and returns its verified receipt.

    Raises RecipientUnavailable, ReceiptMismatch or RecipientContractBreach; whatever it raises, the records stay pending.
    """
    return _METHODS[door.recipient.method](batch, door)
