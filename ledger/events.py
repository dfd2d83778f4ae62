"""What can be put on the ledger: a closed list of events, their figures, and the balance they must keep (I2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Note = str | int | list[str] | dict[str, int]


class Event(StrEnum):
    """One word per thing that happens to a batch."""

    RUN_OPENED = "run_opened"
    PLANNED = "planned"
    COLLECTED = "collected"
    CHECKED = "checked"
    REFUSED = "refused"
    FAILED = "failed"
    SOURCE_BALANCED = "source_balanced"
    INTENDED = "intended"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    QUEUED = "queued"
    DOOR_CHANGED = "door_changed"
    WITHDRAW_INTENDED = "withdraw_intended"
    WITHDRAWN = "withdrawn"
    CAUGHT_UP = "caught_up"
    RECIPIENT_BALANCED = "recipient_balanced"
    DECIDED_AGAIN = "decided_again"
    NOT_HELD = "not_held"
    RECONCILED = "reconciled"
    RUN_CLOSED = "run_closed"
    TAKEDOWN_OPENED = "takedown_opened"
    TAKEDOWN_CHANGED = "takedown_changed"
    TAKEDOWN_LIFTED = "takedown_lifted"
    TAKEDOWN_OVERDUE = "takedown_overdue"
    IDENTIFIERS_RELEASED = "identifiers_released"
    PROBED = "probed"
    RESURFACED = "resurfaced"
    LOOKED_UP = "looked_up"
    LOOK_UP_REFUSED = "look_up_refused"
    LOOK_UP_ANSWERED = "look_up_answered"
    LOOK_UP_REVIEWED = "look_up_reviewed"
    CASE_OPENED = "case_opened"
    CASE_MOVED = "case_moved"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REVOKED = "consent_revoked"
    EDITION_KEPT = "edition_kept"
    KEYS_MADE = "keys_made"
    CHAIN_REPLACED = "chain_replaced"
    ERASED = "erased"  # openings of the ledger
    CONTENT_ERASED = "content_erased"  # versions in the store
    LEDGER_RENEWED = "ledger_renewed"
    ORDER_RESTORED = "order_restored"
    RESTORED = "restored"
    RESTORE_RELEASED = "restore_released"
    JOURNAL_BEGUN = "journal_begun"


class Imbalance(Exception):
    """Figures that do not add up (I2). The ledger refuses them and the run fails: a defect of the gateway, report it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event to put on the ledger. `figures` are counts of records; `notes` are ids, digests, names and reason codes."""

    event: Event
    run: str
    feed: str
    recipient: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)


def prove_balance(line: Line) -> None:
    """Returns if the figures of a balance line add up; raises Imbalance naming run and recipient if not (I2)."""
    figures = line.figures
    if line.event is Event.SOURCE_BALANCED:
        parts = figures["accepted"] + figures["quarantined"]
        whole, what = figures["collected"], "collected is not accepted + quarantined"
    elif line.event in (Event.RECIPIENT_BALANCED, Event.CAUGHT_UP, Event.DECIDED_AGAIN):
        parts = sum(figures[part] for part in ("delivered", "unchanged", "withheld", "pending"))
        whole, what = figures["accepted"], "accepted is not delivered + unchanged + withheld + pending"
    else:
        return
    if whole != parts or min(figures.values()) < 0:
        raise Imbalance(f"feed {line.feed}, run {line.run}, recipient {line.recipient or '-'}: {what} ({whole} and {parts})")
