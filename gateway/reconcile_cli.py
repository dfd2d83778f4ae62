"""`gateway reconcile …`: compare what recipients hold with what they should, put right what may be, see what is left."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from gateway.manners import DEFECT, FAILED, AsJson, complain, opened, usage

_KINDS = {"missing": "缺失", "extra": "未推送过", "stale": "未更新", "altered": "被改动", "resurrected": "撤回后仍在",
          "publicity-end": "公示期不同", "unconfirmed": "无回执"}
reconcile_app = typer.Typer(no_args_is_help=True, help="Reconcile with recipients 对账: what they hold, and what they should.")


@reconcile_app.command()
def run(
    entry: Annotated[list[str] | None, typer.Option(help="Only this entry; may be repeated.")] = None, as_json: AsJson = False,
) -> None:
    """Ask every recipient what it holds, and put right what may be.

    Ends with 3 if a recipient did not answer, or a difference is left that a person must look at.
    """
    from gateway.again import entries
    from gateway.night import NightBroken, reconcile_all

    gateway = opened("catalog", "keyring")
    known = entries(gateway)
    usage(sorted(set(entry or []) - set(known)), f"unknown entry; known are {', '.join(known)}")
    told: list[str] = []
    try:
        figures = reconcile_all(gateway, entry or known, told.append)
    except NightBroken as error:
        complain(str(error))
        raise typer.Exit(DEFECT) from None
    finally:
        for words in told:
            complain(words)
    typer.echo(json.dumps(figures, indent=1) if as_json else "\n".join(_line(name, each) for name, each in figures.items()))
    raise typer.Exit(FAILED if told else 0)


@reconcile_app.command()
def status(as_json: AsJson = False) -> None:
    """List what the last reconciliation found, whether it was put right, and since when each recipient was compared. Ends with 3 if
    something is left."""
    from gateway.discrepancies import compared, standing_discrepancies
    from gateway.settings import in_shanghai

    gateway = opened("catalog", "keyring")
    rows = standing_discrepancies(gateway)
    left = [row for row in rows if row["repaired_at"] is None]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        for row in rows:
            done = "已修复 repaired" if row["repaired_at"] else "待处理 a person must act"
            typer.echo(f"{row['recipient']:<20} {row['entry']}  {_KINDS[row['kind']]} {row['kind']}  {row['record'] or '-'} "
                       f"{row['handle']}  since {in_shanghai(row['since'])}  {done}")
        typer.echo(f"{len(rows)} differences 差异, {len(left)} left 待处理")
        # Who does not answer has no differences either.
        for recipient, at in compared(gateway).items():
            typer.echo(f"{recipient:<20} 全部对账于 all compared since {in_shanghai(at)}" if at else
                       f"{recipient:<20} 尚未全部对账 not all of it was ever compared")
    raise typer.Exit(FAILED if left else 0)


def _line(recipient: str, figures: dict[str, Any]) -> str:
    from gateway.discrepancies import Kind

    kinds = " ".join(f"{kind}={figures[str(kind)]}" for kind in Kind)
    return f"{recipient:<20} held={figures['held']} found={figures['found']} {kinds} repaired={figures['repaired']}"
