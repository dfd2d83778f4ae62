"""The tree is that of RFC 6962: known roots and proofs, and the recursive definition for any number of leaves."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tree import EMPTY, Frontier, consistency_proof, leaf_hash, root_of

# The inputs, roots and proofs that Certificate Transparency's reference implementations are tested with.
INPUTS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS = {
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}


def recursive(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = max(1 << n for n in range(20) if 1 << n < len(leaves))
    return hashlib.sha256(b"\x01" + recursive(leaves[:split]) + recursive(leaves[split:])).digest()


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    for leaf in leaves:
        tree = tree.grown(leaf)
    return tree


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    leaves = [leaf_hash(data) for data in INPUTS[:size]]
    assert grown(leaves).root.hex() == root_of(leaves).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("old", "new"), PROOFS)
def test_known_proofs_of_consistency(old: int, new: int) -> None:
    assert [node.hex() for node in consistency_proof([leaf_hash(data) for data in INPUTS[:new]], old)] == PROOFS[old, new]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_frontier_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    assert grown(leaves).root == root_of(leaves) == recursive(leaves)
    assert len(grown(leaves).roots) == len(leaves).bit_count()


def test_a_tree_cannot_be_proved_to_continue_a_larger_one() -> None:
    with pytest.raises(ValueError, match="cannot be proved"):
        consistency_proof([leaf_hash(b"")], 2)
    assert consistency_proof([leaf_hash(b"")], 0) == consistency_proof([leaf_hash(b"")], 1) == []
