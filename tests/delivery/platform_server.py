"""A recipient's server for tests: answers by a script, keeps what it was sent, and signs receipts as the contract says."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from catalog.load import load
from delivery import Batch, Door
from delivery.body import content_digest
from delivery.messages import ANSWER_COVERED, ANSWER_TAG, COVERED, LABEL, TAG
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import HANDLE

SIGNER = Ed25519Signer.from_seed(b"s" * 32, "platform-1")
GATEWAY = Ed25519Signer.from_seed(b"g" * 32, "sign.1")
SECRET = "hush-hush-token"
BATCH = Batch("b" * 64, pd.DataFrame({HANDLE: pd.array(["1-a", "1-b"], dtype=TEXT),
                                      "name": pd.array(["欧阳静好", None], dtype=TEXT)}))
Script = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class Message:
    """A request as the signing library reads it, and an answer if it has a status."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class Answer:
    """An answer to a request as the signing library reads it."""

    status_code: int
    headers: dict[str, str]
    request: Message


class Platform(ThreadingHTTPServer):
    """Answers by `script`, a list of functions of the handler, the last of them for ever after; keeps what it was sent."""

    def __init__(self, *script: Script) -> None:
        self.script, self.got = list(script), []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def running(server: Platform) -> Iterator[Platform]:
    """Serves beside the test until its end; a handler that still waits holds nothing up."""
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Platform = self.server  # type: ignore[assignment]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.got.append((dict(self.headers), body))
        (server.script.pop(0) if len(server.script) > 1 else server.script[0])(self, body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """A test's server is silent."""


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def request_of(handler: BaseHTTPRequestHandler) -> Message:
    scheme = "https" if hasattr(handler.connection, "cipher") else "http"
    return Message(handler.command, f"{scheme}://{handler.headers['Host']}{handler.path}", dict(handler.headers))


def expect_signed(request: Message, body: bytes) -> None:
    """Raises InvalidSignature unless the gateway's key for this recipient signed the request over this body, lately."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(GATEWAY.public_key))
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519,
                                   key_resolver=MappingKeyResolver(public_keys={GATEWAY.key_id: key}, private_keys={}))
    verifier.verify(request, max_age=timedelta(minutes=5), expect_tag=TAG, require_components=COVERED, body=body)


def signed(request: Message, receipt: bytes, signer: Ed25519Signer = SIGNER, created: datetime | None = None,
           covered: tuple[str, ...] = ANSWER_COVERED, status: int = 200, **more: str) -> dict[str, str]:
    """The headers of an answer to a request."""
    made = Answer(status, {"Content-Type": "application/json", "Content-Digest": content_digest(receipt)} | more, request)
    library = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = library.prepare(made, key_id=signer.key_id, created=created or datetime.now(UTC), label=LABEL, tag=ANSWER_TAG,
                               covered_component_ids=covered, use_existing_digest=True)
    library.apply(made, prepared, signer.sign(prepared.signature_base))
    return {name.replace("-", "_"): value for name, value in made.headers.items()}


def receipt_of(body: bytes, digest: str, size: int = 2, **changed: str) -> bytes:
    """The receipt of a batch, accepting its first `size` records."""
    sent = json.loads(body)
    records = [{"handle": each["handle"], "status": "accepted"} for each in sent["records"][:size]]
    return json.dumps({"batch": sent["batch"], "entry": sent["entry"], "content_digest": digest, "received_at": "",
                       "records": records} | changed).encode()


def receipted(handler: BaseHTTPRequestHandler, body: bytes, size: int = 2, **changed: str) -> None:
    receipt = receipt_of(body, handler.headers["Content-Digest"], size, **changed)
    answer(handler, 200, receipt, **signed(request_of(handler), receipt))


def reset(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.wfile.flush()
    hang_up(handler)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Closed under the files that the handler holds on it, which would keep it open: the other side would see a silence and no reset.
    os.close(handler.connection.detach())
    handler.close_connection = True


def door(url: str, deadline: int = 30, **changed: str) -> Door:
    """The door of a server. Only where it never answers a short deadline shortens the test; elsewhere a busy machine would miss it."""
    known = load()
    recipient = known.recipients["national_platform"].model_copy(update={"deadline": deadline})
    connection = Connection("national_platform", url, **{"token": SECRET, "public_key": SIGNER.public_key, "key_id": "platform-1"} | changed)
    return Door("national_platform", recipient, "class_a_taxpayer", known.entries["class_a_taxpayer"], connection, GATEWAY)
