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
    digest = hashlib.sha256(name.encode()).digest()
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(int.from_bytes(digest[:8], signed=True))))
            connection.commit()
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))
                connection.commit()
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / digest.hex()[:24]).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
