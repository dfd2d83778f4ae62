"""A gateway of its own for every test of the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.report import write_report
from gateway.settings import Gateway, set_up
from tests.console.seeded import NIGHT, NOW, seed_everything


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with the project's own catalogue and an empty ledger, at noon of the night's day."""
    yield from _opened(tmp_path)


@pytest.fixture
def full(gateway: Gateway) -> Gateway:
    """A gateway after two nights that hold everything a report can tell of."""
    seed_everything(gateway)
    return gateway


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same as `full`, with its report written, for tests that only look."""
    for made in _opened(tmp_path_factory.mktemp("standing")):
        seed_everything(made)
        write_report(made, NIGHT, made.home / "reports")
        yield made


def _opened(home: Path) -> Iterator[Gateway]:
    made = Gateway(home, f"sqlite:///{home / 'gateway.db'}", None, lambda: NOW)
    set_up(made)
    yield made
    made.engine.dispose()
