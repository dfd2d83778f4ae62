"""The seam of every door, and all that can go wrong at one.

    DeliveryFailed              the batch brought no valid receipt; its records stay pending
    ├── RecipientUnavailable    down, slow or busy: try again later
    ├── ReceiptMismatch         an answer came that proves nothing: call the recipient
    └── RecipientContractBreach the door is not as agreed: a person must mend it
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from catalog.model import Entry, Recipient
from keys.connection import Connection
from ledger.log import now
from records.stages import DIGEST, HANDLE, Masked


class DeliveryFailed(Exception):
    """The batch brought no valid receipt. `reason` is the code that goes on the ledger."""

    def __init__(self, reason: str, words: str) -> None:
        self.reason = reason
        super().__init__(words)


class RecipientUnavailable(DeliveryFailed):
    """Down, slow or busy. The records stay pending; a later try or night completes them.

    `retry_after` is the number of seconds the recipient asked for, if it did.
    """

    def __init__(self, reason: str, words: str, retry_after: int | None = None) -> None:
        super().__init__(reason, words)
        self.retry_after = retry_after


class ReceiptMismatch(DeliveryFailed):
    """The answer is not a receipt of this batch under the registered key. It never counts as delivered."""


class RecipientContractBreach(DeliveryFailed):
    """The door is not as agreed: address, credential, table or key. A person must mend it."""


@dataclass(frozen=True, slots=True)
class Door:
    """One recipient's door for one entry. `clock`, `sleep` and `monotonic` (seconds) are seams."""

    recipient_code: str
    recipient: Recipient
    entry_code: str
    entry: Entry
    connection: Connection
    clock: Callable[[], datetime] = now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def names(self, batch: Batch) -> str:
        """How messages name the place: recipient, entry, batch."""
        return f"recipient {self.recipient_code}, entry {self.entry_code}, batch {batch.id[:12]}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes through the door at once. payload: HANDLE and the granted fields, text or NA, in the order of HANDLE."""

    id: str
    payload: pd.DataFrame


def batches(masked: Masked, door: Door) -> list[Batch]:
    """Cuts what may leave into batches of the recipient's size.

    The id is a digest over recipient, entry and every (handle, digest), so that the same content makes the same batch.
    """
    payload, size = masked.payload(), door.recipient.batch_size
    return [Batch(_name(masked.rows.iloc[start : start + size], door), payload.iloc[start : start + size])
            for start in range(0, len(payload), size)]


def _name(rows: pd.DataFrame, door: Door) -> str:
    pairs = sorted(zip(rows[HANDLE].to_list(), rows[DIGEST].to_list(), strict=True))
    text = "\n".join([door.recipient_code, door.entry_code, *(f"{handle} {digest}" for handle, digest in pairs)])
    return hashlib.sha256(text.encode()).hexdigest()
