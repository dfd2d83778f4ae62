"""How a case acts on its record: taken back, held, or let go again, always in the transaction of the step that says so (D41, I6)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from catalog.model import RecipientKind
from delivery import Effect
from gateway import takedown
from gateway.cases import book
from gateway.cases.desk import Desk
from gateway.cases.states import Kind, State
from gateway.orders import DAYS, Order, end, enter, follow, hold_apart
from records.schema import withdrawn
from records.stages import Notice
from records.workdays import add_working_days

# Until an objection is settled whoever only uses the record marks it, and a site does not show it (clause 11; D28).
HELD = {RecipientKind.SHARING_PLATFORM: Effect.MARK, RecipientKind.DEPARTMENT: Effect.MARK, RecipientKind.PUBLICITY_SITE: Effect.BLOCK}
_FOR_GOOD = (Notice.REPAIR, Notice.REVOCATION)


def take_back(desk: Desk, reason: Notice, document: str) -> str:
    """Takes the case's record back from everybody, and returns the day by which all must have confirmed (ISO).

    What an objection or a correction holds follows at once, so that the record is never free in between; what was taken back
    for good stays as it is.
    """
    case, order = desk.case, Order(reason, document, desk.person.name)
    open_for = reason_of_open(desk.connection, case.entry, case.record)
    if open_for is None:
        enter(desk.connection, desk.gateway, [case.record], order)
    elif open_for not in _FOR_GOOD:
        follow(desk.connection, desk.gateway, case.record, order)
    return add_working_days(desk.gateway.today, DAYS).isoformat()


def hold(desk: Desk, document: str) -> None:
    """Holds the case's record back and marks it where it is used; what is taken back already stays so."""
    if reason_of_open(desk.connection, desk.case.entry, desk.case.record) is None:
        enter(desk.connection, desk.gateway, [desk.case.record], Order(Notice.OBJECTION, document, desk.person.name, HELD))


def let_go(desk: Desk, reason: Notice, document: str) -> bool:
    """Lets the case's record go where it may if this case holds it for this reason, and says whether it was; what anybody else ordered
    stays, though it be for the same reason."""
    place = desk.connection, desk.case.entry, desk.case.record
    held = reason_of_open(*place) == reason and _is_own(*place, desk.case.case if reason == Notice.OBJECTION else desk.case.document)
    if held:
        _hold_objected_apart(desk)
        end(desk.connection, desk.gateway, desk.case.record, (document, desk.person.name))
    return held


def _hold_objected_apart(desk: Desk) -> None:
    """Another name of the act to which an objection of its own is under way stays back until that is settled (D28)."""
    other_names = sa.select(withdrawn.c.record).where(*_open(desk.case.entry), withdrawn.c.alike_of == desk.case.record)
    named = set(desk.connection.execute(other_names).scalars())
    for case in book.every(desk.connection, Kind.OBJECTION, (State.ACCEPTED, State.HANDED_ON)):
        if case.entry == desk.case.entry and case.record in named:
            hold_apart(desk.connection, desk.gateway, (case.entry, case.record), (case.case, desk.person.name))


def reason_of_open(connection: Connection, entry: str, record: str) -> Notice | None:
    """Why a record stands on the suppression list; None if it does not."""
    found = connection.execute(sa.select(withdrawn.c.reason).where(*_open(entry), withdrawn.c.record == record)).scalar_one_or_none()
    return Notice(found) if found else None


def is_confirmed(connection: Connection, entry: str, record: str) -> bool:
    """Whether a record stands on the suppression list, and everybody who ever got it under any name of its act has confirmed and
    shows it no more; not before the store was searched for such names."""
    of_act = sa.or_(withdrawn.c.record == record, withdrawn.c.alike_of == record)
    listed = connection.execute(sa.select(withdrawn.c.record, withdrawn.c.act, withdrawn.c.sought_at).where(*_open(entry), of_act)).all()
    own = next((row for row in listed if row.record == record), None)
    if own is None or (own.act and own.sought_at is None):
        return False
    return all(takedown.is_confirmed(connection, entry, row.record) for row in listed)


def _is_own(connection: Connection, entry: str, record: str, document: str) -> bool:
    """Whether a record stands on the list on this document and for itself, not as another name of an act that another record's
    case holds."""
    query = sa.select(withdrawn.c.alike_of, withdrawn.c.document).where(*_open(entry), withdrawn.c.record == record)
    return [tuple(row) for row in connection.execute(query)] == [("", document)]


def _open(entry: str) -> tuple[sa.ColumnElement[bool], ...]:
    return withdrawn.c.entry == entry, withdrawn.c.lifted_at.is_(None)
