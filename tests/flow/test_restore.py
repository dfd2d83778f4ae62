"""The state database is restored from a backup and no witness is there to notice: nothing that was taken back since comes out again
(T29, I6), seen in the recipients' own databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from delivery.outbox import Errand
from gateway.cli import app
from gateway.figures import night_figures
from gateway.night import decide_all, reconcile_all, run_night
from gateway.orders import Order
from gateway.restore import NotRestored, apply, begin_anew, check, release
from gateway.sample import World, next_day
from gateway.settings import Gateway, set_up
from gateway.takedown import change, lift, open_takedown
from gateway.way import bring, prepare, way_of
from gateway.witness import NotWitnessed, expect_nothing_lost, move_anchor
from ledger import log
from ledger.checkpoints import standing
from ledger.events import Event, Line
from ledger.holdings import TEXT, Holder, held_under
from records.database import writing
from records.schema import holdings, journal, openings, outbox, stored, withdrawn
from records.stages import Notice
from tests.catalog.altered import PERSON, alter, copied
from tests.flow.held_content import ON, content
from tests.flow.test_story import ENTRY, FEED
from tests.flow.test_takedown import ALL, REPAIR, showing

SITE = "credit_china"
OBJECTION = Order(Notice.OBJECTION, "异议〔2026〕3号", "李某")


@dataclass(frozen=True)
class Kept:
    """A gateway that keeps a journal, and how its database is backed up and restored."""

    gateway: Gateway
    backup: Callable[[], None]
    restore: Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, gateway: Gateway, world: World, tmp_path: Path) -> Iterator[Kept]:
    (tmp_path / "disk").mkdir()
    url = gateway.database if request.param == "sqlite" else request.getfixturevalue("empty_postgresql_url")
    made = replace(gateway, database=url, journal_file=tmp_path / "disk" / "journal")
    set_up(made)
    yield Kept(made, *(_files(made) if request.param == "sqlite" else _templates(made.engine)))
    made.engine.dispose()


def _files(gateway: Gateway) -> tuple[Callable[[], None], Callable[[], None]]:
    there, away = gateway.home / "gateway.db", gateway.home / "backup.db"

    def copy(from_: Path, to: Path) -> None:
        with closing(sqlite3.connect(from_)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)

    return lambda: copy(there, away), lambda: copy(away, there)


def _templates(engine: Engine) -> tuple[Callable[[], None], Callable[[], None]]:
    server = sa.create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name, away = str(engine.url.database), f"{engine.url.database}_backup"

    def copy(from_: str, to: str) -> None:
        engine.dispose()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {to} WITH (FORCE)")
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from_}'")
            connection.exec_driver_sql(f"CREATE DATABASE {to} TEMPLATE {from_}")

    return lambda: copy(name, away), lambda: copy(away, name)


def night(gateway: Gateway) -> list[str]:
    """A night and its re-decision; returns what was told."""
    told: list[str] = []
    figures = night_figures(gateway, run_night(gateway, ON, [FEED], told.append))
    decide_all(gateway, [ENTRY], told.append)
    assert told or figures["balanced"]
    return told


def row(gateway: Gateway, record: str) -> dict[str, object]:
    with gateway.engine.connect() as connection:
        found = connection.execute(sa.select(withdrawn).where(withdrawn.c.record == record)).mappings().one()
        return {name: value for name, value in found.items() if name not in ("sealed", "sought_at")}


def brought_since(gateway: Gateway, before: set[str]) -> str:
    """A record that all hold and none of those named."""
    with gateway.engine.connect() as connection:
        query = sa.select(holdings.c.record).where(holdings.c.entry == ENTRY, holdings.c.record.not_in(before)).group_by(holdings.c.record)
        return str(connection.execute(query.having(sa.func.count() == len(ALL)).order_by(holdings.c.record).limit(1)).scalar_one())


def paper(gateway: Gateway, record: str) -> str:
    """The document number of a record, however lately it came."""
    with gateway.engine.connect() as connection:
        return str(gateway.store.some(connection, ENTRY, [record], ["CF_WSH"])["CF_WSH"].iloc[0])


def held(gateway: Gateway) -> list[str]:
    with gateway.engine.connect() as connection:
        query = sa.select(holdings.c.record).where(holdings.c.entry == ENTRY).group_by(holdings.c.record)
        return list(connection.execute(query.having(sa.func.count() == len(ALL)).order_by(holdings.c.record)).scalars())


def named(gateway: Gateway, record: str) -> int:
    with gateway.engine.connect() as connection:
        return len(connection.execute(sa.select(openings.c.seq).where(openings.c.value == json.dumps(record))).all())


def test_t29_i6_a_restored_backup_brings_nothing_until_all_that_was_ordered_since_is_in_force_again(kept: Kept, world: World) -> None:
    gateway = kept.gateway
    night(gateway)
    repaired, lifted, changed, erased, *_ = old = held(gateway)
    open_takedown(gateway, [lifted, changed, erased], OBJECTION)
    decide_all(gateway, [ENTRY])
    kept.backup()
    # A week goes by.
    next_day(gateway.home, ON)
    night(gateway)
    fresh = brought_since(gateway, set(old))
    papers = {name: paper(gateway, record) for name, record in
              {"repaired": repaired, "lifted": lifted, "changed": changed, "fresh": fresh}.items()}
    world.fault(SITE, "down")
    open_takedown(gateway, [repaired, fresh], REPAIR)
    change(gateway, changed, REPAIR)
    change(gateway, erased, REPAIR)
    lift(gateway, lifted, "异议处理〔2026〕1号", "李某")
    erase(gateway, erased)
    decide_all(gateway, [ENTRY], lambda words: None)
    world.fault(SITE, "none")
    assert showing(gateway, papers["fresh"]) == {SITE} and showing(gateway, papers["lifted"]) == ALL - {SITE}
    orders, before = {record: row(gateway, record) for record in (repaired, fresh, changed, lifted)}, content(gateway.home)

    kept.restore()
    told = night(gateway)
    assert any("a backup was restored" in words and "gateway restore check" in words for words in told)
    assert set(content(gateway.home)) <= set(before), "nobody gets a record"
    lost = check(gateway)
    assert {order["row"].get("record") for order in lost.orders} == {repaired, fresh, changed, lifted, erased, None}
    assert "does not continue" in lost.ledger and not lost.is_applied and {name for name, _ in lost.unreconciled} >= ALL
    with pytest.raises(NotRestored, match="restore apply"):
        release(gateway, "李某")

    apply(gateway, "李某")
    assert {record: row(gateway, record) for record in orders} == orders, "with reason, document and deadline as they were"
    assert named(gateway, erased) == 0 and check(gateway).orders == []
    night(gateway)
    assert set(content(gateway.home)) <= set(before)
    with pytest.raises(NotRestored, match=SITE):
        release(gateway, "李某")
    entries = sorted({entry for _, entry in check(gateway).unreconciled})
    reconcile_all(gateway, entries, lambda words: None)
    assert showing(gateway, papers["fresh"]) == set() == showing(gateway, papers["repaired"]), "also what the database never knew"
    assert apply(gateway, "李某").orders == check(gateway).unreconciled == []
    release(gateway, "李某")
    assert check(gateway).ledger == ""

    assert night(gateway) == []
    assert [showing(gateway, papers[name]) for name in papers] == [set(), ALL, set(), set()]
    verified = standing(gateway.engine).verified
    assert verified.balances > 0 and verified.open_runs == ()
    with gateway.engine.connect() as connection:
        assert [line.event for line in log.read(connection)].count(Event.ORDER_RESTORED) == len(lost.orders)


def test_i6_a_backup_that_is_restored_while_a_recipient_is_served_stops_before_the_next_batch(kept: Kept, world: World) -> None:
    """A first load is hours of batches; that nothing was lost when it began says nothing of them."""
    gateway = kept.gateway
    night(gateway)
    record = held(gateway)[0]
    document = paper(gateway, record)
    kept.backup()
    open_takedown(gateway, [record], REPAIR)
    decide_all(gateway, [ENTRY])
    assert showing(gateway, document) == set()
    way = way_of(gateway, Errand("r", FEED, ENTRY, SITE, gateway.catalog.edition))
    kept.restore()
    with gateway.engine.connect() as connection:
        rows = gateway.store.some(connection, ENTRY, [record], list(way.door.entry.fields))
        nothing = held_under(connection, Holder("nobody", ENTRY))
    brought = bring(way, prepare(way, rows, pd.Index([], dtype=TEXT), nothing).masked)
    assert showing(gateway, document) == set() and brought.taken.empty
    assert ["gateway restore check" in str(fault) for fault in way.faults] == [True]


def erase(gateway: Gateway, record: str) -> None:
    from ledger.erasure import erase as destroy

    with writing(gateway.engine) as connection:
        assert destroy(connection, record, "决定〔2026〕4号", gateway.clock())
        gateway.journal.keep(connection, [{"table": "openings", "row": {"named": record, "document": "决定〔2026〕4号"}}])


def test_i6_what_was_taken_back_and_the_store_never_knew_is_taken_back_from_whoever_shows_it(gateway: Gateway, world: World) -> None:
    run_night(gateway, ON, [FEED], print)
    record = held(gateway)[0]
    document = paper(gateway, record)
    with writing(gateway.engine) as connection:  # as in a database of before the record came
        for table in (stored, holdings):
            connection.execute(sa.delete(table).where(table.c.record == record))
        connection.execute(sa.delete(outbox))
        connection.execute(sa.insert(withdrawn).values(entry=ENTRY, record=record, reason="repair", document="7", since=gateway.clock().isoformat()))
    assert showing(gateway, document) == ALL
    reconcile_all(gateway, [ENTRY])
    assert showing(gateway, document) == set()


@pytest.fixture
def alone(gateway: Gateway, tmp_path: Path) -> Kept:
    """The same on SQLite, without departments and recipients at work."""
    (tmp_path / "disk").mkdir()
    made = replace(gateway, journal_file=tmp_path / "disk" / "journal")
    set_up(made)
    return Kept(made, *_files(made))


def run(kept: Kept, monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> Result:
    monkeypatch.setenv("GATEWAY_HOME", str(kept.gateway.home))
    monkeypatch.setenv("GATEWAY_JOURNAL", str(kept.gateway.journal_file))
    return CliRunner().invoke(app, [*arguments], input=f"{typed}\n")


def test_t29_a_consent_revoked_and_an_erasure_since_the_backup_are_in_force_again(
        alone: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, person, title = copied(tmp_path), "339999199003072314", {"zh": "书面同意", "en": "in writing"}
    alter(root, PERSON, {"grants.national_platform.consent": {"purpose": "loans", "scope": title, "method": title, "max_days": 366},
                         "grants.national_platform.basis.2": {"instrument": "pipl", "article": "art. 13 and 14"}})
    monkeypatch.setenv("GATEWAY_CATALOG", str(root))
    days = "--since", "2026-01-01", "--until", "2026-12-31"
    assert run(alone, monkeypatch, "consent", "give", "--purpose", "loans", *days, "--document", "同意1号", typed=person).exit_code == 0
    alone.backup()
    told = run(alone, monkeypatch, "consent", "revoke", "--purpose", "loans", "--on", "2026-06-01", typed=person)
    assert told.exit_code == 0
    subject = told.output.partition(":")[0]
    assert run(alone, monkeypatch, "ledger", "erase", subject, "--document", "决定4号").exit_code == 0
    assert run(alone, monkeypatch, "restore", "check").exit_code == 0
    alone.restore()
    told = run(alone, monkeypatch, "restore", "check")
    assert told.exit_code == 3 and told.output.count("missing:") == 2 and "loans" in told.output and person not in told.output
    assert run(alone, monkeypatch, "restore", "release", "--by", "李某").exit_code == 3
    assert run(alone, monkeypatch, "restore", "apply", "--by", "李某").exit_code == 0
    [row] = json.loads(run(alone, monkeypatch, "consent", "list", "--json").output)
    assert row["revoked_on"] == "2026-06-01" and named(alone.gateway, subject) == 0
    # Nobody was brought anything since the backup, so that there is nothing to reconcile.
    assert run(alone, monkeypatch, "restore", "check").exit_code == 0
    expect_nothing_lost(alone.gateway)


def test_an_empty_database_beside_a_journal_brings_nothing(alone: Kept, tmp_path: Path) -> None:
    with writing(alone.gateway.engine) as connection:
        log.append(connection, [Line(Event.PLANNED, "run", "feed")], alone.gateway.clock())
    move_anchor(alone.gateway)
    empty = replace(alone.gateway, database=f"sqlite:///{tmp_path / 'new.db'}")
    set_up(empty)
    with pytest.raises(NotWitnessed, match="does not continue"):
        expect_nothing_lost(empty)


@pytest.mark.parametrize("gone", ["journal", "journal.anchor"])
def test_a_lost_journal_or_anchor_brings_nothing_until_another_is_begun_with_the_orders_that_stand(
        alone: Kept, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    gateway = alone.gateway
    expect_nothing_lost(gateway)
    with pytest.raises(NotRestored, match="sound"):
        begin_anew(gateway, "决定5号", "李某")
    with writing(gateway.engine) as connection:
        row = {"entry": ENTRY, "record": "1-a", "reason": "repair", "document": "7", "since": "2026-11-01", "effects": "", "opened_by": "李某"}
        connection.execute(sa.insert(withdrawn).values(row))
    (gateway.journal.file.parent / gone).unlink()
    with pytest.raises(NotWitnessed, match="restore anew"):
        expect_nothing_lost(gateway)
    assert run(alone, monkeypatch, "restore", "anew", "--document", "决定5号", "--by", "李某").exit_code == 0
    expect_nothing_lost(gateway)
    if gone == "journal":
        with writing(gateway.engine) as connection:
            connection.execute(sa.update(journal).values(lines=0, head=""))
            assert [order["row"]["record"] for order in gateway.journal.behind(connection)] == ["1-a"]


def test_a_setting_that_is_forgotten_brings_nothing_and_one_that_never_was_is_told(alone: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotWitnessed, match="name its file in GATEWAY_JOURNAL"):
        expect_nothing_lost(replace(alone.gateway, journal_file=None))
    assert str(alone.gateway.journal_file) in run(alone, monkeypatch, "ledger", "verify").output
    monkeypatch.delenv("GATEWAY_JOURNAL")
    monkeypatch.setenv("GATEWAY_HOME", str(alone.gateway.home))
    assert "cannot be noticed without a witness" in CliRunner().invoke(app, ["ledger", "verify"]).output
