"""Signed notes as their reader takes them apart (C2SP signed-note, tlog-checkpoint, tlog-cosignature), strictly."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_LOG, _WITNESS = 1, 4


class NoteRefused(ValueError):
    """A note or key is not what it must be."""


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key: name, id (4 bytes), kind (1 a log's, 4 a witness's) and raw Ed25519 public key."""

    name: str
    id: bytes
    kind: int
    raw: bytes

    @property
    def is_witness(self) -> bool:
        return self.kind == _WITNESS

    @property
    def text(self) -> str:
        """The key as it is written down."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.raw).decode()}"


def key(name: str, kind: int, raw: bytes) -> Key:
    """The key of a name, kind and public key."""
    return Key(name, hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + raw).digest()[:4], kind, raw)


def read_key(text: str) -> Key:
    """A verifier key as it was written down. Raises NoteRefused."""
    name, _, rest = text.strip().partition("+")
    said, _, encoded = rest.partition("+")
    typed = _decoded(encoded)
    if not name or len(typed) != 33 or typed[0] not in (_LOG, _WITNESS):
        raise NoteRefused("not a verifier key: name+id+key, of kind 1 or 4")
    found = key(name, typed[0], typed[1:])
    if found.id.hex() != said:
        raise NoteRefused(f"key {name}: its id does not belong to it; copy it whole")
    return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: whose ledger, how many leaves, which root; and the text that is signed."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes], ...]


def read_checkpoint(note: str) -> Checkpoint:
    """Takes a note apart. Raises NoteRefused if it is not exactly a checkpoint without extensions, and its signatures."""
    text, blank, below = note.partition("\n\n")
    said = text.split("\n")
    if not blank or len(said) != 3 or not below.endswith("\n"):
        raise NoteRefused("not a checkpoint: three lines, a blank one, signatures")
    origin, size, root = said
    if not origin or not size.isascii() or not size.isdigit() or str(int(size)) != size or len(size) > 18:
        raise NoteRefused("not a checkpoint: its size is no number")
    if len(_decoded(root)) != 32:
        raise NoteRefused("not a checkpoint: its root is no SHA-256")
    signatures = tuple(_signature(line) for line in below[:-1].split("\n"))
    return Checkpoint(origin, int(size), _decoded(root), text + "\n", signatures)


def expect_signed(note: Checkpoint, by: Key) -> int:
    """Returns if the key signed the note: 0 for a log's, the time of cosigning in seconds since 1970 for a witness's.

    A line under another key is passed over; one under this key that does not hold refuses the note. Raises NoteRefused.
    """
    mine = [signature[4:] for name, signature in note.signatures if (name, signature[:4]) == (by.name, by.id)]
    if not mine:
        raise NoteRefused(f"checkpoint of {note.size} leaves: not signed by {by.name}")
    at = 0
    for signature in mine:
        at = int.from_bytes(signature[:8], "big") if by.is_witness else 0
        message = f"cosignature/v1\ntime {at}\n{note.text}" if by.is_witness else note.text
        try:
            Ed25519PublicKey.from_public_bytes(by.raw).verify(signature[8:] if by.is_witness else signature, message.encode())
        except InvalidSignature:
            raise NoteRefused(f"checkpoint of {note.size} leaves: the signature of {by.name} does not hold") from None
    return at


def cosignature(text: str, at: int, private: Ed25519PrivateKey, by: Key) -> str:
    """A witness's signature line of a checkpoint's text."""
    signature = private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return f"— {by.name} {b64encode(by.id + at.to_bytes(8, 'big') + signature).decode()}\n"


def hashes(lines: Sequence[str]) -> list[bytes]:
    """Hashes of a proof, one a line in base64. Raises NoteRefused."""
    found = [_decoded(line) for line in lines]
    if any(len(one) != 32 for one in found):
        raise NoteRefused("a line of the proof is no SHA-256 in base64")
    return found


def _signature(line: str) -> tuple[str, bytes]:
    dash, name, encoded = (*line.split(" "), "", "", "")[:3]
    signature = _decoded(encoded)
    if dash != "—" or not name or line.count(" ") != 2 or len(signature) < 5:
        raise NoteRefused("not a checkpoint: a line below it is no signature")
    return name, signature


def _decoded(text: str) -> bytes:
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        return b""
    return found if b64encode(found).decode() == text else b""
