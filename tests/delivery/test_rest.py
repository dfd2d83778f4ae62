"""The REST door against a server that misbehaves: a fault is told by its class, and nothing counts without a receipt."""

from __future__ import annotations

import json
import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

import delivery
from catalog.load import load
from delivery import Batch, Door, Effect, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import HANDLE, NOTICE

SIGNER = Ed25519Signer.from_seed(b"s" * 32, "platform-1")
SECRET = "hush-hush-token"
BATCH = Batch("b" * 64, pd.DataFrame({HANDLE: pd.array(["1-a", "1-b"], dtype=TEXT),
                                      "name": pd.array(["欧阳静好", None], dtype=TEXT)}))


class Platform(ThreadingHTTPServer):
    """Answers by `script`, a list of functions of the handler, the last of them for ever after; keeps what it was sent."""

    def __init__(self, *script: Callable[[BaseHTTPRequestHandler, bytes], None]) -> None:
        self.script, self.got = list(script), []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Platform = self.server  # type: ignore[assignment]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((dict(self.headers), body))
        (server.script.pop(0) if len(server.script) > 1 else server.script[0])(self, body)

    def log_message(self, *_: object) -> None:
        """A test's server is silent."""


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def receipted(handler: BaseHTTPRequestHandler, body: bytes, size: int = 2) -> None:
    sent = json.loads(body)
    records = [{"handle": each["handle"], "status": "accepted"} for each in sent["records"][:size]]
    receipt = json.dumps({"batch": sent["batch"], "entry": sent["entry"], "content_digest": handler.headers["Content-Digest"],
                          "received_at": "", "records": records}).encode()
    answer(handler, 200, receipt, Receipt_Signature=f"platform-1:{b64encode(SIGNER.sign(receipt)).decode()}")


def reset(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


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


def door(url: str) -> Door:
    known = load()
    recipient = known.recipients["national_platform"].model_copy(update={"deadline": 1})
    connection = Connection("national_platform", url, SECRET, SIGNER.public_key, "platform-1")
    return Door("national_platform", recipient, "class_a_taxpayer", known.entries["class_a_taxpayer"], connection)


def test_a_batch_carries_its_key_digest_and_only_the_granted_fields(platform: Callable[..., tuple[Platform, Door]]) -> None:
    server, there = platform(receipted)
    assert delivery.deliver(BATCH, there).accepted == ("1-a", "1-b")
    headers, body = server.got[0]
    assert headers["Idempotency-Key"] == BATCH.id and headers["Authorization"] == f"Bearer {SECRET}"
    assert json.loads(body)["records"] == [{"handle": "1-a", "fields": {"name": "欧阳静好"}}, {"handle": "1-b", "fields": {"name": None}}]


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
    (lambda handler, body: threading.Event().wait(2), "no-answer"),
])
def test_a_recipient_in_trouble_is_tried_later(
        platform: Callable[..., tuple[Platform, Door]], script: Callable[[BaseHTTPRequestHandler, bytes], None], reason: str) -> None:
    _, there = platform(script)
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(BATCH, there)
    assert caught.value.reason == reason and "pending" in str(caught.value)
    assert caught.value.retry_after == (7 if reason == "http-429" else None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 301, 302, 307, 204])
def test_an_answer_outside_the_agreement_needs_a_person(platform: Callable[..., tuple[Platform, Door]], status: int) -> None:
    server, there = platform(lambda handler, body: answer(handler, status, Location="http://127.0.0.1:1/"))
    with pytest.raises(RecipientContractBreach, match=str(status)):
        delivery.deliver(BATCH, there)
    assert len(server.got) == 1


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b"{}", b"\xff\xfe"])
def test_an_answer_that_is_no_receipt_proves_nothing(platform: Callable[..., tuple[Platform, Door]], body: bytes) -> None:
    _, there = platform(lambda handler, _: answer(handler, 200, body, Receipt_Signature="platform-1:AAAA"))
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
    with pytest.raises(ReceiptMismatch, match="other content"):
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
