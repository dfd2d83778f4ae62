"""The state database: migrations make exactly the declared tables, and writers wait for each other."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine import Engine

from ledger import log
from records import database, schema
from records.lock import exclusive


def test_the_migrations_make_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), database.writing(engine) as connection:
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
    former = database.connect(url)
    with database.writing(former) as connection:
        connection.exec_driver_sql("INSERT INTO holdings VALUES ('site', 'entry', 'record', 'handle', 'digest', 'run', 'edition', '')")
    database.migrate(url)
    with former.connect() as connection:
        assert connection.execute(sa.select(schema.holdings.c.handle, schema.holdings.c.state)).all() == [("handle", "held")]
    former.dispose()


def chained(url: str, bodies: list[str]) -> str:
    """A state database of before the tree, with a chain of lines; returns the last one's hash."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, "0007")
    previous, rows = "0" * 64, []
    for seq, body in enumerate(bodies, 1):
        row = {"seq": seq, "at": "2026-11-23T00:00:00.000+00:00", "event": "takedown_opened", "run": "", "feed": "store.penalty",
               "recipient": "", "body": body, "previous": previous}
        text = "".join(f"{len(str(part))}:{part}" for part in row.values())
        previous = hashlib.sha256(text.encode()).hexdigest()
        rows.append(row | {"hash": previous})
    former = database.connect(url)
    with former.begin() as connection:
        columns = ", ".join(rows[0])
        connection.execute(sa.text(f"INSERT INTO ledger ({columns}) VALUES ({', '.join(':' + name for name in rows[0])})"), rows)
        connection.execute(sa.text("UPDATE ledger_head SET seq = :seq, hash = :hash"), {"seq": len(rows), "hash": previous})
    former.dispose()
    return previous


BODY = '{"figures":{},"notes":{"by":"Li Si","entry":"penalty","record":"r1"}}'


def test_i8_the_chain_of_before_becomes_a_tree_that_says_the_same_and_holds_no_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    last = chained(url, [BODY, BODY])
    database.migrate(url)
    engine = database.connect(url)
    assert log.verify(engine).lines == 3
    with engine.connect() as connection:
        first, second, replaced = log.read(connection)
        assert first.notes == second.notes == {"by": "Li Si", "entry": "penalty", "record": "r1"} and first.seq == 1
        assert first.at == "2026-11-23T00:00:00.000+00:00" and replaced.notes["head"] == last
        assert "Li Si" not in str(connection.execute(sa.select(schema.lines)).all())
    engine.dispose()


def test_a_chain_that_was_altered_is_not_made_to_look_sound(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    chained(url, [BODY, BODY])
    engine = database.connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE ledger SET body = :body WHERE seq = 1"), {"body": BODY.replace("r1", "r2")})
    with pytest.raises(RuntimeError, match="line 1: does not follow"):
        database.migrate(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM ledger")).scalar_one() == 2
    engine.dispose()


def test_a_connection_that_holds_a_lock_for_hours_is_not_idle_on_the_way_to_its_server(empty_postgresql_url: str) -> None:
    engine = database.connect(empty_postgresql_url)
    with engine.connect() as connection:
        said = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    engine.dispose()
    assert int(said["keepalives_idle"]) <= 60


def test_bringing_a_database_up_to_date_leaves_no_connection_open_at_its_server(empty_postgresql_url: str, postgresql_url: str) -> None:
    database.migrate(empty_postgresql_url)
    server = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    open_there = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
    with server.connect() as connection:
        for _ in range(100):  # the server notices a moment later that one was closed
            if not (left := connection.execute(open_there, {"name": sa.make_url(empty_postgresql_url).database}).scalar_one()):
                break
            time.sleep(0.02)
            connection.rollback()
    assert left == 0
