"""A night that is killed anywhere and run again ends as if nothing had happened (I4, I5)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from gateway import sample
from gateway.night import decide_all, reconcile_all, run_night, take_back_all
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown, status
from ledger import log
from ledger.events import Event
from ledger.holdings import count
from records.stages import Notice
from tests.flow.conftest import gateway_at
from tests.flow.held_content import ON, content
from tests.known_keys import known_keys

FEED, ENTRY = "law_enforcement.administrative_penalty_legal", "administrative_penalty_legal"
PLACES = {
    "after collect": ("gateway.intake.collect_part", "return"),
    "mid-check": ("records.quarantine.Store.put", "call"),
    "after check": ("gateway.intake.check_part", "return"),
    "before delivery": ("delivery.outbox.intend", "return"),
    "during delivery": ("delivery.receipts.read", "call"),
    "during a front-end push": ("delivery.frontend._await", "call"),
    "after delivery, before it is settled": ("delivery.outbox.settle", "call"),
    "after it is settled": ("delivery.outbox.settle", "return"),
    "before the run closes": ("gateway.closing.close_run", "call"),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose night ran through; its departments and keys are copied for every other."""
    from gateway.sample import create
    from gateway.settings import set_up

    home = tmp_path_factory.mktemp("undisturbed")
    gateway = gateway_at(home)
    known_keys(gateway)
    set_up(gateway)
    create(home, ON, scale=0.02)
    shutil.copytree(home, home.with_name("pristine"))
    with World(home, gateway.catalog.entries):
        run_night(gateway, ON, [FEED], print)
    return home


def killed(home: Path, place: str, event: str, what: str = FEED) -> int:
    """Runs the night, or a re-decision, in a process that is killed at a place; returns its exit code."""
    script = Path(__file__).with_name("killed_night.py")
    environment = os.environ | {"GATEWAY_HOME": str(home), "GATEWAY_DATABASE_URL": f"sqlite:///{home / 'gateway.db'}",
                                "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, str(script), what, ON.isoformat(), place, event], env=environment, check=False,
                          capture_output=True, timeout=120).returncode


@pytest.mark.parametrize("where", PLACES)
def test_i4_a_killed_night_that_runs_again_ends_like_one_that_was_not(undisturbed: Path, tmp_path: Path, where: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed.with_name("pristine"), home)
    gateway = gateway_at(home)
    with World(home, gateway.catalog.entries):
        assert killed(home, *PLACES[where]) == -signal.SIGKILL
        after_kill(gateway)
        told: list[str] = []
        run_night(gateway, ON, [FEED], told.append)
    assert told == []
    assert content(home) == content(undisturbed)
    held = {(row.recipient, row.entry): row.records for row in held_by_ledger(gateway)}
    assert held == {(name, entry): n for name, entries in sample.held(home).items() for entry, n in entries.items()}


TAKEDOWN_PLACES = {
    "before the store is read": ("records.blocks.Blocks.read", "call"),
    "after the intent to withdraw": ("delivery.outbox.intend", "return"),
    "while the recipient answers": ("delivery.receipts.read", "call"),
    "after it is withdrawn, before that is settled": ("delivery.outbox.settle_withdrawal", "call"),
    "after that is settled": ("delivery.outbox.settle_withdrawal", "return"),
    "before its figures are on the ledger": ("gateway.again._account", "call"),
    "before the run closes": ("gateway.again.close_again", "call"),
}


@pytest.mark.parametrize("where", TAKEDOWN_PLACES)
def test_i4_i6_a_killed_takedown_that_is_asked_for_again_leaves_nothing_and_brings_nothing_back(
        undisturbed: Path, tmp_path: Path, where: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed, home)
    gateway = gateway_at(home)
    with gateway.engine.connect() as connection:
        records = [row[0] for row in connection.exec_driver_sql(
            "SELECT record FROM holdings GROUP BY record HAVING count(*) = 4 ORDER BY record LIMIT 3")]
        gone = {row[0] for record in records for row in connection.exec_driver_sql(f"SELECT handle FROM holdings WHERE record = '{record}'")}
    open_takedown(gateway, records, Order(Notice.REPAIR, "某号", "某人"))
    with World(home, gateway.catalog.entries):
        assert killed(home, *TAKEDOWN_PLACES[where], f"store.{ENTRY}") == -signal.SIGKILL
        assert log.verify(gateway.engine).open_runs
        told: list[str] = []
        decide_all(gateway, [ENTRY], told.append)
        run_night(gateway, ON, [FEED], told.append)
    assert told == []
    assert content(home) == {place: fields for place, fields in content(undisturbed).items() if place[2] not in gone}
    assert len(gone) == 12
    assert {row["state"] for row in status(gateway, ON)} == {"confirmed"}
    held = {(row.recipient, row.entry): row.records for row in held_by_ledger(gateway)}
    assert held == {(name, entry): n for name, entries in sample.held(home).items() for entry, n in entries.items()}


def test_i6_what_a_killed_night_left_half_put_of_a_record_that_is_taken_back_does_not_stay_with_the_recipient(
        undisturbed: Path, tmp_path: Path) -> None:
    """Its package has no manifest, and never gets one: the record is in no batch any more."""
    home = tmp_path / "home"
    shutil.copytree(undisturbed.with_name("pristine"), home)
    gateway = gateway_at(home)
    incoming = home / "sample" / "recipients" / "gsxt" / "incoming"
    with World(home, gateway.catalog.entries):
        assert killed(home, "delivery.package._write", "return") == -signal.SIGKILL
        [left] = incoming.glob("*")
        (incoming / f".{left.name}.tmp").write_bytes(left.read_bytes())  # as where it is killed before the name is given
        (incoming / "of somebody else.jsonl").touch()
        with gateway.engine.connect() as connection:
            records = gateway.store.records_of(connection, ENTRY)
        open_takedown(gateway, records, Order(Notice.REPAIR, "某号", "某人"))
        told: list[str] = []
        take_back_all(gateway, [ENTRY], told.append)
    assert told == []
    assert [path.name for path in incoming.iterdir()] == ["of somebody else.jsonl"]


RECONCILE_PLACES = {
    "while the recipient says what it holds": ("delivery.statements.read_statement", "call"),
    "before it is told that some are not held": ("gateway.reconcile._let_go", "call"),
    "after that": ("gateway.reconcile._let_go", "return"),
    "after the intent to bring anew": ("delivery.outbox.intend", "return"),
    "after it is brought, before that is settled": ("delivery.outbox.settle", "call"),
    "after that is settled": ("delivery.outbox.settle", "return"),
    "after it is withdrawn, before that is settled": ("delivery.outbox.settle_withdrawal", "call"),
    "before its figures are on the ledger": ("gateway.reconcile._account", "call"),
    "before the run closes": ("gateway.again.close_again", "call"),
}


@pytest.mark.parametrize("where", RECONCILE_PLACES)
def test_i4_i6_a_killed_reconciliation_that_runs_again_leaves_everybody_with_what_they_should_have(
        undisturbed: Path, tmp_path: Path, where: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed, home)
    gateway = gateway_at(home)
    with gateway.engine.connect() as connection:
        [record] = connection.exec_driver_sql("SELECT min(record) FROM holdings GROUP BY record HAVING count(*) = 4 LIMIT 1").scalars()
    with World(home, gateway.catalog.entries):
        before = content(home)
        site = sqlite3.connect(home / "sample" / "recipients" / "credit_china" / "holdings.db", timeout=30)
        copy = site.execute("SELECT * FROM records WHERE entry = ?", [ENTRY]).fetchall()
        open_takedown(gateway, [record], Order(Notice.REPAIR, "某号", "某人"))
        decide_all(gateway, [ENTRY])
        wanted = content(home)
        with closing(site), site:  # the site restores its copy, and then loses three records
            site.executemany(f"INSERT OR REPLACE INTO records VALUES ({', '.join('?' * len(copy[0]))})", copy)
            gone = {key[2] for key in before.keys() - wanted.keys()}
            lost = sorted(key[2] for key in wanted if key[:2] == ("credit_china", ENTRY))[:3]
            site.executemany("DELETE FROM records WHERE handle = ?", [(handle,) for handle in lost])
        assert killed(home, *RECONCILE_PLACES[where], f"statement.{ENTRY}") == -signal.SIGKILL
        assert log.verify(gateway.engine).open_runs
        told: list[str] = []
        reconcile_all(gateway, [ENTRY], told.append)
        decide_all(gateway, [ENTRY], told.append)
    assert told == [] and len(gone) == 4
    assert content(home) == wanted
    held = {(row.recipient, row.entry): row.records for row in held_by_ledger(gateway)}
    assert held == {(name, entry): n for name, entries in sample.held(home).items() for entry, n in entries.items()}


def after_kill(gateway: Gateway) -> None:
    """What must be true while nobody has run again: the ledger stands, the killed run is visible, I5 holds, and what the holdings
    say is what the receipts on the ledger say."""
    verified = log.verify(gateway.engine)
    assert len(verified.open_runs) == 1
    with gateway.engine.connect() as connection:
        told = list(log.read(connection))
    intended = {line.recipient for line in told if line.event is Event.INTENDED}
    accepted = Counter[str]()
    for line in told:
        if line.event is Event.DELIVERED:
            accepted[line.recipient] += line.figures["accepted"]
    assert {*accepted, *(name for name, _, _ in content(gateway.home))} <= intended  # nobody holds what was never intended
    assert {row.recipient: row.records for row in held_by_ledger(gateway)} == accepted


def held_by_ledger(gateway: Gateway) -> list:
    with gateway.engine.connect() as connection:
        return list(count(connection).itertuples())


