"""A ledger to tamper with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ledger_audit.written import SIZE, Written, written


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Written]:
    """Writes a ledger of some nights and exports it."""
    return lambda nights: written(tmp_path_factory.mktemp("ledger"), nights)


@pytest.fixture(scope="session")
def whole(write: Callable[[int], Written]) -> Written:
    """A ledger of SIZE leaves."""
    return write(SIZE // 5)
