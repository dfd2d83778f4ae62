"""What an order says, what it reaches, and what is kept of it: effects by kind, changes, other names of an act, sealed identifiers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from catalog.model import RecipientKind
from delivery import Effect
from gateway import suppressed
from gateway.cli import app
from gateway.effects import everywhere, read, written
from gateway.lookups import Refused, look_ups
from gateway.night import NightBroken, decide_all, run_night, take_back_all
from gateway.orders import NoTakedown, Order
from gateway.probe import probe
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from gateway.takedown import change, escalate, is_confirmed, lift, open_takedown, outstanding, status
from ledger import log
from ledger.events import Event
from records.database import writing
from records.schema import holdings, lines, outbox, withdrawn
from records.stages import RECORD, Notice
from tests.catalog.altered import GONE
from tests.flow.held_content import ON, content, marks
from tests.flow.test_again import under
from tests.flow.test_story import ENTRY, FEED, held_by_all
from tests.flow.test_takedown import ALL, number, showing, states

REPAIR = Order(Notice.REPAIR, "云信修〔2026〕11号", "李某")


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


def records_of(gateway: Gateway) -> set[str]:
    with gateway.engine.connect() as connection:
        return {record for chunk in gateway.store.current(connection, ENTRY, []) for record in chunk[RECORD]}


def test_d41_each_kind_of_recipient_is_asked_for_the_effect_that_the_order_names(served: Gateway) -> None:
    record, kind = held_by_all(served), served.catalog.recipients
    effects = {RecipientKind.PUBLICITY_SITE: Effect.DELETE, RecipientKind.SHARING_PLATFORM: Effect.MARK}
    open_takedown(served, [record], replace(REPAIR, effects=effects))
    take_back_all(served, [ENTRY])
    asked = {row["recipient"]: row["effect"] for row in status(served, ON)}
    assert asked == {name: str(effects.get(kind[name].kind, Effect.STOP)) for name in ALL}
    assert read(written(effects)) == effects


def test_the_short_road_reads_no_store_and_reaches_everybody(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    open_takedown(served, [record], REPAIR)
    (served.home / "store").rename(served.home / "store.away")
    with pytest.raises(NightBroken):  # only the search for other names of the act, which comes after, reads it
        take_back_all(served, [ENTRY])
    assert showing(served, document) == set() and {state for state, _ in states(served).values()} == {"confirmed"}


def test_the_ledger_keeps_on_which_document_a_takedown_was_opened_changed_and_lifted(served: Gateway) -> None:
    """The list of takedowns alone would say so, and whoever owns the database can write there what he likes."""
    record = held_by_all(served)
    open_takedown(served, [record], REPAIR)
    change(served, record, replace(REPAIR, document="撤〔2026〕1号"))
    lift(served, record, "复〔2026〕2号", "李某")
    events = [Event.TAKEDOWN_OPENED, Event.TAKEDOWN_CHANGED, Event.TAKEDOWN_LIFTED]
    told = [notes["document"] for _, _, notes in log.told(served.engine, events) if notes["record"] == record]
    assert told == [REPAIR.document, "撤〔2026〕1号", "复〔2026〕2号"]
    with served.engine.connect() as connection:
        assert "号" not in "".join(connection.execute(sa.select(lines.c.body)).scalars())


def test_a_change_asks_everybody_for_the_new_effect_and_the_record_is_never_off_the_list(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    assert {place[0] for place in marks(served.home)} == ALL
    change(served, record, replace(REPAIR, reason=Notice.REVOCATION, document="撤〔2026〕1号"))
    assert {state for state, _ in states(served).values()} == {"outstanding"}
    assert {(row["reason"], row["told"]) for row in status(served, ON)} == {("revocation", "revocation")}
    take_back_all(served, [ENTRY])
    assert showing(served, number(served, record)) == set() and {state for state, _ in states(served).values()} == {"confirmed"}
    with pytest.raises(NoTakedown, match="no takedown is open"):
        change(served, max(records_of(served) - {record}), REPAIR)


def test_who_gave_a_record_back_before_the_order_was_changed_stands_under_the_new_reason_and_with_what_it_was_told(
        served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY])
    change(served, record, replace(REPAIR, reason=Notice.OBJECTION, document="异〔2026〕1号", effects=everywhere(Effect.MARK)))
    rows = status(served, ON)
    assert {(row["state"], row["reason"], row["document"], row["told"]) for row in rows} == {("confirmed", "objection", "异〔2026〕1号", "repair")}
    assert {row["effect"] for row in rows} == {"delete", "stop_sharing"}
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    lines = CliRunner().invoke(app, ["takedown", "status"]).output.splitlines()[:-1]
    assert len(lines) == len(ALL) and all("objection 异〔2026〕1号" in line and "the reason it was told: 信用修复 credit repair" in line for line in lines)


def test_what_stands_open_is_told_in_both_languages_by_effect_and_state_and_counted_by_takedown(
        served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOME", str(served.home))
    open_takedown(served, [held_by_all(served)], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    told = CliRunner().invoke(app, ["takedown", "status"]).output.splitlines()
    assert len(told) == len(ALL) + 1 and all("标注 marked · 未确认 outstanding" in line for line in told[:-1])
    assert told[-1] == "1 takedowns open 在办撤回, 4 not confirmed 未确认"
    take_back_all(served, [ENTRY])
    told = CliRunner().invoke(app, ["takedown", "status"]).output.splitlines()
    assert all("标注 marked · 已确认 confirmed" in line for line in told[:-1]) and told[-1] == "1 takedowns open 在办撤回, 0 not confirmed 未确认"


def test_a_marked_record_whose_publicity_ends_is_withdrawn_although_it_stands_on_the_list(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    in_four_years = replace(served, clock=lambda: served.clock() + timedelta(days=4 * 366))
    decide_all(in_four_years, [ENTRY])
    assert not {place[0] for place in marks(served.home)} & {"credit_china", "gsxt"}


def test_i1_a_marked_record_comes_back_from_who_has_no_grant_any_more_although_it_stands_on_the_list(served: Gateway, tmp_path: Path) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    decide_all(under(served, tmp_path, {"grants.gsxt": GONE}), [ENTRY])
    assert showing(served, number(served, record)) == {place[0] for place in marks(served.home)} == ALL - {"gsxt"}


def test_i1_what_arrived_without_a_receipt_and_was_marked_since_comes_back_when_the_grant_ends(served: Gateway, tmp_path: Path) -> None:
    record, mark = held_by_all(served), replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK))
    with writing(served.engine) as connection:  # as if no receipt had come
        connection.execute(sa.delete(holdings).where(holdings.c.recipient == "gsxt"))
        connection.execute(sa.update(outbox).where(outbox.c.recipient == "gsxt").values(state="sent"))
    open_takedown(served, [record], mark)
    take_back_all(served, [ENTRY])
    assert "gsxt" in {place[0] for place in marks(served.home)}
    decide_all(under(served, tmp_path, {"grants.gsxt": GONE}), [ENTRY])
    assert "gsxt" not in showing(served, number(served, record))


def test_i7_a_marked_record_that_the_store_knows_no_more_stays_where_it_is(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    take_back_all(served, [ENTRY])
    with writing(served.engine) as connection:
        served.store.erase(connection, ENTRY, [record])
    figures = decide_all(served, [ENTRY])
    assert showing(served, document) == {place[0] for place in marks(served.home)} == ALL, "what it says cannot be known, and takes nothing down"
    assert {each["withdrawn"] for each in figures.values()} == {0}


def rename(gateway: Gateway, document: str, name: str) -> None:
    """The department hands the same penalty in under another name of the party."""
    with closing(sqlite3.connect(next((gateway.home / "sample").rglob("enforcement.db")))) as database:
        assert database.execute("UPDATE cf_legal SET CF_XDR_MC = ? WHERE CF_WSH = ?", [name, document]).rowcount == 1
        database.commit()


def test_i6_a_repaired_penalty_that_comes_back_under_the_partys_new_name_goes_to_nobody_and_is_told(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY])
    rename(served, document, "云岭新名称有限公司")
    runs = run_night(served, ON, [FEED], print)
    decide_all(served, [ENTRY])
    assert showing(served, document) == set()
    with served.engine.connect() as connection:
        alarms = [line.figures for line in log.read(connection) if line.event is Event.RESURFACED and line.run in runs]
    assert [figures["records"] for figures in alarms] == [1]
    lift(served, record, "更正〔2026〕2号", "李某")
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL, "lifting the one lifts its other names"


def test_i6_a_takedown_reaches_the_same_act_that_went_out_under_an_earlier_name(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    rename(served, document, "云岭新名称有限公司")
    run_night(served, ON, [FEED], print)
    assert sum(place[0] == "gsxt" and f'"{document}"' in fields for place, fields in content(served.home).items()) == 2
    open_takedown(served, [record], REPAIR)
    assert outstanding(served) == [ENTRY]
    take_back_all(served, [ENTRY])
    assert showing(served, document) == set()
    assert len({row["record"] for row in status(served, ON)}) == 2


def test_d46_d58_identifiers_are_kept_sealed_until_everybody_has_confirmed_and_shown_to_the_registered_alone(served: Gateway) -> None:
    record, li = held_by_all(served), ("李某", "repair", "")
    (served.home / "secrets" / "people.yml").write_text("李某: repair\n", "utf-8")
    Faults(served.home / "sample" / "faults.json").set("national_platform", Fault.DOWN)
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY], lambda words: None)
    probe(served)
    escalate(served)
    entry, said = suppressed.look_up_opened(served, record, li)
    assert entry == ENTRY and said["CF_WSH"] == number(served, record)
    with pytest.raises(Refused):
        suppressed.look_up_opened(served, record, ("周某", "repair", ""))
    assert [row["outcome"] for row in look_ups(served)] == ["answered", "no-role"]
    assert number(served, record).encode() not in (served.home / "gateway.db").read_bytes()
    Faults(served.home / "sample" / "faults.json").set("national_platform", Fault.NONE)
    take_back_all(served, [ENTRY])
    probe(served)
    escalate(served)
    with pytest.raises(suppressed.NoIdentifiers):
        suppressed.look_up_opened(served, record, li)
    with pytest.raises(Refused):  # whether they are still kept is told to nobody either
        suppressed.look_up_opened(served, record, ("周某", "repair", ""))
    assert [(row["outcome"], row["records"]) for row in look_ups(served)][2:] == [("answered", 0), ("no-role", None)]


def test_who_is_late_stands_on_the_ledger_once_and_is_told_each_time(served: Gateway) -> None:
    record = held_by_all(served)
    Faults(served.home / "sample" / "faults.json").set("national_platform", Fault.DOWN)
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY], lambda words: None)
    late = replace(served, clock=lambda: served.clock() + timedelta(days=30))
    assert escalate(served) == []
    for _ in range(2):
        [words] = escalate(late)
        assert "national_platform" in words and record in words and number(served, record) not in words
    with served.engine.connect() as connection:
        assert sum(line.event is Event.TAKEDOWN_OVERDUE for line in log.read(connection)) == 1


def test_a_record_that_nobody_got_is_listed_and_confirmed_by_nobody(served: Gateway) -> None:
    stored = records_of(served)
    with served.engine.connect() as connection:
        given = {row["record"] for row in connection.execute(sa.text("SELECT DISTINCT record FROM holdings")).mappings()}
    record = min(stored - given)
    open_takedown(served, [record], REPAIR)
    assert [(row["recipient"], row["state"]) for row in status(served, ON)] == [("", "nobody")]
    assert take_back_all(served, [ENTRY]) == {}
    with served.engine.connect() as connection:
        assert is_confirmed(connection, ENTRY, record)
        assert connection.execute(sa.select(withdrawn.c.sought_at)).scalar_one() is not None


def under_two_names(gateway: Gateway, reason: Notice) -> tuple[str, str, str]:
    """A record, its document number, and the record that the same act became under the party's new name; both are taken back."""
    record = held_by_all(gateway)
    document = number(gateway, record)
    rename(gateway, document, "云岭新名称有限公司")
    run_night(gateway, ON, [FEED], print)
    open_takedown(gateway, [record], replace(REPAIR, reason=reason))
    take_back_all(gateway, [ENTRY])
    assert showing(gateway, document) == set()
    [renamed] = {row["record"] for row in status(gateway, ON)} - {record}
    return record, document, renamed


@pytest.mark.parametrize("by_new_name", [False, True])
def test_i6_an_act_that_was_let_go_and_is_ordered_back_again_comes_back_under_all_its_names(served: Gateway, by_new_name: bool) -> None:
    record, document, renamed = under_two_names(served, Notice.OBJECTION)
    lift(served, record, "异议处理〔2026〕3号", "李某")
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL
    open_takedown(served, [renamed if by_new_name else record], REPAIR)
    take_back_all(served, [ENTRY])
    decide_all(served, [ENTRY])
    assert showing(served, document) == set() and {row["record"] for row in status(served, ON)} == {record, renamed}


def test_i6_what_is_ordered_under_another_name_of_an_act_holds_for_the_act(served: Gateway) -> None:
    record, _, renamed = under_two_names(served, Notice.OBJECTION)
    change(served, renamed, REPAIR)
    assert {(row["record"], row["reason"]) for row in status(served, ON)} == {(record, "repair"), (renamed, "repair")}


def test_i6_a_record_that_nobody_can_read_is_taken_back_and_its_act_is_sought_once_the_store_is_whole(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    rename(served, document, "云岭新名称有限公司")
    run_night(served, ON, [FEED], print)
    store, away = served.home / "store", served.home / "store.away"
    store.rename(away)
    open_takedown(served, [record], REPAIR)
    with pytest.raises(NightBroken):
        take_back_all(served, [ENTRY])
    assert {state for state, _ in states(served).values()} == {"confirmed"} and outstanding(served) == [ENTRY]
    away.rename(store)
    take_back_all(served, [ENTRY])
    assert showing(served, document) == set() and outstanding(served) == []
