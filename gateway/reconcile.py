"""Reconcile 对账: what each recipient says it holds is compared with what it should hold, and put right where that may be.

The same road as a delivery up to the door: the store is permitted and masked as if nobody held anything, and only digests of what
would leave are compared. What the recipient lacks or holds otherwise is brought anew, what it must not have is taken back; what
the gateway never sent, or knows no more, is reported to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

import delivery
from delivery import awaited
from delivery.comparison import OURS, THEIRS, Compared, compare
from delivery.statements import CONTENT, ENDS, contents
from gateway.again import Again, expect_door, to_withdraw, withdraw
from gateway.discrepancies import KIND, Kind
from gateway.failing import Run, failing
from gateway.handover import ask_late, expect_asked, noted
from gateway.intake import Json, errand
from gateway.settings import Gateway
from gateway.way import Way, bring, lock_of, prepare, under_each_handle, way_of
from ledger import log
from ledger.disclosed import ever_brought, uncertain
from ledger.events import Event
from ledger.holdings import TEXT, Holder, doubt, held_under, strike_off, withdrawal_reasons, withdrawn_records
from records.database import writing
from records.lock import exclusive
from records.schema import discrepancies
from records.stages import DIGEST, HANDLE, REASON, RECORD

_OUR_HANDLE = re.compile(r"[0-9]+-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Due:
    """What a recipient should hold by now. expected: RECORD, HANDLE, DIGEST, CONTENT, ENDS of what it may have; withheld:
    RECORD, HANDLE, REASON of what it may not, under every handle it may know it by; held: what the holdings say."""

    expected: pd.DataFrame
    withheld: pd.DataFrame
    held: pd.DataFrame


def reconcile(gateway: Gateway, run: Run, recipient: str) -> Json:
    """Compares and repairs one entry at one recipient; returns the figures: held, found, one per Kind, repaired, and what it cost.

    Raises DeliveryFailed if the recipient does not answer (then nothing is known or changed) or a repair fails (after the figures
    are on the ledger), NoDoor if it cannot be addressed.
    """
    expect_door(gateway, run, recipient)
    with failing(gateway, run, f"(reconcile with {recipient})", (delivery.DeliveryFailed,)):
        way = way_of(gateway, errand(gateway, run, recipient))
        back = replace(way, faults=[])  # what must come back is asked for even where nothing may be brought
        with exclusive(gateway.engine, gateway.locks, lock_of(way.errand)):
            ask_late(way)
            expect_asked(way)
            figures = _reconcile(way, back)
        for fault in (*back.faults, *way.faults):
            raise fault
    return figures


def _reconcile(way: Way, back: Way) -> dict[str, int]:
    due, at = _due(way), way.gateway.clock()
    sheet = due.held[[HANDLE]].merge(due.expected[[HANDLE, CONTENT]], on=HANDLE, how="left").fillna({CONTENT: ""})
    with noted(way):
        compared = compare(sheet, partial(delivery.ask, door=way.door), _ends_field(way))
    rows = _kinds(way, compared.rows, due)
    with writing(way.gateway.engine) as connection:
        awaited.confirm(connection, Holder(way.errand.recipient, way.errand.entry), set(rows[HANDLE]), at)
    gone = rows[RECORD][rows[KIND] == Kind.MISSING]
    never_seen = gone[gone.isin(_never_seen(due))].to_list()
    _let_go(way, gone[gone.isin(due.expected[RECORD])].to_list(), never_seen)
    repaired = [*_bring(way, rows, due), *_withdraw(back, rows, due), *never_seen]
    return _account(way, compared, rows.assign(is_repaired=rows[RECORD].isin(repaired)), len(due.held))


def _due(way: Way) -> Due:
    holder = Holder(way.errand.recipient, way.errand.entry)
    with way.gateway.engine.connect() as connection:
        held = held_under(connection, holder)
    expected, withheld = [held.iloc[:0].assign(**{CONTENT: "", ENDS: ""})], [held.iloc[:0].assign(**{REASON: ""})]
    listed = _listed(way)
    for chunk in _stored(way):
        ready = prepare(way, chunk, listed, held)
        out = ready.masked.payload()
        ends = out[_ends_field(way)] if _ends_field(way) else pd.Series(pd.NA, index=out.index, dtype=TEXT)
        expected.append(ready.masked.rows[[RECORD, HANDLE, DIGEST]].assign(**{CONTENT: contents(out), ENDS: ends}))
        withheld.append(under_each_handle(way.gateway, holder, ready.withheld))
    withheld.append(_unknown(way, pd.concat([each[RECORD] for each in (*expected, *withheld)])))
    return Due(pd.concat(expected, ignore_index=True), pd.concat(withheld, ignore_index=True), held)


def _unknown(way: Way, seen: pd.Series) -> pd.DataFrame:
    """RECORD, HANDLE, REASON of what is on the suppression list and not in the store, as after a backup was restored: a recipient
    may hold it all the same."""
    listed = pd.Series(_listed(way), dtype=TEXT)
    unknown = listed[~listed.isin(seen)]
    reason = pd.Series("withdrawn", index=unknown.index, dtype=TEXT)
    return under_each_handle(way.gateway, Holder(way.errand.recipient, way.errand.entry), pd.DataFrame({RECORD: unknown, REASON: reason}))


def _stored(way: Way) -> Iterator[pd.DataFrame]:
    with way.gateway.engine.connect() as connection:
        yield from way.gateway.store.current(connection, way.errand.entry, list(way.door.entry.fields))


def _listed(way: Way) -> pd.Index[str]:
    with way.gateway.engine.connect() as connection:
        return withdrawn_records(connection, way.errand.entry)


def _ends_field(way: Way) -> str:
    """The field that tells the recipient how long the record is public, "" where it is not given one."""
    field = way.door.entry.publicity_end
    return field if field and field in way.terms.masks else ""


def _kinds(way: Way, unlike: pd.DataFrame, due: Due) -> pd.DataFrame:
    """RECORD ("" if unknown), HANDLE, KIND of what differs and is not merely being withdrawn."""
    known = pd.concat([due.held[[RECORD, HANDLE]], due.expected[[RECORD, HANDLE]], due.withheld[[RECORD, HANDLE]]]).drop_duplicates(HANDLE)
    newest = due.expected[[HANDLE, DIGEST, ENDS]].rename(columns={DIGEST: "newest", ENDS: "our_end"})
    rows = unlike.merge(known, on=HANDLE, how="left").merge(due.held[[HANDLE, DIGEST, "state"]], on=HANDLE, how="left")
    rows = rows.merge(newest, on=HANDLE, how="left").fillna({RECORD: "", ENDS: "", "our_end": ""})
    is_absent, is_uncalled = rows[THEIRS].isna(), rows[OURS].isna()
    # A mark it has obeyed, or a record still to be withdrawn: that it is there, or is gone already, is all that matters.
    is_well = (rows[OURS] == "").fillna(False) & (~is_absent | (rows["state"] != "marked"))
    differs = {Kind.MISSING: is_absent, Kind.UNCONFIRMED: is_uncalled, Kind.STALE: (rows[DIGEST] != rows["newest"]).fillna(True),
               Kind.PUBLICITY_END: (rows[ENDS] != rows["our_end"]) & bool(_ends_field(way))}
    kind = np.select([each.to_numpy(dtype=bool) for each in differs.values()], [str(each) for each in differs], str(Kind.ALTERED))
    found = rows[[RECORD, HANDLE]].assign(**{KIND: pd.Series(kind, index=rows.index, dtype=TEXT)})[~is_well.to_numpy(dtype=bool)]
    return _uncalled_apart(way, found.reset_index(drop=True))


def _uncalled_apart(way: Way, rows: pd.DataFrame) -> pd.DataFrame:
    """The same, with what the holdings do not know told apart: no receipt, taken back before, never sent."""
    is_uncalled = rows[KIND] == Kind.UNCONFIRMED
    if not is_uncalled.any():
        return rows
    holder = Holder(way.errand.recipient, way.errand.entry)
    with way.gateway.engine.connect() as connection:
        lost, ever = uncertain(connection, holder), ever_brought(connection, holder)
    other = rows[HANDLE].isin(ever).map({True: str(Kind.RESURRECTED), False: str(Kind.EXTRA)}).astype(TEXT)
    return rows.assign(**{KIND: rows[KIND].where(~is_uncalled | rows[HANDLE].isin(lost), other)})


def _never_seen(due: Due) -> pd.Series[str]:
    """What stands in the holdings since the recipient obeyed a mark, was brought without a receipt, and may not be brought now: that
    it is not there puts only the holdings right."""
    is_unknown = (due.held["state"] == "marked") & (due.held[DIGEST] == "")
    return due.held[RECORD][is_unknown & ~due.held[RECORD].isin(due.expected[RECORD])]


def _let_go(way: Way, missing: list[str], never_seen: list[str]) -> None:
    """Notes of what the recipient says it does not have that nobody knows what is there, with the line that tells it: should the
    repair fail or be killed, the next re-decision brings it. It is not struck off: a front-end database tells what lies in it, and
    where that was refused its recipient may keep what it took before, to be asked for when its grant ends."""
    if not missing + never_seen:
        return
    holder = Holder(way.errand.recipient, way.errand.entry)
    with writing(way.gateway.engine) as connection:
        doubt(connection, holder, missing)
        strike_off(connection, holder, never_seen)
        log.append(connection, [way.errand.line(Event.NOT_HELD, {"records": len(missing + never_seen)})], way.gateway.clock())


def _bring(way: Way, rows: pd.DataFrame, due: Due) -> list[str]:
    """Brings anew what the recipient may have; returns the records that it confirmed."""
    wanted, taken = rows[RECORD][rows[RECORD].isin(due.expected[RECORD])], list[str]()
    if wanted.empty:
        return taken
    listed = _listed(way)
    for chunk in _stored(way):
        if len(part := chunk[chunk[RECORD].isin(wanted)]):
            taken += bring(way, prepare(way, part, listed, due.held).masked).taken.to_list()
    return taken


def _withdraw(back: Way, rows: pd.DataFrame, due: Due) -> list[str]:
    """Takes back what is there and must not be; returns the records of which the recipient confirmed it."""
    wrong = rows[rows[RECORD].isin(due.withheld[RECORD]) & (rows[KIND] != Kind.MISSING)]
    if wrong.empty:
        return []
    with back.gateway.engine.connect() as connection:
        known = withdrawal_reasons(connection, back.errand.entry)
    found = wrong[[RECORD, HANDLE]].assign(state="held")
    return withdraw(back, to_withdraw(found, due.withheld[[RECORD, REASON]].drop_duplicates(), known), Again())


def _account(way: Way, compared: Compared, rows: pd.DataFrame, held: int) -> dict[str, int]:
    figures = {"held": held, "found": compared.found, "repaired": int(rows["is_repaired"].sum()),
               **{str(kind): int((rows[KIND] == kind).sum()) for kind in Kind},
               "segments_sent": compared.sent["segments"], "records_sent": compared.sent["records"]}
    at, mine = way.gateway.clock(), (discrepancies.c.recipient == way.errand.recipient) & (discrepancies.c.entry == way.errand.entry)
    with writing(way.gateway.engine) as connection:
        since = {(row.handle, row.kind): row.since for row in connection.execute(
            sa.select(discrepancies).where(mine, discrepancies.c.repaired_at.is_(None)))}
        connection.execute(sa.delete(discrepancies).where(mine))
        named = [_named(way, row, at.isoformat()) for row in rows.to_dict("records")]
        if named:
            connection.execute(sa.insert(discrepancies),
                               [row | {"since": since.get((row["handle"], row["kind"]), row["since"])} for row in named])
        log.append(connection, [way.errand.line(Event.RECONCILED, figures)], at)
    return figures


def _named(way: Way, row: dict[Any, Any], at: str) -> dict[str, Any]:
    # A handle that is not of our making may be anything, even a person's number (I8).
    handle = row[HANDLE] if _OUR_HANDLE.fullmatch(row[HANDLE]) else f"unknown-{sha256(row[HANDLE].encode()).hexdigest()[:16]}"
    return {"recipient": way.errand.recipient, "entry": way.errand.entry, "handle": handle, "record": row[RECORD], "kind": row[KIND],
            "since": at, "repaired_at": at if row["is_repaired"] else None}
