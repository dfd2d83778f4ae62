"""`gateway ledger`: verify it, have it witnessed, hand it to an auditor, open or erase what it commits to."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.manners import BROKEN, FAILED, PENDING, USAGE, AsJson, answering, complain, opened, usage

ledger_app = typer.Typer(no_args_is_help=True, help="The account of everything that came in and went out.")


@ledger_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Build the whole ledger's tree anew, compare it with every checkpoint, and add up every balance again."""
    from gateway.again import STORE
    from gateway.settings import in_shanghai
    from ledger.checkpoints import standing
    from ledger.events import Imbalance
    from ledger.log import LedgerBroken

    gateway = opened()
    try:
        stands = standing(gateway.engine)
    except (LedgerBroken, Imbalance) as error:
        complain(str(error))
        raise typer.Exit(BROKEN) from None
    found = stands.verified
    if as_json:
        more = {name: getattr(stands, name) for name in ("checkpoints", "witnessed_lines", "witnessed_at")}
        typer.echo(json.dumps(asdict(found) | more | {"journal": str(gateway.journal_file or "")}, indent=1))
        return
    typer.echo(f"ledger: {found.lines} lines make one tree, {found.balances} balances add up, {stands.checkpoints} checkpoints are on it, "
               f"root {found.root[:16]}")
    typer.echo(f"witnessed: {stands.witnessed_lines} lines at {in_shanghai(stands.witnessed_at)}" if stands.witnessed_at else
               "not witnessed: nobody but this database vouches for it; see docs/account.md")
    typer.echo(f"journal: {gateway.journal_file}; a restored backup is noticed" if gateway.journal_file else
               "no journal (GATEWAY_JOURNAL): restored backups cannot be noticed without a witness")
    for run in found.open_runs:
        # No later run closes it, and one over the store has no feed.
        cure = "gateway decide-again" if f".{STORE}." in run else "run its feed again"
        typer.echo(f"open 未结束: {run} was opened and never closed; {cure}, if no night has since 此后未运行过则重新运行")


@ledger_app.command("witness")
def witness() -> None:
    """Have the ledger as it stands cosigned by the registered witness, and print the checkpoint."""
    from gateway.witness import NotWitnessed, WitnessUnavailable, ask

    gateway = opened("keyring")
    try:
        typer.echo(ask(gateway), nl=False)
    except WitnessUnavailable as error:
        complain(f"{error}; try again later")
        raise typer.Exit(PENDING) from None
    except NotWitnessed as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None


@ledger_app.command("key")
def key() -> None:
    """Print the public key by which a witness, a recipient or an auditor checks this ledger's checkpoints."""
    from gateway.witness import ledger_key

    gateway = opened("keyring")
    typer.echo(ledger_key(gateway).text)


@ledger_app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the files go; made if missing.")],
    openings: Annotated[bool, typer.Option("--openings", help="Also what the commitments stand for.")] = False,
) -> None:
    """Sign a checkpoint of the ledger and write it all to FOLDER for the auditor: `ledger-audit check FOLDER`."""
    from gateway.witness import ledger_signer
    from ledger import checkpoints, log
    from ledger.export import export as write
    from records.database import writing

    gateway = opened("keyring")
    signer = ledger_signer(gateway)
    try:
        with answering():
            with writing(gateway.engine) as connection:
                note = checkpoints.sign(connection, signer, signer.public_key, gateway.clock())
            with gateway.engine.connect() as connection:
                written = write(connection, folder, openings, checkpoints.size_of(note))
    except log.LedgerBroken as error:
        complain(str(error))
        raise typer.Exit(BROKEN) from None
    typer.echo(f"{folder}: {written} lines; check them with: ledger-audit check {folder} --key '...' (gateway ledger key)")


@ledger_app.command("open")
def open_(line: Annotated[int, typer.Argument(min=1, help="Number of the line.")]) -> None:
    """Print line LINE as JSON, with salt and value of each commitment, for whoever must be shown that it stands for that."""
    from ledger.erasure import opening

    found = opening(opened().engine, line)
    usage([] if found else [str(line)], "the ledger has no such line")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@ledger_app.command("erase")
def erase(
    record: Annotated[str, typer.Argument(help="Record id or keyed name of a subject, as a line of the ledger names it.")],
    document: Annotated[str, typer.Option(help="The decision on which it is erased.")],
) -> None:
    """Destroy what the ledger's commitments to RECORD stand for, for good; the tree and every proof stay as they are."""
    from gateway.restore import ERASED
    from ledger.erasure import NotErasable
    from ledger.erasure import erase as destroy
    from records.database import writing

    usage([] if document.strip() else ["--document"], "name the decision on which it is erased")
    gateway = opened("keyring")
    try:
        with writing(gateway.engine) as connection:
            erased = destroy(connection, record, document, gateway.clock())
            if erased:
                gateway.journal.keep(connection, [{"table": ERASED, "row": {"named": record, "document": document}}])
    except NotErasable:
        complain("不是记录编号或主体代号，未删除；谁、以何角色、因何查询或办理，始终留在台账上。 "
                 "no record id or keyed name of a subject, nothing is erased: who did something, in which role and for what, stays on the "
                 "ledger")
        raise typer.Exit(USAGE) from None
    usage([] if erased else [record], "no line of the ledger names it, or it was erased before")
    typer.echo(f"{erased} lines no longer tell what they stand for")


@ledger_app.command("renew")
def renew(document: Annotated[str, typer.Option(help="Compliance's decision to begin anew.")]) -> None:
    """Go on under a new name, after a backup was restored that is older than what the witness has seen.

    The witness's operator registers the new key (gateway ledger key); what it saw of the former name stays with it.
    """
    from ledger.erasure import renew as begin
    from records.database import writing

    usage([] if document.strip() else ["--document"], "name the decision on which the ledger begins anew")
    gateway = opened()
    with writing(gateway.engine) as connection:
        name = begin(connection, document, gateway.clock())
    typer.echo(f"the ledger goes on as {name}; register its key with the witness: gateway ledger key")
