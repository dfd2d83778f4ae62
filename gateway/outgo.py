"""The second half of a night for one feed and one recipient: permit, mask, deliver, and account for every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any

import pandas as pd

import delivery
from delivery import outbox
from gateway.failing import Run, account, failing
from gateway.handover import ask_late
from gateway.intake import Json, errand
from gateway.preparing import Desk, Prepared, desk
from gateway.settings import Gateway
from gateway.way import Figures, Way, bring, lock_of, way_of
from ledger import log
from ledger.events import Event, Line
from ledger.holdings import TEXT
from records.database import writing
from records.lock import exclusive
from records.stages import LINE, REASON, RECORD
from records.staging import Reference, StagingDamaged


def send(gateway: Gateway, run: Run, settled: list[Json], recipient: str) -> Json:
    """Serves one recipient with what a run accepted and with what it was owed from earlier runs.

    Returns the figures. Raises RecipientUnavailable (its records stay pending; a later try or night completes it) or
    RecipientContractBreach (a person must act), after the figures are on the ledger.
    """
    with failing(gateway, run, f"(send to {recipient})", (delivery.DeliveryFailed,)):
        way = way_of(gateway, errand(gateway, run, recipient))
        with exclusive(gateway.engine, gateway.locks, lock_of(way.errand)):
            ask_late(way)
            figures = _send(way, settled)
        if way.faults:
            raise way.faults[0]
    return figures.as_json()


def _send(way: Way, settled: list[Json]) -> Figures:
    mine = [Reference(**part["reference"]) for part in settled]
    with way.gateway.engine.connect() as connection:
        former = [(run, one) for run, one in outbox.owing(connection, way.errand) if one.path not in {own.path for own in mine}]
    left = [_catch_up(way, former, mine)] if former else []
    figures = Figures()
    left += [_serve(way, ready, figures) for ready in _ahead(desk(way), settled)]
    withheld = {reason: n for reason, n in sorted(figures.withheld.items()) if n}
    line = way.errand.line(Event.RECIPIENT_BALANCED, figures.as_json(), withheld=withheld,
                            version=way.door.entry.in_force_from.isoformat())
    _close_accounts(way, [one for _, one in former] + mine, pd.concat([pd.DataFrame(), *left], ignore_index=True), line)
    return figures


def _catch_up(way: Way, former: list[tuple[str, Reference]], fresh: list[Reference]) -> pd.DataFrame:
    """Serves what earlier runs still owe, unless this run brought the record anew; returns what stays owed."""
    owed = pd.concat([_still_there(way, run, reference) for run, reference in former], ignore_index=True)
    owed = owed.drop_duplicates(RECORD)  # whichever it is, it goes out as the store has it
    for reference in fresh:
        owed = owed[~owed[RECORD].isin(way.gateway.staging.read(reference)[RECORD])]
    newest = _as_by_now(way, owed)
    erased = len(owed) - len(newest)
    figures = Figures(accepted=erased, withheld=Counter(erased=erased))
    left = _serve(way, desk(way).prepare(newest), figures)
    account(way.gateway, [way.errand.line(Event.CAUGHT_UP, figures.as_json())])
    return left


def _as_by_now(way: Way, owed: pd.DataFrame) -> pd.DataFrame:
    """Owed records as the store has them by now: while this recipient had no grant, a run may have brought them anew to others. What
    was erased from the store meanwhile is not among them: no copy of it may be read again (D58)."""
    with way.gateway.engine.connect() as connection:
        newest = way.gateway.store.some(connection, way.errand.entry, owed[RECORD].to_list(), list(way.door.entry.fields))
    return owed[[RECORD, LINE]].merge(newest, on=RECORD)[list(owed.columns)]


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


def _ahead(mine: Desk, settled: list[Json]) -> Iterator[Prepared]:
    """The partitions, prepared one ahead: the next is read, permitted and masked while the recipient takes this one."""
    def read(part: Json) -> Prepared:
        return mine.prepare(mine.way.gateway.staging.read(Reference(**part["reference"])))

    with ThreadPoolExecutor(1) as beside:
        coming = [beside.submit(read, part) for part in settled[:1]]
        for place in range(len(settled)):
            ready = coming.pop().result()
            coming = [beside.submit(read, part) for part in settled[place + 1 : place + 2]]
            yield ready


def _serve(way: Way, ready: Prepared, figures: Figures) -> pd.DataFrame:
    """Takes prepared records as far as the recipient's holdings, adds to the figures, returns the rows left pending."""
    accepted, permitted, masked = ready.accepted, ready.permitted, ready.masked
    brought = bring(way, masked, ready.about)
    taken = brought.taken
    # A retried task meets what its first try delivered: it counts as delivered by this run, not as unchanged.
    before = ready.by_this_run
    figures.accepted += len(accepted)
    figures.delivered += len(taken) + before
    figures.unchanged += permitted.unchanged - before
    figures.withheld.update(permitted.withheld[REASON].to_list() + masked.withheld[REASON].to_list())
    figures.withheld.update({"withdrawn": len(brought.cancelled)})
    figures.pending += len(masked.rows) - len(taken) - len(brought.cancelled)
    pending = masked.rows[RECORD][~masked.rows[RECORD].isin(taken.append(brought.cancelled))]
    return accepted[accepted[RECORD].isin(pending)]


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
