"""A receipt counts only if it is of this batch, over this content, by the registered key; anything else proves nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.load import load
from delivery.base import Batch, Door, ReceiptMismatch, RecipientContractBreach
from delivery.receipts import read, reason_code, verify_detached
from keys.connection import Connection
from keys.sign import Ed25519Signer
from records.identity import TEXT
from records.stages import HANDLE, Receipt

SIGNER = Ed25519Signer.from_seed(b"r" * 32, "site-1")
GATEWAY = Ed25519Signer.from_seed(b"g" * 32, "sign.1")
ENTRY, DIGEST = "class_a_taxpayer", "sha-256=:abc:"
BATCH = Batch("b" * 64, pd.DataFrame({HANDLE: pd.array(["1-a", "1-b"], dtype=TEXT), "name": pd.array(["甲", "乙"], dtype=TEXT)}))
PERSON = "欧阳静好330122197001010009"


def door(**changed: str) -> Door:
    known = load()
    connection = Connection("credit_china", "http://127.0.0.1:1", **({"public_key": SIGNER.public_key, "key_id": "site-1"} | changed))
    return Door("credit_china", known.recipients["credit_china"], ENTRY, known.entries[ENTRY], connection, GATEWAY,
                clock=lambda: datetime(2026, 11, 23, tzinfo=UTC))


def receipt(**changed: Any) -> dict[str, Any]:
    records = [{"handle": "1-a", "status": "accepted"}, {"handle": "1-b", "status": "accepted"}]
    return {"batch": BATCH.id, "entry": ENTRY, "content_digest": DIGEST, "received_at": "", "records": records} | changed


def signed(content: dict[str, Any] | bytes, signer: Ed25519Signer = SIGNER) -> tuple[bytes, str]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return body, f"{signer.key_id}:{b64encode(signer.sign(body)).decode()}"


def verify(answer: tuple[bytes, str], batch: Batch, door: Door) -> Receipt:
    verify_detached(*answer, batch, door)
    return read(answer[0], DIGEST, batch, door)


def test_a_sound_receipt_accepts_what_it_names() -> None:
    found = verify(signed(receipt()), BATCH, door())
    assert (found.accepted, dict(found.refused), found.key_id) == (("1-a", "1-b"), {}, "site-1")


def test_a_record_that_the_receipt_does_not_name_stays_pending() -> None:
    found = verify(signed(receipt(records=[{"handle": "1-b", "status": "accepted"}])), BATCH, door())
    assert found.accepted == ("1-b",) and not found.refused


def test_a_refused_record_is_not_accepted() -> None:
    refused = [{"handle": "1-a", "status": "refused", "reason": "name-unknown"}]
    assert dict(verify(signed(receipt(records=refused)), BATCH, door()).refused) == {"1-a": "name-unknown"}


@pytest.mark.parametrize("spoiled", [
    receipt(batch="c" * 64), receipt(entry="tax_arrears"), receipt(content_digest="sha-256=:other:"), receipt(records=None),
    receipt(records=[{"handle": "1-x", "status": "accepted"}]), receipt(records=[{"handle": "1-a", "status": "perhaps"}]),
    receipt(records=[{"handle": "1-a", "status": "accepted"}] * 2), receipt(records=[{"status": "accepted"}]),
    b"<html></html>", b"[]", b'{"batch": NaN}', b'{"batch": "1", "batch": "2"}', b"",
], ids=str)
def test_an_answer_that_is_not_this_batchs_receipt_counts_for_nothing(spoiled: dict[str, Any] | bytes) -> None:
    with pytest.raises(ReceiptMismatch, match="recipient credit_china, entry class_a_taxpayer"):
        verify(signed(spoiled), BATCH, door())


@pytest.mark.parametrize("forge", [
    lambda answer: (answer[0] + b" ", answer[1]),
    lambda answer: (answer[0], ""),
    lambda answer: (answer[0], "site-1:"),
    lambda answer: (answer[0], "site-1:not base64"),
    lambda answer: (answer[0], answer[1].replace("site-1", "site-2")),
    lambda answer: signed(receipt(), Ed25519Signer.from_seed(b"x" * 32, "site-1")),
])
def test_a_forged_or_missing_signature_counts_for_nothing(forge: Callable[[tuple[bytes, str]], tuple[bytes, str]]) -> None:
    with pytest.raises(ReceiptMismatch):
        verify(forge(signed(receipt())), BATCH, door())


def test_without_a_registered_key_no_receipt_can_be_believed() -> None:
    with pytest.raises(RecipientContractBreach, match="public_key"):
        verify(signed(receipt()), BATCH, door(public_key=""))


@given(st.one_of(st.text(), st.none(), st.integers(), st.just(PERSON)))
def test_i8_a_recipients_words_are_taken_over_only_as_a_plain_code(said: object) -> None:
    code = reason_code(said)
    assert code.isascii() and code.replace("-", "").isalnum() and code == code.lower() and not code.isdigit()


def test_i8_no_message_repeats_what_the_answer_says() -> None:
    with pytest.raises(ReceiptMismatch) as caught:
        verify(signed(receipt(records=[{"handle": PERSON, "status": PERSON}])), BATCH, door())
    assert PERSON not in str(caught.value)
