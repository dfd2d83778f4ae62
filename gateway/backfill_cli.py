"""`gateway backfill`: past nights once more."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from gateway.manners import DEFECT, AsJson, complain, exit_code, opened, unknown_feed, usage


class Rules(StrEnum):
    THEN = "then"
    NOW = "now"


def backfill(
    feed: Annotated[list[str], typer.Option(help="Which feed, as department.entry; may be repeated.")],
    from_: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first night.")],
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last night.")],
    rules: Annotated[Rules, typer.Option(
        help="By which catalogue a record may be recorded: that of its decision date (then) or today's (now).")] = Rules.NOW,
    as_json: AsJson = False,
) -> None:
    """Read past nights anew, the oldest first. What may go out is always decided by today's catalogue.

    What a recipient already holds is not sent twice, and what was withdrawn stays withdrawn.
    """
    from gateway.figures import last_line, night_figures, table
    from gateway.night import NightBroken
    from gateway.night import backfill as run

    gateway = opened("catalog", "keyring")
    usage(sorted(set(feed) - set(gateway.catalog.feeds)), unknown_feed(gateway))
    usage([f"{to:%Y-%m-%d}"] if to < from_ else [], f"lies before {from_:%Y-%m-%d}; --from names the first night")
    try:
        runs, broken = run(gateway, feed, (from_.date(), to.date()), complain, rules.value), ""
    except NightBroken as error:
        runs, broken = error.runs, str(error)
    figures = night_figures(gateway, runs)
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1) if as_json else f"{table(figures)}\n{last_line(figures)}")
    if broken:
        complain(broken)
    raise typer.Exit(DEFECT if broken else exit_code(figures))
