"""What is taken back stays back under every name that the same act bears in the store or is handed in under (D41, I6)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import acts, orders, suppressed
from gateway.effects import read
from gateway.settings import Gateway
from ledger import log
from ledger.holdings import TEXT
from records.database import writing
from records.schema import withdrawn
from records.stages import RECORD, Notice


def enter_alike(connection: Connection, gateway: Gateway, entry: str, rows: pd.DataFrame) -> int:
    """Puts those of `rows` on the suppression list that are the act of a record that stands on it, under that record's order; returns
    how many. A record that a person has let go stays let go. rows: RECORD and `fields`.

    Waits for the head of the ledger: what is stored here is seen by whoever orders its act back, or this sees that order; and a batch
    that is about to leave has its intent in the outbox by now, or will see the list.
    """
    log.queue(connection)
    is_open = (withdrawn.c.entry == entry, withdrawn.c.lifted_at.is_(None), withdrawn.c.act != "")
    listed = connection.execute(sa.select(withdrawn).where(*is_open).order_by(withdrawn.c.since.desc())).mappings().all()
    if not listed:
        return 0
    known = pd.Index(connection.execute(sa.select(withdrawn.c.record).where(withdrawn.c.entry == entry)).scalars().all(), dtype=TEXT)
    named, is_fresh = acts.names(gateway, entry, rows), ~rows[RECORD].isin(known)
    found = {row["act"]: (row, rows[RECORD][(named == row["act"]).fillna(False) & is_fresh].to_list()) for row in listed}
    for row, records in found.values():
        if records:
            order = orders.Order(Notice(row["reason"]), row["document"], row["opened_by"], read(row["effects"]))
            orders.enter_as(connection, gateway, (entry, records), (order, row["alike_of"] or row["record"]))
    return sum(len(records) for _, records in found.values())


def unsought(connection: Connection) -> list[str]:
    """The entries with a takedown whose act was not yet looked for in the store."""
    query = sa.select(withdrawn.c.entry).where(withdrawn.c.lifted_at.is_(None), withdrawn.c.act != "", withdrawn.c.sought_at.is_(None))
    return sorted(connection.execute(query.distinct()).scalars())


def seek(gateway: Gateway, entry: str) -> int:
    """Looks once through the store for the acts of takedowns opened since, under other names, and returns how many it found."""
    this: Any = (withdrawn.c.entry == entry, withdrawn.c.act != "", withdrawn.c.sought_at.is_(None))
    _read_acts(gateway, entry)
    with gateway.engine.connect() as connection:
        sought = connection.execute(sa.select(withdrawn.c.record).where(*this)).scalars().all()
        if not sought or entry not in gateway.catalog.entries:
            return 0
        found = 0
        for chunk in gateway.store.current(connection, entry, acts.fields(gateway, entry)):
            with writing(gateway.engine) as writer:
                found += enter_alike(writer, gateway, entry, chunk)
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(withdrawn).where(*this, withdrawn.c.record.in_(sought)).values(sought_at=gateway.clock().isoformat()))
    return found


def _read_acts(gateway: Gateway, entry: str) -> None:
    """Makes up for what could not be read when a takedown was opened, as far as the store is whole again."""
    unread = withdrawn.c.entry == entry, withdrawn.c.lifted_at.is_(None), withdrawn.c.act == suppressed.UNREAD
    with gateway.engine.connect() as connection:
        if connection.execute(sa.select(withdrawn.c.record).where(*unread).limit(1)).first() is None:
            return
    with writing(gateway.engine) as connection:
        records = connection.execute(sa.select(withdrawn.c.record).where(*unread)).scalars().all()
        for record, known in suppressed.known_by(connection, gateway, entry, records).items():
            connection.execute(sa.update(withdrawn).where(*unread, withdrawn.c.record == record).values(known))
