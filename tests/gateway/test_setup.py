"""`gateway setup`: repeated, broken off or run twice at once, it leaves one passphrase and one keyring that it opens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.settings import Gateway, StateUnusable, set_up
from keys import keyring
from keys.keyring import KeyringClosed


def gateway(home: Path) -> Gateway:
    return Gateway(home, f"sqlite:///{home / 'gateway.db'}")


def test_a_setup_that_was_killed_before_it_wrote_the_passphrase_locks_nothing_with_an_empty_one(tmp_path: Path) -> None:
    (passphrase := gateway(tmp_path).passphrase).parent.mkdir()
    passphrase.touch(0o600)
    set_up(gateway(tmp_path))
    assert len(passphrase.read_bytes()) > 40 and oct(passphrase.stat().st_mode & 0o777) == "0o600"
    with pytest.raises(KeyringClosed, match="wrong passphrase"):
        keyring.unlock(tmp_path / "keys" / "keyring.json", b"")


def test_no_passphrase_is_made_up_for_a_keyring_that_has_one(tmp_path: Path) -> None:
    set_up(gateway(tmp_path))
    gateway(tmp_path).passphrase.rename(tmp_path / "elsewhere")
    with pytest.raises(KeyringClosed, match="keyring.passphrase: no passphrase; restore it"):
        set_up(gateway(tmp_path))
    assert not gateway(tmp_path).passphrase.exists()


def test_setups_beside_each_other_on_a_new_home_agree_on_one_passphrase_and_keyring(tmp_path: Path) -> None:
    """As when scheduler and worker are first started together."""
    with ThreadPoolExecutor(4) as several:
        for done in [several.submit(set_up, gateway(tmp_path)) for _ in range(4)]:
            done.result()
    assert gateway(tmp_path).keyring.derive("handle", "gsxt", "penalty").id == "handle.1"


def test_a_state_database_of_an_older_gateway_is_told_by_its_column(tmp_path: Path) -> None:
    set_up(gateway(tmp_path))
    with (old := gateway(tmp_path)).engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE outbox DROP COLUMN told"))
    with pytest.raises(StateUnusable, match="lacks outbox.told; bring it up to date with `gateway setup`"):
        old.expect_state()
