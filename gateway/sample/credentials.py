"""The credentials and deliberate faults of the sample world, kept beside it so that they outlive a restart."""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Fault(StrEnum):
    """How a program of the sample world can be made to misbehave."""

    NONE = "none"
    DOWN = "down"  # answers 503, or stops taking what lies there
    SLOW = "slow"  # answers after some seconds
    HTML = "html"  # answers a page where data was promised
    QUEUED = "queued"  # takes a batch in and has its receipt ready only when the fault is off (REST)
    WRONG_SIGNATURE = "wrong-signature"  # signs receipts with a key that nobody registered


@dataclass(frozen=True)
class Faults:
    """The faults switched on now, by name of the program. A running world sees a change at the next request."""

    path: Path
    pause: float = 5.0

    def set(self, name: str, kind: Fault) -> None:
        """Switches a fault on, or off with `none`."""
        write_private(self.path, json.dumps(self._all() | {name: kind.value}))

    def of(self, name: str) -> Fault:
        return Fault(self._all().get(name, Fault.NONE))

    def _all(self) -> dict[str, str]:
        known: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return known


@dataclass(frozen=True)
class Credential:
    """One program's token and signing key."""

    name: str
    token: str
    seed: bytes
    faults: Faults

    @property
    def key_id(self) -> str:
        return f"{self.name}-1"

    @property
    def public_key(self) -> str:
        """The raw Ed25519 key in base64."""
        return b64encode(Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()).decode()

    @property
    def fault(self) -> Fault:
        return self.faults.of(self.name)

    @property
    def gateway_keys(self) -> dict[str, str]:
        """The gateway's public keys that were registered with this program, by key id; none if nobody did."""
        path = _registered(self.faults.path.parent)
        known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        return known.get(self.name, {})

    def is_gateways(self, content: bytes, signed: str) -> bool:
        """Whether `<key id>:<signature in base64>` is the gateway's over this content."""
        key_id, _, signature = signed.partition(":")
        try:
            key = Ed25519PublicKey.from_public_bytes(b64decode(self.gateway_keys[key_id]))
            key.verify(b64decode(signature, validate=True), content)
        except (KeyError, ValueError, InvalidSignature):
            return False
        return True

    def sign(self, content: bytes) -> bytes:
        """An Ed25519 signature."""
        seed = secrets.token_bytes(32) if self.fault is Fault.WRONG_SIGNATURE else self.seed
        return Ed25519PrivateKey.from_private_bytes(seed).sign(content)

    def signature(self, receipt: bytes) -> str:
        """`<key id>:<signature in base64>` over a receipt file."""
        return f"{self.key_id}:{b64encode(self.sign(receipt)).decode()}"


def register(folder: Path, keys: dict[str, dict[str, str]]) -> None:
    """Registers the gateway's public keys with the programs: {program: {key id: raw Ed25519 key in base64}}."""
    write_private(_registered(folder), json.dumps(keys))


def _registered(folder: Path) -> Path:
    return folder / "gateway_keys.json"


def load(folder: Path, names: tuple[str, ...]) -> dict[str, Credential]:
    """The credentials of these programs; those that do not exist yet are drawn at random and kept (mode 0600)."""
    path, faults = folder / "credentials.json", Faults(folder / "faults.json")
    known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    if fresh := [name for name in names if name not in known]:
        known |= {
            name: {"token": secrets.token_urlsafe(32), "seed": b64encode(secrets.token_bytes(32)).decode()}
            for name in fresh
        }
        write_private(path, json.dumps(known, indent=1))
    return {name: Credential(name, known[name]["token"], b64decode(known[name]["seed"]), faults) for name in names}


def write_private(path: Path, text: str) -> None:
    """Writes at once, readable by the owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)
