"""A gateway with the sample world around it: pretend departments and recipients on loopback, small enough for tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.sample import World, create
from gateway.settings import Gateway, set_up
from keys.keyring import Keyring
from tests.flow.held_content import ON
from tests.known_keys import known_keys

NIGHT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # 02:30 on the 23rd in Shanghai
SCALE = 0.04


def gateway_at(home: Path) -> Gateway:
    return Gateway(home, f"sqlite:///{home / 'gateway.db'}", clock=lambda: NIGHT)


def with_another_handle_key(gateway: Gateway) -> Gateway:
    """The same house after the key of the handles was rotated."""
    rotated, roots = replace(gateway), gateway.keyring._roots
    vars(rotated)["keyring"] = Keyring({**roots, "handle": {**roots["handle"], 2: bytes(range(32))}})
    return rotated


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A set-up gateway; the departments have handed in, nobody holds anything yet."""
    made = gateway_at(tmp_path)
    known_keys(made)
    set_up(made)
    create(tmp_path, ON, scale=SCALE)
    return made


@pytest.fixture
def world(gateway: Gateway) -> Iterator[World]:
    with World(gateway.home, gateway.catalog.entries) as running:
        yield running
