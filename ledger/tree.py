"""The Merkle tree over the ledger's lines (RFC 6962, section 2.1): its root from a small frontier, and proofs of consistency.

The auditor derives the same with code of its own (ledger_audit); the two share nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: SHA-256 over 0x00 and its bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def _above(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves by the roots of its full subtrees, the largest first: one for each bit set in the size."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.roots) != self.size.bit_count():
            raise ValueError("these subtrees do not make a tree of that size")

    def grown(self, leaf: bytes) -> Frontier:
        """The tree with one more leaf hash at its end."""
        size, roots, top = self.size, list(self.roots), leaf
        while size & 1:
            top, size = _above(roots.pop(), top), size >> 1
        return Frontier(self.size + 1, (*roots, top))

    @property
    def root(self) -> bytes:
        """The tree's root; that of no leaves is the hash of nothing."""
        if not self.roots:
            return EMPTY
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = _above(left, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        above = [_above(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        # the odd one out rises as it is: the same tree as the recursive definition, level by level
        level = above + level[len(above) * 2 :]
    return level[0]


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over the leaf hashes begins with the tree of its first `old` ones (RFC 6962, section 2.1.2).

    Empty if `old` is none or all of them. Raises ValueError if it is more than there are.
    """
    if not 0 <= old <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves cannot be proved to continue one of {old}")
    return [] if old in (0, len(leaves)) else _subproof(leaves, old, True)


def _subproof(leaves: Sequence[bytes], old: int, is_whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*_subproof(leaves[:split], old, is_whole), root_of(leaves[split:])]
    return [*_subproof(leaves[split:], old - split, False), root_of(leaves[:split])]
