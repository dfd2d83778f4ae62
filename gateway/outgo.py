"""The second half of a night for one feed and one recipient: permit, mask, deliver, and account for every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import pandas as pd

import delivery
import masking
import release
from delivery import outbox
from gateway.failing import Run, account, failing
from gateway.intake import Json, errand
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder, held_by_run, withdrawn_records
from records.lock import exclusive
from records.schema import writing
from records.stages import DIGEST, HANDLE, LINE, REASON, RECORD, Masked, Permitted
from records.staging import Reference, StagingDamaged


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
    with failing(gateway, run, f"(send to {recipient})", (delivery.DeliveryFailed,)):
        way = _way(gateway, run, recipient)
        with exclusive(gateway.engine, gateway.locks, f"send|{recipient}|{run['feed']}"):
            figures = _send(way, settled)
        if way.faults:
            raise way.faults[0]
    return figures.as_json()


def _send(way: Way, settled: list[Json]) -> Figures:
    mine = [Reference(**part["reference"]) for part in settled]
    with way.gateway.engine.connect() as connection:
        former = [(run, one) for run, one in outbox.owing(connection, way.errand) if one.path not in {own.path for own in mine}]
    left = [_catch_up(way, former, mine)] if former else []
    figures, standing = Figures(), _standing(way)
    left += [_serve(way, ready, standing, figures) for ready in _ahead(way, settled, standing)]
    withheld = {reason: n for reason, n in sorted(figures.withheld.items())}
    line = way.errand.line(Event.RECIPIENT_BALANCED, figures.as_json(), withheld=withheld,
                            version=way.door.entry.in_force_from.isoformat())
    _close_accounts(way, [one for _, one in former] + mine, pd.concat([pd.DataFrame(), *left], ignore_index=True), line)
    return figures


def _way(gateway: Gateway, run: Run, recipient: str) -> Way:
    entry_code = gateway.catalog.feeds[run["feed"]].entry
    entry, known = gateway.catalog.entries[entry_code], gateway.catalog.recipients[recipient]
    terms = release.Terms(
        entry_code=entry_code, entry=entry, recipient_code=recipient, recipient=known, on=gateway.today,
        handle_key=gateway.keyring.derive("handle", recipient, entry_code),
        digest_key=gateway.keyring.derive("digest", recipient, entry_code),
        terms_digest=_terms_digest(gateway, entry_code, recipient))
    door = delivery.Door(recipient, known, entry_code, entry, gateway.connection(known.connection))
    return Way(gateway, errand(gateway, run, recipient), terms, door, [])


def _terms_digest(gateway: Gateway, entry: str, recipient: str) -> str:
    """Stands for all that shapes what leaves besides the values: the grant, the recipes, the token key."""
    token = gateway.keyring.derive("token", recipient).id
    return "|".join((gateway.catalog.terms_digest(entry, recipient), masking.EDITION, token))


def _catch_up(way: Way, former: list[tuple[str, Reference]], fresh: list[Reference]) -> pd.DataFrame:
    """Serves what earlier runs still owe, unless this run brought the record anew; returns what stays owed."""
    owed = pd.concat([_still_there(way, run, reference) for run, reference in former], ignore_index=True)
    owed = owed.drop_duplicates(RECORD, keep="last")  # the latest run that brought it has it newest
    for reference in fresh:
        owed = owed[~owed[RECORD].isin(way.gateway.staging.read(reference)[RECORD])]
    figures, standing = Figures(), _standing(way)
    left = _serve(way, _prepare(way, owed, standing), standing, figures)
    account(way.gateway, [way.errand.line(Event.CAUGHT_UP, figures.as_json())])
    return left


def _still_there(way: Way, run: str, reference: Reference) -> pd.DataFrame:
    """An owed batch with every field that the entry has by now; if it is gone that is told, and holds up nothing else."""
    names = [RECORD, LINE, *way.door.entry.fields]
    try:
        rows = way.gateway.staging.read(reference)
    except StagingDamaged:
        words = (f"feed {way.errand.feed}: {reference.rows} records that recipient {way.errand.recipient} is owed by run {run} are gone "
                 f"from staging; read them again: gateway night --feed {way.errand.feed} --on {run[:10]}")
        notes: dict[str, Any] = {"partition": f"(owed to {way.errand.recipient})", "reason": "owed-lost", "message": words}
        account(way.gateway, [way.errand.line(Event.FAILED, {"lost": reference.rows}, **notes)])
        rows = pd.DataFrame()
    absent = pd.Series(pd.NA, index=rows.index, dtype=TEXT)
    return pd.DataFrame({name: rows.get(name, absent) for name in names})


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
                  & ~accepted[RECORD].isin(permitted.withheld[RECORD]) & ~accepted[RECORD].isin(masked.withheld[RECORD])).sum())
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
                outbox.give_up(connection, way.errand, batch.id, error, way.gateway.clock())
            continue
        with writing(way.gateway.engine) as connection:
            outbox.settle(connection, way.errand, rows, receipt)
        accepted = rows[HANDLE].isin(pd.Index(receipt.accepted, dtype=rows[HANDLE].dtype))
        taken = pd.concat([taken, rows[RECORD][accepted]])
    taken_records: pd.Index[str] = pd.Index(taken)
    return taken_records


def _close_accounts(way: Way, dealt_with: list[Reference], left: pd.DataFrame, balance: Line) -> None:
    """Puts the balance on the ledger together with what is owed from now on: what is left, and nothing else."""
    # A place of its own: what an earlier try of this run left must lie there until this transaction says otherwise.
    place = (way.errand.run, "owed", way.errand.recipient, token_hex(4))
    owed = [way.gateway.staging.write(left, *place)] if len(left) else []
    with writing(way.gateway.engine) as connection:
        outbox.forget(connection, way.errand, dealt_with)
        outbox.owe(connection, way.errand, owed)
        log.append(connection, [balance], way.gateway.clock())


def recipients(gateway: Gateway, run: Run) -> list[str]:
    """Who is served with this feed, in a fixed order."""
    return list(gateway.catalog.recipients_of(gateway.catalog.feeds[run["feed"]].entry))
