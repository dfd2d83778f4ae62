"""Signed notes: a text, and below it the signatures of named keys (C2SP signed-note and tlog-cosignature, with Ed25519)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from keys.sign import BadSignature, Ed25519Verifier, Signer

# What a key is for is part of its id, so that a signature for the one cannot be taken for the other.
_LOG, _COSIGNATURE = b"\x01", b"\x04"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that signs notes: its name, its raw Ed25519 public key in base64, and whether it is a witness's."""

    name: str
    public_key: str
    is_witness: bool = False

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]

    @property
    def text(self) -> str:
        """How the key is written down for whoever verifies: name+id+key."""
        return f"{self.name}+{self.id.hex()}+{b64encode(self._typed).decode()}"

    @property
    def _typed(self) -> bytes:
        return (_COSIGNATURE if self.is_witness else _LOG) + b64decode(self.public_key, validate=True)


def signed(text: str, signer: Signer, key: NoteKey) -> str:
    """The note of a text that ends with a newline, under the signature of a log's key."""
    signature = b64encode(key.id + signer.sign(text.encode())).decode()
    return f"{text}\n— {key.name} {signature}\n"


def text_of(note: str) -> str:
    """The text of a note, without its signatures. Raises ValueError if it is no note."""
    text, blank, _ = note.rpartition("\n\n")
    if not blank:
        raise ValueError("no signatures stand below the text")
    return text + "\n"


def cosigned_at(text: str, line: str, key: NoteKey) -> int:
    """When a witness cosigned a text, in seconds since 1970, by its signature line.

    Raises BadSignature if the line is not this witness's signature of this text.
    """
    dash, name, encoded = (*line.split(" "), "", "", "")[:3]
    try:
        signature = b64decode(encoded, validate=True)
    except ValueError:
        signature = b""
    if (dash, name, signature[:4]) != ("—", key.name, key.id) or len(signature) != 4 + 8 + 64:
        raise BadSignature(f"the line is no cosignature of {key.name}")
    at = int.from_bytes(signature[4:12], "big")
    Ed25519Verifier(key.public_key).verify(f"cosignature/v1\ntime {at}\n{text}".encode(), signature[12:])
    return at
