"""A recipient's contract says all that it may have, and what the other rooms do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from catalog import protocol
from catalog.contract import contract
from catalog.docs import LABELS
from catalog.load import load
from catalog.model import RecipientKind
from delivery.messages import ANSWER_COVERED, COVERED
from delivery.sheets import RULE
from gateway.effects import effect_at
from gateway.orders import DAYS
from records.stages import Notice

CATALOG = load()
EACH = pytest.mark.parametrize("name", sorted(CATALOG.recipients))


def rows(text: str) -> list[tuple[str, str, str, str, str]]:
    return re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)


@EACH
def test_i1_it_names_each_field_with_mask_and_basis_and_no_field_that_is_not_granted(name: str) -> None:
    text = contract(CATALOG, name)
    granted = {key: entry.grants[name] for key, entry in CATALOG.entries.items() if name in entry.grants}
    assert re.findall(r"^### .*\(\[`(\w+)`\]", text, re.MULTILINE) == sorted(granted)
    expected = [(code, LABELS[mask]) for _, grant in sorted(granted.items()) for code, mask in grant.fields.items()]
    assert [(code, mask) for code, _, _, mask, _ in rows(text)] == expected and all(basis.startswith("[1] 《") for *_, basis in rows(text))
    for grant in granted.values():
        assert all(CATALOG.instruments[basis.instrument].number in text for basis in grant.basis)
        assert grant.condition is None or grant.condition.application in text


@EACH
def test_it_names_every_term_of_the_recipient(name: str) -> None:
    known = CATALOG.recipients[name].model_copy(update={"rate": 37})
    text = contract(replace(CATALOG, recipients={name: known}), name)
    for term in (f"`{known.connection}`", known.contact, f"{known.batch_size} 条", f"{known.deadline} 秒", "37 批", protocol.METHODS[known.method]):
        assert term in text


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_what_is_taken_back_how_and_by_when_is_what_the_gateway_asks(kind: RecipientKind) -> None:
    assert {notice: protocol.effect_of(kind, notice) for notice in Notice} == {notice: effect_at(kind, notice, {}) for notice in Notice}
    assert set(protocol.NOTICES) == set(Notice) and protocol.WORKING_DAYS == DAYS


def test_a_table_comes_with_its_rule() -> None:
    gsxt = CATALOG.recipients["gsxt"]
    assert not any("apostrophe" in line for line in protocol.delivered(gsxt))
    for kind in ("csv", "xlsx"):
        words = "\n".join(protocol.delivered(gsxt.model_copy(update={"format": kind})))
        assert f"`<batch>.{kind}`" in words and f"`{RULE['rule']}`" in words


def test_what_a_signature_covers_is_what_the_contract_says() -> None:
    site = CATALOG.recipients["credit_china"]
    assert all(f"`{each}`" in "\n".join(protocol.delivered(site)) for each in COVERED)
    assert all(f"`{each}`" in "\n".join(protocol.answered(site)) for each in ANSWER_COVERED)
