"""All that is held of one subject and who got it: for a registered person with a purpose, and on the ledger (D46, D47, D53)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from records import consents
from records.identity import subjects
from records.stages import ANSWERED, HANDLE, RECORD
from records.store import UNTIL

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
    which basis and under which edition (`until`: a record bore this subject's number until then, and does no more); what was taken
    back and why; what the subject applied for and consented to (PIPL art. 45); and which entries
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
        consented = consents.of_subject(connection, name)
        unread = [entry for entry in gateway.store.entries(connection) if entry not in gateway.catalog.entries]
    answered(gateway, seq, len(found))
    return {"subject": name, "asked_by": asked.person, "purpose": asked.purpose, "at": gateway.clock().isoformat(), "records": found,
            "cases": cases, "consents": consented, "unread_entries": unread, "doubt": "" if found else doubt(gateway, asked.number)}


def _of_entry(gateway: Gateway, past: PastEditions, entry: str, name: str) -> Iterator[Json]:
    known, connection, taken_back = gateway.catalog.entries[entry], past.connection, orders(past.connection, entry)
    mine = {row[RECORD]: row for row in _named(gateway, entry, name, gateway.store.current(connection, entry, None))}
    # What went out while a record bore this number by mistake went out about this subject.
    once = {row[RECORD]: row for row in _named(gateway, entry, name, gateway.store.former(connection, entry)) if row[RECORD] not in mine}
    for record, row in (mine | once).items():
        yield {"entry": entry, "title": known.title.model_dump(), "record": record, "until": row.get(UNTIL, ""),
               "basis": [cited(gateway.catalog, basis) for basis in known.basis],
               "fields": [_field(gateway, entry, code, value) for code, value in row.items()
                          if isinstance(value, str) and code not in (RECORD, UNTIL)],
               "taken_back": taken_back.get(record),
               "given": [given for recipient in recipients(connection, entry)
                         for given in _given(gateway, past, Holder(recipient, entry), record)]}


def _named(gateway: Gateway, entry: str, name: str, chunks: Iterable[pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """The rows whose subject bears a keyed name."""
    key = gateway.keyring.derive("identity", "subject")
    for chunk in chunks:
        is_mine = (subjects(_numbers(chunk, gateway, entry), key) == name).fillna(False).to_numpy(dtype=bool)
        rows: list[dict[str, Any]] = chunk[is_mine].to_dict("records")  # type: ignore[assignment]
        yield from rows


def _field(gateway: Gateway, entry: str, code: str, value: str) -> Json:
    """A value as a person reads it, codes by their names; one whose field left the catalogue under its own code."""
    known = gateway.catalog.entries[entry].fields.get(code)
    names = gateway.catalog.codes.get(known.codes or "", {}) if known else {}
    worded = "、".join(names.get(part, part) for part in value.split(";")) if names else value
    return {"field": code, "title": known.title.model_dump() if known else {"zh": code, "en": ""}, "value": worded}


def _numbers(chunk: pd.DataFrame, gateway: Gateway, entry: str) -> pd.Series:
    known = gateway.catalog.entries[entry]
    names = {code for code in (known.subject.uscc, known.subject.id_number, known.subject.category) if code}
    nothing = [None] * len(chunk)  # where a record was stored before its entry had the field
    table = pa.record_batch({code: pa.array(chunk[code].to_list() if code in chunk else nothing, pa.string()) for code in names})
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
