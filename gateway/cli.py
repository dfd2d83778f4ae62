"""The command line: the same night without Airflow, and the questions people ask of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cases.objection_cli import objection_app
from gateway.cases.repair_cli import repair_app
from gateway.catalog_cli import catalog_app
from gateway.consents_cli import consent_app
from gateway.explain_cli import explain, record
from gateway.holdings_cli import holdings
from gateway.ledger_cli import ledger_app
from gateway.manners import (
    FAILED,
    AsJson,
    answering,
    complain,
    opened,
    unknown_feed,
    usage,
)
from gateway.night_cli import backfill, decide_again, night
from gateway.recipient_cli import recipient_app
from gateway.reconcile_cli import reconcile_app
from gateway.restore_cli import restore_app
from gateway.subject_cli import subject_app
from gateway.takedown_cli import takedown_app

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "Data-sharing gateway for public credit information: collects from departments, checks against the catalogue, "
    "desensitises, delivers to recipients, and accounts for every record.\n\n"
    "Exit codes: 0 done; 1 a defect of the gateway; 2 wrong usage; 3 something failed or was refused and a person must "
    "act; 4 records are pending and the next run completes them; 5 figures or ledger do not hold; 6 a change of the "
    "catalogue widens disclosure."))
quarantine_app = typer.Typer(no_args_is_help=True, help="Rows that failed the check, sealed until they are corrected.")
for command in (night, backfill, decide_again, explain, record, holdings):
    app.command()(command)
app.add_typer(catalog_app, name="catalog")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(ledger_app, name="ledger")
app.add_typer(takedown_app, name="takedown")
app.add_typer(repair_app, name="repair")
app.add_typer(objection_app, name="objection")
app.add_typer(recipient_app, name="recipient")
app.add_typer(reconcile_app, name="reconcile")
app.add_typer(restore_app, name="restore")
app.add_typer(subject_app, name="subject")
app.add_typer(consent_app, name="consent")


@app.command()
def setup() -> None:
    """Make what is missing: folders, keyring (once), tables. Safe to repeat."""
    from gateway.settings import from_environment, set_up

    with answering():
        gateway = from_environment()
        set_up(gateway)
    typer.echo(f"set up in {gateway.home}")


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or XLSX file.")],
    entry: Annotated[str, typer.Option(help="The catalogue entry it would be handed in for.")],
    rows: Annotated[bool, typer.Option("--rows", help="Also list each quarantined row with its reasons.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what would happen to FILE if a department handed it in. Sends and stores nothing.

    Ends with 0 if every row would be accepted, 3 if some would be quarantined or the file refused.
    """
    from connectors import ContractBreach
    from gateway.intake import FeedUnknown
    from gateway.settings import from_environment
    from gateway.tryout import try_file

    with answering():
        gateway = from_environment()
        _ = gateway.catalog
    try:
        report = try_file(gateway, file, entry, rows)
    except FeedUnknown as error:
        usage([entry], str(error))
        return
    except ContractBreach as error:
        complain(str(error))
        report = {"file": file.name, "entry": entry, "collected": 0, "accepted": 0, "quarantined": 0,
                  "by_reason": {}, "refused": error.reason}
    typer.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else _readable(report))
    raise typer.Exit(FAILED if report["quarantined"] or report["refused"] else 0)


@quarantine_app.command("list")
def quarantine_list(
    feed: Annotated[str | None, typer.Option(help="Only this feed, as department.entry.")] = None, as_json: AsJson = False,
) -> None:
    """List what lies in quarantine: where each row stood and why it failed, never its content."""
    from gateway.settings import in_shanghai

    gateway = opened("catalog", "keyring")
    items = gateway.quarantine.items(feed)
    if items.empty and feed and feed not in gateway.catalog.feeds:  # what a feed left that is gone can still be listed
        usage([feed], unknown_feed(gateway))
    if as_json:
        typer.echo(json.dumps(items.to_dict("records"), ensure_ascii=False, indent=1))
        return
    rows: list[dict[str, Any]] = items.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        typer.echo(f"{row['id'][:12]}  {row['feed']}  {row['partition']} row {row['line']}  {row['reasons']}  "
                   f"since {in_shanghai(row['first_seen'])[:10]}")
    typer.echo(f"{len(items)} rows in quarantine")


def _readable(report: dict[str, Any]) -> str:
    rows = report.pop("rows", None)
    lines = [f"{name.replace('_', ' ')}: {value if value not in ({}, [], '') else '-'}" for name, value in report.items()]
    lines += [f"  row {row['row']}: {', '.join(row['reasons'])}" for row in rows or []]
    return "\n".join(lines)


def main() -> None:
    """Entry point of the `gateway` command."""
    # Great Expectations would otherwise report its use to its makers.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    sys.exit(app())


if __name__ == "__main__":
    main()
