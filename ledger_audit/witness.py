"""The witness 见证: keeps the last checkpoint of each ledger it knows and cosigns only what continues it (C2SP tlog-witness)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_audit.notes import Checkpoint, Key, NoteRefused, cosignature, expect_signed, hashes, key, read_checkpoint, read_key
from ledger_audit.tree import ProofRefused, expect_consistency

_LARGEST = 64 * 1024
_WITNESS_KIND = 4
_LOGS = "logs"
_PATIENCE = 10


class WitnessRefuses(Exception):
    """What was asked is not cosigned. `status` and `answer` are those of the protocol."""

    def __init__(self, status: int, answer: str) -> None:
        self.status, self.answer = status, answer
        super().__init__(answer)


@dataclass(frozen=True)
class Witness:
    """A witness by its name and the folder of its state, which holds its key, the keys of the ledgers it knows, and what it saw."""

    name: str
    state: Path
    clock: Callable[[], float] = time.time

    def register(self, log: Key) -> None:
        """Makes a ledger known by its public key, from now on; a ledger that it does not know is refused."""
        with self._alone():
            known = {one.text for one in self.logs()}
            _write(self.state / _LOGS, "".join(f"{text}\n" for text in sorted(known | {log.text})).encode())

    def logs(self) -> list[Key]:
        """The ledgers it knows."""
        place = self.state / _LOGS
        return [read_key(line) for line in place.read_text(encoding="utf-8").splitlines()] if place.exists() else []

    @property
    def key(self) -> Key:
        """Its verifier key; the private one is made with mode 0600 when it is first asked for."""
        return key(self.name, _WITNESS_KIND, self._private().public_key().public_bytes_raw())

    def add_checkpoint(self, request: bytes) -> str:
        """Cosigns a checkpoint that continues the last one it saw of the ledger. Raises WitnessRefuses."""
        old, proof, note = _taken_apart(request)
        log = next((log for log in self.logs() if log.name == note.origin), None)
        if log is None:
            raise WitnessRefuses(404, "a ledger that this witness does not know\n")
        try:
            expect_signed(note, log)
        except NoteRefused as error:
            raise WitnessRefuses(403, f"{error}\n") from None
        with self._alone():
            self._expect_continued(old, proof, note)
            self._keep(note)
        return cosignature(note.text, int(self.clock()), self._private(), self.key)

    def last(self, origin: str) -> Checkpoint | None:
        """The last checkpoint it cosigned of a ledger."""
        place = self._place(origin)
        return read_checkpoint(place.read_text(encoding="utf-8")) if place.exists() else None

    def _expect_continued(self, old: int, proof: list[bytes], note: Checkpoint) -> None:
        known = self.last(note.origin)
        if old != (known.size if known else 0):
            raise WitnessRefuses(409, f"{known.size if known else 0}\n")
        if known is None:
            if proof:
                raise WitnessRefuses(400, "no proof leads from nothing\n")
            return
        try:
            expect_consistency((known.size, known.root), (note.size, note.root), proof)
        except ProofRefused as error:
            raise WitnessRefuses(409 if note.size == known.size and not proof else 422, f"{error}\n") from None

    def _keep(self, note: Checkpoint) -> None:
        """Before it signs: a witness that died after signing would otherwise sign another view."""
        lines = "".join(f"— {name} {b64encode(signature).decode()}\n" for name, signature in note.signatures)
        _write(self._place(note.origin), f"{note.text}\n{lines}".encode())

    def _place(self, origin: str) -> Path:
        return self.state / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.note"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.state / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _private(self) -> Ed25519PrivateKey:
        place = self.state / "witness.key"
        with self._alone():
            if not place.exists():
                _write(place, Ed25519PrivateKey.generate().private_bytes_raw())
        return Ed25519PrivateKey.from_private_bytes(place.read_bytes())


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """The witness as a service, POST /add-checkpoint, not yet serving."""

    class Door(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint" or not (size.isascii() and size.isdigit() and int(size) <= _LARGEST):
                self._answer(404 if self.path != "/add-checkpoint" else 400, "")
                return
            try:
                self._answer(200, witness.add_checkpoint(self.rfile.read(int(size))))
            except WitnessRefuses as refusal:
                self._answer(refusal.status, refusal.answer)

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the state tells what was cosigned."""

    return ThreadingHTTPServer((host, port), Door)


def _taken_apart(request: bytes) -> tuple[int, list[bytes], Checkpoint]:
    try:
        head, blank, note = request.decode().partition("\n\n")
        first, *proof = head.split("\n")
        word, _, old = first.partition(" ")
        if word != "old" or not old.isascii() or not old.isdigit() or len(proof) > 63 or not blank:
            raise NoteRefused("malformed: old <size>, proof, blank line, checkpoint")
        found = int(old), hashes(proof), read_checkpoint(note)
    except ValueError as error:
        raise WitnessRefuses(400, f"{error}\n") from None
    if found[0] > found[2].size or found[2].size == 0:
        raise WitnessRefuses(400, "old is larger than the checkpoint, or the ledger is empty\n")
    return found


def _write(place: Path, content: bytes) -> None:
    """All of it, or what was there before, whatever happens meanwhile; readable by its owner only."""
    draft = place.with_name(f"{place.name}.tmp")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
