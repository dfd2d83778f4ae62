"""How each recipient stands: its door, its last receipt, its batches by state, and what it is still owed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from delivery.doors import DoorState
from gateway.settings import Gateway
from ledger.disclosed import overdue, uncertain
from ledger.holdings import Holder
from records.schema import doors, outbox, owed
from records.stages import ANSWERED, MAY_HAVE_ARRIVED, BatchState


def standing_recipients(gateway: Gateway) -> list[dict[str, Any]]:
    """Every recipient of the catalogue, or that was ever sent anything: recipient, title (zh, en), contact, door, failures, reason,
    next_try_at ("" if it may be asked), last_receipt_at (None if none), batches by state, owed (records), in_doubt (records that may
    have arrived without an answer), overdue (records whose receipt is overdue, and that none came for since). Of a batch that was
    offered more than once the best answer counts."""
    with gateway.engine.connect() as connection:
        sent = connection.execute(sa.select(outbox.c.recipient).distinct()).scalars().all()
        return [_standing(gateway, connection, recipient) for recipient in sorted({*gateway.catalog.recipients, *sent})]


def _standing(gateway: Gateway, connection: sa.Connection, recipient: str) -> dict[str, Any]:
    known = gateway.catalog.recipients.get(recipient)
    door = connection.execute(sa.select(doors).where(doors.c.recipient == recipient)).mappings().one_or_none()
    door_of = {"state": DoorState.CLOSED, "failures": 0, "reason": "", "next_try_at": ""} | dict(door or {})
    mine = outbox.c.recipient == recipient
    last = sa.select(sa.func.max(outbox.c.changed_at)).where(mine, outbox.c.state.in_(ANSWERED))
    pending = sa.select(sa.func.coalesce(sa.func.sum(owed.c.rows), 0)).where(owed.c.recipient == recipient)
    return {
        "recipient": recipient, "title": known.title.model_dump() if known else {"zh": "", "en": ""},
        "contact": known.contact if known else "",
        "door": str(door_of["state"]), **{name: door_of[name] for name in ("failures", "reason", "next_try_at")},
        "last_receipt_at": connection.execute(last).scalar_one(), "batches": _batches(connection, mine),
        "owed": int(connection.execute(pending).scalar_one()), "in_doubt": _in_doubt(connection, recipient),
        "overdue": _overdue(connection, recipient)}


def _batches(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> dict[str, int]:
    answered = sa.select(outbox.c.batch).where(mine, outbox.c.state.in_(ANSWERED))
    query = sa.select(outbox.c.state, sa.func.count(sa.distinct(outbox.c.batch))).where(
        mine, outbox.c.state.in_(ANSWERED) | outbox.c.batch.not_in(answered)).group_by(outbox.c.state)
    found = {str(state): int(n) for state, n in connection.execute(query)}
    return {str(state): found[state] for state in BatchState if state in found}


def _overdue(connection: sa.Connection, recipient: str) -> int:
    query = sa.select(outbox.c.entry).where(outbox.c.recipient == recipient, outbox.c.state == BatchState.OVERDUE).distinct()
    return sum(len(overdue(connection, Holder(recipient, entry))) for entry in connection.execute(query).scalars().all())


def _in_doubt(connection: sa.Connection, recipient: str) -> int:
    query = sa.select(outbox.c.entry).where(outbox.c.recipient == recipient, outbox.c.state.in_(MAY_HAVE_ARRIVED)).distinct()
    return sum(len(uncertain(connection, Holder(recipient, entry))) for entry in connection.execute(query).scalars().all())
