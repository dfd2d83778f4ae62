"""`gateway repair …`: applications for repair from their receipt until everybody has confirmed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cases.command import (
    By,
    CaseName,
    Commitment,
    Document,
    Performed,
    Record,
    Statements,
    add_common,
    papers_of,
    refusing,
    say,
    spread,
)
from gateway.cases.states import Ground
from gateway.manners import opened

repair_app = typer.Typer(no_args_is_help=True, help=(
    "Applications for credit repair 信用修复: taken in once, decided by the unit that determined the record, acted on by everybody. "
    "Nothing is charged, in any form."))


class Verdict(StrEnum):
    GRANT = "grant"
    DENY = "deny"


@repair_app.command()
def apply(
    record: Record, by: By,
    received_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day it was received; its clocks run from it.")],
    statement: Statements = None, performed: Performed = None, commitment: Commitment = None,
) -> None:
    """Take an application in, whatever its merits; its papers are sealed."""
    from gateway.cases import repairs
    from gateway.cases.desk import Application

    with refusing():
        papers = papers_of(statement, performed, commitment)
        say(repairs.apply(opened("catalog", "keyring"), Application(record, by, received_on.date(), papers)))


@repair_app.command()
def accept(case: CaseName, by: By) -> None:
    """Take an application up: the minimum period is over, performance and commitment are shown, nothing forbids it."""
    from gateway.cases import repairs

    with refusing():
        say(repairs.accept(opened("catalog", "keyring"), case, by))


@repair_app.command()
def refuse(
    case: CaseName, by: By, document: Document,
    because: Annotated[Ground, typer.Option(help="The ground; what the gateway can see for itself must be so.")],
) -> None:
    """Do not take an application up."""
    from gateway.cases import repairs

    with refusing():
        say(repairs.refuse(opened("catalog", "keyring"), case, by, (because, document)))


@repair_app.command()
def decide(case: CaseName, verdict: Annotated[Verdict, typer.Argument(help="grant or deny")], by: By, document: Document) -> None:
    """Decide: only the unit that determined the record does. What is granted is taken back from everybody at once."""
    from gateway.cases import repairs
    from gateway.cases.states import Decision, State

    gateway = opened("catalog", "keyring")
    with refusing():
        found = repairs.decide(gateway, case, by, (Decision(verdict), document))
    if found.state is State.PROPAGATING:
        spread(gateway, found)
    say(found)


@repair_app.command()
def withdraw(case: CaseName, by: By, document: Document) -> None:
    """End a case that the applicant has withdrawn before it was decided."""
    from gateway.cases import repairs

    with refusing():
        say(repairs.withdraw(opened("catalog", "keyring"), case, by, document))


add_common(repair_app, "repair")
