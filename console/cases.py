"""How many applications and objections wait for whom, how many were settled, and how many clocks have run out (D44, D62)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.cases.standing import status
from gateway.cases.states import OPEN, Kind, State
from gateway.settings import Gateway

_IN_HAND = (State.ACCEPTED, State.HANDED_ON, State.DECIDED)


@dataclass(frozen=True, slots=True)
class CasesView:
    """The cases of one kind, counted: not taken up yet, in hand, decided and not confirmed by everybody, over, overdue, and over
    but settled late at some step. `late_at` counts what is overdue by the unit where it lies."""

    kind: str
    waiting: int
    in_hand: int
    propagating: int
    over: int
    overdue: int
    settled_late: int
    late_at: Mapping[str, int]


def cases(gateway: Gateway) -> list[CasesView]:
    """The kinds of which there ever was a case, as of now; counts only, and the names of public bodies."""
    return [view for kind in Kind if (view := _of(gateway, kind)) is not None]


def _of(gateway: Gateway, kind: Kind) -> CasesView | None:
    rows = status(gateway, kind, every=True)
    if not rows:
        return None
    states = Counter(State(row["state"]) for row in rows)
    over = [row for row in rows if State(row["state"]) not in OPEN]
    late_at = Counter(row["unit"] for row in rows if row["overdue"])
    return CasesView(
        str(kind), states[State.APPLIED], sum(states[state] for state in _IN_HAND), states[State.PROPAGATING], len(over), late_at.total(),
        sum(any(step["late"] for step in row["steps"]) for row in over), dict(sorted(late_at.items())))
