"""The front-end database door on SQLite, PostgreSQL and MariaDB: text arrives exactly, their flags are the receipt."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

import delivery
from catalog.load import load
from delivery import Batch, DeliveryFailed, Door, Effect, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import HANDLE, NOTICE, BatchState
from tests.delivery.conftest import without_table
from tests.sockets import way_into

AWKWARD = ['say "yes"', "line\nbreak", "a,b;c", "back\\slash \\N", "", None, "=1+1", "日期；“引号”"]
FIXED = ("handle VARCHAR(80) PRIMARY KEY, batch TEXT, pushed_at TEXT, effect TEXT, notice TEXT, taken_flag INTEGER {}, taken_at TEXT, "
         "failure_reason TEXT")


def table(theirs: Engine, flag: str = "DEFAULT 1", columns: str = ", name TEXT") -> None:
    with theirs.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE share_class_a_taxpayer ({FIXED.format(flag)}{columns})")


def door(theirs: Engine) -> Door:
    known, ticks = load(), count()
    recipient = known.recipients["public_resources"].model_copy(update={"deadline": 3})
    connection = Connection("public_resources", theirs.url.render_as_string(hide_password=False))
    return Door("public_resources", recipient, "class_a_taxpayer", known.entries["class_a_taxpayer"], connection, Ed25519Signer.from_seed(b"k" * 32, "sign.1"),
                sleep=lambda _: None, monotonic=lambda: float(next(ticks)))


def batch(name: str, cells: list[str | None]) -> Batch:
    handles = [f"1-{place:02d}" for place in range(len(cells))]
    return Batch(name, pd.DataFrame({HANDLE: pd.array(handles, dtype=TEXT), "name": pd.array(cells, dtype=TEXT)}))


def names(theirs: Engine) -> list[str | None]:
    with theirs.connect() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM share_class_a_taxpayer ORDER BY handle").scalars())


def test_i6_a_row_that_became_a_withdrawal_while_it_was_taken_is_not_confirmed_by_the_flag_of_what_it_was(theirs: Engine) -> None:
    """As the contract asks of recipients: the flag is set on the batch that was read."""
    table(theirs, flag="")
    with pytest.raises(RecipientUnavailable):
        delivery.deliver(batch("b1", ["one"]), door(theirs))
    with theirs.connect() as connection:
        [(handle, read)] = connection.exec_driver_sql("SELECT handle, batch FROM share_class_a_taxpayer WHERE taken_flag IS NULL").all()

    def flag(_: float) -> None:
        taken = sa.text("UPDATE share_class_a_taxpayer SET taken_flag = 1 WHERE handle = :handle AND batch = :batch")
        with theirs.begin() as connection:
            connection.execute(taken, {"handle": handle, "batch": read})

    withdrawal = Batch("b2", pd.DataFrame({HANDLE: ["1-00"], NOTICE: ["repair"]}, dtype=TEXT), Effect.DELETE)
    with pytest.raises(RecipientUnavailable, match="no flag"):
        delivery.deliver(withdrawal, replace(door(theirs), sleep=flag))


def test_every_text_arrives_exactly_and_no_value_stays_no_value(theirs: Engine) -> None:
    table(theirs)
    receipt = delivery.deliver(batch("b1", AWKWARD), door(theirs))
    assert names(theirs) == AWKWARD and len(receipt.accepted) == len(AWKWARD)


def test_the_checkpoint_of_the_ledger_stands_in_the_first_row_of_a_batch(theirs: Engine) -> None:
    table(theirs, columns=", name TEXT, checkpoint TEXT")
    witnessed = replace(door(theirs), checkpoint="ledger\n7\nroot\n\n— ledger x\n")
    delivery.deliver(batch("b1", ["one", "two"]), witnessed)
    with theirs.connect() as connection:
        told = connection.exec_driver_sql("SELECT checkpoint FROM share_class_a_taxpayer ORDER BY handle").scalars()
        assert list(told) == [witnessed.checkpoint, None]


def test_a_table_without_a_place_for_the_checkpoint_gets_the_batch_all_the_same(theirs: Engine) -> None:
    table(theirs)
    delivery.deliver(batch("b1", ["one"]), replace(door(theirs), checkpoint="a note"))
    assert names(theirs) == ["one"]


def test_i4_a_second_delivery_replaces_the_first_and_takes_back_its_flag(theirs: Engine) -> None:
    table(theirs, flag="")
    with pytest.raises(RecipientUnavailable):
        delivery.deliver(batch("b1", ["old"]), door(theirs))
    with theirs.begin() as connection:
        connection.exec_driver_sql("UPDATE share_class_a_taxpayer SET taken_flag = 1, taken_at = 'x'")
    assert delivery.deliver(batch("b1", ["old"]), door(theirs)).accepted == ("1-00",), "taken late, and not pushed again"
    with pytest.raises(RecipientUnavailable, match="no flag"):
        delivery.deliver(batch("b2", ["new", "more"]), door(theirs))
    assert names(theirs) == ["new", "more"]
    with theirs.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM share_class_a_taxpayer WHERE taken_at IS NULL").scalar_one() == 2


def test_what_is_not_taken_by_the_deadline_stays_pending(theirs: Engine) -> None:
    table(theirs, flag="")
    with pytest.raises(RecipientUnavailable) as late:
        delivery.deliver(batch("b1", ["a", "b"]), door(theirs))
    assert (late.value.reason, late.value.state) == ("no-receipt-in-time", BatchState.OVERDUE)


def test_a_row_that_they_could_not_take_is_refused_with_their_reason_code(theirs: Engine) -> None:
    table(theirs, flag="DEFAULT 2")
    assert dict(delivery.deliver(batch("b1", ["a"]), door(theirs)).refused) == {"1-00": "recipient-said-no"}


def test_a_missing_table_is_named(theirs: Engine) -> None:
    with pytest.raises(RecipientContractBreach, match="share_class_a_taxpayer"):
        delivery.deliver(batch("b1", ["a"]), door(theirs))


def test_a_missing_column_is_named(theirs: Engine) -> None:
    table(theirs, columns="")
    with pytest.raises(RecipientContractBreach, match="lacks name"):
        delivery.deliver(batch("b1", ["a"]), door(theirs))


def test_i8_a_database_that_refuses_is_tried_later_and_no_message_tells_a_value(theirs: Engine) -> None:
    table(theirs, columns=", name TEXT CHECK (name <> '欧阳静好')")
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(batch("b1", ["欧阳静好"]), door(theirs))
    assert "欧阳" not in str(caught.value)


@pytest.mark.parametrize(("database", "kind"), [
    ("postgresql", "varchar(2)"), ("mariadb", "varchar(2)"), ("mariadb", "text character set latin1"), ("mariadb", "text character set utf8mb3")])
def test_a_name_that_their_column_would_cut_or_spoil_is_refused_and_stands_nowhere(
        database: str, kind: str, request: pytest.FixtureRequest) -> None:
    theirs = without_table(request.getfixturevalue(f"{database}_url"))
    table(theirs, columns=f", name {kind}")
    with pytest.raises(RecipientContractBreach, match="does not take a value") as caught:
        delivery.deliver(batch("b1", ["Lee", "欧阳𠮷好"]), door(theirs))
    assert caught.value.reason == "value-refused" and "欧阳" not in str(caught.value)
    assert names(theirs) == []


@pytest.mark.parametrize(("database", "lock"), [
    ("postgresql", "LOCK TABLE share_class_a_taxpayer IN SHARE MODE"), ("mariadb", "LOCK TABLES share_class_a_taxpayer READ")])
def test_a_table_that_they_have_locked_holds_nobody_longer_than_the_deadline(
        database: str, lock: str, request: pytest.FixtureRequest) -> None:
    theirs = without_table(request.getfixturevalue(f"{database}_url"))
    table(theirs)
    began = time.monotonic()
    with theirs.begin() as connection:
        connection.exec_driver_sql(lock)
        with pytest.raises(RecipientUnavailable) as caught:
            delivery.deliver(batch("b1", ["a"]), door(theirs))
    assert (caught.value.reason, caught.value.state) == ("database-unavailable", BatchState.SENT)
    assert time.monotonic() - began < 60
    assert delivery.deliver(batch("b1", ["a"]), door(theirs)).accepted == ("1-00",)


class Deaf:
    """A way into a database that passes on the first so many bytes of what is asked, and then is silent without hanging up."""

    def __init__(self, place: Path, target: str, heard: int) -> None:
        self._left, self._target, self._lines = heard, target, list[socket.socket]()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(place))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for line in (self._door, *self._lines):
            line.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, server = self._door.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._lines += [client, server]
                for source, sink, is_asking in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(source, sink, is_asking), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_asking: bool) -> None:
        with suppress(OSError):
            while block := source.recv(65536):
                if is_asking:
                    block, self._left = block[: max(self._left, 0)], self._left - len(block)
                sink.sendall(block)


@pytest.mark.parametrize("heard", [10, 150, 1500])
@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_a_server_that_falls_silent_without_hanging_up_holds_nobody(
        database: str, heard: int, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    theirs = without_table(request.getfixturevalue(f"{database}_url"))
    table(theirs)
    target, place, through = way_into(theirs.url.render_as_string(hide_password=False), tmp_path_factory.mktemp("deaf"))
    way, began = Deaf(place, target, heard), time.monotonic()
    try:
        url = through.render_as_string(hide_password=False)
        with pytest.raises(RecipientUnavailable):
            delivery.deliver(batch("b1", ["a"]), replace(door(theirs), connection=Connection("public_resources", url)))
    finally:
        way.close()
    assert time.monotonic() - began < 60
    assert delivery.deliver(batch("b1", ["a"]), door(theirs)).accepted == ("1-00",)


@pytest.mark.parametrize(("url", "reason"), [
    ("postgresql://u:hidden-word@127.0.0.1:1/x", "not-reached"), ("mysql://u:hidden-word@127.0.0.1:1/x", "not-reached"),
    ("no address", "no-address"), ("oracle+nodriver://u:hidden-word@x/y", "no-address")])
def test_a_database_that_cannot_be_reached_got_nothing_and_its_address_is_told_to_nobody(tmp_path: Path, url: str, reason: str) -> None:
    down = replace(door(sa.create_engine(f"sqlite:///{tmp_path}/x")), connection=Connection("public_resources", url))
    with pytest.raises(DeliveryFailed, match="public_resources") as caught:
        delivery.deliver(batch("b1", ["a"]), down)
    assert (caught.value.reason, caught.value.state) == (reason, BatchState.NOT_REACHED)
    assert "hidden-word" not in str(caught.value) and caught.value.__suppress_context__


def withdrawal(name: str) -> Batch:
    return Batch(name, pd.DataFrame({HANDLE: ["1-00"], NOTICE: ["repair"]}, dtype=TEXT), Effect.DELETE)


def test_a_withdrawal_stands_in_place_of_the_record_and_empties_its_fields(theirs: Engine) -> None:
    table(theirs)
    delivery.deliver(batch("b1", ["old", "other"]), door(theirs))
    assert delivery.deliver(withdrawal("b2"), door(theirs)).accepted == ("1-00",)
    with theirs.connect() as connection:
        rows = connection.exec_driver_sql("SELECT batch, effect, notice, name FROM share_class_a_taxpayer ORDER BY handle").all()
    assert [tuple(row) for row in rows] == [("b2", "delete", "repair", None), ("b1", None, None, "other")]
    delivery.deliver(batch("b3", ["back"]), door(theirs))
    with theirs.connect() as connection:
        assert connection.exec_driver_sql("SELECT effect, notice FROM share_class_a_taxpayer WHERE batch = 'b3'").one() == (None, None)


@pytest.mark.parametrize("columns", [", name TEXT", ", name TEXT, effect TEXT"])
def test_nothing_is_brought_to_a_table_that_it_could_not_be_taken_back_from(theirs: Engine, columns: str) -> None:
    with theirs.begin() as connection:
        fixed = FIXED.format("").replace("effect TEXT, notice TEXT, ", "")
        connection.exec_driver_sql(f"CREATE TABLE share_class_a_taxpayer ({fixed}{columns})")
    with pytest.raises(RecipientContractBreach, match="lacks .*notice"):
        delivery.deliver(batch("b1", ["a"]), door(theirs))


@pytest.mark.parametrize("effect", ["mark", None])
def test_an_effect_altered_in_their_table_is_noticed_though_it_is_flagged_as_taken(theirs: Engine, effect: str | None) -> None:
    table(theirs, flag="")

    def alter(_: float) -> None:
        with theirs.begin() as connection:
            connection.execute(sa.text("UPDATE share_class_a_taxpayer SET taken_flag = 1, effect = :effect"), {"effect": effect})

    with pytest.raises(ReceiptMismatch, match="another effect"):
        delivery.deliver(withdrawal("b1"), replace(door(theirs), sleep=alter))
