"""A recipient that is down too often is not asked for a while; one that wants a pace keeps it, takedowns first."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.engine import Engine

from delivery import RecipientUnavailable, doors
from delivery.doors import FIRST_PAUSE, LONGEST_PAUSE, TRIES, Caller
from ledger import log
from ledger.events import Event
from records.database import writing
from records.schema import lines
from tests.conftest import NOON

SITE = "credit_china"
DOWN = RecipientUnavailable("no-answer", "down")
MINUTE = timedelta(minutes=1)


def fail(engine: Engine, at: datetime, times: int = 1, error: RecipientUnavailable = DOWN) -> None:
    for _ in range(times):
        with writing(engine) as connection:
            doors.unavailable(connection, SITE, error, at)


def admitted(engine: Engine, at: datetime, takes_back: bool = False) -> bool:
    with writing(engine) as connection:
        return doors.admit(connection, Caller(SITE, takes_back), at) is None


def answer(engine: Engine, at: datetime) -> None:
    with writing(engine) as connection:
        doors.answered(connection, SITE, at)


def changes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [line.notes["state"] for line in log.read(connection, lines.c.event == str(Event.DOOR_CHANGED))]


def test_the_door_opens_after_faults_in_a_row_and_an_answer_in_between_starts_the_count_anew(engine: Engine) -> None:
    fail(engine, NOON, TRIES - 1)
    answer(engine, NOON)
    fail(engine, NOON, TRIES - 1)
    assert admitted(engine, NOON) and changes(engine) == []
    fail(engine, NOON)
    assert not admitted(engine, NOON) and changes(engine) == ["open"]


@pytest.mark.parametrize("opened", [lambda engine: fail(engine, NOON, TRIES),
                                    lambda engine: fail(engine, NOON, 1, RecipientUnavailable("http-503", "down", 86_400))])
def test_a_clock_that_was_set_back_a_day_keeps_nobody_from_the_door_for_a_day(engine: Engine, opened: Callable[[Engine], None]) -> None:
    opened(engine)
    yesterday = NOON - timedelta(days=1)
    assert admitted(engine, yesterday) and not admitted(engine, yesterday)  # as a trial, and the others wait for it


def test_when_its_time_has_come_one_trial_goes_and_the_others_wait_for_it(engine: Engine) -> None:
    fail(engine, NOON, TRIES)
    assert not admitted(engine, NOON + FIRST_PAUSE - timedelta(seconds=1))
    assert admitted(engine, NOON + FIRST_PAUSE) and not admitted(engine, NOON + FIRST_PAUSE)
    answer(engine, NOON + FIRST_PAUSE)
    assert admitted(engine, NOON + FIRST_PAUSE) and changes(engine) == ["open", "half-open", "closed"]
    with engine.connect() as connection:
        assert doors.is_closed(connection, SITE)


def test_a_trial_whose_process_was_killed_is_followed_by_another(engine: Engine) -> None:
    fail(engine, NOON, TRIES)
    assert admitted(engine, NOON + FIRST_PAUSE)
    assert admitted(engine, NOON + FIRST_PAUSE + Caller(SITE).lease)


def test_each_trial_that_fails_doubles_the_pause_up_to_the_longest(engine: Engine) -> None:
    fail(engine, NOON, TRIES)
    at, pauses = NOON, []
    for _ in range(9):
        shut = doors_shut(engine, at)
        pauses.append(datetime.fromisoformat(shut.until) - at)
        at = datetime.fromisoformat(shut.until)
        assert admitted(engine, at)
        fail(engine, at)
    assert pauses == [FIRST_PAUSE * 2**n for n in range(6)] + [LONGEST_PAUSE] * 3


def doors_shut(engine: Engine, at: datetime) -> doors.Shut:
    with writing(engine) as connection:
        shut = doors.admit(connection, Caller(SITE), at)
    assert shut is not None and shut.reason == "no-answer"
    return shut


def test_i6_what_must_come_back_may_always_try_and_its_answer_opens_the_way_for_all(engine: Engine) -> None:
    fail(engine, NOON, TRIES)
    assert admitted(engine, NOON, takes_back=True) and admitted(engine, NOON, takes_back=True)
    assert not admitted(engine, NOON)
    answer(engine, NOON)
    assert admitted(engine, NOON)


@pytest.mark.parametrize(("asked", "pause"), [(1800, 30 * MINUTE), (5, FIRST_PAUSE), (10**9, LONGEST_PAUSE)])
def test_a_recipient_that_asks_for_a_pause_gets_it_at_once_within_reason(engine: Engine, asked: int, pause: timedelta) -> None:
    fail(engine, NOON, error=RecipientUnavailable("http-429", "busy", asked))
    assert not admitted(engine, NOON + pause - timedelta(seconds=1)) and admitted(engine, NOON + pause)


def wait(engine: Engine, at: datetime, takes_back: bool = False, rate: int = 6) -> float:
    with writing(engine) as connection:
        return doors.turn(connection, Caller(SITE, takes_back, rate=rate), at)


def test_no_more_batches_leave_than_the_recipient_wants_in_a_minute(engine: Engine) -> None:
    left, at = [], NOON
    while at < NOON + MINUTE:
        seconds = wait(engine, at)
        if not seconds:
            left.append(at)
        at += timedelta(seconds=seconds)
    assert len(left) == 6 and {b - a for a, b in itertools.pairwise(left)} == {timedelta(seconds=10)}


def test_what_takes_back_has_the_next_turn_and_what_brings_waits_for_one_more(engine: Engine) -> None:
    assert wait(engine, NOON) == 0 and wait(engine, NOON) == 10
    assert wait(engine, NOON, takes_back=True) == 10, "the turn that the waiting batch would have had"
    assert wait(engine, NOON + timedelta(seconds=10)) == 10 and wait(engine, NOON + timedelta(seconds=20)) == 0


def test_i6_a_clock_that_goes_back_a_day_does_not_hold_up_what_takes_back_for_a_day(engine: Engine) -> None:
    wait(engine, NOON)
    assert wait(engine, NOON - timedelta(days=1), takes_back=True) <= 100 * 10


def test_processes_at_once_get_one_turn_between_them(engine: Engine) -> None:
    waits: list[float] = []
    together = threading.Barrier(4)

    def go() -> None:
        together.wait(10)
        waits.append(wait(engine, NOON))

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(waits) == [0, 10, 10, 10]


