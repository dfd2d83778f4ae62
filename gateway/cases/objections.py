"""Objections 异议: from their acceptance the record is held and marked, until the unit that determined it has verified it
(D28, D41, D58)."""

from __future__ import annotations

from gateway.cases import book
from gateway.cases.about import newest_since
from gateway.cases.acting import hold, let_go, take_back
from gateway.cases.book import Case
from gateway.cases.desk import Application, Desk, handling, take_in
from gateway.cases.states import ENDS_OBJECTION, OPEN, CaseRefused, Decision, Ground, Kind, State
from gateway.cases.steps import due_once_accepted
from gateway.settings import Gateway
from records.stages import Notice

_REASON = {Decision.CORRECT: Notice.CORRECTION, Decision.REVOKE: Notice.REVOCATION}


def take(gateway: Gateway, application: Application) -> Case:
    """Takes an objection in; its clocks begin on the day of receipt. Raises NoCase, CaseRefused."""
    return take_in(gateway, Kind.OBJECTION, application)


def accept(gateway: Gateway, name: str, by: str) -> Case:
    """Takes an objection up: from this moment no path brings the record out anew, users mark it and sites do not show it.

    Raises NoCase, CaseRefused.
    """
    with handling(gateway, name, Kind.OBJECTION, by) as desk:
        desk.expect_here()
        desk.move(State.ACCEPTED, due_once_accepted(desk))
        hold(desk, name)
        return desk.case


def refuse(gateway: Gateway, name: str, by: str, document: str) -> Case:
    """Does not take an objection up, since it does not say what is wrong with which record. Raises NoCase, CaseRefused."""
    with handling(gateway, name, Kind.OBJECTION, by) as desk:
        desk.expect_here()
        desk.move(State.REFUSED, reason=str(Ground.INCOMPLETE), document=document)
        return desk.case


def withdraw(gateway: Gateway, name: str, by: str, document: str) -> Case:
    """Ends an objection that was withdrawn before it was decided, and lets the record go again. Raises NoCase, CaseRefused."""
    with handling(gateway, name, Kind.OBJECTION, by) as desk:
        desk.move(State.WITHDRAWN, document=document)
        let_go(desk, Notice.OBJECTION, document)
        return desk.case


def decide(gateway: Gateway, name: str, by: str, decided: tuple[Decision, str]) -> Case:
    """Decides an accepted objection: dismissed, the record goes where it may; upheld, it is taken back from everybody, to be
    corrected or for good.

    decided: the decision and the number of its document. What was taken back for a repair meanwhile stays so. Raises NoCase,
    CaseRefused.
    """
    decision, document = decided
    if decision not in ENDS_OBJECTION:
        raise ValueError(f"{decision} decides no objection; name one of {', '.join(ENDS_OBJECTION)}")
    with handling(gateway, name, Kind.OBJECTION, by) as desk:
        desk.expect_decider()
        desk.move(State.DECIDED, desk.case.decide_by, decision=str(decision), document=document, decided_by=by)
        if decision is Decision.DISMISS:
            let_go(desk, Notice.OBJECTION, document)
            desk.move(State.DENIED)
        else:
            desk.move(State.PROPAGATING, take_back(desk, _REASON[decision], document))
        return desk.case


def let_corrected_go(gateway: Gateway, name: str, by: str, document: str) -> Case:
    """Lets the corrected version of a record go to everybody, once its department has handed it in and the wrong one is gone.

    Raises NoCase, CaseRefused: no newer version is there, another objection is open, or the record stays back for another reason.
    """
    with handling(gateway, name, Kind.OBJECTION, by) as desk:
        desk.expect_decider()
        if desk.case.decision != Decision.CORRECT:
            raise CaseRefused(f"case {name}", "异议并非以更正方式成立，没有可恢复提供的记录。",
                              "it was not upheld as a correction, so there is nothing to let go")
        _expect_corrected(desk)
        desk.move(State.CORRECTED)
        if not let_go(desk, Notice.CORRECTION, document):
            raise CaseRefused(f"case {name}", "该记录因其他原因仍被撤回；请查看 gateway takedown status。",
                              "its record stays back for another reason; see gateway takedown status")
        return desk.case


def _expect_corrected(desk: Desk) -> None:
    case, connection = desk.case, desk.connection
    decided_at = next(step["at"] for step in book.steps(connection, case.case) if step["state"] == State.DECIDED)
    if newest_since(connection, case.entry, case.record) <= decided_at:
        raise CaseRefused(f"case {case.case}", f"{case.determined_by}此后尚未报送更正后的记录；请催报。",
                          f"{case.determined_by} has not handed the corrected record in since; ask it to")
    if other := [each.case for each in book.of_record(connection, Kind.OBJECTION, case.record) if each.state in OPEN]:
        raise CaseRefused(f"case {case.case}", f"同一记录的异议 {other[0]} 尚未办结；请先作出决定。",
                          f"objection {other[0]} to the same record is open; decide it first")
