"""What the tests of several doors may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine


def without_table(url: str) -> Engine:
    """A recipient's database in which its table is not made yet."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS share_class_a_taxpayer")
    return engine


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """The recipient's database, without a table yet."""
    return without_table(f"sqlite:///{tmp_path / 'front.db'}" if request.param == "sqlite" else request.getfixturevalue(f"{request.param}_url"))
