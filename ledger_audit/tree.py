"""RFC 6962 from the side of whoever checks: roots, proofs of inclusion, and proofs of both kinds verified."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


class ProofRefused(ValueError):
    """A proof does not prove what it claims to."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 over 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and the two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def roots(leaves: Sequence[bytes]) -> list[bytes]:
    """The root of the tree of the first n leaf hashes, for every n from 0 on."""
    found, stack = [hashlib.sha256(b"").digest()], list[tuple[int, bytes]]()
    for leaf in leaves:
        stack.append((1, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, node_hash(left, right)))
        top = stack[-1][1]
        for _, left in reversed(stack[:-1]):
            top = node_hash(left, top)
        found.append(top)
    return found


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The way from leaf `index` (from 0) to the root, from the bottom up (RFC 6962, section 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise ProofRefused(f"a tree of {len(leaves)} leaves has no leaf {index + 1}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), roots(leaves[split:])[-1]]
    return [*inclusion_proof(leaves[split:], index - split), roots(leaves[:split])[-1]]


def root_from_inclusion(leaf: bytes, place: tuple[int, int], proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to. place: index of the leaf (from 0) and size of the tree (RFC 9162, section 2.1.3.2).

    Raises ProofRefused if the proof is longer or shorter than a proof of that place.
    """
    index, size = place
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} leaves has no leaf {index + 1}")
    here, last, found = index, size - 1, leaf
    for node in proof:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if here & 1 or here == last:
            found = node_hash(node, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, node)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")
    return found


def expect_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Returns if the tree `new` (size, root) begins with the tree `old` (RFC 9162, section 2.1.4.2); raises ProofRefused if not."""
    (size, root), (larger, larger_root) = old, new
    if size == 0 or size > larger:
        raise ProofRefused("only a tree with leaves can be continued, and not by a smaller one")
    if size == larger:
        if proof or root != larger_root:
            raise ProofRefused("trees of one size have one root and no proof")
        return
    if not proof:
        raise ProofRefused("the proof is empty")
    nodes = [root, *proof] if size & (size - 1) == 0 else list(proof)
    here, last = size - 1, larger - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if here & 1 or here == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, node)
        here, last = here >> 1, last >> 1
    if last or first != root or second != larger_root:
        raise ProofRefused("the proof does not lead from the one root to the other")


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
