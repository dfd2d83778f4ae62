"""Decide again 再决定: what the store holds is decided anew for every recipient, without collecting again (D11, D56, I9).

The catalogue, the day or a mark may have changed since a record went out: what a recipient may no longer have is taken
back, what it may have by now is brought, and what it may have in part is sent anew in that part.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import sqlalchemy as sa

import delivery
from delivery import Effect
from gateway.effects import effect_at, read
from gateway.failing import Run, account, failing
from gateway.handover import ask_late
from gateway.intake import Json, errand
from gateway.orders import DAYS
from gateway.preparing import Prepared, desk
from gateway.settings import Gateway
from gateway.way import Figures, Way, ask_back, bring, lock_of, overtake, prepare, take_back, under_each_handle, way_of
from gateway.witness import vouch
from ledger import editions, log, withdrawals
from ledger.changes import Settled
from ledger.disclosed import uncertain, without_receipt
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder, held_entries, holders, withdrawal_reasons
from ledger.withdrawals import EFFECT
from records.database import writing
from records.lock import exclusive
from records.schema import runs
from records.stages import HANDLE, NOTICE, REASON, RECORD, Notice
from records.workdays import add_working_days

# The feed of a run that reads the store, told apart from every department's.
STORE = "store"
# What the recipient is told of a reason to withhold what it holds; every other reason comes of the catalogue.
_NOTICES = {
    "publicity-ended": Notice.EXPIRY, "listing-ended": Notice.EXPIRY, "condition-ended": Notice.EXPIRY,
    "document-not-in-effect": Notice.REVOCATION, "document-held": Notice.OBJECTION, "objection-open": Notice.OBJECTION,
    "no-consent": Notice.CONSENT_ENDED, "not-masked": Notice.CORRECTION, "personal-data-in-text": Notice.CORRECTION,
}
# Reasons that need no content: they hold for a record of which the store knows nothing, too.
_OF_THE_WHOLE_ENTRY = ("withdrawn", "no-grant", "entry-not-in-force", "basis-lapsed", "condition-ended")


class NoDoor(Exception):
    """A recipient holds records, and today's catalogue does not say how to reach it or what they are."""


@dataclass
class Again(Figures):
    """The same figures of a re-decision; of what is withheld, `withdrawn` was taken back now and `outstanding` still is to
    be. `unseen` are records the recipient holds of which the store knows nothing."""

    withdrawn: Counter[str] = field(default_factory=Counter)
    outstanding: int = 0
    unseen: int = 0

    def as_json(self) -> dict[str, int]:
        return super().as_json() | {"withdrawn": self.withdrawn.total(), "outstanding": self.outstanding, "unseen": self.unseen}


def entries(gateway: Gateway) -> list[str]:
    """The entries to decide again: those in the catalogue, and any of which a recipient still holds records."""
    with gateway.engine.connect() as connection:
        return sorted({*gateway.catalog.entries, *held_entries(connection)})


def open_again(gateway: Gateway, entry: str, trigger: str) -> Run:
    """Opens the run of a re-decision; the same entry and trigger give the same run."""
    at = gateway.clock()
    night, feed = gateway.today.isoformat(), f"{STORE}.{entry}"
    name = f"{night}.{feed}.{hashlib.sha256(f'{trigger}|{feed}'.encode()).hexdigest()[:8]}"
    row = {"run": name, "feed": feed, "night": night, "window_start": at.isoformat(), "window_end": at.isoformat(),
           "trigger": trigger[:40], "edition": gateway.catalog.edition}
    with writing(gateway.engine) as connection:
        known = connection.execute(sa.select(runs.c.state).where(runs.c.run == name)).scalar_one_or_none()
        if known is None:
            connection.execute(sa.insert(runs).values(**row, opened_at=at.isoformat(), state="open"))
        else:
            connection.execute(sa.update(runs).where(runs.c.run == name).values(state="open"))
        if known != "open":
            notes = {"night": night, "trigger": row["trigger"], "edition": row["edition"]}
            log.append(connection, [Line(Event.RUN_OPENED, name, feed, notes=notes)], at)
            editions.keep(connection, gateway.catalog, at)
    return {"run": name, "feed": feed, "entry": entry, "edition": row["edition"]}


def recipients(gateway: Gateway, run: Run) -> list[str]:
    """Who is concerned: every recipient with a grant, and every one that holds a record of the entry or may hold one."""
    with gateway.engine.connect() as connection:
        holding = [*holders(connection, run["entry"]), *without_receipt(connection, run["entry"]),
                   *withdrawals.recipients(connection, run["entry"])]
    granted = gateway.catalog.recipients_of(run["entry"]) if run["entry"] in gateway.catalog.entries else ()
    return sorted({*granted, *holding})


def decide_again(gateway: Gateway, run: Run, recipient: str, everything: bool = False) -> Json:
    """Decides one entry again for one recipient and acts on it; returns the figures. What was decided under the same terms, as of
    the same content, and has no day of its own to come stands (docs/decisions/0011); everything: it is decided all the same.

    Raises DeliveryFailed after the figures are on the ledger, NoDoor if the recipient cannot be addressed.
    """
    expect_door(gateway, run, recipient)
    with failing(gateway, run, f"(decide again for {recipient})", (delivery.DeliveryFailed,)):
        way = way_of(gateway, errand(gateway, run, recipient))
        # What must come back is asked for even where the recipient refuses what it is brought.
        back = replace(way, faults=[])
        with exclusive(gateway.engine, gateway.locks, lock_of(way.errand)):
            ask_late(way)
            figures = _again(way, back, everything)
        for fault in (*back.faults, *way.faults):
            raise fault
    return figures.as_json()


def close_again(gateway: Gateway, run: Run, complete: bool) -> str:
    """Closes the run and returns its state. Raises NotWitnessed, after closing, if the witness refuses."""
    state = "complete" if complete else "incomplete"
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(runs).where(runs.c.run == run["run"]).values(state=state))
        log.append(connection, [Line(Event.RUN_CLOSED, run["run"], run["feed"], notes={"state": state})], gateway.clock())
    vouch(gateway)
    return state


def expect_door(gateway: Gateway, run: Run, recipient: str) -> None:
    """Returns if today's catalogue says how to reach the recipient and what the entry is; raises NoDoor, after the ledger has it."""
    entry, catalog = run["entry"], gateway.catalog
    missing = [f"entry {entry}"] * (entry not in catalog.entries) + [f"recipient {recipient}"] * (recipient not in catalog.recipients)
    if missing:
        words = (f"entry {entry}, recipient {recipient}: it holds records, and {' and '.join(missing)} left the catalogue; put it back, "
                 "take its grants out or end it with in_force_to, and remove it once it holds nothing")
        notes: dict[str, Any] = {"partition": f"(decide again for {recipient})", "reason": "no-door", "message": words}
        account(gateway, [Line(Event.FAILED, run["run"], run["feed"], recipient, notes=notes)])
        raise NoDoor(words)


def _again(way: Way, back: Way, everything: bool) -> Again:
    asked, confirmed = ask_back(back)
    figures = Again()
    _count(figures, asked, confirmed)
    table = desk(way, everything)
    with way.gateway.engine.connect() as connection:
        known = withdrawal_reasons(connection, way.errand.entry)
    settled = table.settled()
    _stands(figures, settled)
    for chunk, as_of in table.to_decide(settled):
        overtake(way)
        ready, is_stored = table.prepare(chunk, as_of), as_of is not None
        held = ready.held[~ready.held[HANDLE].isin(asked[HANDLE])]
        withheld = _told(ready.withheld, is_stored)
        figures.unseen += 0 if is_stored else len(chunk) - len(withheld)
        rows = to_withdraw(pd.concat([held, _maybe_held(way, withheld, held)]), withheld, known)
        withdraw(back, pd.concat([rows, _marked_no_more(way, chunk, held, is_stored)], ignore_index=True), figures)
        if is_stored:
            _bring(way, ready, figures)
            table.remember(ready)
    _account(way, figures)
    return figures


def _told(withheld: pd.DataFrame, is_stored: bool) -> pd.DataFrame:
    """What may not leave; of a record that the store does not know only for a reason that needs no content."""
    return withheld if is_stored else withheld[withheld[REASON].isin(_OF_THE_WHOLE_ENTRY)]


def _marked_no_more(way: Way, chunk: pd.DataFrame, held: pd.DataFrame, is_stored: bool) -> pd.DataFrame:
    """What a recipient keeps with a mark and might not have even if it were not on the suppression list: as `to_withdraw`."""
    marked = held[held["state"] == "marked"]
    ready = prepare(way, chunk[chunk[RECORD].isin(marked[RECORD])], pd.Index([], dtype=TEXT), marked)
    nothing_listed = pd.DataFrame(columns=["reason", "effects", "deadline"], dtype=TEXT)
    return to_withdraw(marked.assign(state="held"), _told(ready.withheld, is_stored), nothing_listed)


def _maybe_held(way: Way, withheld: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Records that went out without a receipt and may have arrived: they are taken back like those held (I4)."""
    holder = Holder(way.errand.recipient, way.errand.entry)
    with way.gateway.engine.connect() as connection:
        lost = uncertain(connection, holder)
    rows = under_each_handle(way.gateway, holder, withheld[[RECORD]] if lost else withheld[[RECORD]].iloc[:0])
    return rows[rows[HANDLE].isin(lost) & ~rows[HANDLE].isin(held[HANDLE])].assign(state="uncertain")


def to_withdraw(held: pd.DataFrame, withheld: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """What the recipient holds and may not hold any more: RECORD, HANDLE, NOTICE, effects and deadline ("" where no order says
    so). A mark it has obeyed stays one; what was lifted since it was found on the list is none to withdraw."""
    rows = held[held["state"] != "marked"].merge(withheld, on=RECORD)
    rows = rows[(rows[REASON] != "withdrawn") | rows[RECORD].isin(known.index)]
    notices = rows[REASON].map(lambda reason: _NOTICES.get(reason, Notice.CATALOGUE_CHANGED))
    on_list = rows[REASON] == "withdrawn"
    said = known.reindex(rows[RECORD]).set_axis(rows.index)
    rows = rows.assign(**{name: said[name].where(on_list, "").fillna("") for name in ("effects", "deadline")})
    return rows[[RECORD, HANDLE, "effects", "deadline"]].assign(**{NOTICE: notices.where(~on_list, said["reason"]).astype(TEXT)})


def withdraw(way: Way, rows: pd.DataFrame, figures: Again) -> list[str]:
    """Takes records back, each with its effect, and adds to the figures; returns the record ids that the recipient confirmed.
    Each is noted first, so that it is asked for until it is confirmed.

    rows: as `to_withdraw` gives them.
    """
    kind, holder, at = way.door.recipient.kind, Holder(way.errand.recipient, way.errand.entry), way.gateway.clock()
    effects = [str(effect_at(kind, notice, read(said))) for notice, said in zip(rows[NOTICE], rows["effects"], strict=True)]
    rows = rows.assign(**{EFFECT: pd.Series(effects, index=rows.index, dtype=TEXT)})
    default, taken = add_working_days(way.gateway.today, DAYS).isoformat(), list[str]()
    if rows.empty:
        return taken
    with writing(way.gateway.engine) as connection:
        log.queue(connection)  # an order that changes the same rows waits for these, or these for it
        for deadline, part in rows.groupby("deadline"):
            withdrawals.ask(connection, holder, part, (at, str(deadline) or default))
    for effect, part in rows.groupby(EFFECT):
        taken += take_back(way, part, Effect(str(effect))).to_list()
    _count(figures, rows, pd.Index(taken))
    return taken


def _count(figures: Again, asked: pd.DataFrame, confirmed: pd.Index[str]) -> None:
    is_confirmed = asked[RECORD].isin(confirmed)
    figures.withdrawn.update(asked[NOTICE][is_confirmed].to_list())
    figures.outstanding += int((~is_confirmed).sum())


def _stands(figures: Again, settled: Settled) -> None:
    figures.accepted += settled.unchanged + sum(settled.withheld.values())
    figures.unchanged += settled.unchanged
    figures.withheld.update(settled.withheld)


def _bring(way: Way, ready: Prepared, figures: Again) -> None:
    brought = bring(way, ready.masked, ready.about)
    figures.accepted += len(ready.accepted)
    figures.delivered += len(brought.taken)
    figures.unchanged += ready.permitted.unchanged
    figures.withheld.update(ready.permitted.withheld[REASON].to_list() + ready.masked.withheld[REASON].to_list())
    figures.withheld.update({"withdrawn": len(brought.cancelled)})
    figures.pending += len(ready.masked.rows) - len(brought.taken) - len(brought.cancelled)


def _account(way: Way, figures: Again) -> None:
    notes = {"withheld": {reason: n for reason, n in sorted(figures.withheld.items()) if n},
             "withdrawn": dict(sorted(figures.withdrawn.items())), "version": way.door.entry.in_force_from.isoformat()}
    account(way.gateway, [way.errand.line(Event.DECIDED_AGAIN, figures.as_json(), **notes)])
