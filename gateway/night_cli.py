"""The journeys on the command line: a night, past nights once more, and a re-decision from the store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import (
    DEFECT,
    FAILED,
    AsJson,
    complain,
    exit_code,
    opened,
    unknown_feed,
    usage,
)

if TYPE_CHECKING:
    from gateway.settings import Gateway


Tell = Callable[[str], None]


class Rules(StrEnum):
    THEN = "then"
    NOW = "now"


def night(
    feed: Annotated[list[str] | None, typer.Option(help="Only this feed, as department.entry; may be repeated.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Which night (default the last that is over).")] = None,
    accept_shrunken: Annotated[bool, typer.Option(
        help="Go on although far fewer records came than last time; say so only after asking the department.")] = False,
    require_signed: Annotated[bool, typer.Option(
        "--require-signed", help="Run nothing unless compliance signed the catalogue (as GATEWAY_REQUIRE_SIGNED=1).")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a night without Airflow: collect, check, permit, mask, deliver, account; then decide again what is already out.

    Reads the window from 02:00 of the day before to 02:00 of the date, Asia/Shanghai. Run it again after trouble: what
    a recipient already holds is not sent twice.
    """
    from gateway.house import last_night
    from gateway.night import run_night

    if require_signed:
        os.environ["GATEWAY_REQUIRE_SIGNED"] = "1"
    gateway = opened("catalog", "keyring")
    chosen = feed or sorted(gateway.catalog.feeds)
    usage(sorted(set(chosen) - set(gateway.catalog.feeds)), unknown_feed(gateway))
    day = on.date() if on else last_night(gateway.clock())
    usage(_not_over(gateway, day), _TOO_EARLY)
    _journey(gateway, chosen, lambda tell: run_night(gateway, day, chosen, tell, accept_shrunken=accept_shrunken), as_json)


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
    from gateway.night import backfill as run

    gateway = opened("catalog", "keyring")
    usage(sorted(set(feed) - set(gateway.catalog.feeds)), unknown_feed(gateway))
    usage([f"{to:%Y-%m-%d}"] if to < from_ else [], f"lies before {from_:%Y-%m-%d}; --from names the first night")
    usage(_not_over(gateway, to.date()), _TOO_EARLY)
    _journey(gateway, feed, lambda tell: run(gateway, feed, (from_.date(), to.date()), tell, rules.value), as_json)


def decide_again(
    entry: Annotated[list[str] | None, typer.Option(help="Only this entry; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Also what has not moved since it was decided.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide anew what is already out, from the store: take back what may no longer be there, bring what by now may.

    Collects nothing. Ends with 3 if a recipient could not be served or has not confirmed a withdrawal.
    """
    from gateway.again import entries

    gateway = opened("catalog", "keyring")
    known = entries(gateway)
    usage(sorted(set(entry or []) - set(known)), f"unknown entry; known are {', '.join(known)}")
    figures, troubled, broken = decided(gateway, entry or known, complain, everything)
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1) if as_json else again_lines(figures))
    raise typer.Exit(DEFECT if broken else FAILED if troubled else 0)


# A window that reaches into time to come would be taken as read, and what the department changes in it be missed.
_TOO_EARLY = "this night is not over; a night ends at 02:00 in Shanghai, name one before"


def _not_over(gateway: Gateway, night: date) -> list[str]:
    from gateway.house import last_night

    return [night.isoformat()] if night > last_night(gateway.clock()) else []


def _journey(gateway: Gateway, feeds: list[str], run: Callable[[Tell], list[str]], as_json: bool) -> None:
    from gateway.figures import last_line, night_figures, table
    from gateway.night import NightBroken, once_each

    broken, tell = "", once_each(complain)
    try:
        runs = run(tell)
    except NightBroken as error:
        runs, broken = error.runs, str(error)
    again, troubled, again_broken = decided(gateway, sorted({gateway.catalog.feeds[feed].entry for feed in feeds}), tell)
    code = DEFECT
    if runs:
        figures = night_figures(gateway, runs) | {"decided_again": again}
        code = exit_code(figures) or (FAILED if troubled else 0)
        text = f"{table(figures)}\n{again_lines(again)}\n{last_line(figures)}"
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=1) if as_json else text)
    if broken:
        complain(broken)
    raise typer.Exit(DEFECT if broken or again_broken else code)


def decided(gateway: Gateway, entries: list[str], say: Tell, everything: bool = False) -> tuple[dict[str, Any], bool, bool]:
    """The figures of a re-decision by recipient, whether a person must act, and whether it broke."""
    from gateway.night import NightBroken, decide_all

    told: list[str] = []

    def tell(words: str) -> None:
        told.append(words)
        say(words)

    try:
        figures = decide_all(gateway, entries, tell, everything=everything)
    except NightBroken as error:
        complain(str(error))
        return {}, True, True
    return figures, bool(told) or any(each["outstanding"] for each in figures.values()), False


def again_lines(figures: dict[str, Any]) -> str:
    """A line per recipient: what the re-decision brought and took back."""
    return "\n".join(
        f"decided again: {recipient:<20} considered={each['accepted']} brought={each['delivered']} taken_back={each['withdrawn']} "
        f"outstanding={each['outstanding']} unchanged={each['unchanged']} withheld={each['withheld']}"
        for recipient, each in figures.items()) or "decided again: nothing is out"
