"""A receipt that is promised (202): asked for at the recipient's own host, signed, until it is due, and believed like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

import delivery
from delivery import DeliveryFailed, Door, ReceiptMismatch, ReceiptToCome, RecipientContractBreach, RecipientUnavailable, deferred
from delivery.base import Promise
from delivery.body import content_digest
from delivery.messages import ANSWER_COVERED
from ledger.log import now
from records.stages import BatchState
from tests.delivery.platform_server import (
    BATCH,
    Platform,
    Script,
    answer,
    door,
    expect_signed,
    receipt_of,
    request_of,
    running,
    signed,
)

PLACE = "/v1/receipts/1"


def queued(location: str = PLACE, covered: tuple[str, ...] = (*ANSWER_COVERED, "location")) -> Script:
    def script(handler, body: bytes) -> None:
        headers = signed(request_of(handler), b"{}", covered=covered, status=202, Location=location)
        answer(handler, 202, b"{}", **headers)

    return script


def status(code: int) -> Script:
    return lambda handler, _: answer(handler, code)


class Later:
    """A recipient that keeps the batch it was sent, and answers a later request with a receipt over it."""

    def __init__(self) -> None:
        self.body = b""

    def take(self, handler, body: bytes) -> None:
        self.body = body
        queued()(handler, body)

    def tell(self, **changed: str) -> Script:
        def script(handler, body: bytes) -> None:
            assert handler.command == "GET" and handler.path == PLACE and body == b""
            expect_signed(request_of(handler), body)
            receipt = receipt_of(self.body, content_digest(self.body), 2, **changed)
            answer(handler, 200, receipt, **signed(request_of(handler), receipt))

        return script


def promise(there: Door) -> Promise:
    with pytest.raises(ReceiptToCome) as told:
        delivery.deliver(BATCH, there)
    assert told.value.state is BatchState.ACCEPTED
    return told.value.promise


def patient(url: str, seconds: int = 60) -> Door:
    """A door whose clock goes on only while it sleeps."""
    passed = [0.0]
    there = door(url)
    return replace(there, recipient=there.recipient.model_copy(update={"deadline": seconds}), monotonic=lambda: passed[0],
                   sleep=lambda pause: passed.__setitem__(0, passed[0] + pause))


def test_a_promised_receipt_is_asked_for_until_it_comes() -> None:
    later = Later()
    with Platform(later.take, status(202), status(503), later.tell()) as server, running(server):
        there = patient(server.url)
        assert deferred.collect(promise(there), BATCH, there).accepted == ("1-a", "1-b")
        assert len(server.got) == 4


def test_when_it_is_due_it_is_overdue() -> None:
    with Platform(Later().take, status(202)) as server, running(server):
        there = patient(server.url)
        with pytest.raises(RecipientUnavailable) as late:
            deferred.collect(promise(there), BATCH, there)
        assert late.value.state is BatchState.OVERDUE and 5 < len(server.got) < 20


def test_what_was_due_long_ago_is_asked_for_once_more() -> None:
    later = Later()
    with Platform(later.take, later.tell()) as server, running(server):
        there = door(server.url)
        old = replace(promise(there), due_at=now() - timedelta(days=1))
        assert len(deferred.collect(old, BATCH, there).accepted) == 2


def test_a_clock_that_was_set_back_a_day_makes_nobody_wait_a_day_for_a_receipt() -> None:
    """Whoever waits holds the recipient's lane, and a takedown with it."""
    with Platform(Later().take, status(202)) as server, running(server):
        there = patient(server.url)
        told = promise(there)
        with pytest.raises(RecipientUnavailable, match="no receipt within 60 s"):
            deferred.collect(replace(told, due_at=told.due_at + timedelta(days=1)), BATCH, there)
        assert there.monotonic() < 61


@pytest.mark.parametrize("changed", [{"batch": "c" * 64}, {"content_digest": "sha-256=:A:"}])
def test_a_promised_receipt_of_something_else_counts_for_nothing(changed: dict[str, str]) -> None:
    later = Later()
    with Platform(later.take, later.tell(**changed)) as server, running(server):
        there = door(server.url)
        with pytest.raises(ReceiptMismatch):
            deferred.collect(promise(there), BATCH, there)


@pytest.mark.parametrize(("location", "error"), [
    ("https://elsewhere.example/v1/receipts/1", RecipientContractBreach), ("//elsewhere.example/1", RecipientContractBreach)])
def test_no_credential_goes_to_another_host_than_the_registered_one(location: str, error: type[DeliveryFailed]) -> None:
    with Platform(queued(location)) as server, running(server), pytest.raises(error, match="another host"):
        delivery.deliver(BATCH, door(server.url))


@pytest.mark.parametrize("script", [status(202), queued(covered=ANSWER_COVERED)])
def test_a_promise_that_is_not_signed_with_its_place_is_none(script: Script) -> None:
    with Platform(script) as server, running(server), pytest.raises(ReceiptMismatch) as told:
        delivery.deliver(BATCH, door(server.url))
    assert told.value.state is BatchState.SENT


def test_a_place_that_is_not_there_is_told() -> None:
    with Platform(Later().take, status(404)) as server, running(server):
        there = door(server.url)
        with pytest.raises(RecipientContractBreach, match="404"):
            deferred.collect(promise(there), BATCH, there)


def test_i6_a_batch_that_was_refused_for_the_moment_and_then_not_reached_may_have_arrived() -> None:
    with Platform(lambda handler, _: answer(handler, 503, Retry_After="1")) as server, running(server):
        there = door(server.url)
        tries = count()

        def gone(_: float) -> None:
            next(tries)
            server.shutdown()
            server.server_close()

        with pytest.raises(RecipientUnavailable) as told:
            delivery.deliver(BATCH, replace(there, sleep=gone))
    assert next(tries) == 1 and told.value.state is BatchState.SENT
