"""The state database is restored from a backup and no witness is there to notice: nothing that was taken back since comes out again
(T29, I6), seen in the recipients' own databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from gateway.consents_cli import consent_app
from gateway.figures import night_figures
from gateway.night import decide_all, reconcile_all, run_night
from gateway.orders import Order
from gateway.restore import NotRestored, apply, begin_anew, check, release
from gateway.sample import World, next_day
from gateway.settings import Gateway, set_up
from gateway.takedown import change, lift, open_takedown
from gateway.way import way_of
from gateway.witness import NotWitnessed, expect_nothing_lost
from ledger import log
from ledger.checkpoints import standing
from ledger.events import Event
from records.schema import holdings, journal, openings, withdrawn, writing
from records.stages import Notice
from tests.flow.held_content import ON, content
from tests.flow.test_story import ENTRY, FEED, held_by_all
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
        return {name: value for name, value in found.items() if name != "sealed"}


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
    open_takedown(gateway, [lifted, changed], OBJECTION)
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
    lift(gateway, lifted, "异议处理〔2026〕1号", "李某")
    open_takedown(gateway, [erased], REPAIR)
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
    assert check(gateway).unreconciled == []
    release(gateway, "李某")
    assert check(gateway).ledger == ""

    assert night(gateway) == []
    assert [showing(gateway, papers[name]) for name in papers] == [set(), ALL, set(), set()]
    verified = standing(gateway.engine).verified
    assert verified.balances > 0 and verified.open_runs == ()
    with gateway.engine.connect() as connection:
        assert [line.event for line in log.read(connection)].count(Event.ORDER_RESTORED) == len(lost.orders)


def erase(gateway: Gateway, record: str) -> None:
    from ledger.erasure import erase as destroy

    with writing(gateway.engine) as connection:
        assert destroy(connection, record, "决定〔2026〕4号", gateway.clock())
        gateway.journal.keep(connection, [{"table": "openings", "row": {"named": record, "document": "决定〔2026〕4号"}}])
