"""The slow one never holds the others: lanes, the breaker, and receipts that come later, in whole nights."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from delivery import doors
from gateway.cli import app
from gateway.figures import night_figures
from gateway.lanes import Lanes
from gateway.night import decide_all, run_night
from gateway.recipient_status import standing_recipients
from gateway.sample import World
from gateway.settings import Gateway
from gateway.takedown import Order, open_takedown
from ledger import export, log
from ledger.events import Event
from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from records.database import writing
from records.schema import awaited, lines, outbox
from records.stages import Notice
from tests.catalog.altered import alter, copied
from tests.flow.held_content import ON, content

COURT, CLASS_A, ARREARS = "court.judgment_defaulter", "taxation.class_a_taxpayer", "taxation.tax_arrears"
PLATFORM, SITE = "national_platform", "credit_china"


@pytest.fixture
def hurried(gateway: Gateway, tmp_path: Path) -> Iterator[tuple[Gateway, World]]:
    """A gateway whose national platform has four seconds for its receipt, less than the slow take, and the world around it."""
    root = copied(tmp_path)
    alter(root, f"recipients/{PLATFORM}.yml", {"deadline": 4})
    made = replace(gateway, catalog_root=root)
    with World(made.home, made.catalog.entries) as world:
        yield made, world


def night(gateway: Gateway, *feeds: str) -> tuple[dict, list[str]]:
    told: list[str] = []
    return night_figures(gateway, run_night(gateway, ON, list(feeds), told.append)), told


def lines_of(gateway: Gateway, *events: Event) -> list[tuple[str, str]]:
    with gateway.engine.connect() as connection:
        return [(line.recipient, str(line.event)) for line in log.read(connection, lines.c.event.in_([str(event) for event in events]))]


def states(gateway: Gateway, recipient: str) -> set[str]:
    with gateway.engine.connect() as connection:
        return set(connection.execute(sa.select(outbox.c.state).where(outbox.c.recipient == recipient)).scalars())


def test_lanes_go_side_by_side_and_each_keeps_its_order() -> None:
    served, release = list[str](), threading.Event()

    def slow() -> None:
        release.wait(10)
        served.append("slow 1")

    with Lanes() as lanes:
        first = lanes.put("slow", slow)
        lanes.put("slow", lambda: served.append("slow 2"))
        lanes.put("quick", lambda: served.append("quick")).result(10)
        assert served == ["quick"] and not first.done()
        release.set()
    assert served == ["quick", "slow 1", "slow 2"]


def test_in_turn_everything_goes_when_it_is_put_in_and_an_error_is_kept_for_who_asks() -> None:
    with Lanes(side_by_side=False) as lanes:
        first = lanes.put("a", lambda: 1 // 0)
        assert lanes.put("b", threading.get_ident).result() == threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            first.result()


def test_while_one_recipient_stalls_its_whole_deadline_the_others_have_their_receipts(hurried: tuple[Gateway, World]) -> None:
    made, world = hurried
    world.fault(PLATFORM, "slow")
    figures, told = night(made, CLASS_A)
    told_of = lines_of(made, Event.DELIVERED, Event.UNDELIVERED)
    assert told_of[-1] == (PLATFORM, "undelivered") and {name for name, _ in told_of[:-1]} > {SITE}
    assert PLATFORM in " ".join(told) and figures["balanced"]


def test_a_receipt_that_was_promised_and_came_too_late_is_asked_for_first_and_nothing_is_sent_again(hurried: tuple[Gateway, World]) -> None:
    made, world = hurried
    world.fault(PLATFORM, "queued")
    first, told = night(made, CLASS_A)
    pending = first["feeds"][0]["recipients"][PLATFORM]["pending"]
    assert pending > 0 and "queue" in " ".join(told) and states(made, PLATFORM) == {"overdue"}
    assert next(row["overdue"] for row in standing_recipients(made) if row["recipient"] == PLATFORM) == pending
    world.fault(PLATFORM, "none")
    # With its usual deadline: that it is quick again is not what is tried here.
    again, told = night(replace(made, catalog_root=None), CLASS_A)
    assert told == [] and again["feeds"][0]["recipients"][PLATFORM]["unchanged"] == pending
    assert states(made, PLATFORM) == {"applied"}
    assert sum(name == PLATFORM for name, _ in lines_of(made, Event.INTENDED)) == 1
    assert sum(name == PLATFORM for name, _, _ in content(made.home)) == pending
    with made.engine.connect() as connection:
        assert connection.execute(sa.select(awaited)).all() == []
        export.export(connection, made.home / "export", with_openings=False)
    assert {finding.kind for finding in check(read(made.home / "export"), Keys(()))} <= {"no-checkpoint", "beyond-checkpoint", "origin"}


def test_what_was_promised_and_never_comes_is_offered_again_by_the_same_name(hurried: tuple[Gateway, World]) -> None:
    made, world = hurried
    world.fault(PLATFORM, "queued")
    night(made, CLASS_A)
    night(made, CLASS_A)
    with made.engine.connect() as connection:
        query = sa.select(sa.func.count(sa.distinct(outbox.c.batch)), sa.func.count()).where(outbox.c.recipient == PLATFORM)
        assert tuple(connection.execute(query).one()) == (1, 2)


def test_a_recipient_that_is_down_is_asked_a_few_times_and_then_left_alone_while_all_its_records_stay_owed(
        gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fault(SITE, "down")
    feeds = [COURT, CLASS_A, ARREARS, "market_regulation.enterprise_registration", "market_regulation.abnormal_operation"]
    served = [feed for feed in feeds if SITE in gateway.catalog.recipients_of(gateway.catalog.feeds[feed].entry)]
    assert len(served) > doors.TRIES
    figures, told = night(gateway, *served)
    assert lines_of(gateway, Event.UNDELIVERED) == [(SITE, "undelivered")] * doors.TRIES
    assert sum("not asked before" in words for words in told) <= len(served) - doors.TRIES
    assert all(feed["recipients"][SITE]["pending"] > 0 for feed in figures["feeds"]) and figures["balanced"]
    monkeypatch.setenv("GATEWAY_HOME", str(gateway.home))
    shown = CliRunner().invoke(app, ["recipient", "status", "--json"])
    site = next(row for row in json.loads(shown.stdout) if row["recipient"] == SITE)
    assert shown.exit_code == 3 and site["door"] == "open" and site["owed"] == sum(
        feed["recipients"][SITE]["pending"] for feed in figures["feeds"])
    assert "暂停推送" in CliRunner().invoke(app, ["recipient", "status"]).stdout
    world.fault(SITE, "none")
    later = replace(gateway, clock=lambda: gateway.clock() + timedelta(minutes=2))
    again, told = night(later, *served)
    assert told == [] and again["totals"]["pending"] == 0
    assert [notes["state"] for notes in changes_of(gateway)] == ["open", "half-open", "closed"]


def changes_of(gateway: Gateway) -> list[dict]:
    with gateway.engine.connect() as connection:
        return [line.notes for line in log.read(connection, lines.c.event == str(Event.DOOR_CHANGED))]


def test_i6_a_takedown_goes_to_a_recipient_that_nothing_is_brought_to_for_now(gateway: Gateway, world: World) -> None:
    night(gateway, COURT)
    with writing(gateway.engine) as connection:
        for _ in range(doors.TRIES):
            doors.unavailable(connection, SITE, doors.RecipientUnavailable("no-answer", ""), gateway.clock())
        record = connection.execute(sa.text("SELECT record FROM holdings WHERE recipient = 'credit_china'")).scalars().first()
    open_takedown(gateway, [record], Order(Notice.REPAIR, "文号", "clerk"))
    figures = decide_all(gateway, ["judgment_defaulter"], print)
    assert figures[SITE]["withdrawn"] == 1 and [notes["state"] for notes in changes_of(gateway)] == ["open", "half-open", "closed"]


def test_a_recipient_that_is_well_again_is_asked_at_once_when_a_person_says_so(
        gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(gateway.engine) as connection:
        for _ in range(doors.TRIES):
            doors.unavailable(connection, SITE, doors.RecipientUnavailable("no-answer", ""), gateway.clock())
    monkeypatch.setenv("GATEWAY_HOME", str(gateway.home))
    assert night(gateway, COURT)[0]["feeds"][0]["recipients"][SITE]["pending"] > 0
    assert CliRunner().invoke(app, ["recipient", "resume", "nobody"]).exit_code == 2
    assert CliRunner().invoke(app, ["recipient", "resume", SITE]).exit_code == 0
    feed = night(gateway, COURT)[0]["feeds"][0]
    assert feed["recipients"][SITE]["pending"] == 0 and feed["state"] == "complete"


def test_no_recipient_gets_more_batches_in_a_minute_than_its_contract_says(gateway: Gateway, tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, f"recipients/{SITE}.yml", {"rate": 60, "batch_size": 10})
    paced = replace(gateway, catalog_root=root)
    with World(paced.home, paced.catalog.entries):
        figures, told = night(paced, COURT)
    assert told == [] and figures["totals"]["pending"] == 0
    with paced.engine.connect() as connection:
        batches = connection.execute(sa.select(sa.func.count()).where(outbox.c.recipient == SITE)).scalar_one()
        free = connection.execute(sa.text("SELECT next_slot_at FROM doors WHERE recipient = 'credit_china'")).scalar_one()
    assert batches > 1 and free == (gateway.clock() + timedelta(seconds=batches)).isoformat()
