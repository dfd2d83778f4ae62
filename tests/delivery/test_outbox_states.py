"""How far a batch got: told by what came back, and nothing counts as not arrived that may have arrived."""

from __future__ import annotations

import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine

import delivery
from delivery import Batch, DeliveryFailed, Effect, RecipientContractBreach, RecipientUnavailable, awaited, outbox
from delivery.base import Promise
from ledger import export, log, withdrawals
from ledger.disclosed import ever_brought, history, overdue, uncertain, without_receipt
from ledger.events import Event
from ledger.holdings import Holder
from ledger.withdrawals import EFFECT
from ledger_audit.check import Keys, check
from ledger_audit.exported import read
from records import database, schema
from records.database import writing
from records.identity import TEXT
from records.schema import lines
from records.schema import outbox as table
from records.stages import DIGEST, HANDLE, NOTICE, RECORD, BatchState, Receipt
from tests.conftest import NOON

SITE = Holder("credit_china", "penalty")
ERRAND = outbox.Errand("r1", "a.penalty", "penalty", "credit_china", "e1")
ROWS = pd.DataFrame({RECORD: ["r-a", "r-b"], HANDLE: ["1-a", "1-b"], DIGEST: ["d-a", "d-b"]}, dtype=TEXT)
BATCH = Batch("b" * 64, ROWS[[HANDLE]])
LATE = RecipientUnavailable("no-receipt-in-time", "late")
PROMISE = Promise("https://site/v1/receipts/1", "sha-256=:x:", NOON + timedelta(minutes=1))


@dataclass
class Sent:
    """Batches of one recipient and entry on their way."""

    engine: Engine

    def intend(self, errand: outbox.Errand = ERRAND) -> Batch:
        with writing(self.engine) as connection:
            return outbox.intend(connection, errand, BATCH, NOON)

    def give_up(self, batch: Batch, error: DeliveryFailed) -> None:
        with writing(self.engine) as connection:
            outbox.give_up(connection, ERRAND, batch.id, error, NOON)

    def settle(self, batch: Batch, accepted: tuple[str, ...], **refused: str) -> None:
        receipt = Receipt("credit_china", batch.id, accepted, {f"1-{name}": why for name, why in refused.items()}, "d" * 64, "k", NOON)
        with writing(self.engine) as connection:
            outbox.settle(connection, ERRAND, ROWS, receipt)

    def states(self) -> list[str]:
        with self.engine.connect() as connection:
            return sorted(connection.execute(sa.select(table.c.state)).scalars())

    def in_doubt(self) -> set[str]:
        with self.engine.connect() as connection:
            return uncertain(connection, SITE)


@pytest.fixture
def sent(engine: Engine) -> Sent:
    return Sent(engine)


@pytest.mark.parametrize(("error", "state"), [
    (RecipientUnavailable("not-reached", ""), "not-reached"),
    (RecipientUnavailable("no-answer", ""), "sent"),
    (RecipientUnavailable("http-503", ""), "sent"),
    (RecipientContractBreach("untrusted", ""), "not-reached"),
    (RecipientContractBreach("no-table", ""), "not-reached"),
    (RecipientContractBreach("http-409", ""), "sent"),
    (delivery.ReceiptMismatch("another-batch", ""), "sent"),
    (LATE, "overdue"),
])
def test_a_batch_that_failed_may_have_arrived_unless_no_byte_left(sent: Sent, error: DeliveryFailed, state: str) -> None:
    sent.give_up(sent.intend(), error)
    assert sent.states() == [state]
    with sent.engine.connect() as connection:
        told = list(log.read(connection, lines.c.event == str(Event.UNDELIVERED)))
        may = state != "not-reached"
        assert bool(uncertain(connection, SITE)) == bool(ever_brought(connection, SITE)) == bool(without_receipt(connection, "penalty")) == may
        assert len(history(connection, SITE, ["1-a"])) == may
    assert [line.notes["state"] for line in told] == [state]


def test_i4_what_an_earlier_try_may_have_brought_there_is_not_forgotten_when_the_next_does_not_get_through(sent: Sent) -> None:
    sent.give_up(sent.intend(), RecipientUnavailable("no-answer", ""))
    sent.give_up(sent.intend(), RecipientUnavailable("not-reached", ""))
    assert sent.states() == ["sent"] and sent.in_doubt() == {"1-a", "1-b"}


def test_i4_a_batch_whose_process_was_killed_may_have_arrived_though_its_next_try_did_not(sent: Sent) -> None:
    sent.intend()
    sent.give_up(sent.intend(), RecipientUnavailable("not-reached", ""))
    assert sent.in_doubt() == {"1-a", "1-b"}


def test_i6_what_went_out_again_after_a_receipt_may_have_arrived_though_the_clock_was_set_back_between(sent: Sent) -> None:
    """Brought and answered; the clock is set back; taken out of the grant and brought anew, and that receipt is lost."""
    sent.settle(sent.intend(), ("1-a", "1-b"))
    earlier = NOON - timedelta(hours=3)
    with writing(sent.engine) as connection:
        again = outbox.intend(connection, ERRAND, BATCH, earlier)
        outbox.give_up(connection, ERRAND, again.id, LATE, earlier)
    assert sent.in_doubt() == {"1-a", "1-b"}
    with sent.engine.connect() as connection:
        assert overdue(connection, SITE) == {"1-a", "1-b"}
        assert history(connection, SITE, ["1-a"])["state"].to_list() == ["applied", "overdue"]


def test_i12_a_batch_went_when_it_left_and_not_when_its_receipt_came(sent: Sent) -> None:
    """A package may wait for its recipient for days, in which another version of the entry comes in force."""
    batch, later = sent.intend(), NOON + timedelta(days=9)
    with writing(sent.engine) as connection:
        outbox.give_up(connection, ERRAND, batch.id, LATE, NOON + timedelta(days=3))
        outbox.intend(connection, ERRAND, BATCH, later)
        outbox.settle(connection, ERRAND, ROWS, Receipt("credit_china", batch.id, ("1-a", "1-b"), {}, "d" * 64, "k", later))
    with sent.engine.connect() as connection:
        assert history(connection, SITE, ["1-a"])[["at", "state"]].to_numpy().tolist() == [[NOON.isoformat(timespec="milliseconds"), "applied"]]


def test_a_batch_that_was_not_reached_twice_is_not_in_doubt(sent: Sent) -> None:
    for _ in range(2):
        sent.give_up(sent.intend(), RecipientUnavailable("not-reached", ""))
    assert sent.states() == ["not-reached"] and sent.in_doubt() == set()


@pytest.mark.parametrize(("accepted", "refused", "states", "in_doubt"), [
    (("1-a", "1-b"), {}, ["applied"], set()),
    (("1-a",), {"b": "unknown-code"}, ["applied"], set()),
    (("1-a",), {}, ["applied", "sent"], {"1-b"}),
    ((), {"a": "no", "b": "no"}, ["refused"], set()),
    ((), {"a": "no"}, ["refused", "sent"], {"1-b"}),
    ((), {}, ["sent"], {"1-a", "1-b"}),
])
def test_i6_what_a_receipt_is_silent_about_may_have_arrived(
        sent: Sent, accepted: tuple[str, ...], refused: dict[str, str], states: list[str], in_doubt: set[str]) -> None:
    sent.settle(sent.intend(), accepted, **refused)
    assert (sent.states(), sent.in_doubt()) == (states, in_doubt)


def test_a_batch_answered_with_silence_goes_out_by_another_name_so_that_it_is_not_answered_from_memory(sent: Sent) -> None:
    first = sent.intend()
    sent.settle(first, ())
    assert sent.intend().id != first.id
    sent.give_up(sent.intend(), LATE)
    again = sent.intend()
    assert again.id == sent.intend(replace(ERRAND, run="r2")).id, "what is overdue is offered again by the same name"


def test_an_order_and_a_receipt_about_the_same_record_do_not_wait_for_each_other(engine: Engine) -> None:
    """Both change who is to take back what, and both write to the ledger: the ledger comes first."""
    asked = ROWS[[RECORD, HANDLE]].assign(**{NOTICE: "repair", EFFECT: "delete"})
    terms = NOON, "2026-11-26"
    with writing(engine) as connection:
        withdrawals.ask(connection, SITE, asked, terms)
        batch = outbox.intend(connection, ERRAND, Batch("b" * 64, asked[[HANDLE, NOTICE]], Effect.DELETE), NOON)
    receipt = Receipt("credit_china", batch.id, ("1-a", "1-b"), {}, "d" * 64, "k", NOON)

    def settle() -> int:
        with writing(engine) as connection:
            return outbox.settle_withdrawal(connection, ERRAND, asked, receipt)

    with ThreadPoolExecutor(1) as beside, writing(engine) as connection:
        log.queue(connection)
        settled = beside.submit(settle)
        time.sleep(0.5)
        withdrawals.ask(connection, SITE, asked.assign(**{EFFECT: "block"}), terms)
        connection.commit()
        assert settled.result() == 2
    with engine.connect() as connection:
        assert list(withdrawals.outstanding(connection, SITE)[EFFECT]) == ["block", "block"]


def test_i5_a_promised_receipt_is_awaited_by_any_process_until_it_comes(sent: Sent, tmp_path: Path) -> None:
    batch = sent.intend()
    with writing(sent.engine) as connection:
        awaited.remember(connection, ERRAND, (batch, ROWS), PROMISE, NOON)
    assert sent.states() == ["accepted"] and sent.in_doubt() == {"1-a", "1-b"}
    sent.give_up(batch, LATE)
    with sent.engine.connect() as connection:
        [one] = awaited.promised(connection, SITE)
    assert (one.batch.id, one.promise, one.state) == (batch.id, PROMISE, BatchState.OVERDUE)
    pd.testing.assert_frame_equal(one.rows, ROWS)
    assert one.batch.effect is Effect.BRING and one.errand == replace(ERRAND, edition="")
    sent.settle(batch, ("1-a", "1-b"))
    assert sent.states() == ["applied"] and sent.in_doubt() == set()
    with sent.engine.connect() as connection:
        assert awaited.promised(connection, SITE) == []
        export.export(connection, tmp_path / "export", with_openings=False)
    found = check(read(tmp_path / "export"), Keys(()))
    assert [finding.kind for finding in found] == ["no-checkpoint"], "a receipt after its deadline is no fault of the ledger"


def test_i5_a_receipt_after_a_failure_that_was_not_lateness_is_found_by_the_auditor(sent: Sent, tmp_path: Path) -> None:
    batch = sent.intend()
    sent.give_up(batch, RecipientUnavailable("no-answer", ""))
    sent.settle(batch, ("1-a", "1-b"))
    with sent.engine.connect() as connection:
        export.export(connection, tmp_path / "export", with_openings=False)
    assert "no-intent" in [finding.kind for finding in check(read(tmp_path / "export"), Keys(()))]


def test_what_was_not_answered_by_the_deadline_is_overdue_and_when_it_left_is_kept(sent: Sent) -> None:
    sent.give_up(sent.intend(), RecipientUnavailable("no-answer", ""))
    deadline = timedelta(seconds=60)
    for at, state in ((NOON + deadline, "sent"), (NOON + deadline * 2, "overdue")):
        with writing(sent.engine) as connection:
            awaited.overdue(connection, SITE, deadline, at)
        assert sent.states() == [state]
    with sent.engine.connect() as connection:
        assert connection.execute(sa.select(table.c.changed_at)).scalar_one() == NOON.isoformat()


@pytest.mark.parametrize(("unlike", "until", "state"), [
    (set(), NOON, "verified"), ({"1-x"}, NOON, "verified"), ({"1-b"}, NOON, "applied"), (set(), NOON - timedelta(seconds=1), "applied")])
def test_what_was_applied_is_verified_by_a_later_statement_that_agrees_with_all_of_it(
        sent: Sent, unlike: set[str], until: object, state: str) -> None:
    sent.settle(sent.intend(), ("1-a", "1-b"))
    with writing(sent.engine) as connection:
        awaited.confirm(connection, SITE, unlike, until)
    assert sent.states() == [state]


def test_i6_batches_of_before_are_taken_over_and_none_is_thought_not_to_have_arrived(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, "0010")
    engine = database.connect(url)
    some, none = zlib.compress(b"1-a", 1), zlib.compress(b"", 1)
    before = [("1", "delivered", some), ("2", "withdrawn", some), ("3", "partly", some), ("4", "partly", none), ("5", "undelivered", some),
              ("6", "intended", some), ("7", "delivered", None)]
    with engine.begin() as connection:
        for batch, state, handles in before:
            connection.execute(sa.insert(table).values(batch=batch, run="r", recipient="x", entry="y", feed="z", records=1, state=state,
                                                       reason="not-reached", changed_at="t", handles=handles))
    database.migrate(url)
    with engine.connect() as connection:
        after = dict(map(tuple, connection.execute(sa.select(table.c.batch, table.c.state))))
    engine.dispose()
    assert after == {"1": "applied", "2": "applied", "3": "applied", "4": "refused", "5": "sent", "6": "intended", "7": "applied"}
