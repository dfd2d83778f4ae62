"""The keyring: opened only by its passphrase, versioned, one key per purpose and recipient (I11)."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keys import keyring
from keys.keyring import Keyring, KeyringClosed
from keys.seal import SealBroken, key_id, seal, unseal
from keys.sign import BadSignature, Ed25519Signer, Ed25519Verifier


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keyring.json"
    keyring.create(path, b"right")
    return path


def test_a_keyring_opens_with_its_passphrase_and_gives_the_same_keys_each_time(ring: Path) -> None:
    first, second = keyring.unlock(ring, b"right"), keyring.unlock(ring, b"right")
    assert first.derive("token", "gsxt") == second.derive("token", "gsxt")


def test_a_wrong_passphrase_opens_nothing(ring: Path) -> None:
    with pytest.raises(KeyringClosed, match="wrong passphrase"):
        keyring.unlock(ring, b"wrong")


def test_only_the_owner_can_read_a_keyring_file(ring: Path) -> None:
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600


def test_a_keyring_is_never_overwritten(ring: Path) -> None:
    with pytest.raises(FileExistsError):
        keyring.create(ring, b"right")


def test_a_keyring_that_the_disk_had_no_room_for_is_not_there_and_can_be_made_again(tmp_path: Path) -> None:
    full = f"""import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from pathlib import Path; from keys import keyring; keyring.create(Path({str(tmp_path / "keyring.json")!r}), b"right")"""
    assert b"OSError" in subprocess.run([sys.executable, "-c", full], capture_output=True, check=False).stderr
    keyring.create(tmp_path / "keyring.json", b"right")
    assert keyring.unlock(tmp_path / "keyring.json", b"right").ids()


def test_no_keyring_is_made_under_an_empty_passphrase(tmp_path: Path) -> None:
    with pytest.raises(KeyringClosed, match="empty"):
        keyring.create(tmp_path / "keyring.json", b"")
    assert not list(tmp_path.iterdir())


def test_a_keyring_cut_short_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "keyring.json").write_text('{"version": 1, "kdf": {')
    with pytest.raises(KeyringClosed, match="restore"):
        keyring.unlock(tmp_path / "keyring.json", b"right")


def test_a_missing_keyring_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyringClosed, match="gateway setup"):
        keyring.unlock(tmp_path / "none.json", b"x")


def test_i11_every_purpose_recipient_and_version_has_a_key_of_its_own() -> None:
    ring = Keyring({"token": {1: b"a" * 32, 2: b"b" * 32}, "digest": {1: b"a" * 32}})
    keys = [ring.derive("token", "gsxt"), ring.derive("token", "credit_china"), ring.derive("digest", "gsxt"),
            ring.derive_version(1, "token", "gsxt")]
    assert len({key.secret for key in keys}) == 4
    assert ring.derive("token", "gsxt").id == "token.2"
    assert ring.reopen("token.1", "gsxt") == ring.derive_version(1, "token", "gsxt")


def test_a_destroyed_version_cannot_be_asked_for() -> None:
    with pytest.raises(KeyringClosed, match="no version 9"):
        Keyring.for_tests().derive_version(9, "token")


def test_a_key_never_shows_in_a_repr() -> None:
    assert "secret" not in repr(Keyring.for_tests().derive("token")).replace("secret=", "")
    assert b"token".hex() not in repr(Keyring.for_tests().derive("token"))


def test_i11_what_is_sealed_names_its_key_and_opens_only_with_it_and_at_its_place(keyring: Keyring) -> None:
    key = keyring.derive("staging", "x")
    sealed = seal("张三".encode(), key, b"here")
    assert key_id(sealed) == "staging.1" and "张三".encode() not in sealed
    assert unseal(sealed, key, b"here").decode() == "张三"
    with pytest.raises(SealBroken, match="another place"):
        unseal(sealed, key, b"there")
    with pytest.raises(SealBroken, match="not with"):
        unseal(sealed, keyring.derive("quarantine", "x"), b"here")


def test_every_changed_byte_of_a_sealed_artefact_is_noticed(keyring: Keyring) -> None:
    key = keyring.derive("staging")
    sealed = seal(b"value", key, b"")
    for position in range(len(sealed)):
        broken = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1:]
        with pytest.raises((SealBroken, ValueError)):
            unseal(broken, key, b"")


def test_a_signature_holds_for_its_bytes_and_key_only() -> None:
    signer, other = Ed25519Signer.from_seed(b"1" * 32, "a"), Ed25519Signer.from_seed(b"2" * 32, "b")
    signature = signer.sign(b"receipt")
    Ed25519Verifier(signer.public_key).verify(b"receipt", signature)
    with pytest.raises(BadSignature):
        Ed25519Verifier(signer.public_key).verify(b"receipT", signature)
    with pytest.raises(BadSignature):
        Ed25519Verifier(other.public_key).verify(b"receipt", signature)
