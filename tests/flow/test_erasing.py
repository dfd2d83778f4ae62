"""What everybody has given back can be erased in the store as well, and then nothing brings it in again (D58)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from delivery import Effect
from gateway.cases import objections
from gateway.cli import app
from gateway.effects import everywhere
from gateway.erasing import NotErased, erase
from gateway.night import decide_all, run_night, take_back_all
from gateway.probe import probe
from gateway.restore import apply, check
from gateway.sample import World
from gateway.sample.credentials import Fault
from gateway.settings import Gateway
from gateway.takedown import NoTakedown, Order, lift, open_takedown
from ledger import log
from ledger.events import Event
from ledger.questions import events
from records.schema import holdings, lines, withdrawals
from records.stages import Notice
from records.store import Erased
from tests.flow.held_content import ON
from tests.flow.test_orders import records_of, rename, under_two_names
from tests.flow.test_repair import CLERK, application, register_people
from tests.flow.test_restore import Kept, alone
from tests.flow.test_story import ENTRY, FEED, SITE, held_by_all
from tests.flow.test_takedown import number, showing

__all__ = ["alone"]
REPAIR, PAPER, BY = Order(Notice.REPAIR, "云信修〔2026〕3号", "李某"), "删除决定〔2026〕1号", "王某"


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


def given_back(gateway: Gateway) -> tuple[str, str]:
    """A record that everybody has given back, its page read, and its document number."""
    record = held_by_all(gateway)
    document = number(gateway, record)
    open_takedown(gateway, [record], REPAIR)
    take_back_all(gateway, [ENTRY])
    assert probe(gateway) == []
    return record, document


def expect_unreadable(gateway: Gateway, record: str) -> None:
    with gateway.engine.connect() as connection, pytest.raises(Erased):
        gateway.store.at(connection, ENTRY, record, gateway.clock() + timedelta(days=1))


def put_fact(gateway: Gateway, document: str, fact: str) -> None:
    with closing(sqlite3.connect(next((gateway.home / "sample").rglob("enforcement.db")))) as database:
        assert database.execute("UPDATE cf_legal SET CF_SY = ? WHERE CF_WSH = ?", [fact, document]).rowcount == 1
        database.commit()


def test_d58_an_erased_record_is_unreadable_and_its_source_brings_it_neither_into_the_store_nor_to_anybody(served: Gateway) -> None:
    record, document = given_back(served)
    assert erase(served, record, PAPER, BY) == 1
    expect_unreadable(served, record)
    put_fact(served, document, "改过的事实")
    [run] = run_night(served, ON, [FEED], print)
    decide_all(served, [ENTRY])
    expect_unreadable(served, record)
    assert showing(served, document) == set()
    assert events(served.engine, [run], Event.RESURFACED)["figures"].iloc[0]["records"] == 1, "and the alarm is raised all the same"
    with served.engine.connect() as connection:
        [line] = log.read(connection, lines.c.event == str(Event.CONTENT_ERASED))
    assert line.figures == {"versions": 1}
    assert line.notes == {"entry": ENTRY, "record": record, "document": PAPER, "by": BY}


def test_d58_what_was_erased_is_erased_once_and_its_takedown_is_never_lifted(served: Gateway) -> None:
    record, _ = given_back(served)
    erase(served, record, PAPER, BY)
    with pytest.raises(NotErased, match=r"此前已删除.*erased before"):
        erase(served, record, PAPER, BY)
    with pytest.raises(NoTakedown, match=r"内容已删除.*stands for good"):
        lift(served, record, "异议处理〔2026〕3号", BY)


def test_d58_a_record_is_erased_under_every_name_of_its_act(served: Gateway) -> None:
    record, document, renamed = under_two_names(served, Notice.REPAIR)
    probe(served)
    assert erase(served, renamed, PAPER, BY) == 2
    for each in (record, renamed):
        expect_unreadable(served, each)
    rename(served, document, "云岭第三名称有限公司")
    run_night(served, ON, [FEED], print)
    assert showing(served, document) == set(), "also under a name that comes later"


def test_nothing_is_erased_that_was_not_taken_back_or_that_somebody_has_not_given_back_or_shows(served: Gateway, world: World) -> None:
    record = held_by_all(served)
    with pytest.raises(NoTakedown, match=r"没有可删除的.*no takedown is open that could be erased"):
        erase(served, record, PAPER, BY)
    world.fault(SITE, Fault.DOWN)
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY], lambda words: None)
    with pytest.raises(NotErased, match=rf"尚有接收方未确认撤回.*{SITE}"):
        erase(served, record, PAPER, BY)
    world.fault(SITE, Fault.NONE)
    take_back_all(served, [ENTRY])
    with pytest.raises(NotErased, match=rf"{SITE}.*see gateway takedown status and probe"):
        erase(served, record, PAPER, BY)
    assert probe(served) == [] and erase(served, record, PAPER, BY) == 1


def test_what_recipients_hold_with_a_mark_is_not_erased(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], replace(REPAIR, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    probe(served)
    with pytest.raises(NotErased, match="national_platform"):
        erase(served, record, PAPER, BY)


@pytest.mark.parametrize("reason", [Notice.OBJECTION, Notice.CORRECTION])
def test_what_is_taken_back_until_something_is_settled_is_not_erased(served: Gateway, reason: Notice) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], replace(REPAIR, reason=reason, effects=everywhere(Effect.DELETE)))
    take_back_all(served, [ENTRY])
    probe(served)
    with pytest.raises(NotErased, match=rf"尚待核实.*{reason}"):
        erase(served, record, PAPER, BY)


def test_d58_nothing_is_erased_before_its_act_was_looked_for_under_other_names(served: Gateway) -> None:
    record = min(records_of(served) - {held_by_all(served)})
    open_takedown(served, [record], REPAIR)
    with served.engine.begin() as connection:  # as where everybody has confirmed on the short road, and that stopped before the search
        connection.execute(sa.delete(withdrawals))
        connection.execute(sa.delete(holdings).where(holdings.c.record == record))
    with pytest.raises(NotErased, match=r"其他名称.*decide-again"):
        erase(served, record, PAPER, BY)
    take_back_all(served, [ENTRY])
    assert erase(served, record, PAPER, BY) == 1


def test_d58_while_an_objection_is_open_its_record_is_not_erased(served: Gateway) -> None:
    record, _ = given_back(served)
    register_people(served, record)
    case = objections.take(served, application(record)).case
    with pytest.raises(NotErased, match=rf"尚有未办结的修复或异议：{case}"):
        erase(served, record, PAPER, BY)
    objections.withdraw(served, case, CLERK, "撤回1号")
    assert erase(served, record, PAPER, BY) == 1


def test_t29_what_was_erased_since_the_backup_is_erased_again(alone: Kept, world: World) -> None:
    gateway = alone.gateway
    run_night(gateway, ON, [FEED], print)
    record, _ = given_back(gateway)
    alone.backup()
    erase(gateway, record, PAPER, BY)
    alone.restore()
    number(gateway, record)  # can be read again
    assert [order["row"].get("record") for order in check(gateway).orders] == [record]
    apply(gateway, "李某")
    expect_unreadable(gateway, record)


def test_a_record_is_erased_on_the_command_line(served: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    record, _ = given_back(served)
    command = ["takedown", "erase", record, "--document", PAPER, "--by", BY]
    done, again = (CliRunner().invoke(app, command) for _ in range(2))
    assert (done.exit_code, done.stdout) == (0, "erased 已删除: 1 versions 个版本\n")
    assert again.exit_code == 2 and "此前已删除" in again.stderr and record in again.stderr
