"""Consents of subjects on the command line: taken in, revoked and listed under keyed names, never by the subject's number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import pyarrow as pa
import typer

from gateway.manners import FAILED, AsJson, complain, not_blank, number_asked, opened, usage
from ledger import log
from ledger.events import Event, Line
from records import consents
from records.database import writing
from records.identity import subjects
from records.journal import rows
from records.schema import consents as table

if TYPE_CHECKING:
    from catalog.model import Consent
    from gateway.settings import Gateway

consent_app = typer.Typer(no_args_is_help=True, help=(
    "Consents of subjects, on which a grant may rest. The subject's credit code or ID number is read from standard input, "
    "never from the command line, and never shown."))
Purpose = Annotated[str, typer.Option(help="The purpose, as the grant in the catalogue names it.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@consent_app.command()
def give(
    purpose: Purpose,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its last day.")],
    document: Annotated[str, typer.Option(
        callback=not_blank, help="Where the evidence lies: a file number, never a person's name or number.")],
    since: Day = None,
) -> None:
    """Take in a subject's consent for one purpose. Scope and method are those that the catalogue names.

    Refused with 3 if it is longer than the grant allows, or its document bears another purpose already.
    """
    gateway = opened("catalog", "keyring")
    asked = _asked(gateway, purpose)
    given = consents.Consent(
        subject=_subject(gateway), purpose=purpose, issued_on=since.date() if since else gateway.today, expires_on=until.date(),
        scope=asked[0].scope.zh, method=asked[0].method.zh, document=document)
    with _refusing(), writing(gateway.engine) as connection:
        consents.give(connection, given, min(each.max_days for each in asked))
        log.append(connection, [_given(given)], gateway.clock())
    typer.echo(f"{given.subject}: 已录入同意 consent for {purpose}，{given.issued_on} 至 to {until.date()}")


@consent_app.command()
def revoke(purpose: Purpose, on: Day = None) -> None:
    """End a subject's consent from a day on (default today); what rests on it is taken back by the next re-decision."""
    gateway = opened("catalog", "keyring")
    subject, day = _subject(gateway), on.date() if on else gateway.today
    with _refusing(), writing(gateway.engine) as connection:
        consents.revoke(connection, subject, purpose, day)
        log.append(connection, [_line(Event.CONSENT_REVOKED, subject, purpose, {"from": day.isoformat()})], gateway.clock())
        mine = (table.c.subject == subject, table.c.purpose == purpose, table.c.revoked_on == day.isoformat())
        gateway.journal.keep(connection, rows(connection, table, *mine))
    typer.echo(f"{subject}: 同意已撤销 consent for {purpose} revoked，自 from {day}")


@consent_app.command("list")
def list_(purpose: Annotated[str | None, typer.Option(help="Only this purpose.")] = None, as_json: AsJson = False) -> None:
    """List the consents taken in, the oldest first, by keyed names."""
    gateway = opened()
    with gateway.engine.connect() as connection:
        known = consents.everything(connection, purpose)
    rows = [{name: None if pd.isna(value) else value for name, value in row.items()} for row in known.to_dict("records")]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        ended = f"，已撤销 revoked {row['revoked_on']}" if row["revoked_on"] else ""
        typer.echo(f"{row['subject']}  {row['purpose']}  {row['issued_on']} 至 to {row['expires_on']}{ended}  {row['document']}")
    typer.echo(f"{len(rows)} consents 条同意")


def _asked(gateway: Gateway, purpose: str) -> list[Consent]:
    """What the grants ask of a consent for this purpose; ends the command if none rests on one."""
    known = [grant.consent for entry in gateway.catalog.entries.values() for grant in entry.grants.values() if grant.consent]
    asked = [each for each in known if each.purpose == purpose]
    purposes = ", ".join(sorted({each.purpose for each in known})) or "none"
    usage([] if asked else [purpose], "没有授权以该用途的同意为依据；目录中的用途为 "
          f"no grant rests on consent for this purpose; the catalogue knows {purposes}")
    return asked


def _subject(gateway: Gateway) -> str:
    """The keyed name of the subject whose number is typed or piped in; ends the command if it is no sound number."""
    from expectations.identifiers import is_citizen_number, is_uscc

    number = pd.Series([number_asked()], dtype=pd.ArrowDtype(pa.string()))
    if not (is_uscc(number).any() or is_citizen_number(number, gateway.today).any()):
        complain("标准输入中没有有效的统一社会信用代码或身份证号，请只输入一个号码。 "
                 "standard input holds no sound credit code or ID number; type one, and nothing else")
        raise typer.Exit(FAILED)
    return str(subjects(number, gateway.keyring.derive("identity", "subject")).iloc[0])


def _given(consent: consents.Consent) -> Line:
    days = {"from": str(consent.issued_on), "to": str(consent.expires_on)}
    return _line(Event.CONSENT_GIVEN, consent.subject, consent.purpose, days | {"document": consent.document})


def _line(event: Event, subject: str, purpose: str, said: dict[str, str]) -> Line:
    return Line(event, f"consent.{purpose}", "", figures={"subjects": 1}, notes={"subject": subject, "purpose": purpose, **said})


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except consents.ConsentRefused as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
