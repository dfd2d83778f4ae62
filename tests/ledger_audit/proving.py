"""Proofs of consistency by the auditor's own tree, which shares no code with the writer's."""

from __future__ import annotations

from collections.abc import Sequence

from ledger_audit.tree import ProofRefused, roots


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that a tree begins with its first `old` leaves (RFC 6962, section 2.1.2)."""
    if not 0 < old <= len(leaves):
        raise ProofRefused(f"a tree of {len(leaves)} leaves does not continue one of {old}")
    return _subproof(leaves, old, True)


def _subproof(leaves: Sequence[bytes], old: int, is_whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if is_whole else [roots(leaves)[-1]]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*_subproof(leaves[:split], old, is_whole), roots(leaves[split:])[-1]]
    return [*_subproof(leaves[split:], old - split, False), roots(leaves[:split])[-1]]
