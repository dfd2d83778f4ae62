"""One recipient's way out: what is permitted, masked and brought through its door, and what is taken back through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pandas as pd
from sqlalchemy.engine import Connection

import delivery
import masking
import release
from catalog.model import Grant
from delivery import Effect, outbox
from gateway.handover import hand_over, may_go
from gateway.settings import Gateway
from gateway.witness import NotWitnessed, expect_nothing_lost, expect_witnessed, move_anchor
from ledger import log, withdrawals
from ledger.holdings import TEXT, Holder, doubt, withdrawn_records
from records import consents
from records.database import writing
from records.identity import handles
from records.stages import DIGEST, HANDLE, NOTICE, RECORD, Masked, Permitted, Receipt


@dataclass
class Figures:
    """What became of the records that one recipient was to be served with."""

    accepted: int = 0
    delivered: int = 0
    unchanged: int = 0
    pending: int = 0
    withheld: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, int]:
        return {"accepted": self.accepted, "delivered": self.delivered, "unchanged": self.unchanged,
                "withheld": self.withheld.total(), "pending": self.pending}


@dataclass(frozen=True)
class Way:
    """The errand, the terms, the door, and the first fault that closed the door, if any."""

    gateway: Gateway
    errand: outbox.Errand
    terms: release.Terms
    door: delivery.Door
    faults: list[Exception]


@dataclass(frozen=True)
class Ready:
    """Accepted records of one partition and what of them may stand at the door."""

    accepted: pd.DataFrame
    permitted: Permitted
    masked: Masked

    @property
    def withheld(self) -> pd.DataFrame:
        """RECORD, REASON of what may not leave, whoever stopped it."""
        return pd.concat([self.permitted.withheld, self.masked.withheld], ignore_index=True)


def way_of(gateway: Gateway, errand: outbox.Errand) -> Way:
    """The way of an errand by today's catalogue."""
    catalog, keyring = gateway.catalog, gateway.keyring
    entry, known = catalog.entries[errand.entry], catalog.recipients[errand.recipient]
    terms = release.Terms(
        catalog, errand.entry, errand.recipient, gateway.today,
        handle_key=keyring.derive("handle", errand.recipient, errand.entry),
        digest_key=keyring.derive("digest", errand.recipient, errand.entry), subject_key=keyring.derive("identity", "subject"),
        terms_digest=_terms_digest(gateway, errand.entry, errand.recipient),
        consents=_consents(gateway, entry.grants.get(errand.recipient)))
    checkpoint, faults = _witnessed(gateway)
    door = delivery.Door(errand.recipient, known, errand.entry, entry, gateway.connection(known.connection),
                         gateway.signer(errand.recipient), clock=gateway.clock, checkpoint=checkpoint)
    return Way(gateway, errand, terms, door, faults)


def _witnessed(gateway: Gateway) -> tuple[str, list[Exception]]:
    """The checkpoint that goes along, and what closes the door if nobody vouches for the ledger."""
    try:
        return expect_witnessed(gateway), []
    except NotWitnessed as error:
        return "", [error]


def _consents(gateway: Gateway, grant: Grant | None) -> pd.DataFrame:
    """The consents that a grant rests on, as they stand today."""
    if grant is None or grant.consent is None:
        return consents.frame([])
    with gateway.engine.connect() as connection:
        return consents.valid(connection, grant.consent.purpose, gateway.today)


def _terms_digest(gateway: Gateway, entry: str, recipient: str) -> str:
    """Stands for all that shapes what leaves besides the values: the grant, the recipes, the token key."""
    token = gateway.keyring.derive("token", recipient).id
    return "|".join((gateway.catalog.terms_digest(entry, recipient), masking.EDITION, token))


def under_each_handle(gateway: Gateway, holder: Holder, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with HANDLE, once for every version of its key: what went out may be of before a rotation (I11). rows: RECORD and
    more."""
    keys = gateway.keyring.derive_each("handle", holder.recipient, holder.entry)
    return pd.concat([rows.assign(**{HANDLE: handles(rows[RECORD], key)}) for key in keys], ignore_index=True)


def lock_of(errand: outbox.Errand) -> str:
    """The name of the lock under which one recipient is served with one entry, whatever the journey."""
    return f"send|{errand.recipient}|{errand.entry}"


def prepare(way: Way, accepted: pd.DataFrame, withdrawn: pd.Index[str], held: pd.DataFrame) -> Ready:
    """Permits and masks as if the recipient had no content yet. accepted: RECORD and every field of the entry. withdrawn: the record
    ids that may go to nobody. held: RECORD and HANDLE of what it holds, whose handles stay."""
    nothing = pd.Series([], index=pd.Index([], dtype=TEXT), dtype=TEXT)
    permitted = release.permit(accepted, way.terms, nothing, withdrawn).as_held(held)
    token_key = way.gateway.keyring.derive("token", way.errand.recipient)
    is_publicity = way.door.recipient.kind == "publicity_site"
    return Ready(accepted, permitted, masking.mask(permitted, masking.MaskContext(token_key, is_publicity, way.door.entry)))


@dataclass(frozen=True)
class Brought:
    """Record ids that a recipient has accepted, and those whose takedown was opened while they waited to leave."""

    taken: pd.Index[str]
    cancelled: pd.Index[str]


def bring(way: Way, masked: Masked, about: pd.DataFrame | None = None) -> Brought:
    """Delivers batch by batch until the door closes. A takedown goes first: what it names leaves the queue, and what this
    recipient is asked to take back it is asked before the next batch.

    about: RECORD, and what the holdings are to say of it besides; without it what is brought is decided again the next night.
    """
    taken, cancelled = [masked.rows[RECORD].iloc[:0]], [masked.rows[RECORD].iloc[:0]]
    for batch in delivery.batches(masked, way.door):
        overtake(way)
        _expect_nothing_lost(way)
        if way.faults or not may_go(way, Effect.BRING):
            break
        rows = masked.rows[masked.rows[HANDLE].isin(batch.payload[HANDLE])]
        with writing(way.gateway.engine) as connection:
            log.queue(connection)
            is_listed = rows[RECORD].isin(withdrawn_records(connection, way.errand.entry))
            cancelled.append(rows[RECORD][is_listed])
            left = delivery.batches(replace(masked, rows=rows[~is_listed]), way.door) if is_listed.any() else [batch]
            left = [outbox.intend(connection, way.errand, each, way.gateway.clock()) for each in left]
            doubt(connection, Holder(way.errand.recipient, way.errand.entry), rows[RECORD][~is_listed].to_list())
        taken += [_handed_over(way, each, _named(rows, about), outbox.settle) for each in left]
    return Brought(pd.Index(pd.concat(taken)), pd.Index(pd.concat(cancelled)))


def _expect_nothing_lost(way: Way) -> None:
    """Closes the door if a backup was restored since the last batch, or the journal's disk is full: a first load takes hours (I6)."""
    try:
        expect_nothing_lost(way.gateway)
    except NotWitnessed as error:
        way.faults.append(error)


def _named(rows: pd.DataFrame, about: pd.DataFrame | None) -> pd.DataFrame:
    named = rows[[RECORD, HANDLE, DIGEST]]
    return named if about is None else named.merge(about, on=RECORD, how="left")


def take_back(way: Way, rows: pd.DataFrame, effect: Effect) -> pd.Index[str]:
    """Withdraws records batch by batch until the door closes; returns the record ids that the recipient confirmed.

    rows: RECORD, HANDLE, NOTICE.
    """
    sent = rows[[RECORD, HANDLE, NOTICE]]
    taken = [sent[RECORD].iloc[:0]]
    for batch in delivery.takedown_batches(sent, effect, way.door):
        if way.faults or not may_go(way, effect):
            break
        mine = sent[sent[HANDLE].isin(batch.payload[HANDLE])]
        with writing(way.gateway.engine) as connection:
            batch = outbox.intend(connection, way.errand, batch, way.gateway.clock())
            withdrawals.tried(connection, Holder(way.errand.recipient, way.errand.entry), mine[HANDLE])
        taken.append(_handed_over(way, batch, mine, outbox.settle_withdrawal))
    confirmed: pd.Index[str] = pd.Index(pd.concat(taken))
    return confirmed


def ask_back(way: Way, only_fresh: bool = False) -> tuple[pd.DataFrame, pd.Index[str]]:
    """Asks the recipient for all that it has not confirmed to have taken back (only_fresh: what it was not asked for yet).

    Returns the rows it was asked for, RECORD, HANDLE, NOTICE, EFFECT, and the record ids that it confirmed. `way` is one of its
    own faults: what must come back is asked for even where nothing may be brought.
    """
    with way.gateway.engine.connect() as connection:
        rows = withdrawals.outstanding(connection, Holder(way.errand.recipient, way.errand.entry), only_fresh)
    taken = [take_back(way, part, Effect(str(effect))) for effect, part in rows.groupby(withdrawals.EFFECT)]
    confirmed: pd.Index[str] = taken[0].append(taken[1:]) if taken else pd.Index(rows[RECORD])
    return rows, confirmed


def overtake(way: Way) -> None:
    """Asks the recipient at once for what a takedown names that was opened since."""
    ask_back(replace(way, faults=[]), only_fresh=True)


Settle = Callable[[Connection, outbox.Errand, pd.DataFrame, Receipt], int]


def _handed_over(way: Way, batch: delivery.Batch, sent: pd.DataFrame, settle: Settle) -> pd.Series[str]:
    """Takes one batch, whose intent stands, through the door and settles it; returns the record ids that were accepted."""
    rows = sent[sent[HANDLE].isin(batch.payload[HANDLE])]
    move_anchor(way.gateway)  # outside the database, too, the intent is there before a byte leaves
    try:
        receipt = hand_over(way, batch, rows)
    except delivery.DeliveryFailed as error:
        way.faults.append(error)
        with writing(way.gateway.engine) as connection:
            outbox.give_up(connection, way.errand, batch.id, error, way.gateway.clock())
        return rows[RECORD].iloc[:0]
    with writing(way.gateway.engine) as connection:
        settle(connection, way.errand, rows, receipt)
    return rows[RECORD][rows[HANDLE].isin(pd.Index(receipt.accepted, dtype=rows[HANDLE].dtype))]
