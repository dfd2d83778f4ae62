"""The REST door against a server that misbehaves: a fault is told by its class, and nothing counts without a receipt."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pandas as pd
import pytest

import delivery
from delivery import Batch, Door, Effect, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest
from records.identity import TEXT
from records.stages import HANDLE, NOTICE
from tests.delivery.platform_server import BATCH, SECRET, Platform, answer, door, receipted, reset


@pytest.fixture
def platform() -> Iterator[Callable[..., tuple[Platform, Door]]]:
    running: list[Platform] = []

    def start(*script: Callable[[BaseHTTPRequestHandler, bytes], None]) -> tuple[Platform, Door]:
        server = Platform(*script)
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server, door(f"http://127.0.0.1:{server.server_port}")

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_batch_carries_its_key_digest_and_only_the_granted_fields(platform: Callable[..., tuple[Platform, Door]]) -> None:
    server, there = platform(receipted)
    assert delivery.deliver(BATCH, there).accepted == ("1-a", "1-b")
    headers, body = server.got[0]
    assert headers["Idempotency-Key"] == BATCH.id and headers["Authorization"] == f"Bearer {SECRET}"
    assert json.loads(body)["records"] == [{"handle": "1-a", "fields": {"name": "欧阳静好"}}, {"handle": "1-b", "fields": {"name": None}}]


def test_the_checkpoint_of_the_ledger_goes_along_where_there_is_one(platform: Callable[..., tuple[Platform, Door]]) -> None:
    server, there = platform(receipted)
    delivery.deliver(BATCH, there)
    delivery.deliver(BATCH, replace(there, checkpoint="ledger\n7\nroot\n\n— ledger x\n"))
    (without, first), (with_it, second) = server.got
    assert "Ledger-Checkpoint" not in without and first == second
    assert b64decode(with_it["Ledger-Checkpoint"]).decode() == "ledger\n7\nroot\n\n— ledger x\n"


def test_what_a_partial_receipt_leaves_out_is_not_accepted(platform: Callable[..., tuple[Platform, Door]]) -> None:
    _, there = platform(lambda handler, body: receipted(handler, body, 1))
    assert delivery.deliver(BATCH, there).accepted == ("1-a",)


@pytest.mark.parametrize(("script", "reason"), [
    (lambda handler, body: answer(handler, 500, b"x"), "http-500"),
    (lambda handler, body: answer(handler, 502), "http-502"),
    (lambda handler, body: answer(handler, 200, b"not gzip", Content_Encoding="gzip"), "no-answer"),
    (lambda handler, body: answer(handler, 503), "http-503"),
    (lambda handler, body: answer(handler, 429, Retry_After="7"), "http-429"),
    (reset, "no-answer"),
])
def test_a_recipient_in_trouble_is_tried_later(
        platform: Callable[..., tuple[Platform, Door]], script: Callable[[BaseHTTPRequestHandler, bytes], None], reason: str) -> None:
    _, there = platform(script)
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(BATCH, replace(there, sleep=lambda _: None))
    assert caught.value.reason == reason and "pending" in str(caught.value)
    assert caught.value.retry_after == (7 if reason == "http-429" else None)


def test_a_recipient_that_is_silent_past_its_deadline_is_tried_later(platform: Callable[..., tuple[Platform, Door]]) -> None:
    _, there = platform(lambda handler, body: threading.Event().wait(2))
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(BATCH, replace(there, recipient=there.recipient.model_copy(update={"deadline": 1})))
    assert caught.value.reason == "no-answer" and "pending" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 301, 302, 307, 204])
def test_an_answer_outside_the_agreement_needs_a_person(platform: Callable[..., tuple[Platform, Door]], status: int) -> None:
    server, there = platform(lambda handler, body: answer(handler, status, Location="http://127.0.0.1:1/"))
    with pytest.raises(RecipientContractBreach, match=str(status)):
        delivery.deliver(BATCH, there)
    assert len(server.got) == 1


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b"{}", b"\xff\xfe"])
def test_an_answer_that_is_no_receipt_proves_nothing(platform: Callable[..., tuple[Platform, Door]], body: bytes) -> None:
    _, there = platform(lambda handler, _: answer(handler, 200, body, Signature="pcg=:AAAA:", Signature_Input="pcg=()"))
    with pytest.raises(ReceiptMismatch):
        delivery.deliver(BATCH, there)


def test_i4_a_retry_sends_the_same_bytes_under_the_same_key(platform: Callable[..., tuple[Platform, Door]]) -> None:
    server, there = platform(reset, receipted)
    with pytest.raises(RecipientUnavailable):
        delivery.deliver(BATCH, there)
    delivery.deliver(BATCH, there)
    assert server.got[0][1] == server.got[1][1]
    assert server.got[0][0]["Idempotency-Key"] == server.got[1][0]["Idempotency-Key"]


def test_an_effect_altered_on_the_way_is_noticed_though_the_recipient_took_it(
        platform: Callable[..., tuple[Platform, Door]]) -> None:
    """Who alters body and digest alike cannot alter what the recipient signs: it took other content than was sent."""
    def altered(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        other = body.replace(b'"effect":"delete"', b'"effect":"mark"')
        assert other != body
        handler.headers.replace_header("Content-Digest", content_digest(other))
        receipted(handler, other)

    _, there = platform(altered)
    withdrawal = Batch("c" * 64, pd.DataFrame({HANDLE: ["1-a"], NOTICE: ["repair"]}, dtype=TEXT), Effect.DELETE)
    with pytest.raises(ReceiptMismatch, match="another request"):
        delivery.deliver(withdrawal, there)


def test_a_recipient_that_is_not_there_is_tried_later_and_no_message_tells_a_value_or_a_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(BATCH, door(url))
    assert SECRET not in str(caught.value) and "欧阳" not in str(caught.value) and "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("url", ["recipient.example/without-a-scheme", "http://"])
def test_an_address_that_is_none_needs_a_person(url: str) -> None:
    with pytest.raises(RecipientContractBreach) as error:
        delivery.deliver(BATCH, door(url))
    assert error.value.reason == "wrong-address" and SECRET not in str(error.value)
