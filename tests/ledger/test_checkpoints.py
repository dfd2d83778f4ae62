"""Checkpoints: what was signed once, the ledger must continue for ever."""

from __future__ import annotations

import resource
import signal
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from keys.keyring import Keyring
from keys.notes import NoteKey, text_of
from keys.sign import Ed25519Signer, Ed25519Verifier
from ledger import checkpoints
from ledger.erasure import renew
from ledger.events import Event, Line
from ledger.export import export
from ledger.log import LedgerBroken, append, origin
from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from ledger_audit.notes import read_key
from records.database import writing
from records.schema import ledger_head, lines, openings

AT = datetime(2026, 11, 24, tzinfo=UTC)
SIGNER = Ed25519Signer.from_seed(Keyring.for_tests().derive("sign", "ledger").secret, "sign.1")


def put(connection: Connection, count: int) -> None:
    for n in range(count):
        append(connection, [Line(Event.RUN_OPENED, f"r{n}", "f", notes={"partition": f"file {n}.csv"})], AT)


def sign(connection: Connection) -> str:
    return checkpoints.sign(connection, SIGNER, SIGNER.public_key, AT)


def test_a_checkpoint_names_ledger_size_and_root_and_is_signed(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection, 3)
        note = sign(connection)
        key = NoteKey(origin(connection), SIGNER.public_key)
    assert text_of(note).split("\n")[:2] == [key.name, "3"] and checkpoints.size_of(note) == 3
    signature = b64decode(note.splitlines()[-1].split(" ")[2])
    assert signature[:4] == key.id
    Ed25519Verifier(SIGNER.public_key).verify(text_of(note).encode(), signature[4:])


def test_the_same_size_is_signed_once(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection, 2)
        assert sign(connection) == sign(connection)
        put(connection, 1)
        sign(connection)
        assert checkpoints.expect_all(connection) == 2


def test_a_ledger_that_was_rewritten_is_not_signed(engine: Engine) -> None:
    """Somebody rewrites a line, its hash and the head, so that the database alone fits: the checkpoint tells."""
    with writing(engine) as connection:
        put(connection, 2)
        sign(connection)
        connection.execute(sa.delete(lines))
        connection.execute(sa.delete(openings))
        connection.execute(sa.update(ledger_head).values(seq=0, frontier=""))
        put(connection, 1)
        append(connection, [Line(Event.RUN_CLOSED, "r9", "f")], AT)
        with pytest.raises(LedgerBroken, match="does not continue"):
            sign(connection)
        put(connection, 1)
        with pytest.raises(LedgerBroken, match="does not continue"):
            checkpoints.expect_all(connection)


@pytest.mark.parametrize("tamper", [sa.delete(lines).where(lines.c.seq == 2), sa.update(lines).where(lines.c.seq == 2).values(hash="00" * 32)])
def test_lines_that_do_not_make_the_tree_of_the_head_are_not_signed(engine: Engine, tamper: sa.Executable) -> None:
    with writing(engine) as connection:
        put(connection, 3)
        connection.execute(tamper)
        with pytest.raises(LedgerBroken, match="do not make the tree"):
            sign(connection)


def test_i6_a_ledger_shorter_than_the_witness_saw_asks_for_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection, 2)
        with pytest.raises(LedgerBroken, match="older\\s+backup was restored"):
            checkpoints.request(connection, 3, sign(connection))


def test_a_renewed_ledger_signs_under_its_new_name_and_keeps_its_former_checkpoints(engine: Engine) -> None:
    with writing(engine) as connection:
        put(connection, 2)
        before = sign(connection)
        name = renew(connection, "decision 3", AT)
        after = sign(connection)
        assert after.startswith(f"{name}\n3\n") and not before.startswith(name)
        assert checkpoints.expect_all(connection) == 2


def test_i8_the_export_holds_no_name_unless_openings_are_asked_for(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        put(connection, 3)
        sign(connection)
    with engine.connect() as connection:
        assert export(connection, tmp_path / "out", with_openings=True) == 3
        assert "file 1.csv" in (tmp_path / "out" / "openings.jsonl").read_text()
        assert export(connection, tmp_path / "out", with_openings=False) == 3
    assert not (tmp_path / "out" / "openings.jsonl").exists()
    assert all(b"file" not in path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert all(path.stat().st_mode & 0o77 == 0 for path in (tmp_path / "out").iterdir())


def test_an_export_with_a_line_missing_is_refused(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        put(connection, 3)
        connection.execute(sa.delete(lines).where(lines.c.seq == 2))
        with pytest.raises(LedgerBroken, match="1 of them are missing"):
            export(connection, tmp_path / "out", with_openings=False)


def test_two_that_sign_the_same_size_at_once_get_the_same_checkpoint(engine: Engine) -> None:
    """As recipients that are served beside each other do, each before its first batch."""
    with writing(engine) as connection:
        put(connection, 3)
    both = Barrier(2)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def meet(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO checkpoints"):
            with suppress(BrokenBarrierError):  # one that is held up until the other has committed never comes
                both.wait(timeout=1)

    def one(_: int) -> str:
        with writing(engine) as connection:
            return sign(connection)

    with ThreadPoolExecutor(2) as signers:
        assert len(set(signers.map(one, range(2)))) == 1


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """No file can grow beyond 8 KiB from the call on, as where a disk is full."""
    former, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, former[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, former)
    signal.signal(signal.SIGXFSZ, handler)


def test_i8_an_export_that_breaks_off_leaves_no_openings_behind(engine: Engine, tmp_path: Path, full_disk: Callable[[], None]) -> None:
    """Neither what it had begun to write, nor what one that was killed had, nor those of an earlier one: the folder is handed on."""
    folder = tmp_path / "out"
    with writing(engine) as connection:
        append(connection, [Line(Event.RUN_OPENED, "r", "f", notes={"partition": "of somebody " * 2_000})], AT)
    with engine.connect() as connection:
        export(connection, folder, with_openings=True)
        (folder / "openings.jsonl.1.tmp").write_text("of somebody")
        full_disk()
        with pytest.raises(OSError, match="File too large"):
            export(connection, folder, with_openings=True)
    assert not [file.name for file in folder.iterdir() if "of somebody" in file.read_text("utf-8")]


def test_an_export_goes_as_far_as_the_checkpoint_it_was_asked_for(engine: Engine, tmp_path: Path) -> None:
    """A line that a night writes between the two is no line that nobody signed."""
    with writing(engine) as connection:
        put(connection, 3)
        note = sign(connection)
        put(connection, 2)
        assert export(connection, tmp_path, with_openings=True, size=checkpoints.size_of(note)) == 3
        key = read_key(NoteKey(origin(connection), SIGNER.public_key).text)
    assert check(read(tmp_path), Keys((key,))) == []
