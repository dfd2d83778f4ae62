"""All that is held of one subject and who got it: for a registered person with a purpose, and on the ledger (D46, D47, D53)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy.engine import Connection

import release
from delivery import Effect
from gateway.cases import book
from gateway.explain import cited
from gateway.lookups import Asker, answered, look_up
from gateway.past_editions import PastEditions
from gateway.settings import Gateway
from gateway.typed_number import doubt, is_holdable
from gateway.way import under_each_handle
from ledger.disclosed import history, recipients
from ledger.holdings import TEXT, Holder, orders
from records.identity import subjects
from records.stages import ANSWERED, HANDLE, RECORD

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Who asks after a subject, and for what. `number` is a credit code or ID number; it is never kept."""

    number: str
    person: str
    purpose: str
    document: str = ""


def report(gateway: Gateway, asked: LookUp, what: str = "report") -> Json:
    """What is held of a subject: per record its fields, on which basis it is recorded, and per recipient what it was given, when, on
    which basis and under which edition; what was taken back and why; what the subject applied for (PIPL art. 45); and which entries
    could not be looked through, since they left the catalogue.

    Every look-up is put on the ledger before anything is read, with person, role, purpose and the subject's keyed name;
    refusals too. `doubt` says why the number looks mistyped where nothing was found ("" if it does not): nothing held may then mean a
    slip of the hand. Raises Refused, of which WrongNumber is a kind, EditionUnknown.
    """
    name = str(subjects(pd.Series([asked.number], dtype=TEXT), gateway.keyring.derive("identity", "subject"))[0])
    asker = Asker(asked.person, asked.purpose, asked.document, not is_holdable(gateway, asked.number))
    seq = look_up(gateway, asker, what, {"subject": name}, shows_values=True)
    with gateway.engine.connect() as connection:
        past = PastEditions(gateway, connection)
        found = [each for entry in sorted(gateway.catalog.entries) for each in _of_entry(gateway, past, entry, name)]
        cases = [_case(gateway, connection, case) for case in book.of_subject(connection, name)]
        unread = [entry for entry in gateway.store.entries(connection) if entry not in gateway.catalog.entries]
    answered(gateway, seq, len(found))
    return {"subject": name, "asked_by": asked.person, "purpose": asked.purpose, "at": gateway.clock().isoformat(), "records": found,
            "cases": cases, "unread_entries": unread, "doubt": "" if found else doubt(gateway, asked.number)}


def _of_entry(gateway: Gateway, past: PastEditions, entry: str, name: str) -> Iterator[Json]:
    known, connection = gateway.catalog.entries[entry], past.connection
    key, taken_back = gateway.keyring.derive("identity", "subject"), orders(connection, entry)
    for chunk in gateway.store.current(connection, entry, list(known.fields)):
        named = subjects(_numbers(chunk, gateway, entry), key)
        rows: list[dict[str, Any]] = chunk[(named == name).fillna(False).to_numpy(dtype=bool)].to_dict("records")  # type: ignore[assignment]
        for row in rows:
            record = str(row.pop(RECORD))
            yield {"entry": entry, "title": known.title.model_dump(), "record": record,
                   "basis": [cited(gateway.catalog, basis) for basis in known.basis],
                   "fields": [{"field": code, "title": known.fields[code].title.model_dump(), "value": _worded(gateway, entry, code, value)}
                              for code, value in row.items() if isinstance(value, str)],
                   "taken_back": taken_back.get(record),
                   "given": [given for recipient in recipients(connection, entry)
                             for given in _given(gateway, past, Holder(recipient, entry), record)]}


def _worded(gateway: Gateway, entry: str, code: str, value: str) -> str:
    """A value as a person reads it: codes by their names."""
    names = gateway.catalog.codes.get(gateway.catalog.entries[entry].fields[code].codes or "", {})
    return "、".join(names.get(part, part) for part in value.split(";")) if names else value


def _numbers(chunk: pd.DataFrame, gateway: Gateway, entry: str) -> pd.Series:
    known = gateway.catalog.entries[entry]
    names = {code for code in (known.subject.uscc, known.subject.id_number, known.subject.category) if code}
    table = pa.record_batch({code: pa.array(chunk[code].to_list(), pa.string()) for code in names})
    return pd.Series(release.numbers(table, known).to_pylist(), index=chunk.index, dtype=TEXT)


def _given(gateway: Gateway, past: PastEditions, holder: Holder, record: str) -> list[Json]:
    named = under_each_handle(gateway, holder, pd.DataFrame({RECORD: [record]}, dtype=TEXT))[HANDLE]
    told = history(past.connection, holder, named.to_list()).drop(columns=["run"])
    known = gateway.catalog.recipients.get(holder.recipient)
    title = known.title.model_dump() if known else {"zh": holder.recipient, "en": ""}
    rows: list[Json] = told.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        row |= {"recipient": holder.recipient, "title": title, "is_answered": row["state"] in ANSWERED, "fields": [], "basis": []}
        if row["effect"] == Effect.BRING and row["edition"]:
            row |= past.grant(row["at"], row["edition"], holder)
    return rows


def _case(gateway: Gateway, connection: Connection, case: book.Case) -> Json:
    """What a subject may know of a case: no paper, and no name of an officer."""
    entry = gateway.catalog.entries.get(case.entry)
    said = ("case", "entry", "record", "applied_on", "received_by", "determined_by", "due", "document")
    return {name: getattr(case, name) for name in said} | {
        "kind": str(case.kind), "state": str(case.state), "title": entry.title.model_dump() if entry else {"zh": case.entry, "en": ""},
        "steps": [{"state": step["state"], "at": step["at"]} for step in book.steps(connection, case.case)]}
