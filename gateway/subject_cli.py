"""`gateway subject …`: what is held of one subject and who got it, for a registered person with a purpose."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.manners import FAILED, AsJson, complain, number_asked, opened

subject_app = typer.Typer(no_args_is_help=True, help=(
    "What the gateway holds of one subject. The credit code or ID number is read from standard input, never from the command line; "
    "every look-up stands on the ledger with person and purpose, refusals too."))


@subject_app.command()
def report(
    person: Annotated[str, typer.Option(help="Who asks; registered with a role in secrets/people.yml.")],
    purpose: Annotated[str, typer.Option(help="For what, as a clerk would write it.")],
    out: Annotated[Path, typer.Option(help="Where the HTML page goes, mode 0600.")],
    as_json: AsJson = False,
) -> None:
    """Write a page for the subject: what is held, to whom it went, when, under which edition, and what was taken back."""
    from console.subject import page
    from gateway.subject import LookUp, Refused
    from gateway.subject import report as found

    gateway = opened("catalog", "keyring")
    try:
        told = found(gateway, LookUp(number_asked(), person, purpose))
    except Refused as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
    with os.fdopen(os.open(out, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(page(told))
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else f"{len(told['records'])} records, written to {out}")


@subject_app.command()
def lookups(as_json: AsJson = False) -> None:
    """List every look-up and refusal for review: who, when, for what, under the subject's keyed name."""
    from gateway.subject import look_ups

    rows = look_ups(opened())
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else "\n".join(map(_line, rows)) or "no look-ups")


def _line(row: dict[str, Any]) -> str:
    return f"{row['at'][:19]}  {row['event']:<16} {row['person']} ({row['role'] or 'no role'})  {row['purpose']}  subject {row['subject']}"
