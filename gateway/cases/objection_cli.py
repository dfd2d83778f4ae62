"""`gateway objection …`: objections from their receipt until the record is back, gone, or corrected everywhere."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cases.command import By, CaseName, Document, Record, Statements, add_common, papers_of, refusing, say, spread
from gateway.manners import opened, usage

objection_app = typer.Typer(no_args_is_help=True, help=(
    "Objections 异议 to a record: once accepted it is held back and marked until the unit that determined it has verified it. "
    "Nothing is charged, in any form."))


class Verdict(StrEnum):
    UPHOLD = "uphold"
    DISMISS = "dismiss"


class Upheld(StrEnum):
    CORRECTION = "correction"
    REVOCATION = "revocation"


@objection_app.command("raise")
def raise_(
    record: Record, by: By,
    received_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day it was received; its clocks run from it.")],
    statement: Statements = None,
) -> None:
    """Take an objection in; its papers are sealed."""
    from gateway.cases import objections
    from gateway.cases.desk import Application

    with refusing():
        say(objections.take(opened("catalog", "keyring"), Application(record, by, received_on.date(), papers_of(statement, None, None))))


@objection_app.command()
def accept(case: CaseName, by: By) -> None:
    """Take an objection up: the record is held from now on, users mark it, sites do not show it."""
    from gateway.cases import objections

    gateway = opened("catalog", "keyring")
    with refusing():
        found = objections.accept(gateway, case, by)
    spread(gateway, found)


@objection_app.command()
def refuse(case: CaseName, by: By, document: Document) -> None:
    """Do not take an objection up: it does not say what is wrong with which record."""
    from gateway.cases import objections

    with refusing():
        say(objections.refuse(opened("catalog", "keyring"), case, by, document))


@objection_app.command()
def decide(
    case: CaseName, verdict: Annotated[Verdict, typer.Argument(help="uphold or dismiss")], by: By, document: Document,
    upheld_as: Annotated[Upheld | None, typer.Option("--as", help="What follows where it is upheld.")] = None,
) -> None:
    """Decide: only the unit that determined the record does. Dismissed, the record is back; upheld, everybody takes it back."""
    from gateway.cases import objections
    from gateway.cases.states import Decision

    usage([] if (verdict is Verdict.UPHOLD) == (upheld_as is not None) else ["--as"],
          "与 uphold 一并使用，写明 correction（更正）或 revocation（撤销）。 goes together with uphold; name correction or revocation")
    decisions = {None: Decision.DISMISS, Upheld.CORRECTION: Decision.CORRECT, Upheld.REVOCATION: Decision.REVOKE}
    gateway = opened("catalog", "keyring")
    with refusing():
        found = objections.decide(gateway, case, by, (decisions[upheld_as], document))
    spread(gateway, found)


@objection_app.command()
def withdraw(case: CaseName, by: By, document: Document) -> None:
    """End an objection that was withdrawn before it was decided; the record is back."""
    from gateway.cases import objections

    gateway = opened("catalog", "keyring")
    with refusing():
        found = objections.withdraw(gateway, case, by, document)
    spread(gateway, found)


@objection_app.command("let-go")
def let_go_(case: CaseName, by: By, document: Document) -> None:
    """Let the corrected record go to everybody, once its department has handed it in and the wrong one is gone everywhere."""
    from gateway.cases import objections

    gateway = opened("catalog", "keyring")
    with refusing():
        found = objections.let_corrected_go(gateway, case, by, document)
    spread(gateway, found)


add_common(objection_app, "objection")
