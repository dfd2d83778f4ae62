"""The journal of orders 撤回令日志: what was ordered to be taken back, kept outside the database, whose backups do not know it (I6).

A line is sealed and bound to all the lines before it, and it is on the disk before the database commits the order. The database
keeps how far it has come with the journal: it is behind if it was restored, or if a process died between the two.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from keys.keyring import Derived, Keyring, KeyringClosed
from keys.seal import SealBroken, key_id, seal, unseal
from records.schema import consents, journal, withdrawn

# {"table": name, "row": {column: value}}: a row as the order left it, or what was erased and on which document.
Order = dict[str, Any]
_UNKEPT = "unkept"
# Identifiers that are to be destroyed once all have confirmed, and whether the store was searched.
_NOT_KEPT = ("sealed", "sought_at")


class JournalBroken(Exception):
    """The journal is not there, or it is not the one that was written; nothing is brought until that is settled.

    `about` names it, `zh` and `en` say what is wrong and what to do.
    """

    def __init__(self, about: str, zh: str, en: str) -> None:
        super().__init__(f"{about}: {zh} {en}")


@dataclass(frozen=True, slots=True)
class Position:
    """So many lines, and the hash over all of them."""

    lines: int = 0
    head: str = ""

    def after(self, line: bytes) -> Position:
        return Position(self.lines + 1, hashlib.sha256(self.head.encode() + line).hexdigest())


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal in the file `path`; with none, orders are kept by the database alone."""

    path: Path | None
    keyring: Keyring

    @property
    def file(self) -> Path:
        """Where it lies. Raises JournalBroken if that is not said."""
        if self.path is None:
            raise JournalBroken("journal", "数据库设有日志；请在 GATEWAY_JOURNAL 中写明其文件。",
                                "the database keeps one; name its file in GATEWAY_JOURNAL")
        return self.path

    def begin(self, connection: Connection, is_begun: bool = False) -> bool:
        """Begins to keep the journal, if one is named and the database keeps none yet; returns whether its file was made now.

        A new file begins with the orders that stand, and so does an empty one that nobody had begun: whoever made it was killed
        before the first line. is_begun: something beside it tells that it was. Any other file is one that this database has yet to
        follow.
        """
        if self.path is None or _taken(connection):
            return False
        is_new = not self.path.exists() or not (is_begun or b"\n" in self.path.read_bytes())
        if is_new:
            with alone(self.path.parent) as folder:
                os.close(os.open(self.path, os.O_CREAT, 0o600))
                os.fsync(folder)
        connection.execute(sa.insert(journal).values(one=1, lines=0, head=""))
        if is_new:
            self.keep(connection, [*rows(connection, withdrawn), *rows(connection, consents, consents.c.revoked_on.is_not(None))])
        return is_new

    def keep(self, connection: Connection, orders: Iterable[Order]) -> None:
        """Puts orders on the disk: the last thing that the caller's transaction does before it commits.

        Where the disk does not take them the order goes on all the same, since it protects a person; the database then knows
        more lines than there are, so that nothing is brought until somebody mends it.
        """
        stood, orders = _taken(connection), list(orders)
        if stood is None or not orders:
            return
        try:
            before, after = self._append(orders)
        except OSError:
            before, after = stood, Position(stood.lines + len(orders), _UNKEPT)
        if before == stood:  # a database that is behind stays behind
            _place(connection, after)

    def behind(self, connection: Connection) -> list[Order]:
        """The orders that came after what the database has seen, the oldest first. Raises JournalBroken.

        Waits for a writer that is about to commit one, inside the caller's transaction, which must be a writing one.
        """
        stood = _taken(connection)
        if stood is None and self.path is None:
            return []
        if stood is None:
            raise JournalBroken(f"journal {self.path}", "数据库未使用 GATEWAY_JOURNAL 所指的日志；请运行 gateway setup。",
                                "the database does not keep the journal that GATEWAY_JOURNAL names; run gateway setup")
        lines = self._lines()
        passed = list(_positions(lines))
        if passed[-1] == stood:
            return []
        orders = self._opened(lines, passed)
        if stood not in passed:
            what = "ends before" if len(lines) < stood.lines else "is not the one with"
            raise JournalBroken(f"journal {self.path}", f"与数据库所见第 {stood.lines} 行不符；请放回原文件或重建：gateway restore anew。",
                                f"it {what} line {stood.lines}, which the database has seen; put back the file that was there, or begin "
                                "another: gateway restore anew")
        return orders[stood.lines :]

    def settle(self, connection: Connection) -> None:
        """Says that the database has all orders; the caller has seen to it in this transaction."""
        _place(connection, list(_positions(self._lines()))[-1])

    def set_aside(self, connection: Connection, name: str) -> None:
        """Puts the file away under another name and forgets how far the database had come with it."""
        connection.execute(sa.delete(journal))
        if self.file.exists():
            os.replace(self.file, self.file.with_name(name))

    def _append(self, orders: Sequence[Order]) -> tuple[Position, Position]:
        """Writes lines behind the last whole one; returns where the journal stood and where it stands."""
        if self.path is None:
            raise FileNotFoundError("GATEWAY_JOURNAL")
        key = self.keyring.derive("journal")
        with alone(self.path.parent), self.path.open("r+b") as file:
            whole = file.read()
            end = whole.rfind(b"\n") + 1  # what a crash left behind it never counted
            before = after = list(_positions(whole[:end].splitlines()))[-1]
            added = []
            for order in orders:
                added.append(b64encode(seal(json.dumps(order, ensure_ascii=False).encode(), key, _about(after))))
                after = after.after(added[-1])
            file.seek(end)
            file.truncate()
            file.write(b"".join(line + b"\n" for line in added))
            file.flush()
            os.fsync(file.fileno())
        return before, after

    def _lines(self) -> list[bytes]:
        try:
            with alone(self.file.parent):
                whole = self.file.read_bytes()
        except OSError as error:
            raise JournalBroken(f"journal {self.path}", "无法读取；请恢复其磁盘，或者重新建立：gateway restore anew。",
                                f"{error.strerror}; bring back its disk, or begin another: gateway restore anew") from None
        return whole[: whole.rfind(b"\n") + 1].splitlines()

    def _opened(self, lines: Sequence[bytes], passed: Sequence[Position]) -> list[Order]:
        orders, keys = list[Order](), dict[str, Derived]()
        for line, before in zip(lines, passed, strict=False):
            try:
                sealed = b64decode(line, validate=True)
                name = key_id(sealed)
                keys[name] = keys.get(name) or self.keyring.reopen(name)
                orders.append(json.loads(unseal(sealed, keys[name], _about(before))))
            except (SealBroken, KeyringClosed, ValueError):
                raise JournalBroken(
                    f"journal {self.path}, line {before.lines + 1}",
                    "不是当初写入的行，或者其前有行缺失；请联系合规人员并放回原文件，或者重新建立：gateway restore anew。",
                    "it is not the line that was written, or one is missing before it; call compliance, put back the file, or begin "
                    "another: gateway restore anew") from None
        return orders


def rows(connection: Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Order]:
    """Rows of a table as orders, as they stand in the caller's transaction, but for what is no part of the order."""
    columns = [column for column in table.c if column.name not in _NOT_KEPT]
    return [{"table": table.name, "row": dict(row)} for row in connection.execute(sa.select(*columns).where(*where)).mappings()]


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Nobody else writes in this folder meanwhile, who asks so too; ends with its holder. Gives the folder's descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def is_kept(connection: Connection) -> bool:
    """Whether the database keeps a journal."""
    return connection.execute(sa.select(journal.c.one)).first() is not None


def _taken(connection: Connection) -> Position | None:
    """How far the database has come; who asks holds the row until its transaction ends, so that writers and readers queue."""
    if not connection.execute(sa.update(journal).values(lines=journal.c.lines)).rowcount:
        return None
    return Position(*connection.execute(sa.select(journal.c.lines, journal.c.head)).one())


def _place(connection: Connection, position: Position) -> None:
    connection.execute(sa.update(journal).values(lines=position.lines, head=position.head))


def _positions(lines: Iterable[bytes]) -> Iterator[Position]:
    """Where the journal stands before the first line and after each."""
    position = Position()
    yield position
    for line in lines:
        position = position.after(line)
        yield position


def _about(before: Position) -> bytes:
    return f"journal|{before.lines + 1}|{before.head}".encode()
