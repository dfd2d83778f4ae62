"""How a pretend recipient checks that a request comes from the gateway, and signs its answer to it (RFC 9421)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import HTTPException, Request, Response
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from gateway.sample.credentials import Credential
from gateway.sample.store import Store, content_digest

_WANTED = ("@method", "@target-uri", "content-digest", "content-type", "idempotency-key")
_ANSWERED = ("@status", "content-digest", "content-type", '"content-digest";req', '"idempotency-key";req', '"signature";req;key="pcg"')
_MAX_AGE = timedelta(minutes=5)


@dataclass
class _Message:
    """A request or answer as the signing library reads it."""

    headers: dict[str, str]
    method: str = ""
    url: str = ""


@dataclass
class _Answer(_Message):
    status_code: int = 200
    request: _Message | None = None


def expect_signed(request: Request, body: bytes, credential: Credential, store: Store) -> None:
    """Returns if the gateway's registered key signed the request, over this body, lately and not seen before; answers 401 if not."""
    keys = {name: Ed25519PublicKey.from_public_bytes(b64decode(key)) for name, key in credential.gateway_keys.items()}
    verifier = HTTPMessageVerifier(
        signature_algorithm=ED25519, key_resolver=MappingKeyResolver(public_keys=keys, private_keys={})
    )
    try:
        [found] = verifier.verify(
            _message(request), max_age=_MAX_AGE, expect_tag="pcg-delivery", require_components=_WANTED, body=body
        )
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise HTTPException(401, "the request's signature is missing, wrong or too old") from error
    is_whole = {"created", "expires", "nonce", "keyid", "alg"} <= set(found.parameters)
    if not is_whole or not store.first_time(str(found.nonce), datetime.now(UTC) + 2 * _MAX_AGE):
        raise HTTPException(401, "the request's signature lacks a parameter, or was used before")


def answer(request: Request, receipt: bytes, credential: Credential, location: str = "") -> Response:
    """The receipt, signed as the answer to this request and no other; with a location the word that it will be there."""
    headers = {"content-type": "application/json", "content-digest": content_digest(receipt)} | ({"location": location} if location else {})
    status = 202 if location else 200
    signer, message = HTTPMessageSigner(signature_algorithm=ED25519), _Answer(headers, status_code=status, request=_message(request))
    covered = (*_ANSWERED, "location") if location else _ANSWERED
    prepared = signer.prepare(
        message, key_id=credential.key_id, label="pcg", tag="pcg-receipt", covered_component_ids=covered, use_existing_digest=True
    )
    signer.apply(message, prepared, credential.sign(prepared.signature_base))
    return Response(receipt, status, headers)


def _message(request: Request) -> _Message:
    fields: dict[str, str] = {}
    for name, value in request.headers.items():
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return _Message(fields, request.method, str(request.url))
