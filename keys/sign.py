"""The Signer seam: Ed25519 by default; an SM2 module or an HSM takes the same two calls."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class BadSignature(Exception):
    """A signature does not fit the bytes and the key. What it covers must not be used."""


class Signer(Protocol):
    """Signs bytes under a key that has an id."""

    @property
    def key_id(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


class Ed25519Signer:
    """Signs with Ed25519 (RFC 8032)."""

    def __init__(self, key: Ed25519PrivateKey, key_id: str) -> None:
        self._key, self._key_id = key, key_id

    @classmethod
    def from_seed(cls, seed: bytes, key_id: str) -> Ed25519Signer:
        """The signer of a 32-byte seed."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed), key_id)

    @property
    def key_id(self) -> str:
        return self._key_id

    @property
    def public_key(self) -> str:
        """The raw public key in base64."""
        return b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


class Ed25519Verifier:
    """Checks Ed25519 signatures against a raw public key in base64. The algorithm comes from the key, never from a message."""

    def __init__(self, public_key: str) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))

    def verify(self, data: bytes, signature: bytes) -> None:
        """Returns if the signature holds; raises BadSignature if not."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature as error:
            raise BadSignature("signature does not fit the bytes under the registered key") from error
