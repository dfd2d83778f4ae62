"""How recipients' holdings differ from what they should be, as the last reconciliation found it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.settings import Gateway
from ledger.events import Event
from records.schema import discrepancies, holdings, lines

KIND = "kind"


class Kind(StrEnum):
    """How a recipient's holdings differ from what they should be."""

    MISSING = "missing"  # it should be there and is not
    EXTRA = "extra"  # nothing was ever sent under that handle
    STALE = "stale"  # the gateway has newer content that it has not brought yet
    ALTERED = "altered"  # other content than was brought
    RESURRECTED = "resurrected"  # there again, or still, after the recipient confirmed to have withdrawn it
    PUBLICITY_END = "publicity-end"  # another end of publicity than the clock's (D19)
    UNCONFIRMED = "unconfirmed"  # it arrived, and no receipt came


def is_settled(figures: Mapping[str, int]) -> bool:
    """Whether all that differed was repaired."""
    return bool(figures["repaired"] == sum(figures[str(kind)] for kind in Kind))


def standing_discrepancies(gateway: Gateway) -> list[dict[str, Any]]:
    """What the last reconciliation with each recipient found: recipient, entry, handle, record ("" if unknown), kind, since,
    repaired_at (None: a person must act)."""
    order = discrepancies.c.recipient, discrepancies.c.entry, discrepancies.c.kind, discrepancies.c.handle
    with gateway.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(discrepancies).order_by(*order)).mappings()]


def compared(gateway: Gateway) -> dict[str, str]:
    """Since when (ISO time) all that each recipient holds was compared: the oldest of the newest reconciliations of its entries; ""
    where one of them never was."""
    with gateway.engine.connect() as connection:
        held = connection.execute(sa.select(holdings.c.recipient, holdings.c.entry).distinct()).all()
        query = sa.select(lines.c.recipient, lines.c.feed, sa.func.max(lines.c.at)).where(lines.c.event == str(Event.RECONCILED))
        last = {(recipient, feed): at for recipient, feed, at in connection.execute(query.group_by(lines.c.recipient, lines.c.feed))}
    found: dict[str, str] = {}
    for recipient, entry in sorted(map(tuple, held)):
        at = last.get((recipient, f"store.{entry}"), "")
        found[recipient] = min(found.get(recipient, at), at)
    return found
