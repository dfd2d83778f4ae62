"""The end of publicity: what a site shows past its last day is asked back on the short road, without reading the store (D19, D41)."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from catalog.model import RecipientKind
from gateway.effects import effect_at
from gateway.orders import DAYS
from gateway.settings import Gateway
from ledger import log, withdrawals
from ledger.holdings import TEXT, Holder
from ledger.withdrawals import EFFECT, State
from records.database import writing
from records.schema import holdings
from records.schema import withdrawals as asked
from records.stages import HANDLE, NOTICE, RECORD, Notice
from records.workdays import add_working_days


def entries(gateway: Gateway) -> list[str]:
    """The entries of which a site holds a record past its last day and was not asked for it yet."""
    with gateway.engine.connect() as connection:
        return sorted({entry for site in _sites(gateway) for entry in connection.execute(
            sa.select(holdings.c.entry).where(*_past(gateway, site)).distinct()).scalars()})


def expire(gateway: Gateway, entry: str) -> int:
    """Notes what each site must take back of an entry since its last day is over, and returns how many; `taking_back` asks for it."""
    deadline, noted = add_working_days(gateway.today, DAYS).isoformat(), 0
    with writing(gateway.engine) as connection:
        log.queue(connection)  # an order that changes the same rows waits for these, or these for it
        for site in _sites(gateway):
            rows = _rows(connection, gateway, Holder(site, entry))
            withdrawals.ask(connection, Holder(site, entry), rows, (gateway.clock(), deadline))
            noted += len(rows)
    return noted


def _rows(connection: Connection, gateway: Gateway, holder: Holder) -> pd.DataFrame:
    query = sa.select(holdings.c.record, holdings.c.handle).where(*_past(gateway, holder.recipient), holdings.c.entry == holder.entry)
    rows = pd.DataFrame(list(map(tuple, connection.execute(query))), columns=[RECORD, HANDLE], dtype=TEXT)
    effect = effect_at(RecipientKind.PUBLICITY_SITE, Notice.EXPIRY, {})
    return rows.assign(**{NOTICE: str(Notice.EXPIRY), EFFECT: str(effect)})


def _past(gateway: Gateway, site: str) -> tuple[sa.ColumnElement[bool], ...]:
    is_asked = sa.exists().where(asked.c.recipient == holdings.c.recipient, asked.c.entry == holdings.c.entry,
                                 asked.c.handle == holdings.c.handle, asked.c.state == State.OUTSTANDING)
    return holdings.c.recipient == site, holdings.c.ends_on < gateway.today.isoformat(), ~is_asked


def _sites(gateway: Gateway) -> list[str]:
    return [name for name, known in gateway.catalog.recipients.items() if known.kind is RecipientKind.PUBLICITY_SITE]
