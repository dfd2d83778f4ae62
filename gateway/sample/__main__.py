"""`python -m gateway.sample create | next-day | serve | state | fault`: the sample world from the command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from catalog.load import load
from gateway.sample import create, held, next_day
from gateway.sample.creation import SEED, NoWorld
from gateway.sample.credentials import Fault, Faults
from gateway.sample.world import DEPARTMENTS, RECIPIENTS, World


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; `serve` ends with SIGTERM or SIGINT."""
    asked = _parser().parse_args(arguments)
    if asked.command == "create":
        made = create(asked.home, asked.on, asked.seed, asked.scale, asked.force)
        print(f"{asked.home / 'sample'}: {'created' if made else 'is there already; --force makes it anew'}")
    elif asked.command == "next-day":
        _turn_the_day(asked.home, asked.on)
    elif asked.command == "serve":
        _serve(asked.home, asked.catalog)
    elif asked.command == "fault":
        Faults(asked.home / "sample" / "faults.json").set(asked.name, Fault(asked.kind))
    else:
        _print_state(held(asked.home), asked.json)


def _serve(home: Path, catalog_root: Path | None) -> None:
    create(home, _last_night())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with World(home, load(catalog_root).entries) as world:
        print(f"The sample world is up. Public pages: {world.urls['credit_china']}/  (Ctrl-C ends it)", flush=True)
        stop.wait()


def _turn_the_day(home: Path, on: date) -> None:
    try:
        turned = next_day(home, on)
    except NoWorld as error:
        sys.exit(str(error))
    for feed, turns in turned.items():
        print(f"{feed:<54}" + ", ".join(f"{len(rows)} {turn}" for turn, rows in turns.items()))


def _print_state(state: dict[str, dict[str, int]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(state, indent=1))
        return
    for recipient, entries in state.items():
        print(recipient)
        for entry, size in entries.items():
            print(f"  {entry:<34}{size:>8}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.sample", description=__doc__)
    parser.add_argument("--home", type=_absolute, default=_home(), help="the gateway's home; default GATEWAY_HOME")
    commands = parser.add_subparsers(dest="command", required=True)
    creating = commands.add_parser("create", help="write what the departments hand in")
    creating.add_argument("--on", type=date.fromisoformat, default=_last_night(), help="the day it is made for, YYYY-MM-DD")
    creating.add_argument("--seed", type=int, default=SEED)
    creating.add_argument("--scale", type=float, default=1.0)
    creating.add_argument("--force", action="store_true", help="make it anew; recipients forget what they hold")
    turning = commands.add_parser("next-day", help="hand in what the departments have a day later")
    turning.add_argument("--on", type=date.fromisoformat, default=_last_night(), help="the night that is to read it, YYYY-MM-DD")
    serving = commands.add_parser("serve", help="run departments and recipients until stopped")
    serving.add_argument(
        "--catalog", type=_absolute, default=_absolute(root) if (root := os.environ.get("GATEWAY_CATALOG")) else None
    )
    commands.add_parser("state", help="count what each recipient holds").add_argument("--json", action="store_true")
    faulty = commands.add_parser("fault", help="make a running program misbehave, or behave again")
    faulty.add_argument("name", choices=DEPARTMENTS + RECIPIENTS)
    faulty.add_argument("kind", choices=[kind.value for kind in Fault])
    return parser


def _home() -> Path:
    return _absolute(os.environ.get("GATEWAY_HOME") or os.path.join(os.environ.get("AIRFLOW_HOME", "."), "var"))


def _absolute(path: str) -> Path:
    return Path(path).absolute()


def _last_night() -> date:
    """The night that `make run` reads: it ended at 02:00."""
    return (datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(hours=2)).date()


if __name__ == "__main__":
    main()
