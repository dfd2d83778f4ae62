"""The file package door: data first, manifest last, and the signed receipt file is what counts."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

import delivery
from catalog.load import load
from delivery import Batch, Door, Effect, ReceiptMismatch, RecipientContractBreach, RecipientUnavailable
from keys.connection import Connection
from keys.sign import Ed25519Signer, Ed25519Verifier
from ledger.log import now
from records.identity import TEXT
from records.stages import HANDLE, NOTICE

GATEWAY = Ed25519Signer.from_seed(b"k" * 32, "sign.1")
SIGNER = Ed25519Signer.from_seed(b"g" * 32, "gsxt-1")
BATCH = Batch("b" * 64, pd.DataFrame({HANDLE: pd.array(["1-a"], dtype=TEXT), "name": pd.array(["某公司"], dtype=TEXT)}))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    for name in ("incoming", "receipts"):
        (tmp_path / name).mkdir()
    return tmp_path


def door(folder: Path, sleep: Callable[[float], None] = lambda _: None) -> Door:
    known, ticks = load(), count()
    recipient = known.recipients["gsxt"].model_copy(update={"deadline": 5})
    connection = Connection("gsxt", folder.as_uri(), "", SIGNER.public_key, "gsxt-1")
    return Door("gsxt", recipient, "serious_violation", known.entries["serious_violation"], connection, GATEWAY,
                sleep=sleep, monotonic=lambda: float(next(ticks)))


def signature_of(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.name.split('.')[0]}.{hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]}.sig")


def take(folder: Path, signer: Ed25519Signer = SIGNER) -> None:
    """The recipient's side: reads the package as its manifest announces it, and puts a receipt."""
    announced = (folder / "incoming" / f"{BATCH.id}.manifest.json").read_bytes()
    key_id, _, gateways = signature_of(folder / "incoming" / f"{BATCH.id}.manifest.json").read_text().partition(":")
    assert key_id == GATEWAY.key_id
    Ed25519Verifier(GATEWAY.public_key).verify(announced, b64decode(gateways))
    manifest = json.loads(announced)
    data = (folder / "incoming" / manifest["files"][0]["name"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest["files"][0]["sha256"]
    records = [{"handle": json.loads(line)["handle"], "status": "accepted"} for line in data.splitlines()]
    digest = f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"
    receipt = json.dumps({"batch": BATCH.id, "entry": manifest["entry"], "content_digest": digest, "records": records}).encode()
    signature = f"{signer.key_id}:{b64encode(signer.sign(receipt)).decode()}"
    (folder / "receipts" / f"{BATCH.id}.receipt.sig").write_text(signature)
    (folder / "receipts" / f"{BATCH.id}.receipt.json").write_bytes(receipt)


def test_a_package_that_is_taken_brings_its_receipt(inbox: Path) -> None:
    receipt = delivery.deliver(BATCH, door(inbox, lambda _: take(inbox)))
    assert (receipt.accepted, receipt.key_id) == (("1-a",), "gsxt-1")
    assert not list((inbox / "incoming").glob(".*"))


def test_without_a_receipt_in_time_it_stays_pending_and_a_late_one_is_found_by_the_next_try(inbox: Path) -> None:
    with pytest.raises(RecipientUnavailable, match="no receipt within 5 s"):
        delivery.deliver(BATCH, door(inbox))
    take(inbox)
    for file in (inbox / "incoming").iterdir():
        file.unlink()
    assert delivery.deliver(BATCH, door(inbox)).accepted == ("1-a",)
    assert not list((inbox / "incoming").iterdir())  # it was not put there again


def test_a_package_that_waits_is_still_whole_after_a_second_try_broke_off_halfway(inbox: Path) -> None:
    """As when the disk fills up, or the process is killed, between the second signature and the second manifest."""
    with pytest.raises(RecipientUnavailable, match="no receipt within 5 s"):
        delivery.deliver(BATCH, door(inbox))
    (in_the_way := inbox / "incoming" / f".{BATCH.id}.manifest.json.tmp").mkdir()
    with pytest.raises(RecipientUnavailable, match="could not be written"):
        delivery.deliver(BATCH, door(inbox))
    in_the_way.rmdir()
    take(inbox)
    assert delivery.deliver(BATCH, door(inbox)).accepted == ("1-a",)


def test_i6_a_withdrawal_is_pushed_after_what_still_waits_there_whatever_the_clock_says(inbox: Path) -> None:
    """As when the clock was set back, or the takedown leaves from a host whose clock is behind: packages are taken in this order."""
    with pytest.raises(RecipientUnavailable, match="no receipt within 5 s"):
        delivery.deliver(BATCH, door(inbox))
    withdrawal = Batch("a" * 64, pd.DataFrame({HANDLE: ["1-a"], NOTICE: ["repair"]}, dtype=TEXT), Effect.DELETE)
    an_hour_ago = now() - timedelta(hours=1)
    with pytest.raises(RecipientUnavailable, match="no receipt within 5 s"):
        delivery.deliver(withdrawal, replace(door(inbox), clock=lambda: an_hour_ago))
    pushed = {path.name[0]: json.loads(path.read_bytes())["pushed_at"] for path in (inbox / "incoming").glob("*.manifest.json")}
    assert datetime.fromisoformat(pushed["b"]) < datetime.fromisoformat(pushed["a"])


@pytest.mark.parametrize("manifest", [b"{", b"[]", b'{"pushed_at": 7}', b'{"pushed_at": "2030-01-01T00:00:00"}',
                                      b'{"entry": "serious_violation", "pushed_at": "2030-01-01T00:00:00"}',
                                      b'{"entry": "serious_violation", "pushed_at": "9999-12-31T23:59:59.999999+00:00"}'])
def test_what_is_no_manifest_of_ours_holds_up_no_package(inbox: Path, manifest: bytes) -> None:
    (inbox / "incoming" / f"{'c' * 64}.manifest.json").write_bytes(manifest)
    assert delivery.deliver(BATCH, door(inbox, lambda _: take(inbox))).accepted == ("1-a",)


def test_a_receipt_that_the_gateway_may_not_read_is_told_with_its_recipient_and_waits(inbox: Path) -> None:
    (inbox / "receipts" / f"{BATCH.id}.receipt.json").symlink_to("/proc/self/mem")  # a file of which no byte can be read
    with pytest.raises(RecipientUnavailable, match="recipient gsxt, entry serious_violation, batch bbbb.*could not be read"):
        delivery.deliver(BATCH, door(inbox))


def test_a_receipt_that_is_being_written_over_is_read_once_it_is_whole(inbox: Path) -> None:
    """Its recipient corrects an answer: the new signature lies there for a moment beside the old receipt."""
    with pytest.raises(RecipientUnavailable):
        delivery.deliver(BATCH, door(inbox))
    take(inbox)
    whole = (answer := inbox / "receipts" / f"{BATCH.id}.receipt.json").read_bytes()
    answer.write_bytes(b"{}")
    assert delivery.deliver(BATCH, door(inbox, lambda _: answer.write_bytes(whole) and None)).accepted == ("1-a",)


def test_a_half_written_earlier_try_is_overwritten(inbox: Path) -> None:
    (inbox / "incoming" / f"{BATCH.id}.jsonl").write_bytes(b'{"half')
    assert delivery.deliver(BATCH, door(inbox, lambda _: take(inbox))).accepted == ("1-a",)


def test_a_receipt_by_another_key_proves_nothing(inbox: Path) -> None:
    with pytest.raises(ReceiptMismatch):
        delivery.deliver(BATCH, door(inbox, lambda _: take(inbox, Ed25519Signer.from_seed(b"x" * 32, "gsxt-1"))))


def test_a_missing_inbox_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(RecipientContractBreach, match="connection gsxt"):
        delivery.deliver(BATCH, door(tmp_path / "none"))
