"""A case on the desk of a person: one transaction in which the case is read, the person is known, and steps are taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy.engine import Connection

from gateway.cases import book
from gateway.cases.about import about, is_same_unit
from gateway.cases.book import Act, Case
from gateway.cases.clocks import clocks_of, objection_days
from gateway.cases.papers import Paper, put
from gateway.cases.states import CaseRefused, Kind, State
from gateway.people import CASE_ROLES, Person, person, register, unreadable
from gateway.settings import Gateway
from ledger import log
from records.database import writing


@dataclass
class Desk:
    """The case as it stands now, who has it in hand, and the transaction that keeps all or nothing of what is done."""

    gateway: Gateway
    connection: Connection
    person: Person
    case: Case

    def move(self, to: State, due: str = "", **changes: str) -> None:
        """Moves the case on. Raises CaseRefused."""
        self.case = book.move(self.connection, self.case, to, Act(self.person, self.gateway.clock(), due, changes))

    def expect_here(self) -> None:
        """Returns if the case lies at the person's own unit; raises CaseRefused if not."""
        if not is_same_unit(self.person.unit, self.case.unit):
            raise CaseRefused(f"case {self.case.case}",
                              f"本案在{self.case.unit}，{self.person.name}属于{self.person.unit}；请由该单位办理。",
                              f"it lies at {self.case.unit}, and {self.person.name} belongs to {self.person.unit}; somebody there takes it")

    def expect_decider(self) -> None:
        """Returns if the person belongs to the unit that determined the record, and the case lies there (谁认定、谁修复); raises
        CaseRefused if not."""
        if not is_same_unit(self.person.unit, self.case.determined_by):
            until = self.case.due or self.case.decide_by
            raise CaseRefused(f"case {self.case.case}", f"谁认定、谁决定：认定单位为{self.case.determined_by}，不是{self.person.unit}；"
                              f"请不迟于 {until} 转办。",
                              f"{self.case.determined_by} determined the record and decides, not {self.person.unit}; hand it on by "
                              f"{until}: gateway {self.case.kind} hand-on {self.case.case}")
        if not is_same_unit(self.case.unit, self.case.determined_by):
            raise CaseRefused(f"case {self.case.case}", f"本案仍在{self.case.unit}，须先转办。",
                              f"it still lies at {self.case.unit}, which hands it on first: "
                              f"gateway {self.case.kind} hand-on {self.case.case}")


@contextmanager
def handling(gateway: Gateway, name: str, kind: Kind, by: str) -> Iterator[Desk]:
    """A case on somebody's desk; what is done there is kept whole when the block ends, or not at all. Raises NoCase, CaseRefused."""
    who = registered(gateway, by)
    with writing(gateway.engine) as connection:
        log.queue(connection)  # what is read from here on nobody else changes before it is kept
        yield Desk(gateway, connection, who, book.find(connection, name, kind))


def registered(gateway: Gateway, name: str) -> Person:
    """Somebody who may handle cases: registered with a role and a unit. Raises CaseRefused."""
    known = person(gateway, name)
    if known.role not in CASE_ROLES or not known.unit.strip():
        zh, en = unreadable(gateway) or (
            f"请在 {register(gateway)} 中登记其角色（{'、'.join(CASE_ROLES)}）和单位（与记录中的名称一致）。",
            f"register the person in {register(gateway)} as {{role: {' or '.join(CASE_ROLES)}, unit: the unit as records name it}}")
        raise CaseRefused(name or "nobody", f"无权办理案件；{zh}", f"may not handle cases; {en}")
    return known


@dataclass(frozen=True, slots=True)
class Application:
    """What comes in: about which record, received by whom and when, with which papers."""

    record: str
    by: str
    received_on: date
    papers: Sequence[Paper]


def take_in(gateway: Gateway, kind: Kind, application: Application) -> Case:
    """Opens a case under the clocks of the day of receipt, and seals its papers. Raises NoCase, CaseRefused."""
    who, at, record = registered(gateway, application.by), gateway.clock(), application.record
    if application.received_on > gateway.today:
        raise CaseRefused(f"record {record}", f"收件日期 {application.received_on} 尚未到来；请更正日期。",
                          f"received on {application.received_on}, which has not come yet; mend the day")
    with writing(gateway.engine) as connection:
        log.queue(connection)
        known = about(gateway, connection, record)
        days = objection_days(gateway.catalog, gateway.catalog.entries[known.entry]) if kind is Kind.OBJECTION else None
        clocks = clocks_of(gateway.catalog, application.received_on, days)
        case = Case(
            _name(connection, kind, application), kind, known.entry, record, known.subject, application.received_on.isoformat(),
            received_by=who.unit, determined_by=known.determined_by, unit=who.unit, state=State.APPLIED, due=clocks.accept_by.isoformat(),
            decide_by=clocks.decide_by.isoformat(), rule=clocks.rule, instrument=clocks.instrument)
        case = book.open_case(connection, case, who, at)
        put(connection, gateway, case.case, application.papers, at)
    return case


def _name(connection: Connection, kind: Kind, application: Application) -> str:
    """Kind, day and a short digest: tells nothing of the record, and two at once about one record collide instead of both standing."""
    before = len(book.of_record(connection, kind, application.record))
    short = hashlib.sha256(f"{kind}|{application.record}|{before}".encode()).hexdigest()[:10]
    return f"{kind}-{application.received_on:%Y%m%d}-{short}"
