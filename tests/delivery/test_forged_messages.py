"""T14: forged, altered, stale or replayed requests and receipts; a recipient or the gateway that believes one is broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests
from fastapi.testclient import TestClient
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519

import delivery
from delivery import ReceiptMismatch
from delivery.body import content_digest, rest_body
from delivery.messages import ANSWER_COVERED, COVERED, LABEL, TAG, sign
from gateway.sample import credentials, rest
from gateway.sample.store import Store
from keys.sign import Ed25519Signer
from tests.delivery.platform_server import (
    BATCH,
    GATEWAY,
    Message,
    Platform,
    answer,
    door,
    expect_signed,
    receipt_of,
    receipted,
    request_of,
    signed,
)

BODY = rest_body(BATCH, "class_a_taxpayer")
URL = "http://testserver/v1/batches"
OTHER = Ed25519Signer.from_seed(b"o" * 32, GATEWAY.key_id)


@pytest.fixture
def recipient(tmp_path: Path) -> Iterator[TestClient]:
    """A sample recipient that knows the gateway's key."""
    credential = credentials.load(tmp_path, ("national_platform",))["national_platform"]
    credentials.register(tmp_path, {"national_platform": {GATEWAY.key_id: GATEWAY.public_key}})
    with TestClient(rest.recipient(credential, Store(tmp_path / "holdings.db"))) as client:
        client.headers["Authorization"] = f"Bearer {credential.token}"
        yield client


def headers(body: bytes = BODY) -> dict[str, str]:
    return {"Content-Type": "application/json", "Content-Digest": content_digest(body), "Idempotency-Key": BATCH.id}


def genuine() -> requests.PreparedRequest:
    request = requests.Request("POST", URL, headers(), data=BODY).prepare()
    sign(request, GATEWAY)
    return request


def made(signer: Ed25519Signer = GATEWAY, covered: tuple[str, ...] = COVERED, age: float = 0, **changed: str | None) -> dict[str, str]:
    """The headers of a request that was signed in some other way than the contract says."""
    message, library = Message("POST", URL, headers()), HTTPMessageSigner(signature_algorithm=ED25519)
    at = datetime.now(UTC) - timedelta(seconds=age)
    said = {"nonce": "n" * 22, "tag": TAG} | changed
    prepared = library.prepare(message, key_id=signer.key_id, created=at, expires=at + timedelta(minutes=5), label=LABEL,
                               covered_component_ids=covered, use_existing_digest=True, **said)  # type: ignore[arg-type]
    library.apply(message, prepared, signer.sign(prepared.signature_base))
    return message.headers


def push(recipient: TestClient, sent: dict[str, str], body: bytes = BODY, method: str = "POST", url: str = URL) -> int:
    kept = {name: value for name, value in sent.items() if name != "Content-Length"}
    return recipient.request(method, url, content=body, headers=kept).status_code


def altered(sent: dict[str, str], name: str, value: str) -> dict[str, str]:
    assert sent[name] != value
    return sent | {name: value}


def test_a_genuine_request_is_taken(recipient: TestClient) -> None:
    assert push(recipient, dict(genuine().headers)) == 200


FORGED: dict[str, Callable[[TestClient], int]] = {
    "unsigned": lambda to: push(to, headers()),
    "content-digest altered with the body": lambda to: push(
        to, altered(dict(genuine().headers), "Content-Digest", content_digest(BODY + b" ")), BODY + b" "),
    "content-type altered": lambda to: push(to, altered(dict(genuine().headers), "Content-Type", "text/plain")),
    "idempotency-key altered": lambda to: push(to, altered(dict(genuine().headers), "Idempotency-Key", "c" * 64)),
    "target altered": lambda to: push(to, dict(genuine().headers), url=URL + "?x=1"),
    "other host": lambda to: push(to, dict(genuine().headers) | {"Host": "elsewhere.example"}),
    "body swapped, digest reused": lambda to: push(to, dict(genuine().headers), BODY.replace(b'"1-a"', b'"1-x"')),
    "wrong key": lambda to: push(to, made(OTHER)),
    "unknown key": lambda to: push(to, made(Ed25519Signer.from_seed(b"g" * 32, "sign.9"))),
    "created ten minutes ago": lambda to: push(to, made(age=600)),
    "created in the future": lambda to: push(to, made(age=-600)),
    "no nonce": lambda to: push(to, made(nonce=None)),
    "another tag": lambda to: push(to, made(tag="something-else")),
    "no tag": lambda to: push(to, made(tag=None)),
    **{f"{name} not covered": (lambda to, name=name: push(to, made(covered=tuple(one for one in COVERED if one != name))))  # type: ignore[misc]
       for name in COVERED},
    **{f"{name} altered in the signature": (lambda to, name=name, other=other: push(  # type: ignore[misc]
        to, altered(sent := made(), "Signature-Input", sent["Signature-Input"].replace(name, other))))
       for name, other in (('nonce="nn', 'nonce="xx'), ("created=1", "created=2"), ("expires=1", "expires=2"),
                           ('alg="ed25519"', 'alg="hmac-sha256"'), ('keyid="sign.1"', 'keyid="sign.2"'))},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_t14_a_forged_request_is_never_taken(recipient: TestClient, forge: Callable[[TestClient], int]) -> None:
    assert forge(recipient) == 401


def test_t14_the_same_request_twice_is_taken_once(recipient: TestClient) -> None:
    sent = dict(genuine().headers)
    assert [push(recipient, sent), push(recipient, sent)] == [200, 401]


def test_t14_what_is_signed_for_one_recipient_counts_at_no_other(recipient: TestClient) -> None:
    request = requests.Request("POST", URL, headers(), data=BODY).prepare()
    sign(request, OTHER)
    assert push(recipient, dict(request.headers)) == 401


def forged(how: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes, dict[str, str]]]) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    def script(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        status, receipt, said = how(handler, body)
        answer(handler, status, receipt, **said)
    return script


def sound(handler: BaseHTTPRequestHandler, body: bytes) -> bytes:
    expect_signed(request_of(handler), body)
    return receipt_of(body, handler.headers["Content-Digest"])


def of_another_request(handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    receipt, earlier = sound(handler, body), request_of(handler)
    request = requests.Request("POST", earlier.url, headers(body), data=body).prepare()
    sign(request, GATEWAY)  # the very same content and key, another nonce
    return 200, receipt, signed(replace(earlier, headers=dict(request.headers)), receipt)


def after_signing(receipt: bytes, said: dict[str, str], **changed: str) -> tuple[int, bytes, dict[str, str]]:
    return 200, receipt, said | changed


FALSE_ANSWERS = {
    "of another request with the same content": of_another_request,
    "wrong key": lambda h, b: (200, r := sound(h, b), signed(request_of(h), r, Ed25519Signer.from_seed(b"x" * 32, "platform-1"))),
    "unknown key": lambda h, b: (200, r := sound(h, b), signed(request_of(h), r, Ed25519Signer.from_seed(b"s" * 32, "platform-2"))),
    "ten minutes old": lambda h, b: (200, r := sound(h, b), signed(request_of(h), r, created=datetime.now(UTC) - timedelta(minutes=10))),
    "unsigned": lambda h, b: (200, sound(h, b), {"Content_Type": "application/json"}),
    "body swapped, digest reused": lambda h, b: (200, (r := sound(h, b)).replace(b'"received_at": ""', b'"received_at": "x"'), signed(request_of(h), r)),
    "body and digest swapped": lambda h, b: after_signing(
        (r := sound(h, b)) + b" ", signed(request_of(h), r), Content_Digest=content_digest(r + b" ")),
    "signed for another status": lambda h, b: (200, r := sound(h, b), signed(request_of(h), r, status=202)),
    "content type altered": lambda h, b: after_signing(r := sound(h, b), signed(request_of(h), r), Content_Type="text/plain"),
    **{f"{name} not covered": (lambda h, b, name=name: (200, r := sound(h, b), signed(
        request_of(h), r, covered=tuple(one for one in ANSWER_COVERED if one != name)))) for name in ANSWER_COVERED},
}


@pytest.mark.parametrize("how", FALSE_ANSWERS.values(), ids=FALSE_ANSWERS)
def test_t14_a_forged_receipt_is_never_believed(how: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes, dict[str, str]]]) -> None:
    with pytest.raises(ReceiptMismatch):
        answered(forged(how))


def test_a_genuine_receipt_is_believed_and_its_request_verifies() -> None:
    def script(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        expect_signed(request_of(handler), body)
        receipted(handler, body)

    assert answered(script).accepted == ("1-a", "1-b")


def answered(script: Callable[[BaseHTTPRequestHandler, bytes], None]) -> delivery.base.Receipt:
    with Platform(script) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            return delivery.deliver(BATCH, door(server.url))
        finally:
            server.shutdown()
