"""T6: a receiver with one fault at a time. Nothing counts without a valid receipt, and no fault costs more than its tries."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

import delivery
from delivery import DeliveryFailed, Door
from keys.sign import Ed25519Signer
from tests.delivery.platform_server import (
    BATCH,
    Platform,
    Script,
    answer,
    door,
    hang_up,
    receipt_of,
    receipted,
    request_of,
    reset,
    running,
    signed,
)

Handler = BaseHTTPRequestHandler


@dataclass
class Receiver:
    """What a receiver applied, by idempotency key, as a good one does: once, whatever its answers come to."""

    applied: dict[str, int] = field(default_factory=dict)

    def taking(self, script: Script) -> Script:
        def take(handler: Handler, body: bytes) -> None:
            self.applied.setdefault(handler.headers["Idempotency-Key"], len(json.loads(body)["records"]))
            script(handler, body)
        return take


def status(code: int, **headers: str) -> Script:
    return lambda handler, _: answer(handler, code, b"busy", **headers)


def in_seconds(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def late(handler: Handler, _: bytes) -> None:
    threading.Event().wait(1.5)
    hang_up(handler)


def dribble(handler: Handler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    try:
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.2)
    except OSError:
        return


def by_another_key(handler: Handler, body: bytes) -> None:
    receipt = receipt_of(body, handler.headers["Content-Digest"])
    answer(handler, 200, receipt, **signed(request_of(handler), receipt, Ed25519Signer.from_seed(b"x" * 32, "platform-1")))


@dataclass(frozen=True)
class Case:
    """Scripts in turn; whether the receiver applies the batch; what is told, accepted, and how many tries and pauses it takes."""

    scripts: list[Script]
    reason: str
    applied: int = 0
    accepted: int = 0
    tries: int = 1
    pauses: tuple[int, ...] = ()
    deadline: int = 30


CASES: dict[str, Case] = {
    "429 in 2 seconds, then well": Case([status(429, Retry_After="2"), receipted], "", 2, 2, 2, (2,)),
    "429 at a date soon, then well": Case([status(429, Retry_After=in_seconds(3600 * 24 * 365 * -1)), receipted], "", 2, 2, 2, (0,)),
    "429 in 2 seconds, for ever": Case([status(429, Retry_After="2")], "http-429", tries=3, pauses=(2, 2)),
    "429 in an hour": Case([status(429, Retry_After="3600")], "http-429"),
    "429 at a date in an hour": Case([lambda handler, _: answer(handler, 429, b"busy", Retry_After=in_seconds(3600))], "http-429"),
    "429 without a time": Case([status(429)], "http-429"),
    "429 with nonsense": Case([status(429, Retry_After="soon")], "http-429"),
    "500": Case([status(500)], "http-500"),
    "502": Case([status(502)], "http-502"),
    "503": Case([status(503)], "http-503"),
    "503 in 1 second, then well": Case([status(503, Retry_After="1"), receipted], "", 2, 2, 2, (1,)),
    "timeout before it commits": Case([late], "no-answer", deadline=1),
    "timeout after it commits": Case([late], "no-answer", 2, deadline=1),
    "reset in the middle of the receipt": Case([reset], "no-answer", 2),
    "hang-up without an answer": Case([lambda handler, _: hang_up(handler)], "no-answer"),
    "slow loris": Case([dribble], "no-answer", 2, deadline=1),
    "200 with garbage": Case([status(200)], "unsigned"),
    "200 with garbage, after it commits": Case([status(200)], "unsigned", 2),
    "partial acceptance": Case([lambda handler, body: receipted(handler, body, 1)], "", 2, 1),
    "signed receipt that accepts nothing": Case([lambda handler, body: receipted(handler, body, 0)], "", 2, 0),
    "409": Case([status(409)], "http-409"),
    "413": Case([status(413)], "http-413"),
    "wrong signature": Case([by_another_key], "wrong-signature", 2),
    "receipt of another batch": Case([lambda handler, body: receipted(handler, body, batch="c" * 64)], "another-batch", 2),
    "receipt over other content": Case([lambda handler, body: receipted(handler, body, content_digest="sha-256=:A:")], "another-content", 2),
}


@contextmanager
def serving(*scripts: Script) -> Iterator[Platform]:
    with Platform(*scripts) as server, running(server):
        yield server


def outcome(there: Door) -> tuple[str, int]:
    try:
        return "", len(delivery.deliver(BATCH, there).accepted)
    except DeliveryFailed as error:
        assert "pending" in str(error)
        return error.reason, 0


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_t6_a_fault_is_told_by_its_class_and_nothing_counts_without_a_receipt(case: Case) -> None:
    receiver, pauses = Receiver(), []
    *before, last = case.scripts
    with serving(*before, receiver.taking(last) if case.applied else last) as server:
        assert outcome(replace(door(server.url, case.deadline), sleep=pauses.append)) == (case.reason, case.accepted)
        assert (len(server.got), tuple(pauses)) == (case.tries, case.pauses)
        assert sum(receiver.applied.values()) == case.applied


UNCERTAIN = {name: case for name, case in CASES.items() if case.reason}


@pytest.mark.parametrize("case", UNCERTAIN.values(), ids=UNCERTAIN)
def test_i4_after_any_fault_the_next_try_brings_the_batch_and_it_is_applied_once(case: Case) -> None:
    receiver = Receiver()
    scripts: list[Any] = [receiver.taking(script) if case.applied else script for script in case.scripts] * case.tries
    with serving(*scripts, receiver.taking(receipted)) as server:
        first, then = (replace(door(server.url, deadline), sleep=lambda _: None) for deadline in (case.deadline, 30))
        assert outcome(first) == (case.reason, 0) and outcome(then) == ("", 2)
        assert receiver.applied == {BATCH.id: 2}
        assert len({body for _, body in server.got}) == 1


def test_a_slow_recipient_holds_nobody_past_its_deadline() -> None:
    with serving(dribble) as server:
        before = time.monotonic()
        assert outcome(door(server.url, deadline=1)) == ("no-answer", 0)
        assert time.monotonic() - before < 8
