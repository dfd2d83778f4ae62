"""A record is taken back from everybody who got it and no journey brings it out again, counted by a separate reader."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from console.report import write_report
from delivery import Effect
from gateway.effects import everywhere
from gateway.night import backfill, decide_all, run_night, take_back_all
from gateway.sample import World
from gateway.sample.credentials import Fault, Faults
from gateway.settings import Gateway
from gateway.takedown import NoTakedown, Order, clear_times, lift, open_takedown, outstanding, status
from ledger.events import Event
from ledger.questions import events
from records.stages import Notice
from tests.flow.held_content import ON, content, marks
from tests.flow.test_story import ENTRY, FEED, held_by_all

ALL = {"credit_china", "gsxt", "national_platform", "public_resources"}
REPAIR = Order(Notice.REPAIR, "云信修〔2026〕7号", "李某")


@pytest.fixture
def served(gateway: Gateway, world: World) -> Gateway:
    run_night(gateway, ON, [FEED], print)
    return gateway


def number(gateway: Gateway, record: str) -> str:
    with gateway.engine.connect() as connection:
        return str(gateway.store.at(connection, ENTRY, record, gateway.clock())["CF_WSH"].iloc[0])


def showing(gateway: Gateway, document: str) -> set[str]:
    """Who answers with a record of this document number."""
    return {recipient for (recipient, entry, _), fields in content(gateway.home).items()
            if entry == ENTRY and json.loads(fields).get("CF_WSH") == document}


def states(gateway: Gateway, on: date = ON) -> dict[str, tuple[str, bool]]:
    return {row["recipient"]: (row["state"], row["overdue"]) for row in status(gateway, on)}


def test_i6_a_repaired_record_comes_back_from_all_and_no_journey_brings_it_out_again(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    assert showing(served, document) == ALL
    open_takedown(served, [record], REPAIR)
    decide_all(served, [ENTRY])
    assert showing(served, document) == set()
    assert states(served) == dict.fromkeys(ALL, ("confirmed", False))
    runs = run_night(served, ON, [FEED], print)
    backfill(served, [FEED], (ON - timedelta(days=1), ON), print)
    decide_all(served, [ENTRY])
    assert showing(served, document) == set()
    alarms = events(served.engine, runs, Event.RESURFACED)
    assert [figures["records"] for figures in alarms["figures"]] == [1], "the lagging source is told, and nothing else happens"


def test_a_recipient_that_is_down_is_overdue_until_it_confirms_and_holds_up_nobody(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    faults = Faults(served.home / "sample" / "faults.json")
    faults.set("credit_china", Fault("down"))
    open_takedown(served, [record], REPAIR)
    told: list[str] = []
    decide_all(served, [ENTRY], told.append)
    assert showing(served, document) == {"credit_china"} and any("credit_china" in words for words in told)
    assert states(served)["credit_china"] == ("outstanding", False) and outstanding(served) == [ENTRY]
    assert states(served, ON + timedelta(days=30))["credit_china"] == ("outstanding", True)
    backfill(served, [FEED], (ON, ON), lambda words: None)
    faults.set("credit_china", Fault("none"))
    decide_all(served, [ENTRY])
    assert showing(served, document) == set() and states(served)["credit_china"] == ("confirmed", False)
    assert outstanding(served) == []


def test_how_long_each_recipient_took_is_told_per_recipient(served: Gateway) -> None:
    opened_at = served.clock()
    records = [held_by_all(served)]
    open_takedown(served, records, REPAIR)
    assert clear_times(served).empty
    later = replace(served, clock=lambda: opened_at + timedelta(hours=6))
    decide_all(later, [ENTRY])
    times = clear_times(later).set_index("recipient")
    assert set(times.index) == ALL and (times["records"] == 1).all()
    assert all(abs(hours - 6) < 0.001 for name in ("p50", "p95", "p99") for hours in times[name])
    assert "撤回确认用时" in page(later) and "6.00" in page(later)


def page(gateway: Gateway) -> str:
    return write_report(gateway, ON.isoformat(), gateway.home / "reports").read_text("utf-8")


def test_d41_a_mark_keeps_the_record_and_shows_it_until_it_is_lifted(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION, effects=everywhere(Effect.MARK)))
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL and {place[0] for place in marks(served.home)} == ALL
    again = decide_all(served, [ENTRY])
    assert all(figures["withdrawn"] == 0 for figures in again.values()), "who has marked it is not asked twice"
    lift(served, record, "异议处理〔2026〕1号", "李某")
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL and marks(served.home) == {}
    assert states(served) == {}


def test_an_objection_blocks_and_once_settled_the_record_is_there_again(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION))
    decide_all(served, [ENTRY])
    assert showing(served, document) == set()
    lift(served, record, "异议处理〔2026〕2号", "李某")
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL


def test_who_has_not_confirmed_a_takedown_by_the_time_it_is_lifted_is_not_asked_any_more_and_keeps_the_record(served: Gateway) -> None:
    record = held_by_all(served)
    document = number(served, record)
    faults = Faults(served.home / "sample" / "faults.json")
    faults.set("credit_china", Fault("down"))
    open_takedown(served, [record], replace(REPAIR, reason=Notice.OBJECTION))
    take_back_all(served, [ENTRY], lambda words: None)
    lift(served, record, "异议处理〔2026〕3号", "李某")
    faults.set("credit_china", Fault("none"))
    assert outstanding(served) == [] and take_back_all(served, [ENTRY]) == {}
    assert showing(served, document) == {"credit_china"}


@pytest.mark.parametrize("fault", ["wrong-signature", "down"])
@pytest.mark.parametrize("recipient", ["credit_china", "gsxt"])
def test_whose_answer_to_a_takedown_was_lost_is_brought_the_record_again_when_it_is_lifted(
    served: Gateway, recipient: str, fault: str,
) -> None:
    record = held_by_all(served)
    document = number(served, record)
    faults = Faults(served.home / "sample" / "faults.json")
    faults.set(recipient, Fault(fault))
    open_takedown(served, [record], REPAIR)
    take_back_all(served, [ENTRY], lambda words: None)
    assert outstanding(served) != []
    faults.set(recipient, Fault("none"))
    lift(served, record, "异议处理〔2026〕4号", "李某")
    decide_all(served, [ENTRY])
    assert showing(served, document) == ALL


def test_what_the_store_never_had_and_what_is_open_already_is_refused(served: Gateway) -> None:
    record = held_by_all(served)
    open_takedown(served, [record], REPAIR)
    for wrong in (record, "1-" + "0" * 32):
        with pytest.raises(NoTakedown):
            open_takedown(served, [wrong], REPAIR)
    with pytest.raises(NoTakedown):
        lift(served, "1-" + "0" * 32, "x", "y")
