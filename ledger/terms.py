"""Under which terms a recipient holds what it holds: fields and masks, edition, keys; one row for each distinct combination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.holdings import Holder
from records.schema import terms


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that a decision rests on besides the records and the day. digest: stands for the whole of it, in hexadecimal. fields:
    CODE:mask, in the order of the entry. edition: of the catalogue. keys: the names of the keys of handle, digest and token."""

    digest: str
    fields: str
    edition: str
    keys: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The row that a decision is noted under. `is_trusted`: what was noted under it may be relied on; not so on a day before the
    last that decided under it, since a clock that went back can undo what a day has changed."""

    id: int
    is_trusted: bool


def under(connection: Connection, holder: Holder, conditions: Conditions, on: date) -> Standing:
    """The row of these conditions, made if there is none, in the caller's transaction."""
    mine = (terms.c.recipient == holder.recipient, terms.c.entry == holder.entry, terms.c.digest == conditions.digest)
    row = connection.execute(sa.select(terms.c.id, terms.c.decided_on).where(*mine)).one_or_none()
    day = on.isoformat()
    if row is None:
        made = sa.insert(terms).values(recipient=holder.recipient, entry=holder.entry, digest=conditions.digest, fields=conditions.fields,
                                       edition=conditions.edition, key_versions=conditions.keys, decided_on=day)
        return Standing(int(connection.execute(made.returning(terms.c.id)).scalar_one()), True)
    if row.decided_on < day:
        connection.execute(sa.update(terms).where(terms.c.id == row.id).values(decided_on=day))
    return Standing(int(row.id), row.decided_on <= day)
