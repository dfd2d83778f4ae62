"""Wordings: whatever the catalogue and the rooms can say has a Chinese and an English name."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest
import yaml

import console
import delivery
from catalog.model import Mask, Severity
from console.words import outside, wording
from delivery.base import NEVER_LEFT, TOO_LATE
from expectations.requirements import requirements
from gateway import handover
from gateway.intake import context
from gateway.settings import Gateway
from release import REASONS

# Which argument of a call is the reason, by the name of what is called.
REASON_PLACES = dict.fromkeys(("RecipientUnavailable", "RecipientContractBreach", "ReceiptMismatch", "DoorShut"), 0) | {
    "refuse": 2, "worded": 2}
KNOWN = yaml.safe_load((Path(console.__file__).parent / "words.yml").read_text(encoding="utf-8"))


def test_every_wording_is_in_both_languages() -> None:
    for code, words in KNOWN.items():
        assert words["zh"] and words["en"], code
        assert ("next_zh" in words) == ("next_en" in words), code


def test_every_mask_and_severity_has_a_wording() -> None:
    closed = [f"mask.{mask}" for mask in Mask] + [str(severity) for severity in Severity]
    assert [code for code in closed if code not in KNOWN] == []


def test_every_reason_to_withhold_has_a_wording() -> None:
    assert [reason for reason in REASONS if reason not in KNOWN] == []


def told_by_a_door() -> set[str]:
    """The reasons that stand in the rooms' code where a batch or inquiry fails."""
    found = set[str]()
    for path in [*Path(delivery.__file__).parent.glob("*.py"), Path(handover.__file__)]:
        for call in [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]:
            place = REASON_PLACES.get(getattr(call.func, "id", getattr(call.func, "attr", "")))
            if place is not None and len(call.args) > place:
                found |= {part.value for part in ast.walk(call.args[place]) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return found | {TOO_LATE} | NEVER_LEFT


def test_every_reason_why_a_batch_brings_no_receipt_has_a_wording() -> None:
    assert len(told_by_a_door()) > 20
    assert sorted(told_by_a_door() - {"http-"} - set(KNOWN)) == []


def test_no_code_is_worded_twice() -> None:
    text = (Path(console.__file__).parent / "words.yml").read_text(encoding="utf-8")
    codes = [line for line in text.splitlines() if line[:1].strip() and not line.startswith("#")]
    assert sorted(codes) == sorted(set(codes))


def test_every_rule_that_the_catalogue_leads_to_has_a_wording(gateway: Gateway) -> None:
    today = date(2026, 11, 23)
    contexts = [context(gateway, feed, today) for feed in gateway.catalog.feeds]
    asked = {each.rule for known in contexts for each in requirements(known.entry, known.code_sets(), today)}
    assert sorted(asked - set(KNOWN)) == []


@pytest.mark.parametrize("number", ["330106198001014217", "33010619800101421X", "13812345678", "8613812345678", "008613812345678", "6222021234567890123"])
def test_i8_a_number_of_a_person_is_blotted_out_of_foreign_text(number: str) -> None:
    assert outside(f"列{number}尾") == "列…尾"


@pytest.mark.parametrize("text", ["penalties_20261123.csv", "20261123020000.xlsx", "rows 120000-180000"])
def test_dates_and_row_numbers_are_left_alone(text: str) -> None:
    assert outside(text) == text


def test_an_unknown_code_stands_for_itself() -> None:
    assert wording("never-heard").zh == "never-heard"
