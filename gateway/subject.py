"""All that is held of one subject and who got it: for a registered person with a purpose, and on the ledger (D46, D47, D53)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy.engine import Connection

import release
from gateway.lookups import Asker, answered, look_up
from gateway.settings import Gateway
from ledger.disclosed import history
from ledger.holdings import TEXT, Holder
from records.identity import handles, subjects
from records.stages import RECORD

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Who asks after a subject, and for what. `number` is a credit code or ID number; it is never kept."""

    number: str
    person: str
    purpose: str
    document: str = ""


def report(gateway: Gateway, asked: LookUp, what: str = "report") -> Json:
    """What is held of a subject: per record its fields, and per recipient what it was given, when and under which edition, and
    what was taken back (PIPL art. 45).

    Every look-up is put on the ledger before anything is read, with person, role, purpose and the subject's keyed name;
    refusals too. Raises Refused.
    """
    name = str(subjects(pd.Series([asked.number], dtype=TEXT), gateway.keyring.derive("identity", "subject"))[0])
    seq = look_up(gateway, Asker(asked.person, asked.purpose, asked.document), what, {"subject": name}, shows_values=True)
    with gateway.engine.connect() as connection:
        found = [each for entry in sorted(gateway.catalog.entries) for each in _of_entry(gateway, connection, entry, name)]
    answered(gateway, seq, len(found))
    return {"subject": name, "asked_by": asked.person, "purpose": asked.purpose, "at": gateway.clock().isoformat(), "records": found}


def _of_entry(gateway: Gateway, connection: Connection, entry: str, name: str) -> Iterator[Json]:
    known = gateway.catalog.entries[entry]
    key = gateway.keyring.derive("identity", "subject")
    for chunk in gateway.store.current(connection, entry, list(known.fields)):
        named = subjects(_numbers(chunk, gateway, entry), key)
        rows: list[dict[str, Any]] = chunk[(named == name).fillna(False).to_numpy(dtype=bool)].to_dict("records")  # type: ignore[assignment]
        for row in rows:
            record = str(row.pop(RECORD))
            yield {"entry": entry, "title": known.title.model_dump(), "record": record,
                   "fields": [{"field": code, "title": known.fields[code].title.model_dump(), "value": _worded(gateway, entry, code, value)}
                              for code, value in row.items() if isinstance(value, str)],
                   "given": [given for recipient in sorted(gateway.catalog.recipients)
                             for given in _given(gateway, connection, Holder(recipient, entry), record)]}


def _worded(gateway: Gateway, entry: str, code: str, value: str) -> str:
    """A value as a person reads it: codes by their names."""
    names = gateway.catalog.codes.get(gateway.catalog.entries[entry].fields[code].codes or "", {})
    return "、".join(names.get(part, part) for part in value.split(";")) if names else value


def _numbers(chunk: pd.DataFrame, gateway: Gateway, entry: str) -> pd.Series:
    known = gateway.catalog.entries[entry]
    names = {code for code in (known.subject.uscc, known.subject.id_number, known.subject.category) if code}
    table = pa.record_batch({code: pa.array(chunk[code].to_list(), pa.string()) for code in names})
    return pd.Series(release.numbers(table, known).to_pylist(), index=chunk.index, dtype=TEXT)


def _given(gateway: Gateway, connection: Connection, holder: Holder, record: str) -> list[Json]:
    key = gateway.keyring.derive("handle", holder.recipient, holder.entry)
    told = history(connection, holder, handles(pd.Series([record], dtype=TEXT), key)[0])
    rows: list[Json] = told.drop(columns=["run"]).to_dict("records")  # type: ignore[assignment]
    title = gateway.catalog.recipients[holder.recipient].title.model_dump()
    return [{"recipient": holder.recipient, "title": title, **row} for row in rows]
