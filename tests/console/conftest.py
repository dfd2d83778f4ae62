"""A gateway of its own for every test of the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from seeded import NOW

from gateway.settings import Gateway, set_up


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with the project's own catalogue and an empty ledger, at noon of the night's day."""
    made = Gateway(tmp_path, f"sqlite:///{tmp_path / 'gateway.db'}", None, lambda: NOW)
    set_up(made)
    yield made
    made.engine.dispose()
