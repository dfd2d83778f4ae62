"""Versioned root secrets per purpose, wrapped by a passphrase, and the keys derived from them (I11)."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.whole import write_whole

PURPOSES = ("identity", "handle", "digest", "token", "staging", "quarantine", "store", "sign", "takedown", "case", "journal")
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}


class KeyringClosed(Exception):
    """The keyring cannot be opened or does not hold the key asked for. Nothing is read or sent without it."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A 32-byte key for one purpose and context. `id` names purpose and version and goes into what the key made."""

    id: str
    secret: bytes = field(repr=False)


class Keyring:
    """Root secrets by purpose and version. The highest version is the primary one; older ones still open what they made."""

    def __init__(self, roots: Mapping[str, Mapping[int, bytes]]) -> None:
        self._roots = roots

    def derive(self, purpose: str, *context: str) -> Derived:
        """The primary key of a purpose for a context, for example a recipient. Equal context, equal key."""
        return self.derive_version(max(self._versions(purpose)), purpose, *context)

    def derive_version(self, version: int, purpose: str, *context: str) -> Derived:
        """The same under an older version, to open or compare what that version made.

        Raises KeyringClosed if the keyring does not hold it.
        """
        root = self._versions(purpose).get(version)
        if root is None:
            raise KeyringClosed(f"keyring: {purpose} has no version {version}; restore the keyring it was made with")
        about = json.dumps(["credit-gateway", purpose, version, *context]).encode()
        return Derived(f"{purpose}.{version}", HKDF(SHA256(), 32, None, about).derive(root))

    def reopen(self, key_id: str, *context: str) -> Derived:
        """The key that an artefact names by `key_id`."""
        purpose, _, version = key_id.rpartition(".")
        return self.derive_version(int(version), purpose, *context)

    def derive_each(self, purpose: str, *context: str) -> list[Derived]:
        """The keys of every version of a purpose, the oldest first: what any of them named is found again."""
        return [self.derive_version(version, purpose, *context) for version in sorted(self._versions(purpose))]

    def ids(self) -> list[str]:
        """The ids of all root secrets, by purpose and version."""
        return [f"{purpose}.{version}" for purpose, versions in self._roots.items() for version in versions]

    def _versions(self, purpose: str) -> Mapping[int, bytes]:
        if purpose not in self._roots:
            raise KeyringClosed(f"keyring: no key for the purpose {purpose}; add it with `gateway setup`")
        return self._roots[purpose]

    @classmethod
    def for_tests(cls) -> Keyring:
        """A keyring that everybody knows. It protects nothing; real ones come from `create`."""
        return cls({purpose: {1: purpose.encode().ljust(32, b".")} for purpose in PURPOSES})


def create(path: Path, passphrase: bytes, entropy: Callable[[int], bytes] = os.urandom) -> None:
    """Writes a new keyring with version 1 of every purpose, wrapped by the passphrase, mode 0600, whole or not at all.

    Nobody else may be making one. Raises FileExistsError rather than overwrite: without the old keys nothing sealed can be read
    again. Raises KeyringClosed if the passphrase is empty: it would lock nothing.
    """
    if not passphrase:
        raise KeyringClosed(f"{path}: the passphrase is empty, and no keyring is made under it; put one into its file")
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, _wrapped(_fresh(PURPOSES, entropy), passphrase, entropy).encode())


def extend(path: Path, passphrase: bytes, entropy: Callable[[int], bytes] = os.urandom) -> list[str]:
    """Gives a keyring of an older gateway version 1 of the purposes it lacks, and returns them; the others stay as they are.

    The file is replaced whole or not at all. Raises KeyringClosed as `unlock` does.
    """
    known = _opened(path, passphrase)
    lacking = [purpose for purpose in PURPOSES if purpose not in known]
    if lacking:
        write_whole(path, _wrapped(known | _fresh(lacking, entropy), passphrase, entropy).encode())
    return lacking


def unlock(path: Path, passphrase: bytes) -> Keyring:
    """Opens a keyring file.

    Raises KeyringClosed if the file is missing or altered, or the passphrase is not the one it was made with.
    """
    roots = _opened(path, passphrase)
    return Keyring({purpose: {int(v): b64decode(s) for v, s in roots[purpose].items()} for purpose in roots})


Roots = dict[str, dict[str, str]]


def _fresh(purposes: Iterable[str], entropy: Callable[[int], bytes]) -> Roots:
    return {purpose: {"1": b64encode(entropy(32)).decode()} for purpose in purposes}


def _wrapped(roots: Roots, passphrase: bytes, entropy: Callable[[int], bytes]) -> str:
    salt, nonce = entropy(16), entropy(12)
    sealed = AESGCM(_wrapping_key(passphrase, salt)).encrypt(nonce, json.dumps(roots).encode(), b"keyring.v1")
    return json.dumps({"version": 1, "kdf": {"name": "scrypt", **_SCRYPT, "salt": b64encode(salt).decode()},
                       "nonce": b64encode(nonce).decode(), "sealed": b64encode(sealed).decode()}, indent=1)


def _opened(path: Path, passphrase: bytes) -> Roots:
    if not path.is_file():
        raise KeyringClosed(f"{path}: no keyring; restore it from its backup, or make that of a new gateway with `gateway setup`")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        salt, nonce, sealed = (b64decode(text) for text in (document["kdf"]["salt"], document["nonce"], document["sealed"]))
    except (ValueError, KeyError, TypeError):
        raise KeyringClosed(f"{path}: not whole; restore it from its backup") from None
    try:
        plain = AESGCM(_wrapping_key(passphrase, salt)).decrypt(nonce, sealed, b"keyring.v1")
    except InvalidTag as error:
        raise KeyringClosed(f"{path}: wrong passphrase, or the file was altered; restore both from the same backup") from error
    roots: Roots = json.loads(plain)
    return roots


def _wrapping_key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase)
