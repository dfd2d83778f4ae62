"""The book of cases: each step is compared with the state it leaves, and stands on the ledger in the same transaction (D44)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from gateway.cases.states import OPEN, CaseRefused, Kind, NoCase, State, expect_next
from gateway.people import Person
from ledger import log
from ledger.events import Event, Line
from records.schema import case_steps, cases


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it stands. `unit` is where it lies, `due` the last day of the step it waits for ("" for none), days are ISO."""

    case: str
    kind: Kind
    entry: str
    record: str
    subject: str
    applied_on: str
    received_by: str
    determined_by: str
    unit: str
    state: State
    due: str
    decide_by: str
    rule: str
    instrument: str
    decision: str = ""
    decided_by: str = ""
    document: str = ""
    reason: str = ""
    changed_at: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Who takes a step, when, and what changes with it besides the state: columns of the case; `due` is that of the new state."""

    person: Person
    at: datetime
    due: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


def find(connection: Connection, name: str, kind: Kind) -> Case:
    """The case of that name and kind. Raises NoCase."""
    row = connection.execute(sa.select(cases).where(cases.c.case == name, cases.c.kind == str(kind))).mappings().one_or_none()
    if row is None:
        raise no_case(name, kind)
    return _case(dict(row))


def no_case(name: str, kind: Kind) -> NoCase:
    """What is said of a name that no case of a kind bears."""
    return NoCase(f"case {name}", f"没有此案件；请查看 gateway {kind} status。", f"no such {kind}; see gateway {kind} status")


def every(connection: Connection, kind: Kind | None = None, states: tuple[State, ...] = tuple(State)) -> list[Case]:
    """The cases in some states, what is due first at the top."""
    query = sa.select(cases).where(cases.c.state.in_([str(state) for state in states])).order_by(cases.c.due, cases.c.case)
    rows = connection.execute(query.where(cases.c.kind == str(kind)) if kind else query).mappings()
    return [_case(dict(row)) for row in rows]


def of_record(connection: Connection, kind: Kind, record: str) -> list[Case]:
    """Every case there ever was of that kind about a record."""
    query = sa.select(cases).where(cases.c.record == record, cases.c.kind == str(kind)).order_by(cases.c.case)
    return [_case(dict(row)) for row in connection.execute(query).mappings()]


def of_subject(connection: Connection, subject: str) -> list[Case]:
    """Every case there ever was about a record of a subject, by its keyed name; the oldest application first."""
    query = sa.select(cases).where(cases.c.subject == subject).order_by(cases.c.applied_on, cases.c.case)
    return [_case(dict(row)) for row in connection.execute(query).mappings()]


def steps(connection: Connection, case: str) -> list[dict[str, Any]]:
    """The states a case went through, the first first: state, at, due (by which day it was to come), by, unit."""
    query = sa.select(case_steps).where(case_steps.c.case == case)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row["at"], list(State).index(State(row["state"]))))


def open_case(connection: Connection, case: Case, person: Person, at: datetime) -> Case:
    """Takes a case in. Raises CaseRefused if one of its kind is open already for the record."""
    if held := [each for each in of_record(connection, case.kind, case.record) if each.state in OPEN]:
        raise CaseRefused(f"record {case.record}", f"已有在办案件 {held[0].case}；请在该案件中继续办理。",
                          f"{case.kind} case {held[0].case} is open already; go on with that one")
    case = replace(case, changed_at=at.isoformat())
    try:
        connection.execute(sa.insert(cases).values(**_row(case)))
    except IntegrityError:
        raise CaseRefused(f"record {case.record}", "同一时刻另有同类案件被受理登记；请查看其状态。",
                          f"another {case.kind} case was opened at the same moment; look at its status") from None
    _note(connection, case, person, (at, ""))
    log.append(connection, [_line(Event.CASE_OPENED, case, person)], at)
    return case


def move(connection: Connection, case: Case, to: State, act: Act) -> Case:
    """Moves a case on, and returns it as it then stands.

    Raises CaseRefused if `to` does not follow its state, or somebody moved it since it was read; then nothing changes.
    """
    expect_next(case.case, case.state, to)
    moved = replace(case, state=to, due=act.due, changed_at=act.at.isoformat(), **act.changes)
    this = sa.update(cases).where(cases.c.case == case.case, cases.c.state == str(case.state), cases.c.changed_at == case.changed_at)
    if connection.execute(this.values(**_row(moved))).rowcount != 1:
        raise CaseRefused(f"case {case.case}", "同一时刻已有他人办理本案；请查看其状态后重新办理。",
                          "somebody moved it at the same moment; look at its status and decide again")
    _note(connection, moved, act.person, (act.at, case.due))
    log.append(connection, [_line(Event.CASE_MOVED, moved, act.person)], act.at)
    return moved


def _note(connection: Connection, case: Case, person: Person, when: tuple[datetime, str]) -> None:
    at, due = when
    connection.execute(sa.insert(case_steps).values(
        case=case.case, state=str(case.state), at=at.isoformat(), due=due, by=person.name, unit=person.unit))


def _line(event: Event, case: Case, person: Person) -> Line:
    notes = {"case": case.case, "kind": str(case.kind), "entry": case.entry, "record": case.record, "state": str(case.state),
             "deadline": case.due, "reason": case.reason, "rule": case.rule, "decision": case.decision, "document": case.document,
             "by": person.name, "unit": person.unit}
    return Line(event, "", f"store.{case.entry}", figures={"cases": 1}, notes={name: note for name, note in notes.items() if note})


def _row(case: Case) -> dict[str, str]:
    return {each.name: str(getattr(case, each.name)) for each in fields(case)}


def _case(row: dict[str, Any]) -> Case:
    return Case(**row | {"kind": Kind(row["kind"]), "state": State(row["state"])})
