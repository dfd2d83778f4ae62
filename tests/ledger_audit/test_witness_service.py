"""The witness cosigns what continues what it saw, answers everything else as the protocol says, and never signs two views."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_audit.command import main
from ledger_audit.notes import Key, expect_signed, key, read_checkpoint
from ledger_audit.tree import leaf_hash, roots
from ledger_audit.witness import Witness, server
from tests.ledger_audit.proving import consistency_proof

LOG, OTHER = Ed25519PrivateKey.from_private_bytes(b"l" * 32), Ed25519PrivateKey.from_private_bytes(b"o" * 32)
ORIGIN = "sample.example/ledger"
KNOWN = key(ORIGIN, 1, LOG.public_key().public_bytes_raw())
LEAVES, FORK = [leaf_hash(bytes([n])) for n in range(9)], [leaf_hash(bytes([n, 0])) for n in range(9)]


def note(leaves: list[bytes], signer: Ed25519PrivateKey = LOG, known: Key = KNOWN) -> str:
    text = f"{known.name}\n{len(leaves)}\n{b64encode(roots(leaves)[-1]).decode()}\n"
    return f"{text}\n— {known.name} {b64encode(known.id + signer.sign(text.encode())).decode()}\n"


def request(leaves: list[bytes], old: int, proof: list[bytes] | None = None, **signed: object) -> bytes:
    nodes = (consistency_proof(leaves, old) if old else []) if proof is None else proof
    lines = "".join(f"{b64encode(node).decode()}\n" for node in nodes)
    return f"old {old}\n{lines}\n{note(leaves, **signed)}".encode()  # type: ignore[arg-type]


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    made = Witness("sample.example/witness", tmp_path / "state", clock=lambda: 1_790_000_000)
    made.register(KNOWN)
    return made


@pytest.fixture
def url(witness: Witness) -> Iterator[str]:
    service = server(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=service.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{service.server_port}/add-checkpoint"
    service.shutdown()
    service.server_close()
    thread.join(10)


def asked(url: str, body: bytes) -> tuple[int, str]:
    answer = requests.post(url, data=body, timeout=10)
    return answer.status_code, answer.text


def test_what_continues_is_cosigned_and_remembered(witness: Witness, url: str) -> None:
    for old, size in ((0, 3), (3, 8), (8, 8), (8, 9)):
        status, line = asked(url, request(LEAVES[:size], old))
        assert status == 200, line
        assert expect_signed(read_checkpoint(note(LEAVES[:size]) + line), witness.key) == 1_790_000_000
    kept = witness.last(ORIGIN)
    assert kept is not None and kept.size == 9


@pytest.mark.parametrize(("body", "status"), [
    (request(LEAVES[:3], 0, signer=OTHER), 403),
    (request(LEAVES[:3], 0, signer=OTHER, known=key(ORIGIN, 1, OTHER.public_key().public_bytes_raw())), 403),
    (request(LEAVES[:3], 0, known=key("another/ledger", 1, LOG.public_key().public_bytes_raw())), 404),
    (request(LEAVES[:3], 0, [LEAVES[0]]), 400),
    (request(LEAVES[:3], 2), 409),
    (request(LEAVES[:3], 0).replace(b"old 0", b"old 4"), 400),
    (request(LEAVES[:3], 0).replace(b"old 0", b"old -1"), 400),
    (request(LEAVES[:3], 0).replace(b"old 0", b"new 0"), 400),
    (request(LEAVES[:3], 0).replace(b"\n3\n", b"\n03\n"), 400),
    (request([], 0), 400),
    (b"", 400), (b"\xff\xfe", 400), (b"old 0\n\n", 400),
])
def test_a_first_request_is_answered_as_the_protocol_says(witness: Witness, url: str, body: bytes, status: int) -> None:
    assert asked(url, body)[0] == status
    assert witness.last(ORIGIN) is None


@pytest.mark.parametrize(("body", "status", "text"), [
    (request(LEAVES[:8], 4), 409, "5\n"),
    (request(LEAVES[:3], 0), 409, "5\n"),
    (request(FORK[:8], 5), 422, ""),
    (request(LEAVES[:8], 5, []), 422, ""),
    (request(LEAVES[:8], 5, [LEAVES[0]]), 422, ""),
    (request(FORK[:5], 5), 409, ""),
])
def test_i6_a_view_that_does_not_continue_the_last_is_never_cosigned(witness: Witness, url: str, body: bytes, status: int,
                                                                     text: str) -> None:
    assert asked(url, request(LEAVES[:5], 0))[0] == 200
    answer = asked(url, body)
    assert answer[0] == status and answer[1].startswith(text) and "—" not in answer[1]
    kept = witness.last(ORIGIN)
    assert kept is not None and (kept.size, kept.root) == (5, roots(LEAVES[:5])[-1])


def test_two_views_at_once_get_one_cosignature(witness: Witness, url: str) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda leaves=leaves: answers.append(asked(url, request(leaves[:5], 0))[0]))
               for leaves in (LEAVES, FORK, LEAVES, FORK)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [200, 409, 409, 409]


def test_a_witness_held_as_files_answers_the_same(tmp_path: Path, witness: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    asked_for = tmp_path / "request"
    asked_for.write_bytes(request(LEAVES[:5], 0))
    arguments = ["cosign", "--state", str(witness.state), "--name", witness.name, str(asked_for)]
    assert main(arguments) == 0
    assert expect_signed(read_checkpoint(note(LEAVES[:5]) + capsys.readouterr().out), witness.key) > 0
    asked_for.write_bytes(request(FORK[:8], 5))
    assert main(arguments) == 1 and "422" in capsys.readouterr().err


def test_the_key_is_made_once_and_nobody_else_reads_it(witness: Witness) -> None:
    assert witness.key == Witness(witness.name, witness.state).key
    assert (witness.state / "witness.key").stat().st_mode & 0o77 == 0


def test_two_that_ask_for_the_key_at_once_get_one(tmp_path: Path) -> None:
    made = Witness("sample.example/witness", tmp_path / "state")
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(made.key.text)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 6 and len(set(found)) == 1
