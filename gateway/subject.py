"""All that is held of one subject and who got it: for a registered person with a purpose, and on the ledger (D46, D47, D53)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy.engine import Connection

import release
from gateway.people import person, register
from gateway.settings import Gateway
from ledger import log
from ledger.disclosed import history
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder
from records.identity import handles, subjects
from records.schema import writing
from records.stages import RECORD

Json = dict[str, Any]
ROLES = ("compliance", "repair")


class Refused(PermissionError):
    """The look-up is not allowed. It stands on the ledger all the same."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Who asks after a subject, and for what. `number` is a credit code or ID number; it is never kept."""

    number: str
    person: str
    purpose: str


def report(gateway: Gateway, asked: LookUp) -> Json:
    """What is held of a subject: per record its fields, and per recipient what it was given, when and under which edition, and
    what was taken back (PIPL art. 45).

    Every look-up is put on the ledger before anything is read, with person, role, purpose and the subject's keyed name;
    refusals too. Raises Refused.
    """
    name = subjects(pd.Series([asked.number], dtype=TEXT), gateway.keyring.derive("identity", "subject"))[0]
    role = person(gateway, asked.person).role
    refused = "no-purpose" if not asked.purpose.strip() else "" if role in ROLES else "no-role"
    event = Event.LOOK_UP_REFUSED if refused else Event.LOOKED_UP
    notes = {"subject": str(name), "person": asked.person, "role": role, "purpose": asked.purpose, "reason": refused}
    with writing(gateway.engine) as connection:
        log.append(connection, [Line(event, "", "", notes=notes)], gateway.clock())
    if refused:
        raise Refused(f"{asked.person}: no look-up; " + ("name its purpose" if refused == "no-purpose" else
                      f"register the person with one of the roles {', '.join(ROLES)} in {register(gateway)}"))
    with gateway.engine.connect() as connection:
        found = [each for entry in sorted(gateway.catalog.entries) for each in _of_entry(gateway, connection, entry, str(name))]
    return {"subject": str(name), "asked_by": asked.person, "purpose": asked.purpose, "at": gateway.clock().isoformat(), "records": found}


def look_ups(gateway: Gateway) -> list[Json]:
    """Every look-up and refusal there ever was, the oldest first: at, event, and the notes; for compliance to review."""
    return [{"at": at, "event": event, **notes} for at, event, notes in log.told(gateway.engine, [Event.LOOKED_UP, Event.LOOK_UP_REFUSED])]


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
