"""What changed between the store and a recipient, told by the database: what is held just so, and what need not be decided again.

A holding says under which terms it was decided (ledger/terms.py), as of which block of the store, and when its day comes; so does
what was withheld. While none of the three has moved, deciding again would come to the same, and nothing of it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import String
from sqlalchemy.engine import Connection

from ledger.holdings import TEXT, Holder
from ledger.terms import Standing
from records.bulk import ARRIVING, beside_arriving, set_wise
from records.schema import blocks, holdings, stored, withdrawn, withheld
from records.stages import DIGEST, HANDLE, RECORD

_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Settled:
    """What need not be decided again: how many records are held just so, and how many are withheld for which reason. undecided: how
    many stored records must be; unseen: how many are held of which the store knows nothing."""

    unchanged: int
    withheld: dict[str, int]
    undecided: int
    unseen: int


@dataclass(frozen=True, slots=True)
class Since:
    """Whose records are looked at, under which terms, on which day. `is_uncertain`: some may have arrived without a receipt,
    so that what is withheld cannot be called settled."""

    holder: Holder
    terms: Standing
    on: date
    is_uncertain: bool = False

    def settled(self) -> sa.ColumnElement[Any]:
        """What stands for a stored record that need not be decided again: "held", or the reason why it is withheld; else NULL."""
        if not self.terms.is_trusted:
            return sa.cast(sa.null(), String)
        free = stored.c.record.not_in(
            sa.select(withdrawn.c.record).where(withdrawn.c.entry == self.holder.entry, withdrawn.c.lifted_at.is_(None)))
        # An empty digest: what is held there is not known, and it is brought anew.
        is_known = holdings.c.state == "held", holdings.c.digest != ""
        cases: list[tuple[Any, Any]] = [(sa.and_(free, *is_known, *self._stands(holdings)), sa.literal("held"))]
        if not self.is_uncertain:
            cases.append((sa.and_(free, holdings.c.record.is_(None), *self._stands(withheld)), withheld.c.reason))
        return sa.case(*cases)

    def _stands(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [table.c.terms == self.terms.id, table.c.as_of == stored.c.block,
                sa.or_(table.c.due_on.is_(None), table.c.due_on > self.on.isoformat())]

    def of_store(self) -> sa.Join:
        """The store beside what is held and withheld of it."""
        def beside(table: sa.Table) -> sa.ColumnElement[bool]:
            mine = table.c.recipient == self.holder.recipient, table.c.entry == self.holder.entry
            return sa.and_(*mine, table.c.record == stored.c.record)

        whole = sa.join(stored, blocks, stored.c.block == blocks.c.block)
        return whole.outerjoin(holdings, beside(holdings)).outerjoin(withheld, beside(withheld))

    def current(self) -> tuple[sa.ColumnElement[bool], ...]:
        return blocks.c.entry == self.holder.entry, stored.c.until.is_(None), stored.c.salt.is_not(None)


def settled(connection: Connection, since: Since) -> Settled:
    """Counts what need not be decided again, and what must be, in one pass over the store."""
    set_wise(connection)
    what, is_held = since.settled().label("what"), holdings.c.record.is_not(None).label("is_held")
    counted = sa.select(what, is_held, sa.func.count()).select_from(since.of_store()).where(*since.current()).group_by(what, is_held)
    rows = [(word, bool(held), int(n)) for word, held, n in connection.execute(counted)]
    found = Counter[str]()
    for word, _, n in rows:
        found[str(word or "")] += n
    whole = int(connection.execute(sa.select(sa.func.count()).select_from(holdings).where(*_of(since.holder))).scalar_one())
    unseen = whole - sum(n for _, held, n in rows if held)
    return Settled(found.pop("held", 0), undecided=found.pop("", 0), withheld=dict(found), unseen=unseen)


def undecided(connection: Connection, since: Since) -> Iterator[pd.DataFrame]:
    """The stored records that must be decided again, at most 50,000 at a time: path, record, salt, as_of; block by block."""
    set_wise(connection)
    query = sa.select(blocks.c.path, stored.c.record, stored.c.salt, stored.c.block).select_from(since.of_store())
    query = query.where(*since.current(), since.settled().is_(None)).order_by(blocks.c.block)
    for rows in connection.execution_options(yield_per=_AT_ONCE).execute(query).partitions():
        yield pd.DataFrame([*map(tuple, rows)], columns=["path", "record", "salt", "as_of"])


def unseen(connection: Connection, holder: Holder) -> Iterator[pd.DataFrame]:
    """What a recipient holds of which the store knows nothing: RECORD, at most 50,000 at a time."""
    set_wise(connection)
    known = sa.exists().where(stored.c.record == holdings.c.record, stored.c.until.is_(None), stored.c.salt.is_not(None),
                              stored.c.block.in_(sa.select(blocks.c.block).where(blocks.c.entry == holder.entry)))
    query = sa.select(holdings.c.record).where(*_of(holder), ~known).order_by(holdings.c.record)
    for rows in connection.execution_options(yield_per=_AT_ONCE).execute(query).partitions():
        yield pd.DataFrame({RECORD: pd.Series([row[0] for row in rows], dtype=TEXT)})


def held_of(connection: Connection, holder: Holder, run: str) -> pd.DataFrame:
    """What the recipient holds of the records that were laid down with their digests: RECORD, HANDLE, DIGEST, state; is_just_so,
    whether it holds it with that digest and without a mark; is_by_run, whether this run brought it."""
    joined, held = beside_arriving(connection, holdings, _beside(holder))
    is_just_so = sa.func.coalesce(sa.and_(held.digest == ARRIVING.c.digest, held.state == "held"), sa.false())
    query = sa.select(held.record, held.handle, held.digest, held.state, is_just_so, held.run == run).select_from(joined)
    names = [RECORD, HANDLE, DIGEST, "state"]
    found = pd.DataFrame([*map(tuple, connection.execute(query))], columns=[*names, "is_just_so", "is_by_run"])
    return found.astype(dict.fromkeys(names, TEXT) | {"is_just_so": bool, "is_by_run": bool})


def as_stored_by(connection: Connection, holder: Holder, run: str) -> pd.DataFrame:
    """Of the records that were laid down, those whose current version this very run brought: RECORD, as_of. Of any other nobody can
    tell here whether it is the version at hand."""
    mine = sa.select(blocks.c.block).where(blocks.c.entry == holder.entry, blocks.c.run == run)
    is_newest = stored.c.record == ARRIVING.c.record, stored.c.until.is_(None), stored.c.block.in_(mine)
    joined, version = beside_arriving(connection, stored, *is_newest)
    rows = connection.execute(sa.select(ARRIVING.c.record, version.block).select_from(joined)).all()
    found = {RECORD: pd.Series([row[0] for row in rows], dtype=TEXT), "as_of": pd.Series([row[1] for row in rows], dtype="Int64")}
    return pd.DataFrame(found)


def remember(connection: Connection, since: Since) -> None:
    """Notes what a re-decision of the records laid down has come to, in the caller's transaction.

    Laid down: record; digest, as_of, ends_on, due_on of what is held just so; as_of, due_on, reason of what is withheld. A record on
    the suppression list is withheld by the list alone and needs no note (I6).
    """
    set_wise(connection)
    holder, these = since.holder, sa.select(ARRIVING.c.record)
    same = sa.update(holdings).values(terms=since.terms.id, **{name: ARRIVING.c[name] for name in ("as_of", "ends_on", "due_on")})
    connection.execute(same.where(_beside(holder), holdings.c.digest == ARRIVING.c.digest))
    mine = withheld.c.recipient == holder.recipient, withheld.c.entry == holder.entry
    connection.execute(sa.delete(withheld).where(*mine, withheld.c.record.in_(these)))
    said = sa.select(sa.literal(holder.recipient), sa.literal(holder.entry), ARRIVING.c.record, sa.literal(since.terms.id),
                     ARRIVING.c.as_of, ARRIVING.c.reason, ARRIVING.c.due_on)
    said = said.where(ARRIVING.c.reason.is_not(None), ARRIVING.c.reason != "withdrawn")
    names = ["recipient", "entry", "record", "terms", "as_of", "reason", "due_on"]
    connection.execute(sa.insert(withheld).from_select(names, said))


def _of(holder: Holder) -> tuple[sa.ColumnElement[bool], ...]:
    return holdings.c.recipient == holder.recipient, holdings.c.entry == holder.entry


def _beside(holder: Holder) -> sa.ColumnElement[bool]:
    return sa.and_(*_of(holder), holdings.c.record == ARRIVING.c.record)
