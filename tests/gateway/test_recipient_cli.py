"""A recipient's engineers get the whole contract with the keys in use, and no credential."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.settings import from_environment
from keys import connection
from keys.sign import Ed25519Signer

THEIRS = Ed25519Signer.from_seed(b"g" * 32, "gsxt-7")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    CliRunner().invoke(app, ["setup"])
    return tmp_path


def told(*arguments: str) -> str:
    return CliRunner().invoke(app, ["recipient", *arguments]).output


def test_the_contract_bears_the_keys_of_both_sides_and_no_credential(home: Path) -> None:
    assert "未登记 not registered yet" in told("contract", "gsxt")
    connection.save(home / "secrets/connections.yml", {"gsxt": {
        "url": "file:///srv/inbox", "token": "a-token", "public_key": THEIRS.public_key, "key_id": "gsxt-7"}})
    text = told("contract", "gsxt")
    assert from_environment().signer("gsxt").public_key in text and THEIRS.public_key in text and "`gsxt-7`" in text
    assert "a-token" not in text and "/srv/inbox" not in text


def test_an_unknown_recipient_is_wrong_usage(home: Path) -> None:
    assert "the catalogue knows credit_china, gsxt" in told("contract", "gsx")
    assert "sign" in told("keys", "gsxt")
