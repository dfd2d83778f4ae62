"""The journal of orders: on the disk before the database has them, whole or not at all, and never altered unnoticed (I6)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from records import journal as module
from records import schema
from records.database import before_commit, writing
from records.journal import Journal, JournalBroken, Order
from records.schema import withdrawn

# Nothing in these depends on the database.
ON_ONE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def order(number: int) -> Order:
    return {"table": "withdrawn", "row": {"entry": "penalty", "record": f"1-{number:032x}", "document": "云信修〔2026〕7号"}}


@pytest.fixture
def journal(engine: Engine, keyring: Keyring, tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "disk" / "journal", keyring)
    made.file.parent.mkdir()
    with writing(engine) as connection:
        assert made.begin(connection)
    return made


def keep(engine: Engine, journal: Journal, *numbers: int) -> None:
    with writing(engine) as connection:
        journal.keep(connection, map(order, numbers))


def behind(engine: Engine, journal: Journal) -> list[Order]:
    with writing(engine) as connection:
        return journal.behind(connection)


def stands_at(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(schema.journal.c.lines)).scalar_one())


def test_i6_a_database_of_before_the_last_orders_is_told_exactly_those(engine: Engine, journal: Journal) -> None:
    keep(engine, journal, 1)
    with engine.connect() as connection:
        old = connection.execute(sa.select(schema.journal)).mappings().one()
    keep(engine, journal, 2)
    keep(engine, journal, 3, 4)
    assert behind(engine, journal) == []
    with writing(engine) as connection:
        connection.execute(sa.update(schema.journal).values(lines=old["lines"], head=old["head"]))
    assert behind(engine, journal) == [order(2), order(3), order(4)]
    keep(engine, journal, 5)
    assert behind(engine, journal) == [order(2), order(3), order(4), order(5)], "what comes after does not make good what is missing"
    with writing(engine) as connection:
        journal.settle(connection)
    assert behind(engine, journal) == []


def test_i6_a_journal_whose_beginning_was_killed_has_the_orders_that_stand_once_it_is_begun(
        engine: Engine, keyring: Keyring, tmp_path: Path) -> None:
    """The file is there and empty: the process died after it made it and before the first line was on the disk."""
    stands = {"entry": "penalty", "record": "1-a", "reason": "repair", "document": "云信修〔2026〕7号", "since": "2026-11-23"}
    with writing(engine) as connection:
        connection.execute(sa.insert(withdrawn).values(stands))
    (tmp_path / "journal").touch(0o600)
    with writing(engine) as connection:
        assert Journal(tmp_path / "journal", keyring).begin(connection)
    assert stands_at(engine) == 1 and (tmp_path / "journal").read_bytes().count(b"\n") == 1


def test_an_order_is_on_the_disk_before_its_transaction_commits_and_not_if_it_fails(engine: Engine, journal: Journal) -> None:
    with writing(engine) as connection:
        before_commit(connection, lambda: journal.keep(connection, [order(1)]))
        assert journal.file.read_bytes() == b""
    assert journal.file.read_bytes().count(b"\n") == 1
    with pytest.raises(RuntimeError), writing(engine) as connection:
        before_commit(connection, lambda: journal.keep(connection, [order(2)]))
        raise RuntimeError
    assert journal.file.read_bytes().count(b"\n") == 1 and behind(engine, journal) == []


@ON_ONE
def test_i8_nothing_of_an_order_can_be_read_without_the_key(engine: Engine, journal: Journal) -> None:
    keep(engine, journal, 1)
    text = journal.file.read_bytes()
    assert b"penalty" not in text and "云".encode() not in text and oct(journal.file.stat().st_mode & 0o777) == "0o600"


@ON_ONE
def test_the_line_that_a_crash_tore_is_dropped_and_the_others_stay(engine: Engine, journal: Journal) -> None:
    keep(engine, journal, 1, 2)
    whole = journal.file.read_bytes()
    for torn in (b"c2VhbGVk", b"\x00" * 4096, whole.splitlines()[0][:-1]):
        journal.file.write_bytes(whole + torn)
        assert behind(engine, journal) == []
    keep(engine, journal, 3)
    lines = journal.file.read_bytes()
    assert lines.startswith(whole) and lines.count(b"\n") == 3 and stands_at(engine) == 3 and behind(engine, journal) == []


@ON_ONE
@pytest.mark.parametrize("what", ["flipped", "removed", "doubled", "swapped"])
def test_a_line_that_was_altered_removed_doubled_or_moved_is_found(engine: Engine, journal: Journal, what: str) -> None:
    keep(engine, journal, 1, 2, 3, 4)
    whole = journal.file.read_bytes().splitlines(keepends=True)
    for place in range(4):
        for altered in damaged(whole, place, what):
            journal.file.write_bytes(b"".join(altered))
            with pytest.raises(JournalBroken):
                behind(engine, journal)


def damaged(whole: list[bytes], place: int, what: str) -> Iterator[list[bytes]]:
    lines = list(whole)
    if what == "flipped":
        for at in range(0, len(lines[place]) - 1, 7):
            yield [*whole[:place], whole[place][:at] + bytes([whole[place][at] ^ 1]) + whole[place][at + 1 :], *whole[place + 1 :]]
        return
    if what == "removed":
        del lines[place]
    elif what == "doubled":
        lines.insert(place, lines[place])
    else:
        lines[place], lines[place - 1] = lines[place - 1], lines[place]
    yield lines


@ON_ONE
def test_a_journal_that_is_gone_shorter_or_another_one_is_found(engine: Engine, journal: Journal, keyring: Keyring, tmp_path: Path) -> None:
    keep(engine, journal, 1, 2)
    whole = journal.file.read_bytes()
    for lines in (b"", whole.splitlines(keepends=True)[0]):
        journal.file.write_bytes(lines)
        with pytest.raises(JournalBroken, match="ends before line 2"):
            behind(engine, journal)
    journal.file.unlink()
    with pytest.raises(JournalBroken, match="bring back its disk"):
        behind(engine, journal)
    with pytest.raises(JournalBroken, match="GATEWAY_JOURNAL"):
        behind(engine, Journal(None, keyring))
    with writing(engine) as connection:
        assert not journal.begin(connection), "a journal that was lost is not begun again in silence"


@ON_ONE
def test_an_order_goes_on_though_the_disk_does_not_take_it_and_is_not_forgotten_to_be_missing(engine: Engine, journal: Journal) -> None:
    keep(engine, journal, 1)
    away = journal.file.rename(journal.file.with_name("away"))
    keep(engine, journal, 2)
    away.rename(journal.file)
    for _ in range(2):
        with pytest.raises(JournalBroken, match="line 2, which the database has seen"):
            behind(engine, journal)
        keep(engine, journal, 3)


@ON_ONE
def test_where_no_journal_is_named_none_is_kept(engine: Engine, keyring: Keyring) -> None:
    none = Journal(None, keyring)
    with writing(engine) as connection:
        assert not none.begin(connection)
        none.keep(connection, [order(1)])
        assert none.behind(connection) == []


@ON_ONE
def test_a_new_journal_begins_with_the_orders_that_stand(engine: Engine, keyring: Keyring, tmp_path: Path) -> None:
    row = {column.name: "" for column in withdrawn.c if not column.nullable and column.server_default is None}
    with writing(engine) as connection:
        connection.execute(sa.insert(withdrawn).values(row | {"record": "1-a", "document": "7"}))
    made = Journal(tmp_path / "journal", keyring)
    with writing(engine) as connection:
        assert made.begin(connection)
    with writing(engine) as connection:
        connection.execute(sa.update(schema.journal).values(lines=0, head=""))
        [told] = made.behind(connection)
    assert (told["table"], told["row"]["record"], told["row"]["document"]) == ("withdrawn", "1-a", "7")


def test_a_database_that_never_heard_of_the_journal_that_is_there_is_behind(engine: Engine, journal: Journal) -> None:
    keep(engine, journal, 1)
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.journal))
    with pytest.raises(JournalBroken, match="gateway setup"):
        behind(engine, journal)
    with writing(engine) as connection:
        assert not journal.begin(connection)
    assert behind(engine, journal) == [order(1)]


def test_i4_writers_beside_each_other_lose_no_line(engine: Engine, journal: Journal) -> None:
    with ThreadPoolExecutor(8) as many:
        list(many.map(lambda number: keep(engine, journal, number), range(40)))
    assert stands_at(engine) == 40 and behind(engine, journal) == []
    with writing(engine) as connection:
        connection.execute(sa.update(schema.journal).values(lines=0, head=""))
    assert sorted(each["row"]["record"] for each in behind(engine, journal)) == sorted(order(n)["row"]["record"] for n in range(40))


WRITER = """
import os, signal, sys
from pathlib import Path
from keys.keyring import Keyring
from records import database, schema
from records.journal import Journal
from records.database import before_commit, writing

url, file, where = sys.argv[1:]
engine, journal = database.connect(url), Journal(Path(file), Keyring.for_tests())
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if where in ("write", "fsync"):  # in the midst of a line; before it is on the disk
    real = os.fsync
    def fsync(descriptor):
        if where == "write":
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 30)
        die()
    os.fsync = fsync
with writing(engine) as connection:
    before_commit(connection, lambda: journal.keep(connection, [{"table": "withdrawn", "row": {"record": "killed"}}]))
    if where == "commit":
        before_commit(connection, die)
"""


@pytest.mark.parametrize(("where", "known"), [("write", 0), ("fsync", 1), ("commit", 1)])
def test_i4_a_writer_that_is_killed_loses_nothing_and_leaves_at_worst_an_order_too_many(
        engine: Engine, journal: Journal, where: str, known: int) -> None:
    keep(engine, journal, 1)
    command = [sys.executable, "-c", WRITER, engine.url.render_as_string(hide_password=False), str(journal.file), where]
    environment = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, timeout=60, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [each["row"]["record"] for each in behind(engine, journal)] == ["killed"] * known
    keep(engine, journal, 2)
    assert [each["row"]["record"] for each in behind(engine, journal)] == (["killed", order(2)["row"]["record"]] if known else [])
    assert stands_at(engine) == (1 if known else 2)
