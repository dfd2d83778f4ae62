"""The story that no system we know of passes, in one piece: narrowed, repaired, one recipient down, a backfill running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.night import backfill, decide_all, run_night
from gateway.sample import World, know_ledger
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown
from gateway.witness import ask, ledger_key
from ledger.events import Event
from ledger.export import export
from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from ledger_audit.notes import read_key
from records.stages import Notice
from tests.catalog.altered import GONE, PENALTY, alter, copied
from tests.flow.held_content import ON, content
from tests.flow.test_story import ALL, ENTRY, FEED, SITE, held_by_all
from tests.flow.test_takedown import number, showing, states

DOWN = "national_platform"
NATURAL = "law_enforcement.administrative_penalty_natural"


def test_what_is_narrowed_and_repaired_is_gone_from_all_next_morning_and_the_account_proves_it(
        gateway: Gateway, world: World, tmp_path: Path) -> None:
    know_ledger(gateway)
    today = replace(gateway, witness_within=timedelta(hours=4))
    run_night(today, ON, [FEED, NATURAL], print)
    record, secrets = held_by_all(today), id_numbers(today)
    document = number(today, record)
    assert showing(today, document) == ALL and secrets

    root = copied(tmp_path, local=True)
    alter(root, PENALTY, {f"grants.{SITE}.fields.CF_SY": GONE})
    morning = replace(today, catalog_root=root, clock=lambda: gateway.clock() + timedelta(days=1))
    faults = Faults(today.home / "sample" / "faults.json")
    faults.set(DOWN, Fault.DOWN)
    running = beside(lambda: backfill(today, [FEED], (ON - timedelta(days=1), ON), lambda words: None))
    open_takedown(today, [record], Order(Notice.REPAIR, "云信修〔2026〕1号", "李某"))
    decide_all(morning, [ENTRY], lambda words: None)
    running.join(120)
    assert not running.is_alive()
    decide_all(morning, [ENTRY], lambda words: None)

    assert showing(morning, document) == {DOWN}, "every other copy is gone, and the backfill brought none back"
    assert states(morning, ON + timedelta(days=30))[DOWN] == ("outstanding", True)
    assert all(json.loads(fields).get("CF_SY") is None for (recipient, _, _), fields in content(today.home).items() if recipient == SITE)

    faults.set(DOWN, Fault.NONE)
    decide_all(morning, [ENTRY], print)
    assert showing(morning, document) == set() and {state for state, _ in states(morning).values()} == {"confirmed"}

    ask(morning)
    with morning.engine.connect() as connection:
        export(connection, tmp_path / "export", with_openings=True)
    exported, kept = read(tmp_path / "export"), world.witness.last(ledger_key(morning).name)
    assert kept is not None and check(exported, Keys((read_key(ledger_key(morning).text),), (world.witness.key,)), [kept]) == []
    assert confirmed(exported.leaves) == len(ALL), "one receipt of the takedown from each, on the tree that the witness signed"
    assert [name for name in files_of(today.home) if any(secret in name.read_bytes() for secret in secrets)] == []


def beside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def id_numbers(gateway: Gateway) -> list[bytes]:
    """Every ID number that was handed in that night."""
    with gateway.engine.connect() as connection:
        [chunk] = gateway.store.current(connection, NATURAL.partition(".")[2], ["CF_XDR_ZJHM"])
    return [value.encode() for value in chunk["CF_XDR_ZJHM"].dropna() if len(value) == 18]


def files_of(home: Path) -> list[Path]:
    """Every file of the gateway and of the recipients; not what the departments themselves hold."""
    return [path for path in home.rglob("*") if path.is_file() and "departments" not in path.parts]


def confirmed(leaves: list[dict | None]) -> int:
    told = [leaf for leaf in leaves if leaf and leaf["event"] == Event.WITHDRAWN]
    return sum(leaf["notes"]["notices"].get(Notice.REPAIR, 0) for leaf in told)
