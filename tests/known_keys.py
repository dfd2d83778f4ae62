"""Keys that are the same in each run of the tests: a record then has the same name in each, and a test that picks one by its name
picks the same one. With keys drawn by lot a test of what is lifted picked, one time in thirty-seven, the one penalty that the sample
world revokes on its second day."""

from __future__ import annotations

from random import Random

from gateway.settings import Gateway
from keys import keyring


def known_keys(gateway: Gateway) -> None:
    """Gives a gateway that is not set up yet its passphrase and keyring, known to everybody."""
    gateway.passphrase.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    gateway.passphrase.write_bytes(b"known to everybody")
    gateway.passphrase.chmod(0o600)
    keyring.create(gateway.home / "keys" / "keyring.json", b"known to everybody", Random(49).randbytes)
