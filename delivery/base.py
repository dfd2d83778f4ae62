"""The seam of every door, and all that can go wrong at one.

    DeliveryFailed              the batch brought no valid receipt; its records stay pending
    ├── RecipientUnavailable    down, slow or busy: try again later
    │   └── DoorShut            it was down too often: nobody asks it before a set time
    ├── ReceiptToCome           it put the batch into its queue: the receipt is to be asked for
    ├── ReceiptMismatch         an answer came that proves nothing: call the recipient
    └── RecipientContractBreach the door is not as agreed: a person must mend it
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import pandas as pd
import xlsxwriter

from catalog.model import Entry, Recipient
from keys.connection import Connection
from keys.sign import Signer
from ledger.log import now
from records.stages import DIGEST, HANDLE, NOTICE, BatchState, Masked, Notice

# Reasons that stand before the first byte of a batch; whatever else went wrong, it may have arrived.
NEVER_LEFT = frozenset({"not-reached", "untrusted", "no-certificate", "no-inbox", "no-table", "no-column", "no-address"})
TOO_LATE = "no-receipt-in-time"


class DeliveryFailed(Exception):
    """The batch brought no valid receipt. `reason` is the code that goes on the ledger."""

    def __init__(self, reason: str, words: str) -> None:
        self.reason = reason
        super().__init__(words)

    @property
    def state(self) -> BatchState:
        """How far the batch got by this try."""
        return {TOO_LATE: BatchState.OVERDUE}.get(self.reason, BatchState.NOT_REACHED if self.reason in NEVER_LEFT else BatchState.SENT)


class RecipientUnavailable(DeliveryFailed):
    """Down, slow or busy. The records stay pending; a later try or night completes them.

    `retry_after` is the number of seconds the recipient asked for, if it did.
    """

    def __init__(self, reason: str, words: str, retry_after: int | None = None) -> None:
        super().__init__(reason, words)
        self.retry_after = retry_after


class DoorShut(RecipientUnavailable):
    """The recipient was not asked: it was unavailable too often, and is tried again at a set time (delivery/doors.py)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Where a recipient that put a batch into its queue will have the receipt, over which content, and until when it is asked."""

    location: str
    content_digest: str
    due_at: datetime


class ReceiptToCome(DeliveryFailed):
    """The recipient put the batch into its queue and named the place of its receipt."""

    def __init__(self, words: str, promise: Promise) -> None:
        super().__init__("receipt-to-come", words)
        self.promise = promise

    @property
    def state(self) -> BatchState:
        """How far the batch got by this try."""
        return BatchState.ACCEPTED


class ReceiptMismatch(DeliveryFailed):
    """The answer is not a receipt of this batch under the registered key. It never counts as delivered."""


class RecipientContractBreach(DeliveryFailed):
    """The door is not as agreed: address, credential, table or key. A person must mend it."""


class Asked(Protocol):
    """What goes to a recipient and wants an answer: its id, and what comes of it if no sound answer comes."""

    @property
    def id(self) -> str: ...

    @property
    def later(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Door:
    """One recipient's door for one entry. `signer` holds the gateway's key for this recipient; `checkpoint` of the ledger goes
    along with every batch, where one was witnessed; `clock`, `sleep` and `monotonic` (seconds) are seams."""

    recipient_code: str
    recipient: Recipient
    entry_code: str
    entry: Entry
    connection: Connection
    signer: Signer
    clock: Callable[[], datetime] = now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    checkpoint: str = ""

    def names(self, asked: Asked) -> str:
        """How messages name the place: recipient, entry, and the batch or inquiry."""
        return f"recipient {self.recipient_code}, entry {self.entry_code}, {type(asked).__name__.lower()} {asked.id[:12]}"


class Effect(StrEnum):
    """What a batch does to the records it names: bring them, or one of the four effects of clause 11 (D41)."""

    BRING = "bring"
    STOP = "stop_sharing"
    MARK = "mark"
    BLOCK = "block"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes through the door at once. payload, in the order of HANDLE: HANDLE and the granted fields, text or NA;
    for an effect that withdraws HANDLE and NOTICE (why, one code of `Notice`), and no field of the record."""

    id: str
    payload: pd.DataFrame
    effect: Effect = Effect.BRING

    @property
    def later(self) -> str:
        """What comes of it if no sound answer comes."""
        if self.effect is Effect.BRING:
            return "its records stay pending and go out with the next try or night"
        return "what it takes back or marks is not confirmed and is asked for again with the next try"

    def says(self) -> dict[str, str]:
        """How a document names the effect: {"effect": …}, or nothing in a batch that brings."""
        return {} if self.effect is Effect.BRING else {"effect": str(self.effect)}


def batches(masked: Masked, door: Door) -> list[Batch]:
    """Cuts what may leave into batches of the recipient's size.

    The id is a digest over recipient, entry, effect and every (handle, digest), and of a table its headings: the same content makes
    the same batch.
    """
    payload, size = masked.payload(), door.recipient.batch_size
    return [Batch(_name(masked.rows.iloc[start : start + size], DIGEST, Effect.BRING, door), payload.iloc[start : start + size])
            for start in range(0, len(payload), size)]


def takedown_batches(rows: pd.DataFrame, effect: Effect, door: Door) -> list[Batch]:
    """Cuts records that a recipient must withdraw into batches of its size (D40, D41).

    rows: RECORD, HANDLE (the one the recipient holds the record under), NOTICE; one row a record. The id is a digest over
    recipient, entry, effect and every (handle, notice). Raises ValueError if the effect brings or a notice is not known.
    """
    if effect is Effect.BRING or not rows[NOTICE].isin([str(notice) for notice in Notice]).all():
        raise ValueError(f"recipient {door.recipient_code}, entry {door.entry_code}: effect {effect} with these notices is no "
                         f"withdrawal; each notice must be one of {', '.join(Notice)}")
    ordered, size = rows[[HANDLE, NOTICE]].sort_values(HANDLE, ignore_index=True), door.recipient.batch_size
    cuts = [ordered.iloc[start : start + size] for start in range(0, len(ordered), size)]
    return [Batch(_name(cut, NOTICE, effect, door), cut, effect) for cut in cuts]


def _written(door: Door) -> list[str]:
    """What besides the records shapes the bytes of a table. Where that is another it is another package: put again by its old name,
    one that waits would be other than its manifest says, and a receipt of the one is none of the other."""
    kind = door.recipient.format
    if kind == "jsonl":
        return []
    made_by = [xlsxwriter.__version__] if kind == "xlsx" else []
    return [kind, *made_by, *(f"{name} {field.title.zh}" for name, field in door.entry.fields.items())]


def _name(rows: pd.DataFrame, content: str, effect: Effect, door: Door) -> str:
    pairs = sorted(zip(rows[HANDLE].to_list(), rows[content].to_list(), strict=True))
    text = "\n".join([door.recipient_code, door.entry_code, effect, *_written(door), *(f"{handle} {said}" for handle, said in pairs)])
    return hashlib.sha256(text.encode()).hexdigest()
