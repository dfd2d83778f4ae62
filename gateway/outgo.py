"""The second half of a night for one feed and one recipient: permit, mask, deliver, and account for every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

import delivery
import masking
import release
from delivery import outbox
from gateway.intake import SHANGHAI, Json, Run
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event, Line
from ledger.holdings import Holder, held_by_run, withdrawn_records
from records.lock import exclusive
from records.schema import writing
from records.stages import DIGEST, HANDLE, REASON, RECORD, Masked, Permitted
from records.staging import Reference


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
    """One recipient's way out: the errand, the terms, the door, and the first fault that closed the door, if any."""

    gateway: Gateway
    errand: outbox.Errand
    terms: release.Terms
    door: delivery.Door
    faults: list[Exception]


@dataclass(frozen=True)
class Standing:
    """How a recipient stands before it is served: digests it holds by record id, the record ids this run brought it
    already, and those withdrawn from everybody. Read once, since no two partitions hold the same record."""

    held: pd.Series[str]
    by_this_run: pd.Index[str]
    withdrawn: pd.Index[str]


@dataclass(frozen=True)
class Ready:
    """Accepted records of one partition and what of them may stand at the door."""

    accepted: pd.DataFrame
    permitted: Permitted
    masked: Masked


def send(gateway: Gateway, run: Run, settled: list[Json], recipient: str) -> Json:
    """Serves one recipient with what a run accepted and with what it was owed from earlier runs.

    Returns the figures. Raises RecipientUnavailable (its records stay pending; a later try or night completes it) or
    RecipientContractBreach (a person must act), after the figures are on the ledger.
    """
    way = _way(gateway, run, recipient)
    with exclusive(gateway.engine, gateway.locks, f"send|{recipient}|{run['feed']}"):
        left = [_catch_up(way, settled)]
        figures, standing = Figures(), _standing(way)
        left += [_serve(way, ready, standing, figures) for ready in _ahead(way, settled, standing)]
        _note_owed(way, pd.concat(left, ignore_index=True))
        withheld = {reason: n for reason, n in sorted(figures.withheld.items())}
        line = way.errand.line(Event.RECIPIENT_BALANCED, figures.as_json(), withheld=withheld)
        _account(gateway, [line])
    if way.faults:
        raise way.faults[0]
    return figures.as_json()


def _way(gateway: Gateway, run: Run, recipient: str) -> Way:
    entry_code = gateway.catalog.feeds[run["feed"]].entry
    entry, known = gateway.catalog.entries[entry_code], gateway.catalog.recipients[recipient]
    errand = outbox.Errand(run["run"], run["feed"], entry_code, recipient, run["edition"])
    today: date = gateway.clock().astimezone(SHANGHAI).date()
    terms = release.Terms(
        entry_code=entry_code, entry=entry, recipient_code=recipient, recipient=known, on=today,
        handle_key=gateway.keyring.derive("handle", recipient, entry_code),
        digest_key=gateway.keyring.derive("digest", recipient, entry_code),
        terms_digest=_terms_digest(gateway, entry_code, recipient))
    door = delivery.Door(recipient, known, entry_code, entry, gateway.connection(known.connection))
    return Way(gateway, errand, terms, door, [])


def _terms_digest(gateway: Gateway, entry: str, recipient: str) -> str:
    """Stands for all that shapes what leaves besides the values: the grant, the recipes, the token key."""
    token = gateway.keyring.derive("token", recipient).id
    return "|".join((gateway.catalog.terms_digest(entry, recipient), masking.EDITION, token))


def _catch_up(way: Way, settled: list[Json]) -> pd.DataFrame:
    """Serves what earlier runs still owe, unless this run brought the record anew; returns what stays owed."""
    with way.gateway.engine.connect() as connection:
        reference = outbox.owing(connection, way.errand)
    if reference is None:
        return pd.DataFrame()
    owed = way.gateway.staging.read(reference)
    for part in settled:
        fresh = way.gateway.staging.read(Reference(**part["reference"]))[RECORD]
        owed = owed[~owed[RECORD].isin(fresh)]
    figures = Figures()
    standing = _standing(way)
    left = _serve(way, _prepare(way, owed, standing), standing, figures)
    _account(way.gateway, [way.errand.line(Event.CAUGHT_UP, figures.as_json())])
    return left


def _standing(way: Way) -> Standing:
    with way.gateway.engine.connect() as connection:
        held, by_this_run = held_by_run(connection, Holder(way.errand.recipient, way.errand.entry), way.errand.run)
        return Standing(held, by_this_run, withdrawn_records(connection, way.errand.entry))


def _ahead(way: Way, settled: list[Json], standing: Standing) -> Iterator[Ready]:
    """The partitions, prepared one ahead: the next is read, permitted and masked while the recipient takes this one."""
    def prepare(part: Json) -> Ready:
        return _prepare(way, way.gateway.staging.read(Reference(**part["reference"])), standing)

    with ThreadPoolExecutor(1) as beside:
        coming = [beside.submit(prepare, part) for part in settled[:1]]
        for place in range(len(settled)):
            ready = coming.pop().result()
            coming = [beside.submit(prepare, part) for part in settled[place + 1 : place + 2]]
            yield ready


def _prepare(way: Way, accepted: pd.DataFrame, standing: Standing) -> Ready:
    permitted = release.permit(accepted, way.terms, standing.held, standing.withdrawn)
    token_key = way.gateway.keyring.derive("token", way.errand.recipient)
    is_publicity = way.door.recipient.kind == "publicity_site"
    return Ready(accepted, permitted, masking.mask(permitted, masking.MaskContext(token_key, is_publicity, way.door.entry)))


def _serve(way: Way, ready: Ready, standing: Standing, figures: Figures) -> pd.DataFrame:
    """Takes prepared records as far as the recipient's holdings, adds to the figures, returns the rows left pending."""
    accepted, permitted, masked = ready.accepted, ready.permitted, ready.masked
    taken = _deliver(way, masked)
    # A retried task meets what its first try delivered: it counts as delivered by this run, not as unchanged.
    before = int((accepted[RECORD].isin(standing.by_this_run) & ~accepted[RECORD].isin(masked.rows[RECORD])
                  & ~accepted[RECORD].isin(permitted.withheld[RECORD])).sum())
    figures.accepted += len(accepted)
    figures.delivered += len(taken) + before
    figures.unchanged += permitted.unchanged - before
    figures.withheld.update(permitted.withheld[REASON].to_list() + masked.withheld[REASON].to_list())
    figures.pending += len(masked.rows) - len(taken)
    pending = masked.rows[RECORD][~masked.rows[RECORD].isin(taken)]
    return accepted[accepted[RECORD].isin(pending)]


def _deliver(way: Way, masked: Masked) -> pd.Index[str]:
    """Delivers batch by batch until the door closes; returns the record ids the recipient has accepted."""
    sent = masked.rows[[RECORD, HANDLE, DIGEST]]
    taken = sent[RECORD].iloc[:0]
    for batch in delivery.batches(masked, way.door):
        if way.faults:
            break
        rows = sent[sent[HANDLE].isin(batch.payload[HANDLE])]
        with writing(way.gateway.engine) as connection:
            batch = outbox.intend(connection, way.errand, batch, way.gateway.clock())
        try:
            receipt = delivery.deliver(batch, way.door)
        except delivery.DeliveryFailed as error:
            way.faults.append(error)
            with writing(way.gateway.engine) as connection:
                outbox.give_up(connection, way.errand, batch.id, error.reason, way.gateway.clock())
            continue
        with writing(way.gateway.engine) as connection:
            outbox.settle(connection, way.errand, rows, receipt)
        accepted = rows[HANDLE].isin(pd.Index(receipt.accepted, dtype=rows[HANDLE].dtype))
        taken = pd.concat([taken, rows[RECORD][accepted]])
    taken_records: pd.Index[str] = pd.Index(taken)
    return taken_records


def _note_owed(way: Way, left: pd.DataFrame) -> None:
    place = (way.errand.run, "owed", way.errand.recipient)
    reference = way.gateway.staging.write(left, *place) if len(left) else None
    with writing(way.gateway.engine) as connection:
        former = outbox.owing(connection, way.errand)
        outbox.owe(connection, way.errand, reference)
    if former is not None and (reference is None or former.path != reference.path):
        way.gateway.staging.discard(former)


def _account(gateway: Gateway, lines: list[Line]) -> None:
    with writing(gateway.engine) as connection:
        log.append(connection, lines, gateway.clock())


def recipients(gateway: Gateway, run: Run) -> list[str]:
    """Who is served with this feed, in a fixed order."""
    return list(gateway.catalog.recipients_of(gateway.catalog.feeds[run["feed"]].entry))
