"""How cases stand: settled once every recipient has confirmed, told when a clock has run out (D44, D62)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Connection

from gateway.cases import book
from gateway.cases.acting import is_confirmed
from gateway.cases.book import Act, Case
from gateway.cases.states import OPEN, Decision, Kind, State
from gateway.people import Person
from gateway.settings import SHANGHAI, Gateway
from ledger import log
from records.database import writing

Json = dict[str, Any]
_GATEWAY = Person("gateway")


def settle(gateway: Gateway) -> list[Case]:
    """Moves every propagating case on whose record everybody has confirmed, and returns these. Safe to repeat."""
    with writing(gateway.engine) as connection:
        log.queue(connection)
        return [book.move(connection, case, State.CONFIRMED, Act(_GATEWAY, gateway.clock()))
                for case in book.every(connection, states=(State.PROPAGATING,)) if is_confirmed(connection, case.entry, case.record)]


def status(gateway: Gateway, kind: Kind | None, only: str | None = None, every: bool = False) -> list[Json]:
    """The cases of a kind as they stand, what is due first at the top: every column, `overdue`, and the steps with `late`.

    only: the name of one case; without it, and unless `every`, those that somebody still has to act on.
    """
    with gateway.engine.connect() as connection:
        return [_row(connection, case, gateway.today) for case in book.every(connection, kind)
                if (only == case.case if only else every or _waits(case))]


def overdue(gateway: Gateway, kind: Kind | None) -> list[Json]:
    """The cases of a kind whose clock has run out, with whom it lies (D62)."""
    return [row for row in status(gateway, kind) if row["overdue"]]


def _waits(case: Case) -> bool:
    """Whether somebody still has to act; also on a record that was given back as wrong everywhere, to let the corrected one go."""
    return case.state in OPEN or (case.state is State.CONFIRMED and case.decision == Decision.CORRECT)


def is_overdue(case: Case, today: date) -> bool:
    """Whether the step that an open case waits for should have come before today."""
    return case.state in OPEN and bool(case.due) and today.isoformat() > case.due


def _row(connection: Connection, case: Case, today: date) -> Json:
    steps = [step | {"late": late} for step, late in _late(book.steps(connection, case.case))]
    return asdict(case) | {"kind": str(case.kind), "state": str(case.state), "overdue": is_overdue(case, today), "steps": steps}


def _late(steps: list[Json]) -> Iterator[tuple[Json, bool]]:
    for step in steps:
        yield step, bool(step["due"]) and datetime.fromisoformat(step["at"]).astimezone(SHANGHAI).date().isoformat() > step["due"]
