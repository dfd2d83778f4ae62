"""An Airflow of its own for these tests: its home in a temporary folder, with the project's dags, config and airflow.cfg."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway import house
from gateway.sample import World, create
from gateway.settings import Gateway, set_up
from ledger.log import now

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Airflow:
    """A home of Airflow's with the gateway in it, made for the night that was the last one then; `run` runs a command there."""

    home: Path
    night: date
    gateway: Gateway
    environment: Mapping[str, str]
    metadata_url: str

    def run(self, *command: str, patience: float = 120) -> str:
        done = subprocess.run([sys.executable, *command], env=dict(self.environment), cwd=self.home, capture_output=True,
                              text=True, timeout=patience, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def metadata_url(postgresql_url: str) -> Iterator[str]:
    """A database of its own for Airflow, on PostgreSQL: several of its processes write at once, and its backfill
    fails on SQLite when another writes in between (see docs/decisions/0003)."""
    name = f"airflow_{secrets.token_hex(4)}"
    server = sa.create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgresql_url).set(drivername="postgresql+psycopg2", database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, metadata_url: str) -> Iterator[Airflow]:
    """Airflow's tables made, the gateway set up, a small sample world running."""
    home = tmp_path_factory.mktemp("airflow")
    shutil.copy(ROOT / "airflow.cfg", home)
    for folder in ("dags", "config"):
        (home / folder).symlink_to(ROOT / folder)
    gateway = Gateway(home / "var", f"sqlite:///{home / 'var' / 'gateway.db'}")
    set_up(gateway)
    night = house.last_night(now())
    create(gateway.home, night, scale=0.05)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "GATEWAY", "PYTHON"))}
    environment = kept | {
        "AIRFLOW_HOME": str(home), "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false", "GATEWAY_RETRY_SECONDS": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    made = Airflow(home, night, gateway, environment, metadata_url)
    made.run("-m", "airflow", "db", "migrate")
    with World(gateway.home, gateway.catalog.entries):
        yield made
