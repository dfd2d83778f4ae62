"""Checkpoints: the ledger's size and root under its signature, and the cosignatures of witnesses (C2SP tlog-checkpoint)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from keys.notes import NoteKey, signed, text_of
from keys.sign import Signer
from ledger.log import LedgerBroken, Verified, head, origin, queue, verify
from ledger.tree import Frontier, consistency_proof, root_of
from records.database import reading
from records.schema import checkpoints, lines


def sign(connection: Connection, signer: Signer, public_key: str, at: datetime) -> str:
    """The signed checkpoint of the ledger as it stands, in the caller's transaction; the same for the same size.

    Raises LedgerBroken rather than sign what its head does not name, or what does not continue the last one.
    """
    queue(connection)  # of two that would sign the same size the second finds what the first has signed
    tree = head(connection)
    size, leaves = tree.size, _leaves(connection, tree.size)
    known = connection.execute(sa.select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one_or_none()
    if len(leaves) != size or root_of(leaves) != tree.root:
        raise LedgerBroken(f"ledger of {size} lines", f"各行所成的树与末端记录不符；{_CALL[0]}",
                           f"its lines do not make the tree that its head names; {_CALL[1]}")
    former = last(connection)
    if former:
        before = size_of(former)
        _expect(former, root_of(leaves[:before]) if before <= size else None)
    text = _text(origin(connection), size, tree.root)
    if known is not None:
        if text_of(known) != text:
            raise LedgerBroken(f"checkpoint of {size} lines", f"已签署过另一个；{_CALL[0]}", f"another one was signed; {_CALL[1]}")
        return str(known)
    note = signed(text, signer, NoteKey(origin(connection), public_key))
    connection.execute(sa.insert(checkpoints).values(size=size, note=note, signed_at=at.astimezone(UTC).isoformat()))
    return note


@dataclass(frozen=True, slots=True)
class Standing:
    """What can be said for the ledger: what verifying it found, how many checkpoints are on it, and up to which line and when
    (UTC, "" for never) a witness has vouched for it."""

    verified: Verified
    checkpoints: int
    witnessed_lines: int
    witnessed_at: str


def standing(engine: Engine) -> Standing:
    """Verifies the whole ledger and every checkpoint of it. Raises LedgerBroken or Imbalance."""
    verified = verify(engine)
    with reading(engine) as connection:
        note, at = last_witnessed(connection)
        return Standing(verified, expect_all(connection), size_of(note), at)


def expect_all(connection: Connection) -> int:
    """Returns how many checkpoints were ever signed, if the ledger continues every one of them; raises LedgerBroken if not."""
    leaves = _leaves(connection, head(connection).size)
    every = connection.execute(sa.select(checkpoints.c.note).order_by(checkpoints.c.size)).scalars().all()
    sizes, tree, roots = set(map(size_of, every)), Frontier(), {0: Frontier().root}
    for leaf in leaves:  # once: a ledger of years has tens of thousands of checkpoints
        tree = tree.grown(leaf)
        if tree.size in sizes:
            roots[tree.size] = tree.root
    for note in every:
        _expect(note, roots.get(size_of(note)))
    return len(every)


def last(connection: Connection) -> str:
    """The last checkpoint with its cosignatures, "" if none was signed."""
    return _newest(connection)


def last_witnessed(connection: Connection) -> tuple[str, str]:
    """The last checkpoint that a witness cosigned, and when (UTC); ("", "") if none was."""
    query = sa.select(checkpoints.c.witnessed_at).where(checkpoints.c.witnessed_at.is_not(None))
    at = connection.execute(query.order_by(checkpoints.c.size.desc()).limit(1)).scalar_one_or_none()
    return _newest(connection, checkpoints.c.witnessed_at.is_not(None)), at or ""


def size_of(note: str) -> int:
    """The size that a checkpoint names, 0 for none."""
    return int(note.split("\n")[1]) if note else 0


def request(connection: Connection, old: int, note: str) -> str:
    """What a witness is asked: the checkpoint, and the proof that it continues the one of `old` lines (C2SP tlog-witness).

    Raises LedgerBroken if there are not as many lines, as after a ledger was cut short or an older backup restored.
    """
    size = size_of(note)
    if old > size:
        raise LedgerBroken(f"ledger of {size} lines", f"见证方见过 {old} 行：总账被截短，或者恢复了旧备份；{_CALL[0]}",
                           f"the witness has seen {old}: it was cut short, or an older backup was restored; {_CALL[1]}")
    proof = "".join(f"{b64encode(node).decode()}\n" for node in consistency_proof(_leaves(connection, size), old))
    return f"old {old}\n{proof}\n{note}"


def take_cosignature(connection: Connection, note: str, line: str, at: datetime) -> None:
    """Keeps a witness's signature line of a checkpoint, which the caller has verified."""
    connection.execute(sa.update(checkpoints).where(checkpoints.c.size == size_of(note)).values(
        cosignatures=f"{line}\n", witnessed_at=at.astimezone(UTC).isoformat()))


_CALL = "请停止推送并联系合规人员。", "stop deliveries and call compliance"


def _newest(connection: Connection, *where: sa.ColumnElement[bool]) -> str:
    query = sa.select(checkpoints.c.note, checkpoints.c.cosignatures).where(*where).order_by(checkpoints.c.size.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return row[0] + row[1] if row else ""


def _leaves(connection: Connection, size: int) -> list[bytes]:
    """The hashes of the first lines; writers may have appended more meanwhile."""
    found = connection.execute(sa.select(lines.c.hash).where(lines.c.seq <= size).order_by(lines.c.seq)).scalars()
    return [bytes.fromhex(leaf) for leaf in found]


def _text(name: str, size: int, root: bytes) -> str:
    return f"{name}\n{size}\n{b64encode(root).decode()}\n"


def _expect(note: str, root: bytes | None) -> None:
    """Returns if the ledger continues a checkpoint of it. root: that of so many lines, None where there are not as many."""
    name, size = note.split("\n")[0], size_of(note)
    if root is None or text_of(note) != _text(name, size, root):
        raise LedgerBroken(f"checkpoint of {size} lines", f"总账不是其延续，有行被改或丢失；{_CALL[0]}",
                           f"the ledger does not continue it, so lines were changed or lost; {_CALL[1]}")
