"""`gateway restore …`: after a backup of the state database was restored: what was lost, enter it again, let bringing go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from gateway.manners import FAILED, AsJson, complain, not_blank, opened

restore_app = typer.Typer(no_args_is_help=True, help=(
    "After a backup of the state database was restored 恢复备份之后: see what it forgot, enter it again, let bringing go on."))
By = Annotated[str, typer.Option(callback=not_blank, help="Who does it: a person's name or staff number.")]


@restore_app.command()
def check(as_json: AsJson = False) -> None:
    """Compare the database with the journal and the anchor. Ends with 3 if orders or lines of the ledger are missing."""
    from gateway.restore import check as look
    from gateway.restore import in_words

    gateway = opened("catalog", "keyring")
    with _refusing():
        lost = look(gateway)
    if as_json:
        left = [" ".join(pair) for pair in lost.unreconciled]
        typer.echo(json.dumps({"orders": in_words(lost.orders), "ledger": lost.ledger, "applied": lost.is_applied,
                               "to_reconcile": left}, ensure_ascii=False, indent=1))
    else:
        for words in in_words(lost.orders):
            typer.echo(f"缺失 missing: {words}")
        if lost.ledger:
            typer.echo(f"台账 ledger: {lost.ledger}")
            for recipient, entry in lost.unreconciled:
                typer.echo(f"待对账 to reconcile: {recipient} {entry}")
        typer.echo(_next(bool(lost.orders), lost.ledger != "", lost.is_applied, bool(lost.unreconciled)))
    raise typer.Exit(FAILED if lost.orders or lost.ledger else 0)


@restore_app.command()
def apply(by: By) -> None:
    """Enter every missing order again as it was, and erase again what was erased. Safe to repeat."""
    from gateway.restore import apply as enter
    from gateway.restore import in_words

    gateway = opened("catalog", "keyring")
    with _refusing():
        lost = enter(gateway, by)
    for words in in_words(lost.orders):
        typer.echo(f"已恢复 entered again: {words}")
    typer.echo(_next(False, lost.ledger != "", True, bool(lost.unreconciled)))


@restore_app.command()
def release(by: By) -> None:
    """Let bringing go on, once every recipient was reconciled after `apply`. Ends with 3 if one was not."""
    from gateway.restore import release as let_go

    gateway = opened("catalog", "keyring")
    with _refusing():
        let_go(gateway, by)
    typer.echo("恢复推送 bringing goes on")


@restore_app.command()
def anew(document: Annotated[str, typer.Option(callback=not_blank, help="The decision on which it begins anew.")], by: By) -> None:
    """Begin another journal or anchor where it is lost or damaged, while the database is not restored from a backup."""
    from gateway.restore import begin_anew

    gateway = opened("catalog", "keyring")
    with _refusing():
        done = begin_anew(gateway, document, by)
    typer.echo(f"已重建 begun anew: {', '.join(done)}")


def _next(has_missing: bool, is_behind: bool, is_applied: bool, has_left: bool) -> str:
    if has_missing or is_behind and not is_applied:
        return "停止推送 nothing is brought; next: gateway restore apply --by NAME"
    if has_left:
        return "停止推送 nothing is brought; next: gateway reconcile run, then gateway restore release --by NAME"
    if is_behind:
        return "停止推送 nothing is brought; next: gateway restore release --by NAME"
    return "无缺失 nothing is missing; bringing goes on"


@contextmanager
def _refusing() -> Iterator[None]:
    from gateway.restore import NotRestored
    from ledger.log import LedgerBroken
    from records.journal import JournalBroken

    try:
        yield
    except (NotRestored, JournalBroken, LedgerBroken) as error:
        # What the rooms below say of their files is for an engineer; the clerk reads which of them it is.
        what = "恢复日志有误 " if isinstance(error, JournalBroken) else "台账或锚点有误 " if isinstance(error, LedgerBroken) else ""
        complain(f"{what}{error}")
        raise typer.Exit(FAILED) from None
    except OSError as error:
        complain(f"{error.filename}: 日志所在磁盘不可用，请先恢复。 {error.strerror}; bring back the journal's disk")
        raise typer.Exit(FAILED) from None
