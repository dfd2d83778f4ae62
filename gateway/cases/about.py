"""What a case needs to know of its record: the subject's keyed name, the unit that determined it, and when repair may begin."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

import release
from catalog.model import Entry
from gateway.cases.states import NoCase
from gateway.settings import Gateway
from records.identity import TEXT, subjects
from records.schema import blocks, stored
from records.store import Erased

_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class About:
    """Of one record: its entry, the subject's keyed name ("" where the record names no number), the unit that determined it, and
    the last day of the minimum period of publicity (None where the entry has no clock, or it cannot tell)."""

    entry: str
    subject: str
    determined_by: str
    earliest: date | None


def about(gateway: Gateway, connection: Connection, record: str) -> About:
    """What the newest version of a record says. Raises NoCase if the store never had it, or nobody can read it any more."""
    entry_code, row = _read(gateway, connection, record)
    entry = gateway.catalog.entries[entry_code]
    asked = sorted({*release.decision_fields(entry), *([entry.document.authority] if entry.document else [])})
    table = pa.record_batch({code: pa.array([_said(row, code)], pa.string()) for code in asked})
    number = pd.Series(release.numbers(table, entry).to_pylist(), dtype=TEXT)
    name = subjects(number, gateway.keyring.derive("identity", "subject")).iloc[0]
    clocked = release.Facts(table, gateway.catalog, entry_code).clocked
    ends = clocked.earliest[0].as_py() if clocked else None
    return About(entry_code, "" if pd.isna(name) else str(name), _determined_by(gateway, entry_code, entry, row),
                 date.fromisoformat(ends) if ends else None)


def newest_since(connection: Connection, entry: str, record: str) -> str:
    """Since when the store has the newest version of a record (ISO instant), "" if it was erased."""
    query = sa.select(blocks.c.since).join(stored, stored.c.block == blocks.c.block).where(
        blocks.c.entry == entry, stored.c.record == record, stored.c.until.is_(None), stored.c.salt.is_not(None))
    return str(connection.execute(query).scalar_one_or_none() or "")


def is_same_unit(one: str, other: str) -> bool:
    """Whether two names are those of one unit, however widths and blanks were typed. No name is nobody's."""
    return bool(one.strip()) and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _read(gateway: Gateway, connection: Connection, record: str) -> tuple[str, pd.DataFrame]:
    try:
        entry = gateway.store.entry_of(connection, record)
        row = gateway.store.at(connection, entry, record, _ALWAYS)
    except KeyError:
        raise NoCase(f"record {record}", "库中从未有此记录；记录编号可用 gateway record 由主键查得。",
                     "the store never had it; `gateway record` gives the id of a record from its key") from None
    except Erased:
        raise NoCase(f"entry {entry}, record {record}", "该记录已被删除，任何人都无法再读取。",
                     "erased; nobody can read it any more") from None
    if entry not in gateway.catalog.entries:
        raise NoCase(f"record {record}", f"其事项 {entry} 已不在目录中；记录可修复期间，请将该事项恢复到目录。",
                     f"its entry {entry} left the catalogue; put it back as long as its records can be repaired")
    return entry, row


def _said(row: pd.DataFrame, code: str) -> str | None:
    value = row[code].iloc[0] if code in row.columns else None
    return str(value) if isinstance(value, str) else None


def _determined_by(gateway: Gateway, code: str, entry: Entry, row: pd.DataFrame) -> str:
    """The field of the record that names who decided; where it is empty, or there is none, the department that answers for the entry."""
    if entry.document and (named := (_said(row, entry.document.authority) or "").strip()):
        return named
    departments = [gateway.catalog.departments[gateway.catalog.department_of(name)]
                   for name, feed in gateway.catalog.feeds.items() if feed.entry == code]
    if not departments:
        raise NoCase(f"entry {code}", "记录中没有认定单位，目录中也没有报送部门；请在目录中写明归集单位。",
                     "its records name no unit and no department hands it in; name its collector in the catalogue")
    return departments[0].title.zh
