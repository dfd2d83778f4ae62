"""Sealing at rest: AES-256-GCM, the key's id in front, so that every artefact says which key opens it (I11)."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.keyring import Derived

_MARK = b"sealed.1"


class SealBroken(Exception):
    """A sealed artefact was altered, cut short, moved to another place, or made with another key."""


def seal(data: bytes, key: Derived, about: bytes, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypts and binds `data` to `about` (where it belongs), which must be named again to open it."""
    nonce = entropy(12)
    head = b"|".join((_MARK, key.id.encode(), nonce.hex().encode())) + b"|"
    return head + AESGCM(key.secret).encrypt(nonce, data, head + about)


def key_id(sealed: bytes) -> str:
    """The id of the key that opens `sealed`. Raises SealBroken if it is not a sealed artefact."""
    parts = sealed.split(b"|", 3)
    if len(parts) != 4 or parts[0] != _MARK:
        raise SealBroken("not a sealed artefact, or cut short")
    return parts[1].decode()


def unseal(sealed: bytes, key: Derived, about: bytes) -> bytes:
    """Opens what `seal` made with the same key and the same `about`. Raises SealBroken otherwise."""
    if key_id(sealed) != key.id:
        raise SealBroken(f"sealed with {key_id(sealed)}, not with {key.id}")
    _, _, nonce, body = sealed.split(b"|", 3)
    head = sealed[: len(sealed) - len(body)]
    try:
        return AESGCM(key.secret).decrypt(bytes.fromhex(nonce.decode()), body, head + about)
    except InvalidTag as error:
        raise SealBroken(f"sealed with {key.id}: altered, or it belongs to another place") from error
