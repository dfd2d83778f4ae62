"""What the holdings say when somebody asks: counted by terms, or all of one record. Reads only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from records.schema import blocks, holdings, terms


def by_terms(connection: Connection, recipient: str | None, entry: str | None) -> list[dict[str, Any]]:
    """How many records each recipient holds of each entry under which terms, in a fixed order.

    recipient, entry, state, terms (None: not known), fields, edition, key_versions, records, first_end, last_end (of publicity).
    """
    names: list[Any] = [*(holdings.c[name] for name in ("recipient", "entry", "state", "terms")),
                        *(terms.c[name] for name in ("fields", "edition", "key_versions"))]
    figures = [sa.func.count().label("records"), sa.func.min(holdings.c.ends_on).label("first_end"),
               sa.func.max(holdings.c.ends_on).label("last_end")]
    query = sa.select(*names, *figures).select_from(holdings.outerjoin(terms, terms.c.id == holdings.c.terms))
    query = query.where(*_only(recipient, entry)).group_by(*names).order_by(*names[:3], sa.func.coalesce(holdings.c.terms, 0))
    return [dict(row) for row in connection.execute(query).mappings()]


def of_record(connection: Connection, record: str, recipient: str | None, entry: str | None) -> list[dict[str, Any]]:
    """Everything the holdings say of a record, by recipient: every column of them, with fields and keys of the terms, and as
    `version` when the content that was sent was stored (None: not known)."""
    joined = holdings.outerjoin(terms, terms.c.id == holdings.c.terms).outerjoin(blocks, blocks.c.block == holdings.c.as_of)
    query = sa.select(holdings, terms.c.fields, terms.c.key_versions, blocks.c.since.label("version")).select_from(joined)
    query = query.where(holdings.c.record == record, *_only(recipient, entry)).order_by(holdings.c.recipient, holdings.c.entry)
    return [dict(row) for row in connection.execute(query).mappings()]


def _only(recipient: str | None, entry: str | None) -> list[sa.ColumnElement[bool]]:
    wanted = [(holdings.c.recipient, recipient), (holdings.c.entry, entry)]
    return [column == value for column, value in wanted if value is not None]
