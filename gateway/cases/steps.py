"""The steps that a repair and an objection have in common: add papers, refuse, hand on, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gateway.cases.about import is_same_unit
from gateway.cases.book import Case
from gateway.cases.clocks import clocks_of
from gateway.cases.desk import Desk, handling
from gateway.cases.papers import Paper, put
from gateway.cases.states import CaseRefused, Kind, State, in_chinese
from gateway.settings import Gateway


def add_papers(gateway: Gateway, kind: Kind, name: str, by: str, papers: Sequence[Paper]) -> Case:
    """Adds to a case what was missing, while it is not decided; its clocks go on. Raises NoCase, CaseRefused."""
    with handling(gateway, name, kind, by) as desk:
        if desk.case.state not in (State.APPLIED, State.ACCEPTED, State.HANDED_ON):
            raise CaseRefused(f"case {name}", f"当前状态为“{in_chinese(desk.case.state)}”，不再接收材料。",
                              f"it is {desk.case.state}, and takes no more papers")
        put(desk.connection, gateway, name, papers, gateway.clock())
        return desk.case


def due_once_accepted(desk: Desk) -> str:
    """The last day of what follows acceptance: to hand the case on, or where it lies right already, to decide."""
    if is_same_unit(desk.case.unit, desk.case.determined_by):
        return desk.case.decide_by
    clocks = clocks_of(desk.gateway.catalog, date.fromisoformat(desk.case.applied_on))
    return min(clocks.hand_on_by(desk.gateway.today).isoformat(), desk.case.decide_by)


def hand_on(gateway: Gateway, kind: Kind, name: str, by: str) -> Case:
    """Hands an accepted case on to the unit that determined the record; its clock goes on. Raises NoCase, CaseRefused."""
    with handling(gateway, name, kind, by) as desk:
        desk.expect_here()
        if is_same_unit(desk.case.unit, desk.case.determined_by):
            raise CaseRefused(f"case {name}", f"本案已在认定单位{desk.case.determined_by}，由其作出决定。",
                              f"it lies at {desk.case.determined_by} already, which decides")
        desk.move(State.HANDED_ON, desk.case.decide_by, unit=desk.case.determined_by)
        return desk.case
