"""Receipts 回执: read strictly and bound to the batch by id and digest, once the recipient's signature over them is verified."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

from delivery.base import Asked, Batch, Door, ReceiptMismatch, RecipientContractBreach
from keys.sign import BadSignature, Ed25519Verifier
from records.stages import HANDLE, Receipt


def read(body: bytes, sent_digest: str, batch: Batch, door: Door) -> Receipt:
    """The receipt that a verified answer holds. A handle that it does not name stays pending.

    Raises ReceiptMismatch if the batch, the digest of what was sent or a handle is not ours, or the answer is no receipt.
    """
    content = document(body, batch, door)
    if (content.get("batch"), content.get("entry")) != (batch.id, door.entry_code):
        refuse(batch, door, "another-batch", "the receipt is of another batch")
    if content.get("content_digest") != sent_digest:
        refuse(batch, door, "another-content", "the receipt is over other content than was sent")
    accepted, refused = _statuses(content.get("records"), batch, door)
    return Receipt(door.recipient_code, batch.id, accepted, refused, hashlib.sha256(body).hexdigest(),
                   door.connection.key_id, door.clock())


def reason_code(said: object) -> str:
    """A recipient's reason for a refusal as a reason code; whatever is not a plain code is not taken over (I8)."""
    text = str(said)
    # Four figures in a row may be part of somebody's number.
    return text if re.fullmatch(r"[a-z0-9-]{1,60}", text) and not re.search(r"[0-9]{4}|^[-0-9]+$", text) else "recipient-said-no"


def verify_detached(body: bytes, signed: str, asked: Asked, door: Door) -> None:
    """Returns if a receipt file or an answer was signed by the recipient's registered key. signed: `<key id>:<base64 signature>`.

    Raises ReceiptMismatch; RecipientContractBreach if no key is registered to check it with.
    """
    if not door.connection.public_key:
        raise RecipientContractBreach("no-key", f"{door.names(asked)}: no public key is registered for its receipts; add "
                                                f"public_key and key_id to connection {door.connection.name}")
    key_id, _, signature = signed.partition(":")
    if key_id != door.connection.key_id:
        refuse(asked, door, "unknown-key", "the receipt is signed with a key that is not registered, or not at all")
    try:
        Ed25519Verifier(door.connection.public_key).verify(body, b64decode(signature, validate=True))
    except (BadSignature, ValueError) as error:
        raise ReceiptMismatch("wrong-signature", f"{door.names(asked)}: the signature is wrong; {asked.later}; ask it") from error


def refuse(asked: Asked, door: Door, reason: str, words: str) -> NoReturn:
    """Raises ReceiptMismatch with its reason, in words."""
    raise ReceiptMismatch(reason, f"{door.names(asked)}: {words}; {asked.later}; ask the recipient")


def document(body: bytes, asked: Asked, door: Door) -> dict[str, Any]:
    """The JSON object that an answer is, no key twice. Raises ReceiptMismatch if it is anything else."""
    try:
        content = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError:
        refuse(asked, door, "no-receipt", "the answer is not what was agreed")
    if not isinstance(content, dict):
        refuse(asked, door, "no-receipt", "the answer is not what was agreed")
    return content


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if max(Counter(key for key, _ in pairs).values(), default=1) > 1:
        raise ValueError("a key twice")
    return dict(pairs)


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _statuses(records: object, batch: Batch, door: Door) -> tuple[tuple[str, ...], dict[str, str]]:
    """The handles accepted, and those refused with their reason."""
    sent, accepted, refused = set(batch.payload[HANDLE].to_list()), [], {}
    if not isinstance(records, list):
        refuse(batch, door, "no-receipt", "the receipt lists no records")
    for record in records:
        match record:
            case {"handle": str(handle), "status": "accepted"} if handle in sent:
                accepted.append(handle)
            case {"handle": str(handle), "status": "refused"} if handle in sent:
                refused[handle] = reason_code(record.get("reason", ""))
            case _:
                refuse(batch, door, "unknown-record", "the receipt names a record or status that is not known")
        sent.discard(record["handle"])
    return tuple(accepted), refused
