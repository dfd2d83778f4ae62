"""How far a record has come, as a type: Collected → Checked → Permitted → Masked → Receipt. Skipping a room does not type-check.

Frames hold one column per catalogue field (Arrow strings, missing is NA) and these reserved columns:

    LINE    int64   line or row number in what the department handed in, 1-based, as a clerk would count it
    DAMAGE  string  NA, or the reason code why the row could not even be read (then the fields are NA)
    RAW     string  NA, or the damaged row as it came (only where DAMAGE is set)
    RECORD  string  record id, from the entry's natural key (records/identity.py)
    HANDLE  string  the recipient's own reference to the record, derived with the recipient's key
    DIGEST  string  the recipient's keyed digest over what it is permitted to have
    SUBJECT string  the keyed name of the subject, only where a grant rests on consent; never leaves
    REASON  string  one reason code
    NOTICE  string  why a recipient must withdraw the record, one code of `Notice`
    REASONS string  all reason codes of a row, joined by ";"; the first is the primary one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import pandas as pd

LINE, DAMAGE, RAW = "_line", "_damage", "_raw"
RECORD, HANDLE, DIGEST, SUBJECT = "_record", "_handle", "_digest", "_subject"
REASON, REASONS, NOTICE = "_reason", "_reasons", "_notice"


class Unbalanced(Exception):
    """Figures of a stage do not add up (I2): a defect of the gateway, never of the data. Stop and report it."""


class Notice(StrEnum):
    """Why a record that a recipient holds must be withdrawn: the closed list that goes along with it (D40, D41)."""

    REPAIR = "repair"
    OBJECTION = "objection"
    CORRECTION = "correction"
    REVOCATION = "revocation"
    EXPIRY = "expiry"
    CONSENT_ENDED = "consent-ended"
    CATALOGUE_CHANGED = "catalogue-changed"


@dataclass(frozen=True, slots=True)
class Collected:
    """What one partition of a feed handed in, as text, catalogued columns only.

    rows: the entry's fields found in the header, LINE, DAMAGE, RAW. `dropped` are uncatalogued column names left at the
    threshold, `missing` the entry's fields the header does not have. `digest` is sha256 over the source bytes or rows.
    """

    feed: str
    entry: str
    partition: str
    rows: pd.DataFrame
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How one rule fared on one partition: figures and line numbers, never a value (I8).

    `field` is "" for a rule over the whole row or batch. `lines` holds at most 20 LINE numbers.
    """

    field: str
    rule: str
    severity: str
    tested: int
    failed: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Good and bad rows apart. accepted: RECORD, LINE, every field of the entry (NA where empty), values in normal form.
    quarantined: LINE, RECORD (NA where the key cannot be read), REASONS, RAW, the fields as they came.
    `refused` is "" or the reason code for which the whole batch was refused (then accepted is empty). `versions` counts the
    accepted rows by the version of the entry that records them, named by the day it came into force."""

    feed: str
    entry: str
    partition: str
    collected: int
    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    findings: tuple[Finding, ...]
    refused: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.collected != len(self.accepted) + len(self.quarantined):
            raise Unbalanced(f"feed {self.feed}, partition {self.partition}: collected is not accepted + quarantined")


@dataclass(frozen=True, slots=True)
class Permitted:
    """What one recipient may have and does not hold yet. rows: RECORD, HANDLE, DIGEST and exactly the granted fields,
    still unmasked, ordered by HANDLE. `masks` names the recipe of each field. withheld: RECORD, REASON.
    `unchanged` counts the records the recipient already holds with the same digest."""

    entry: str
    recipient: str
    considered: int
    rows: pd.DataFrame
    masks: Mapping[str, str]
    withheld: pd.DataFrame
    unchanged: int

    def __post_init__(self) -> None:
        if self.considered != len(self.rows) + len(self.withheld) + self.unchanged:
            raise Unbalanced(f"entry {self.entry}, recipient {self.recipient}: accepted is not sent + unchanged + withheld")

    def as_held(self, held: pd.DataFrame) -> Permitted:
        """The same, each record under the handle that the recipient holds it under, if it does: by another, as after a rotation of
        the handle's key, it would have the record twice (I11). held: RECORD and HANDLE, RECORD unique."""
        known = self.rows[RECORD].map(held.set_index(RECORD)[HANDLE]).astype(self.rows[HANDLE].dtype).fillna(self.rows[HANDLE])
        if known.equals(self.rows[HANDLE]):
            return self
        return replace(self, rows=self.rows.assign(**{HANDLE: known}).sort_values(HANDLE, ignore_index=True))


@dataclass(frozen=True, slots=True)
class Masked:
    """What may stand at the door. rows: RECORD, HANDLE, DIGEST and the granted fields, desensitised. withheld: RECORD,
    REASON, those the leak gate stopped. Only `payload()` may leave."""

    entry: str
    recipient: str
    rows: pd.DataFrame
    withheld: pd.DataFrame

    def payload(self) -> pd.DataFrame:
        """The columns that leave: HANDLE and the granted fields, nothing else (I3)."""
        return self.rows.drop(columns=[RECORD, DIGEST])


class BatchState(StrEnum):
    """How far a batch got on its way to a recipient 批次状态.

    Only APPLIED (a valid receipt came), VERIFIED (a later statement agrees) and REFUSED (a valid receipt says no to all of it) tell
    what became of it, and NOT_REACHED that not a byte left. In every other state it may have arrived.
    """

    INTENDED = "intended"
    SENT = "sent"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    VERIFIED = "verified"
    REFUSED = "refused"
    OVERDUE = "overdue"
    NOT_REACHED = "not-reached"


ANSWERED = (BatchState.APPLIED, BatchState.VERIFIED, BatchState.REFUSED)
MAY_HAVE_ARRIVED = (BatchState.INTENDED, BatchState.SENT, BatchState.ACCEPTED, BatchState.OVERDUE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A recipient's verified answer to one batch. `accepted` are handles; `refused` maps a handle to the recipient's
    reason code. `digest` is sha256 over the receipt's bytes, `key_id` the key that signed it ("" where the exchange
    method has no signature and the read-back is the proof)."""

    recipient: str
    batch: str
    accepted: tuple[str, ...]
    refused: Mapping[str, str]
    digest: str
    key_id: str
    at: datetime
