"""HTTP message signatures (RFC 9421) with Content-Digest (RFC 9530): each request is signed, and each receipt answers one request."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from delivery.base import Asked, Door, RecipientContractBreach
from delivery.receipts import refuse
from keys.sign import Signer
from ledger.log import now

LABEL, TAG, ANSWER_TAG = "pcg", "pcg-delivery", "pcg-receipt"
COVERED = ("@method", "@target-uri", "content-digest", "content-type", "idempotency-key")
# The request's signature covers its nonce: a receipt answers this request and no earlier one under the same key.
ANSWER_COVERED = ("@status", "content-digest", "content-type", '"content-digest";req', '"idempotency-key";req',
                  f'"signature";req;key="{LABEL}"')
MAX_AGE = timedelta(minutes=5)
_SKEW = timedelta(seconds=30)


def sign(request: requests.PreparedRequest, key: Signer, clock: Callable[[], datetime] = now) -> None:
    """Signs a request by the gateway's key for this recipient: COVERED, with a fresh nonce, good for MAX_AGE.

    request: bears the headers that COVERED names; gets Signature-Input and Signature.
    """
    signer, at = HTTPMessageSigner(signature_algorithm=ED25519), clock()
    prepared = signer.prepare(request, key_id=key.key_id, created=at, expires=at + MAX_AGE, nonce=secrets.token_urlsafe(16),
                              label=LABEL, tag=TAG, covered_component_ids=COVERED, use_existing_digest=True)
    signer.apply(request, prepared, key.sign(prepared.signature_base))


def verify(response: requests.Response, body: bytes, asked: Asked, door: Door, covered: tuple[str, ...] = ANSWER_COVERED) -> None:
    """Returns if the answer is signed by the recipient's registered key over `covered`, this body and this very request.

    The algorithm comes from the key. Raises ReceiptMismatch; RecipientContractBreach if no key is registered to check it with.
    """
    if not door.connection.public_key:
        raise RecipientContractBreach("no-key", f"{door.names(asked)}: no public key is registered for its receipts; add "
                                                f"public_key and key_id to connection {door.connection.name}")
    key = Ed25519PublicKey.from_public_bytes(b64decode(door.connection.public_key, validate=True))
    keys = MappingKeyResolver(public_keys={door.connection.key_id: key}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=keys)
    verifier.max_clock_skew = _SKEW
    if "Signature" not in response.headers:
        refuse(asked, door, "unsigned", "the answer is not signed")
    try:
        verifier.verify(response, max_age=MAX_AGE, expect_tag=ANSWER_TAG, require_components=covered, body=body)
    except (HTTPMessageSignaturesException, ValueError):
        # Not the error itself: it may quote the answer's headers.
        refuse(asked, door, "wrong-signature", "the answer's signature is wrong, too old, or of another request")
