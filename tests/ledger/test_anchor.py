"""The ledger's anchor outside the database: a ledger that was restored, cut short or rewritten does not continue it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from keys.keyring import Keyring
from ledger import log
from ledger.anchor import Anchor
from ledger.events import Event, Line
from ledger.log import LedgerBroken
from records.database import writing
from records.schema import ledger_head, lines, openings
from tests.conftest import NOON

TABLES = (lines, openings, ledger_head)


@pytest.fixture
def anchor(engine: Engine, keyring: Keyring, tmp_path: Path) -> Anchor:
    (tmp_path / "disk").mkdir()
    made = Anchor(tmp_path / "disk" / "journal", keyring)
    write(engine, 3)
    with engine.connect() as connection:
        made.begin(connection)
    return made


def write(engine: Engine, count: int, name: str = "run") -> None:
    with writing(engine) as connection:
        log.append(connection, [Line(Event.PLANNED, name, "feed")] * count, NOON)


def backup(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as connection:
        return {table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in TABLES}


def restore(engine: Engine, kept: dict[str, list[dict[str, Any]]]) -> None:
    with writing(engine) as connection:
        for table in TABLES:
            connection.execute(sa.delete(table))
            if kept[table.name]:
                connection.execute(sa.insert(table), kept[table.name])


def expect(engine: Engine, anchor: Anchor) -> None:
    with engine.connect() as connection:
        anchor.expect(connection)


def test_a_ledger_that_goes_on_continues_its_anchor_wherever_that_stands(engine: Engine, anchor: Anchor) -> None:
    for count in (0, 1, 2, 5, 8):
        write(engine, count)
        expect(engine, anchor)
        anchor.move(engine)
        expect(engine, anchor)
    assert anchor.read().size == 19


def test_i6_a_ledger_of_a_backup_does_not_continue_it_even_when_it_has_grown_past_it(engine: Engine, anchor: Anchor) -> None:
    old = backup(engine)
    write(engine, 4)
    anchor.move(engine)
    restore(engine, old)
    for count in (0, 2, 2, 7):
        write(engine, count, "another")
        with pytest.raises(LedgerBroken, match="does not continue the 7 that it had"):
            expect(engine, anchor)
        anchor.move(engine)
        assert anchor.read().size == 7, "what does not continue it does not move it"
    with engine.connect() as connection:
        anchor.begin(connection)
    expect(engine, anchor)


def test_a_backup_after_which_the_ledger_said_nothing_lost_nothing(engine: Engine, anchor: Anchor) -> None:
    write(engine, 2)
    anchor.move(engine)
    restore(engine, backup(engine))
    expect(engine, anchor)


def test_a_line_since_that_was_rewritten_is_found(engine: Engine, anchor: Anchor) -> None:
    write(engine, 2)
    with writing(engine) as connection:
        connection.execute(sa.update(lines).where(lines.c.seq == 4).values(hash="00" * 32))
    with pytest.raises(LedgerBroken):
        expect(engine, anchor)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", ["gone", "empty", "flipped", "of another key"])
def test_an_anchor_that_is_gone_or_damaged_is_told_and_not_made_again_in_silence(engine: Engine, anchor: Anchor, damage: str) -> None:
    whole = anchor.path.read_bytes()
    if damage == "gone":
        anchor.path.unlink()
    elif damage == "of another key":
        other = Anchor(anchor.journal, Keyring({"journal": {1: b"x" * 32}}))
        with engine.connect() as connection:
            other.begin(connection)
    else:
        anchor.path.write_bytes(b"" if damage == "empty" else whole[:-1] + bytes([whole[-1] ^ 1]))
    anchor.move(engine)
    with pytest.raises(LedgerBroken, match="missing or not the one"):
        expect(engine, anchor)


def test_many_that_move_it_at_once_leave_it_at_the_end(engine: Engine, anchor: Anchor) -> None:
    def one(number: int) -> None:
        write(engine, 1, str(number))
        anchor.move(engine)
        expect(engine, anchor)

    with ThreadPoolExecutor(6) as many:
        list(many.map(one, range(30)))
    assert anchor.read().size == 33
