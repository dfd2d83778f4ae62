"""Records taken back through every door, from sample recipients that obey, with the holdings and the ledger beside them."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import requests
import sqlalchemy as sa
from sqlalchemy.engine import Engine

import delivery
from catalog.load import load
from delivery import Batch, Door, Effect, RecipientContractBreach, RecipientUnavailable, outbox
from delivery.body import json_lines, rest_body
from gateway.sample import World, creation
from gateway.settings import Gateway, set_up
from keys import connection
from ledger import questions
from ledger.events import Event
from records.database import writing
from records.identity import TEXT
from records.schema import holdings
from records.schema import outbox as intents
from records.stages import DIGEST, HANDLE, NOTICE, RECORD, Masked, Receipt
from tests.conftest import NOON
from tests.delivery.signed_push import push
from tests.flow.held_content import content, marks

ENTRY, NAME = "serious_violation", "云上公司"
METHODS = {"rest": "credit_china", "package": "gsxt", "frontend": "public_resources"}
GONE = [Effect.STOP, Effect.BLOCK, Effect.DELETE]
WITHDRAWING = [*GONE, Effect.MARK]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    set_up(Gateway(home, f"sqlite:///{home / 'gateway.db'}"))
    creation.create(home, date(2026, 11, 20), scale=0.01)
    with World(home, load().entries) as running:
        yield running


@pytest.fixture(params=METHODS)
def door(request: pytest.FixtureRequest, world: World) -> Door:
    return door_of(world, METHODS[request.param])


def door_of(world: World, name: str) -> Door:
    known = load()
    recipient = known.recipients[name].model_copy(update={"deadline": 10})
    return Door(name, recipient, ENTRY, known.entries[ENTRY], connection.load(world.home / "secrets" / "connections.yml")[name],
                Gateway(world.home, "").signer(name))


@pytest.fixture
def handles() -> list[str]:
    """Three handles of this test's own: the recipients live longer than a test."""
    own = secrets.token_hex(6)
    return [f"{own}-{letter}" for letter in "abc"]


def errand(door: Door, run: str = "r1") -> outbox.Errand:
    return outbox.Errand(run, "market_regulation.serious_violation", ENTRY, door.recipient_code, "edition")


def masked(door: Door, handles: list[str]) -> Masked:
    granted = door.entry.grants[door.recipient_code].fields
    rows = pd.DataFrame({RECORD: [f"record-{handle}" for handle in handles], HANDLE: handles, DIGEST: "1-digest",
                         **{name: "2999-01-01" if name == door.entry.publicity_end else NAME for name in granted}}, dtype=TEXT)
    return Masked(ENTRY, door.recipient_code, rows, rows.iloc[:0])


def notices(handles: list[str], notice: str = "repair") -> pd.DataFrame:
    return pd.DataFrame({RECORD: [f"record-{handle}" for handle in handles], HANDLE: handles, NOTICE: notice}, dtype=TEXT)


def bring(engine: Engine, door: Door, handles: list[str], run: str = "r1") -> str:
    rows = masked(door, handles)
    [batch] = delivery.batches(rows, door)
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door, run), batch, NOON)
    receipt = delivery.deliver(batch, door)
    with writing(engine) as transaction:
        outbox.settle(transaction, errand(door, run), rows.rows, receipt)
    return batch.id


def withdraw(engine: Engine, door: Door, rows: pd.DataFrame, effect: Effect) -> str:
    [batch] = delivery.takedown_batches(rows, effect, door)
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door), batch, NOON)
    receipt = delivery.deliver(batch, door)
    with writing(engine) as transaction:
        outbox.settle_withdrawal(transaction, errand(door), rows, receipt)
    return batch.id


def at_recipient(world: World, door: Door, handles: list[str]) -> list[str]:
    return [handle for handle in handles if (door.recipient_code, ENTRY, handle) in content(world.home)]


def held(engine: Engine) -> dict[str, str]:
    with engine.connect() as reading:
        return {handle: state for handle, state in reading.execute(sa.select(holdings.c.handle, holdings.c.state))}


@pytest.mark.parametrize("effect", GONE)
def test_a_record_brought_and_then_taken_back_is_gone_at_the_recipient(
        engine: Engine, world: World, door: Door, handles: list[str], effect: Effect) -> None:
    bring(engine, door, handles)
    assert at_recipient(world, door, handles) == handles and set(held(engine)) == set(handles)
    withdraw(engine, door, notices(handles[:2]), effect)
    assert at_recipient(world, door, handles) == handles[2:] and held(engine) == {handles[2]: "held"}


def test_a_marked_record_stays_and_is_known_as_marked(engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    bring(engine, door, handles)
    withdraw(engine, door, notices(handles[:1], "objection"), Effect.MARK)
    assert at_recipient(world, door, handles) == handles
    assert marks(world.home)[door.recipient_code, ENTRY, handles[0]] == "objection"
    assert held(engine) == dict(zip(handles, ["marked", "held", "held"], strict=True))


def test_a_marked_record_that_is_brought_anew_is_marked_no_more(
        engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    bring(engine, door, handles)
    withdraw(engine, door, notices(handles), Effect.MARK)
    bring(engine, door, handles, "r2")
    assert set(held(engine).values()) == {"held"}
    assert not [key for key in marks(world.home) if key[2] in handles]


def test_i4_brought_deleted_and_brought_again_are_three_batches_and_the_record_is_there(
        engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    names = [bring(engine, door, handles), withdraw(engine, door, notices(handles), Effect.DELETE), bring(engine, door, handles)]
    assert len(set(names)) == 3 and at_recipient(world, door, handles) == handles and set(held(engine)) == set(handles)


def lost(engine: Engine, door: Door, batch: Batch) -> None:
    """The recipient obeys, and its receipt does not come through."""
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door), batch, NOON)
    delivery.deliver(batch, door)
    with writing(engine) as transaction:
        outbox.give_up(transaction, errand(door), batch.id, RecipientUnavailable("no-answer", ""), NOON)


def test_i6_a_takedown_that_returns_after_a_delivery_without_a_receipt_is_not_answered_from_memory(
        engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    bring(engine, door, handles)
    lost(engine, door, delivery.takedown_batches(notices(handles), Effect.DELETE, door)[0])
    assert at_recipient(world, door, handles) == []
    lost(engine, door, delivery.batches(masked(door, handles), door)[0])  # the takedown was lifted meanwhile
    assert at_recipient(world, door, handles) == handles
    withdraw(engine, door, notices(handles), Effect.DELETE)
    assert at_recipient(world, door, handles) == [] and held(engine) == {}


def test_i4_a_mark_that_returns_after_another_is_not_taken_for_the_first(
        engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    bring(engine, door, handles)
    names = [withdraw(engine, door, notices(handles, notice), Effect.MARK) for notice in ("objection", "correction", "objection")]
    assert len(set(names)) == 3 and marks(world.home)[door.recipient_code, ENTRY, handles[0]] == "objection"


@pytest.mark.parametrize("effect", WITHDRAWING)
def test_i4_what_a_recipient_never_had_it_takes_as_withdrawn(
        engine: Engine, world: World, door: Door, handles: list[str], effect: Effect) -> None:
    withdraw(engine, door, notices(handles), effect)
    withdraw(engine, door, notices(handles), effect)
    assert at_recipient(world, door, handles) == [] and held(engine) == {}
    assert not [key for key in marks(world.home) if key[2] in handles]


@pytest.mark.parametrize("effect", WITHDRAWING)
def test_i4_killed_between_intent_and_receipt_and_done_again_ends_in_the_same_state(
        engine: Engine, world: World, door: Door, handles: list[str], effect: Effect) -> None:
    bring(engine, door, handles)
    [batch] = delivery.takedown_batches(notices(handles), effect, door)
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door), batch, NOON)
    delivery.deliver(batch, door)  # and here the gateway dies: the receipt is nowhere
    assert withdraw(engine, door, notices(handles), effect) == batch.id
    assert at_recipient(world, door, handles) == (handles if effect is Effect.MARK else [])
    assert set(held(engine).values()) == ({"marked"} if effect is Effect.MARK else set())
    with engine.connect() as reading:
        assert set(reading.execute(sa.select(intents.c.state)).scalars()) == {"applied"}


def test_i5_the_ledger_tells_the_intent_before_the_withdrawal_and_what_came_of_it(
        engine: Engine, world: World, door: Door, handles: list[str]) -> None:
    bring(engine, door, handles)
    rows = pd.concat([notices(handles[:2], "repair"), notices(handles[2:], "correction")], ignore_index=True)
    name = withdraw(engine, door, rows, Effect.BLOCK)
    [intent] = questions.events(engine, ["r1"], Event.WITHDRAW_INTENDED).itertuples()
    [done] = questions.events(engine, ["r1"], Event.WITHDRAWN).itertuples()
    assert (intent.figures, intent.notes) == ({"records": 3}, {"batch": name, "effect": "block"})
    assert done.figures == {"accepted": 3, "refused": 0, "silent": 0}
    assert done.notes["notices"] == {"repair": 2, "correction": 1} and done.notes["effect"] == "block"
    assert (done.notes["batch"], done.notes["key"]) == (name, door.connection.key_id) and len(done.notes["receipt"]) == 64


def test_what_a_recipient_refuses_or_leaves_out_is_still_held(engine: Engine, world: World, handles: list[str]) -> None:
    door = door_of(world, "credit_china")
    bring(engine, door, handles)
    [batch] = delivery.takedown_batches(notices(handles), Effect.DELETE, door)
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door), batch, NOON)
        receipt = Receipt(door.recipient_code, batch.id, (handles[0],), {handles[1]: "not-now"}, "d", "k", NOON)
        assert outbox.settle_withdrawal(transaction, errand(door), notices(handles), receipt) == 1
    assert set(held(engine)) == set(handles[1:])
    [done] = questions.events(engine, ["r1"], Event.WITHDRAWN).itertuples()
    assert done.figures == {"accepted": 1, "refused": 1, "silent": 1} and done.notes["notices"] == {"repair": 1}


def test_a_withdrawal_that_was_not_intended_cannot_be_settled(engine: Engine, world: World, handles: list[str]) -> None:
    door = door_of(world, "credit_china")
    brought = bring(engine, door, handles)
    for name in (brought, "0" * 64):
        receipt = Receipt(door.recipient_code, name, tuple(handles), {}, "d", "k", NOON)
        with writing(engine) as transaction, pytest.raises(LookupError, match="no withdrawal"):
            outbox.settle_withdrawal(transaction, errand(door), notices(handles), receipt)
    assert set(held(engine)) == set(handles)


def test_a_withdrawal_that_finds_the_recipient_down_leaves_it_holding_and_can_be_done_later(
        engine: Engine, world: World, handles: list[str]) -> None:
    door = door_of(world, "credit_china")
    bring(engine, door, handles)
    [batch] = delivery.takedown_batches(notices(handles), Effect.DELETE, door)
    with writing(engine) as transaction:
        batch = outbox.intend(transaction, errand(door), batch, NOON)
    world.fault("credit_china", "down")
    with pytest.raises(RecipientUnavailable) as caught:
        delivery.deliver(batch, door)
    world.fault("credit_china", "none")
    with writing(engine) as transaction:
        outbox.give_up(transaction, errand(door), batch.id, caught.value, NOON)
    assert set(held(engine)) == set(handles)
    assert withdraw(engine, door, notices(handles), Effect.DELETE) == batch.id and held(engine) == {}


def test_a_deleted_record_answers_nowhere_on_the_site_and_a_marked_one_shows_its_mark(
        engine: Engine, world: World, handles: list[str]) -> None:
    door, site = door_of(world, "credit_china"), world.urls["credit_china"]
    bring(engine, door, handles)
    withdraw(engine, door, notices(handles[:1]), Effect.DELETE)
    withdraw(engine, door, notices(handles[1:2], "objection"), Effect.MARK)
    pages = {handle: requests.get(f"{site}/records/{ENTRY}/{handle}", timeout=10) for handle in handles}
    assert [pages[handle].status_code for handle in handles] == [404, 200, 200]
    assert "已标注" in pages[handles[1]].text and "已标注" not in pages[handles[2]].text
    listed = requests.get(site, params={"q": NAME, "lang": "en"}, timeout=10).text
    assert handles[0] not in listed and handles[1] in listed and "Marked: objection" in listed


@pytest.mark.parametrize("effect", WITHDRAWING)
def test_i3_a_withdrawal_carries_a_handle_and_a_reason_and_nothing_else(world: World, handles: list[str], effect: Effect) -> None:
    door = door_of(world, "credit_china")
    [batch] = delivery.takedown_batches(notices(handles).assign(name=NAME), effect, door)
    sent = json.loads(rest_body(batch, ENTRY))
    assert sent == {"batch": batch.id, "effect": str(effect), "entry": ENTRY,
                    "records": [{"handle": handle, "notice": "repair"} for handle in handles]}
    assert [json.loads(line) for line in json_lines(batch).splitlines()] == [
        {"effect": str(effect), "handle": handle, "notice": "repair"} for handle in handles]


def test_the_name_of_a_withdrawal_follows_from_recipient_entry_effect_and_every_notice(world: World, handles: list[str]) -> None:
    here, there = door_of(world, "credit_china"), door_of(world, "gsxt")
    cut = [(notices(handles), Effect.DELETE, here), (notices(handles), Effect.BLOCK, here), (notices(handles), Effect.DELETE, there),
           (notices(handles, "expiry"), Effect.DELETE, here), (notices(handles[:2]), Effect.DELETE, here)]
    names = [delivery.takedown_batches(*each)[0].id for each in cut]
    assert len(set(names)) == len(cut)
    assert delivery.takedown_batches(notices(handles[::-1]), Effect.DELETE, here)[0].id == names[0]


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect is not Effect.BRING])
def test_what_is_to_come_back_and_has_no_answer_is_not_told_as_records_that_go_out(effect: Effect) -> None:
    assert Batch("b", notices(["1-a"]), effect).later == "what it takes back or marks is not confirmed and is asked for again with the next try"
    assert "go out with the next try" in Batch("b", notices(["1-a"])).later


def test_many_withdrawals_are_cut_to_the_recipients_size(world: World, handles: list[str]) -> None:
    door = door_of(world, "credit_china")
    small = replace(door, recipient=door.recipient.model_copy(update={"batch_size": 2}))
    assert [len(batch.payload) for batch in delivery.takedown_batches(notices(handles), Effect.STOP, small)] == [2, 1]


@pytest.mark.parametrize(("effect", "notice"), [(Effect.BRING, "repair"), (Effect.DELETE, "because of 欧阳静好"), (Effect.DELETE, None)])
def test_i8_only_a_known_effect_and_reason_code_make_a_withdrawal(
        world: World, handles: list[str], effect: Effect, notice: str | None) -> None:
    with pytest.raises(ValueError, match="no withdrawal") as caught:
        delivery.takedown_batches(notices(handles).assign(**{NOTICE: pd.array([notice] * 3, dtype=TEXT)}), effect, door_of(world, "gsxt"))
    assert "欧阳" not in str(caught.value)


def test_a_receipt_of_the_delivery_does_not_count_for_the_withdrawal(engine: Engine, world: World, handles: list[str]) -> None:
    door = door_of(world, "gsxt")
    brought = bring(engine, door, handles)
    [batch] = delivery.takedown_batches(notices(handles), Effect.DELETE, door)
    receipts = Path(world.root) / "recipients" / "gsxt" / "receipts"
    for end in (".receipt.sig", ".receipt.json"):
        (receipts / f"{batch.id}{end}").write_bytes((receipts / f"{brought}{end}").read_bytes())
    with pytest.raises(delivery.ReceiptMismatch, match="another batch"):
        delivery.deliver(batch, door)


def test_the_same_batch_with_another_effect_is_refused(engine: Engine, world: World, handles: list[str]) -> None:
    """What is marked under a batch's name cannot be turned into a deletion under the same name."""
    door = door_of(world, "credit_china")
    bring(engine, door, handles)
    name = withdraw(engine, door, notices(handles), Effect.MARK)
    with pytest.raises(RecipientContractBreach, match="409"):
        delivery.deliver(Batch(name, notices(handles)[[HANDLE, NOTICE]], Effect.DELETE), door)
    assert at_recipient(world, door, handles) == handles


def test_an_effect_that_the_recipient_does_not_know_is_refused_whole(engine: Engine, world: World, handles: list[str]) -> None:
    door = door_of(world, "credit_china")
    bring(engine, door, handles)
    body = json.dumps({"batch": handles[0], "entry": ENTRY, "effect": "burn", "records": []}).encode()
    assert push(door.connection, door.signer, handles[0], body).status_code == 400


@pytest.mark.parametrize("altered", [{"effect": "mark"}, {"effect": "burn"}, {}], ids=str)
@pytest.mark.parametrize("is_signed", [True, False])
def test_an_effect_altered_in_a_manifest_is_noticed_and_the_package_rejected(
        world: World, handles: list[str], tmp_path: Path, altered: dict[str, str], is_signed: bool) -> None:
    door, there = door_of(world, "gsxt"), Path(world.root) / "recipients" / "gsxt"
    [batch] = delivery.takedown_batches(notices(handles), Effect.DELETE, door)
    for name in ("incoming", "receipts"):
        (tmp_path / name).mkdir()
    on_the_way = replace(door, connection=replace(door.connection, url=tmp_path.as_uri()), monotonic=iter([0.0, 99.0]).__next__)
    with pytest.raises(RecipientUnavailable):
        delivery.deliver(batch, on_the_way)
    manifest = json.loads((tmp_path / "incoming" / f"{batch.id}.manifest.json").read_bytes())
    assert manifest.pop("effect") == "delete"
    announced = json.dumps(manifest | altered).encode()
    (tmp_path / "altered.json").write_bytes(announced)
    [signature] = (tmp_path / "incoming").glob(f"{batch.id}.*.sig")
    if is_signed:  # even then file and manifest must agree
        signature.write_text(f"{door.signer.key_id}:{b64encode(door.signer.sign(announced)).decode()}")
    signature.rename(there / "incoming" / f"{batch.id}.{hashlib.sha256(announced).hexdigest()[:16]}.sig")
    (tmp_path / "incoming" / f"{batch.id}.jsonl").rename(there / "incoming" / f"{batch.id}.jsonl")
    (tmp_path / "altered.json").rename(there / "incoming" / f"{batch.id}.manifest.json")
    ends_at = time.monotonic() + 10
    while not (there / "rejected" / f"{batch.id}.manifest.json").exists() and time.monotonic() < ends_at:
        time.sleep(0.05)
    assert (there / "rejected" / f"{batch.id}.manifest.json").exists()
    assert not (there / "receipts" / f"{batch.id}.receipt.json").exists()
