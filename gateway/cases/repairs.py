"""Repair applications 信用修复申请: one application, decided by the unit that determined the record, acted on by everybody
(clauses 11 and 12; D37–D45)."""

from __future__ import annotations

from gateway.cases.acting import take_back
from gateway.cases.book import Case
from gateway.cases.conditions import expect_ground, unmet
from gateway.cases.desk import Application, handling, take_in
from gateway.cases.states import ENDS_REPAIR, Decision, Ground, Kind, NotDue, State
from gateway.cases.steps import due_once_accepted
from gateway.settings import Gateway
from records.stages import Notice


def apply(gateway: Gateway, application: Application) -> Case:
    """Takes an application in, whatever its merits: its clocks begin on the day of receipt. Raises NoCase, CaseRefused."""
    return take_in(gateway, Kind.REPAIR, application)


def accept(gateway: Gateway, name: str, by: str) -> Case:
    """Takes an application up. Raises NotDue with every ground that stands against it, NoCase, CaseRefused."""
    with handling(gateway, name, Kind.REPAIR, by) as desk:
        desk.expect_here()
        if grounds := unmet(desk):
            raise NotDue(name, grounds)
        desk.move(State.ACCEPTED, due_once_accepted(desk))
        return desk.case


def refuse(gateway: Gateway, name: str, by: str, why: tuple[Ground, str]) -> Case:
    """Does not take an application up, on a ground and a document that the applicant is given. Raises NoCase, CaseRefused."""
    (ground, document) = why
    with handling(gateway, name, Kind.REPAIR, by) as desk:
        desk.expect_here()
        expect_ground(desk, ground)
        desk.move(State.REFUSED, reason=str(ground), document=document)
        return desk.case


def withdraw(gateway: Gateway, name: str, by: str, document: str) -> Case:
    """Ends a case that the applicant has withdrawn before it was decided. Raises NoCase, CaseRefused."""
    with handling(gateway, name, Kind.REPAIR, by) as desk:
        desk.move(State.WITHDRAWN, document=document)
        return desk.case


def decide(gateway: Gateway, name: str, by: str, decided: tuple[Decision, str]) -> Case:
    """Decides an accepted case: `grant` takes the record back from everybody, a record on a list being so removed from it (D40).

    decided: the decision and the number of its document. Whoever decides belongs to the unit that determined the record. Case and
    takedown change together or not at all. Raises NoCase, CaseRefused.
    """
    decision, document = decided
    if decision not in ENDS_REPAIR:
        raise ValueError(f"{decision} decides no repair; name one of {', '.join(ENDS_REPAIR)}")
    with handling(gateway, name, Kind.REPAIR, by) as desk:
        desk.expect_decider()
        desk.move(State.DECIDED, desk.case.decide_by, decision=str(decision), document=document, decided_by=by)
        if decision is Decision.GRANT:
            desk.move(State.PROPAGATING, take_back(desk, Notice.REPAIR, document))
        else:
            desk.move(State.DENIED)
        return desk.case
