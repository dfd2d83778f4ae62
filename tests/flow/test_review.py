"""What a review found: nights that ended "complete" or lost a record although something had gone wrong on the way."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import delivery
import expectations
from gateway import intake, night, outgo
from gateway.closing import NightIncomplete, close_run
from gateway.figures import night_figures
from gateway.intake import night_window
from gateway.night import run_feed, run_night
from gateway.sample import World
from gateway.settings import Gateway
from ledger import log, questions
from ledger.events import Event
from records.schema import owed
from records.staging import Reference
from tests.flow.held_content import ON, content

REGISTER = "market_regulation.enterprise_registration"
ARREARS, COURT, CLASS_A = "taxation.tax_arrears", "court.judgment_defaulter", "taxation.class_a_taxpayer"
NAME = "欧阳静好"


def state(gateway: Gateway, run: str) -> str:
    return str(questions.nights(gateway.engine).set_index("run").at[run, "state"])


def ledger_text(gateway: Gateway) -> str:
    with gateway.engine.connect() as connection:
        return "\n".join(connection.execute(sa.text("SELECT body FROM ledger")).scalars())


def opened(gateway: Gateway, feed: str, trigger: str = "airflow:one") -> dict[str, str]:
    return intake.open_run(gateway, feed, night_window(ON), trigger)


def checked(gateway: Gateway, run: dict[str, str]) -> list[dict[str, Any]]:
    return [intake.check_part(gateway, run, intake.collect_part(gateway, run, part)) for part in intake.plan(gateway, run)]


def killed(gateway: Gateway, feed: str, place: str, event: str) -> int:
    script = Path(__file__).with_name("killed_night.py")
    environment = os.environ | {"GATEWAY_HOME": str(gateway.home), "GATEWAY_DATABASE_URL": gateway.database,
                                "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, str(script), feed, ON.isoformat(), place, event], env=environment, check=False,
                          capture_output=True, timeout=120).returncode


def test_i4_what_is_owed_outlives_a_second_try_of_its_run_that_is_killed_before_it_settles(gateway: Gateway, world: World) -> None:
    """What the first try settled is owed by name and digest: the second must not write over it before it settles itself."""
    run = opened(gateway, COURT)
    settled = intake.settle(gateway, run, checked(gateway, run))
    checked(gateway, run)
    world.fault("court", "down")  # so that only what is owed can go out
    late = run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), lambda _: None)
    lost = [row for row in questions.failures(gateway.engine, late) if row.startswith("(owed")]
    figures = questions.events(gateway.engine, [late], Event.CAUGHT_UP).set_index("recipient").at["national_platform", "figures"]
    assert lost == [] and figures["accepted"] == sum(part["reference"]["rows"] for part in settled) > 0


@pytest.mark.parametrize(("place", "event"), [("gateway.intake.settle", "return"), ("delivery.outbox.settle", "return")])
def test_i4_what_a_killed_night_accepted_goes_out_although_its_window_is_not_read_again(
        gateway: Gateway, world: World, place: str, event: str) -> None:
    assert killed(gateway, COURT, place, event) == -signal.SIGKILL
    accepted = questions.source_figures(gateway.engine, questions.nights(gateway.engine)["run"].to_list())["accepted"].iloc[0]
    world.fault("court", "down")  # so that only what the killed night left behind can go out
    run = run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), lambda _: None)
    served = [who for who, entry, _ in content(gateway.home) if entry == "judgment_defaulter"]
    late = questions.events(gateway.engine, [run], Event.CAUGHT_UP).set_index("recipient").at["national_platform", "figures"]
    assert served.count("national_platform") == accepted - late["withheld"] > 0, "all but the minors, who go to nobody"
    with gateway.engine.connect() as connection:
        assert connection.execute(sa.select(owed)).all() == []


def test_a_window_that_could_not_be_read_is_read_with_the_next(gateway: Gateway, world: World) -> None:
    run_feed(gateway, COURT, night_window(ON - timedelta(days=1)), print)
    world.fault("court", "down")
    run_feed(gateway, COURT, night_window(ON), lambda _: None)
    world.fault("court", "none")
    before = len(content(gateway.home))
    last = run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), print)
    assert len(content(gateway.home)) > before
    seen = questions.nights(gateway.engine).set_index("run").loc[last]
    assert (seen["window_start"], seen["window_end"]) == (night_window(ON)[0], night_window(ON + timedelta(days=1))[1])


def test_a_window_of_the_past_is_read_as_asked(gateway: Gateway, world: World) -> None:
    run_feed(gateway, COURT, night_window(ON), print)
    run = intake.open_run(gateway, COURT, night_window(ON - timedelta(days=1)), "backfill")
    assert (run["window_start"], run["window_end"]) == night_window(ON - timedelta(days=1))


@pytest.mark.parametrize("error", [ValueError(NAME), OSError(28, NAME), MemoryError(NAME)])
def test_i8_a_defect_in_one_partition_fails_the_run_by_name_and_the_other_partitions_go_on(
        gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    first, check = [], expectations.check

    def broken(collected: Any, *rest: Any) -> Any:
        first.append(collected.partition)
        if collected.partition == first[0]:
            raise error
        return check(collected, *rest)

    monkeypatch.setattr(expectations, "check", broken)
    told: list[str] = []
    runs = run_night(gateway, ON, [ARREARS, CLASS_A], told.append)
    figures = {feed["feed"]: feed for feed in night_figures(gateway, runs)["feeds"]}
    assert figures[ARREARS]["state"] == "failed" and figures[CLASS_A]["state"] == "complete"
    assert figures[ARREARS]["recipients"]["credit_china"]["delivered"] > 0
    assert first[0] in " ".join(told) and NAME not in " ".join(told) and NAME not in ledger_text(gateway)


def test_i2_a_partition_that_nobody_checked_keeps_the_run_from_being_complete(gateway: Gateway, world: World) -> None:
    run = opened(gateway, ARREARS)
    first, *_ = intake.plan(gateway, run)
    part = intake.check_part(gateway, run, intake.collect_part(gateway, run, first))  # the task of the other was killed
    settled = intake.settle(gateway, run, [part])
    for recipient in outgo.recipients(gateway, run):
        outgo.send(gateway, run, settled, recipient)
    with pytest.raises(NightIncomplete, match="run the feed again"):
        close_run(gateway, run)
    assert state(gateway, run["run"]) == "failed"


def test_a_staged_batch_that_is_gone_fails_the_run(gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    collect = intake.collect_part

    def losing(gateway: Gateway, run: dict[str, str], part: dict[str, Any]) -> dict[str, Any]:
        staged = collect(gateway, run, part)
        (gateway.home / "staging" / staged["reference"]["path"]).unlink()
        return staged

    monkeypatch.setattr(intake, "collect_part", losing)
    assert state(gateway, run_feed(gateway, CLASS_A, night_window(ON), lambda _: None)) == "failed"


@pytest.mark.parametrize("table", ["runs", "ledger"])
def test_a_feed_that_cannot_even_be_accounted_for_stops_no_other_and_shows_at_the_end(
        gateway: Gateway, world: World, table: str) -> None:
    with gateway.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER full BEFORE INSERT ON {table} WHEN NEW.feed = '{ARREARS}' "
                                   f"BEGIN SELECT RAISE(ABORT, '{NAME}'); END")
    told: list[str] = []
    with pytest.raises(night.NightBroken) as broken:
        run_night(gateway, ON, [ARREARS, CLASS_A], told.append)
    assert ARREARS in str(broken.value) and NAME not in str(broken.value) + " ".join(told)
    seen = questions.nights(gateway.engine)
    assert seen[seen["feed"] == CLASS_A]["state"].to_list() == ["complete"]


def test_i8_a_defect_at_one_recipient_stops_no_other(
        gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = delivery.deliver

    def broken(batch: delivery.Batch, door: delivery.Door) -> Any:
        if door.recipient_code == "credit_china":
            raise ValueError(NAME)
        return deliver(batch, door)

    monkeypatch.setattr(delivery, "deliver", broken)
    told: list[str] = []
    run = run_feed(gateway, COURT, night_window(ON), told.append)
    assert state(gateway, run) == "failed" and NAME not in " ".join(told) + ledger_text(gateway)
    assert {who for who, _, _ in content(gateway.home)} >= {"national_platform"}
    monkeypatch.setattr(delivery, "deliver", deliver)
    run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), print)
    assert any(who == "credit_china" for who, _, _ in content(gateway.home))


def test_i7_settling_again_does_not_slip_past_the_guard(gateway: Gateway, world: World) -> None:
    run_feed(gateway, REGISTER, night_window(ON), print)
    for file in (gateway.home / "sample/departments/market_regulation").glob("*.csv"):
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:20]))
    run = opened(gateway, REGISTER)
    parts = checked(gateway, run)
    for _ in range(2):  # an operator who clears the red task
        with pytest.raises(intake.MassDisappearance):
            intake.settle(gateway, run, parts)
    settled = intake.settle(gateway, run, parts, accept_shrunken=True)
    for recipient in outgo.recipients(gateway, run):
        outgo.send(gateway, run, settled, recipient)
    assert close_run(gateway, run) == "complete"


def test_a_run_is_not_complete_while_a_recipient_is_owed_from_earlier_ones(gateway: Gateway, world: World) -> None:
    world.fault("national_platform", "down")
    run_feed(gateway, COURT, night_window(ON), lambda _: None)
    told: list[str] = []
    later = run_feed(gateway, COURT, night_window(ON + timedelta(days=3)), told.append)
    assert state(gateway, later) == "incomplete" and "national_platform" in " ".join(told)


def test_an_owed_batch_that_is_gone_is_told_once_and_holds_up_nothing(gateway: Gateway, world: World) -> None:
    world.fault("national_platform", "down")
    run_feed(gateway, COURT, night_window(ON), lambda _: None)
    world.fault("national_platform", "none")
    for file in (gateway.home / "staging").rglob("*.sealed"):
        file.unlink()
    told: list[str] = []
    run = run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), told.append)
    assert state(gateway, run) == "failed" and "national_platform" in " ".join(told) and ON.isoformat() in " ".join(told)
    told.clear()
    run = run_feed(gateway, COURT, night_window(ON), told.append)
    assert state(gateway, run) == "complete" and told == []
    assert any(who == "national_platform" for who, _, _ in content(gateway.home))


def test_what_is_owed_goes_out_although_the_entry_has_gained_a_field(gateway: Gateway, world: World) -> None:
    world.fault("national_platform", "down")
    run_feed(gateway, COURT, night_window(ON), lambda _: None)
    world.fault("national_platform", "none")
    with gateway.engine.begin() as connection:
        row = connection.execute(sa.select(owed)).mappings().one()
        rows = gateway.staging.read(Reference(row["path"], row["rows"], row["sha256"])).drop(columns="performance")
        before = gateway.staging.write(rows, "before", "owed", "national_platform")
        connection.execute(sa.update(owed).values(**before.as_json()))
    told: list[str] = []
    run_feed(gateway, COURT, night_window(ON + timedelta(days=1)), told.append)
    assert told == [] and sum(who == "national_platform" for who, _, _ in content(gateway.home)) == len(rows)


def test_what_a_recipient_refuses_needs_a_person(gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = delivery.deliver

    def refusing(batch: delivery.Batch, door: delivery.Door) -> Any:
        receipt = deliver(batch, door)
        if door.recipient_code != "national_platform":
            return receipt
        first, *rest = receipt.accepted
        return dataclasses.replace(receipt, accepted=tuple(rest), refused={first: "unknown-code"})

    monkeypatch.setattr(delivery, "deliver", refusing)
    told: list[str] = []
    run = run_feed(gateway, CLASS_A, night_window(ON), told.append)
    assert state(gateway, run) == "failed" and "unknown-code" in " ".join(told)
    again = run_feed(gateway, CLASS_A, night_window(ON), told.append)
    assert state(gateway, again) == "failed"
    monkeypatch.setattr(delivery, "deliver", deliver)
    assert state(gateway, run_feed(gateway, CLASS_A, night_window(ON), print)) == "complete"


def test_i2_a_send_that_is_tried_again_counts_each_record_once(gateway: Gateway, world: World) -> None:
    run = opened(gateway, CLASS_A)
    settled = intake.settle(gateway, run, checked(gateway, run))
    world.fault("credit_china", "down")
    with pytest.raises(delivery.RecipientUnavailable):
        outgo.send(gateway, run, settled, "credit_china")
    world.fault("credit_china", "none")
    first = outgo.send(gateway, run, settled, "credit_china")
    assert outgo.send(gateway, run, settled, "credit_china") == first and first["delivered"] > 0 == first["pending"]


def test_a_run_that_the_scheduler_repeats_is_open_until_it_closes_again(gateway: Gateway, world: World) -> None:
    for _ in range(2):
        run = opened(gateway, CLASS_A)
        assert log.verify(gateway.engine).open_runs == (run["run"],) and state(gateway, run["run"]) == "open"
        settled = intake.settle(gateway, run, checked(gateway, run))
        for recipient in outgo.recipients(gateway, run):
            outgo.send(gateway, run, settled, recipient)
        assert close_run(gateway, run) == "complete"
    figures = night_figures(gateway, [run["run"]])
    assert figures["balanced"] and log.verify(gateway.engine).open_runs == ()
    assert figures["totals"]["delivered"] == len(content(gateway.home))  # by this run, whichever attempt
    assert not list((gateway.home / "staging").rglob("*.sealed"))
