"""The anchor 锚点: how far the ledger had come, kept beside the journal, outside the database: a ledger that does not continue it
was restored from a backup, cut short or rewritten.

It is moved on after each intent and before the bytes leave, so that nothing leaves of which a restored ledger could be silent
unnoticed. It keeps the roots of the full subtrees, so that only the lines since are read to see that the ledger continues it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from keys.keyring import Keyring, KeyringClosed
from keys.seal import SealBroken, key_id, seal, unseal
from ledger.log import LedgerBroken, head
from ledger.tree import Frontier
from records.journal import alone
from records.schema import lines

_ABOUT = b"anchor"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The anchor beside the journal `journal`."""

    journal: Path
    keyring: Keyring

    @property
    def path(self) -> Path:
        return self.journal.with_name(f"{self.journal.name}.anchor")

    def read(self) -> Frontier:
        """How far the ledger had come. Raises LedgerBroken if nobody can tell."""
        try:
            sealed = self.path.read_bytes()
            size, *roots = unseal(sealed, self.keyring.reopen(key_id(sealed), "anchor"), _ABOUT).decode().split(" ")
            return Frontier(int(size), tuple(bytes.fromhex(root) for root in roots))
        except (OSError, SealBroken, KeyringClosed, ValueError):
            raise LedgerBroken(f"anchor {self.path}", "锚点缺失，或者不是当初写入的；请放回，或者与日志一并重建：gateway restore anew。",
                               "it is missing or not the one that was written; put it back, or begin another with the journal: "
                               "gateway restore anew") from None

    def expect(self, connection: Connection) -> None:
        """Returns if the ledger continues the anchor; raises LedgerBroken if not.

        A writing transaction, or one that has read nothing yet: the ledger is read after the anchor.
        """
        anchor = self.read()
        now, grown = head(connection), anchor
        for leaf in connection.execute(sa.select(lines.c.hash).where(lines.c.seq > anchor.size).order_by(lines.c.seq)).scalars():
            if grown.size == now.size:  # others append meanwhile
                break
            grown = grown.grown(bytes.fromhex(leaf))
        if grown != now:
            raise LedgerBroken(f"ledger of {now.size} lines", f"不是此前 {anchor.size} 行的延续：恢复过备份，或者被改写。",
                               f"it does not continue the {anchor.size} that it had: a backup was restored, or it was rewritten")

    def move(self, engine: Engine) -> None:
        """Moves the anchor to the ledger's end; where the ledger does not continue it, it stays. Raises OSError."""
        with alone(self.path.parent) as folder, engine.connect() as connection:
            try:
                self.expect(connection)
            except LedgerBroken:
                return
            self._write(head(connection), folder)

    def begin(self, connection: Connection) -> None:
        """Sets the anchor to the ledger's end, whatever stood there: by a person's decision. Raises OSError."""
        with alone(self.path.parent) as folder:
            self._write(head(connection), folder)

    def _write(self, tree: Frontier, folder: int) -> None:
        text = " ".join((str(tree.size), *(root.hex() for root in tree.roots)))
        draft = self.path.with_name(f"{self.path.name}.tmp")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            file.write(seal(text.encode(), self.keyring.derive("journal", "anchor"), _ABOUT))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.path)
        os.fsync(folder)
