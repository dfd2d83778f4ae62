"""The identifiers by which a recipient's clerks know a record that is taken back: sealed with the order, and destroyed once
everybody has confirmed (D41, D58)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from delivery import Effect
from gateway import acts
from gateway.lookups import Asker, answered, look_up
from gateway.refusal import Refusal
from gateway.settings import Gateway
from keys.seal import key_id, seal, unseal
from ledger import log
from ledger.events import Event, Line
from ledger.withdrawals import State
from records.blocks import StoreDamaged
from records.database import leave_no_trace, writing
from records.schema import withdrawals, withdrawn
from records.stages import RECORD

# The act of a record that could not be read when its takedown was opened: `alike.seek` reads it once the store is whole.
UNREAD = "?"


class NoIdentifiers(Refusal):
    """No identifiers of the record are kept, or none any more."""


def known_by(connection: Connection, gateway: Gateway, entry: str, records: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By record id what the suppression list keeps of it: `sealed`, its natural key and the subject's name and numbers (None where
    it was erased or its entry left the catalogue), and `act`, the keyed name of the act ("" where there is none). Where the store is
    damaged `act` is UNREAD: the takedown protects a person and goes on."""
    found: dict[str, dict[str, Any]] = {record: {"sealed": None, "act": ""} for record in records}
    if entry not in gateway.catalog.entries:
        return found
    try:
        rows = gateway.store.some(connection, entry, records, acts.fields(gateway, entry))
    except StoreDamaged:
        return {record: {"sealed": None, "act": UNREAD} for record in records}
    key = gateway.keyring.derive("takedown", entry)
    content: list[dict[str, str]] = rows.to_dict("records")  # type: ignore[assignment]
    for row, act in zip(content, acts.names(gateway, entry, rows).fillna(""), strict=True):
        found[row[RECORD]] = {"sealed": seal(_said(row), key, row[RECORD].encode()), "act": str(act)}
    return found


def _said(row: dict[str, str]) -> bytes:
    said = {name: value for name, value in row.items() if name != RECORD and isinstance(value, str)}
    return json.dumps(said, ensure_ascii=False).encode()


def look_up_opened(gateway: Gateway, record: str, who: tuple[str, str, str]) -> tuple[str, dict[str, str]]:
    """The entry of an open takedown and its identifiers by field, for a registered person with a purpose (D46, D47).

    who: person, purpose and document. Raises NoIdentifiers, Refused.
    """
    seq = look_up(gateway, Asker(*who), "takedown identify", {"record": record}, shows_values=True)
    with gateway.engine.connect() as connection:
        entry, sealed = connection.execute(sa.select(withdrawn.c.entry, withdrawn.c.sealed).where(
            withdrawn.c.record == record, withdrawn.c.sealed.is_not(None))).one_or_none() or ("", None)
    if sealed is None:
        answered(gateway, seq, 0)
        raise NoIdentifiers(f"record {record}", "没有保存识别信息：该记录不在撤回中，或者各接收方均已确认。",
                            "no identifiers are kept; its takedown is not open, or everybody has confirmed")
    said: dict[str, str] = json.loads(unseal(sealed, gateway.keyring.reopen(key_id(sealed), entry), record.encode()))
    answered(gateway, seq, 1)
    return entry, said


def release(gateway: Gateway) -> int:
    """Destroys the identifiers of takedowns that everybody has confirmed, and every public site verified; returns how many."""
    waits = sa.exists().where(withdrawals.c.entry == withdrawn.c.entry, withdrawals.c.record == withdrawn.c.record, _is_waited_for(gateway))
    with writing(gateway.engine) as connection:
        log.queue(connection)  # an order takes the ledger before its rows, too
        done = connection.execute(sa.update(withdrawn).where(withdrawn.c.sealed.is_not(None), ~waits).values(sealed=None)).rowcount
        if done:
            leave_no_trace(connection)
            log.append(connection, [Line(Event.IDENTIFIERS_RELEASED, "", "", figures={"records": done})], gateway.clock())
    return done


def waited_for(connection: Connection, gateway: Gateway, entry: str, record: str) -> list[str]:
    """Who has not confirmed to have taken a record back, and the sites that were not read since."""
    query = sa.select(withdrawals.c.recipient).where(withdrawals.c.entry == entry, withdrawals.c.record == record, _is_waited_for(gateway))
    return list(connection.execute(query).scalars())


def _is_waited_for(gateway: Gateway) -> sa.ColumnElement[bool]:
    public = [name for name, known in gateway.catalog.recipients.items() if known.public]
    is_unread = sa.and_(withdrawals.c.state == State.CONFIRMED, withdrawals.c.recipient.in_(public), withdrawals.c.effect != Effect.MARK)
    return sa.or_(withdrawals.c.state.in_([State.OUTSTANDING, State.VISIBLE]), is_unread)
