"""The auditor's proofs agree with the writer's, which share no code with them, and nothing else is believed."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import tree as writer
from ledger_audit import tree as auditor
from tests.ledger_audit import proving

LEAVES = [hashlib.sha256(bytes([n])).digest() for n in range(130)]


@given(st.integers(1, 130))
def test_both_make_the_same_trees(size: int) -> None:
    assert auditor.roots(LEAVES[:size])[-1] == writer.root_of(LEAVES[:size])


@given(st.data())
def test_a_consistency_proof_of_the_writer_convinces_the_auditor_and_an_altered_one_does_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 130))
    old = data.draw(st.integers(1, new - 1))
    proof = writer.consistency_proof(LEAVES[:new], old)
    ends = (old, writer.root_of(LEAVES[:old])), (new, writer.root_of(LEAVES[:new]))
    assert proof == proving.consistency_proof(LEAVES[:new], old)
    auditor.expect_consistency(*ends, proof)
    n = data.draw(st.integers(0, len(proof) - 1))
    for wrong in (proof[:n] + proof[n + 1 :], [*proof, b"0" * 32], [*proof[:n], b"0" * 32, *proof[n + 1 :]], []):
        with pytest.raises(auditor.ProofRefused):
            auditor.expect_consistency(*ends, wrong)
    with pytest.raises(auditor.ProofRefused):
        auditor.expect_consistency((old, b"1" * 32), ends[1], proof)
    with pytest.raises(auditor.ProofRefused):
        auditor.expect_consistency(ends[0], (new, b"1" * 32), proof)


@given(st.data())
def test_an_inclusion_proof_leads_to_the_root_from_its_own_place_only(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    proof, root = auditor.inclusion_proof(LEAVES[:size], index), writer.root_of(LEAVES[:size])
    assert auditor.root_from_inclusion(LEAVES[index], (index, size), proof) == root
    for place in ((index + 1, size), (index, size + 1), (size, size)):
        with contextlib.suppress(auditor.ProofRefused):
            assert auditor.root_from_inclusion(LEAVES[index], place, proof) != root or place[1] != size
    with pytest.raises(auditor.ProofRefused):
        auditor.root_from_inclusion(LEAVES[index], (index, size), [*proof, root])


@pytest.mark.parametrize(("old", "new", "proof"), [((0, b""), (3, b"x" * 32), []), ((3, b"x" * 32), (3, b"y" * 32), []),
                                                   ((4, b"x" * 32), (3, b"y" * 32), []), ((3, b"x" * 32), (3, b"x" * 32), [b"z" * 32])])
def test_oddities_are_refused(old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes]) -> None:
    with pytest.raises(auditor.ProofRefused):
        auditor.expect_consistency(old, new, proof)
