"""The state database: migrations make exactly the declared tables, and writers wait for each other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine import Engine

from records import schema
from records.lock import exclusive


def test_the_migrations_make_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), schema.writing(engine) as connection:
        connection.execute(sa.delete(schema.ledger_head))
        raise RuntimeError
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.ledger_head)).scalar_one() == 1


def test_a_second_holder_of_a_lock_waits_for_the_first(engine: Engine, tmp_path: Path) -> None:
    order: list[str] = []
    inside, go = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait(10)
        go.set()
        with exclusive(engine, tmp_path, "send"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with exclusive(engine, tmp_path, "send"):
        inside.set()
        go.wait(10)
        with exclusive(engine, tmp_path, "another"):
            order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_what_was_held_before_marks_were_known_is_held_without_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, "0002")
    former = schema.connect(url)
    with schema.writing(former) as connection:
        connection.exec_driver_sql("INSERT INTO holdings VALUES ('site', 'entry', 'record', 'handle', 'digest', 'run', 'edition', '')")
    schema.migrate(url)
    with former.connect() as connection:
        assert connection.execute(sa.select(schema.holdings.c.handle, schema.holdings.c.state)).all() == [("handle", "held")]
    former.dispose()
