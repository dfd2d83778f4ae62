"""One at a time: a named lock that ends with its holder, even when the holder is killed."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine


@contextmanager
def exclusive(engine: Engine, folder: Path, name: str) -> Iterator[None]:
    """Holds the lock `name` while the block runs; a second holder waits.

    On PostgreSQL it is an advisory lock, seen by every host; on SQLite, which has one host, a locked file in `folder`.
    """
    with _held(engine, folder, name, waits=True):
        yield


@contextmanager
def attempt(engine: Engine, folder: Path, name: str) -> Iterator[bool]:
    """The same without waiting: whether the lock is held while the block runs."""
    with _held(engine, folder, name, waits=False) as is_held:
        yield is_held


@contextmanager
def _held(engine: Engine, folder: Path, name: str, waits: bool) -> Iterator[bool]:
    digest = hashlib.sha256(name.encode()).digest()
    if engine.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_lock if waits else sa.func.pg_try_advisory_lock
        with engine.connect() as connection:
            is_held = connection.execute(sa.select(lock(int.from_bytes(digest[:8], signed=True)))).scalar_one() is not False
            connection.commit()
            try:
                yield is_held
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))
                connection.commit()
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / digest.hex()[:24]).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
