"""What may be recorded is decided by the version in force on the decision date, or by today's where a backfill says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Entry
from expectations import check
from records.stages import REASONS, Checked
from tests.expectations.penalty import FIELDS, RULES, TODAY, collected, context, entry, row

FIRST = {code: said for code, said in FIELDS.items() if code != "facts"}


def versions(**newest: Any) -> tuple[Entry, ...]:
    """The first version knew no facts; it ended with 2023."""
    first = entry(decided_on="decided_on", fields=FIRST, in_force_from="2020-01-01", in_force_to="2023-12-31")
    return first, entry(**{"decided_on": "decided_on", "in_force_from": "2024-01-01"} | newest)


def recorded(*days: str | None, rules: Literal["then", "now"] = "then", of: tuple[Entry, ...] | None = None) -> Checked:
    known = of or versions()
    rows = [row(n, decided_on=day, publicity_end=None) for n, day in enumerate(days, 1)]
    return check(collected(rows), replace(context(of=known[-1]), versions=known, rules=rules))


def test_a_decision_of_today_is_recorded_by_todays_version_with_every_field() -> None:
    result = recorded("2025-03-01")
    assert result.versions == {"2024-01-01": 1}
    assert result.accepted["facts"].notna().all()


def test_a_decision_under_the_former_version_is_recorded_without_the_fields_it_did_not_know() -> None:
    result = recorded("2023-12-31", "2024-01-01")
    assert result.versions == {"2020-01-01": 1, "2024-01-01": 1}
    assert result.accepted["facts"].isna().tolist() == [True, False]
    told = [(each.field, each.failed) for each in result.findings if each.rule == "field-not-catalogued-then"]
    assert told == [("facts", 1)]


def test_a_decision_before_the_first_version_is_quarantined() -> None:
    result = recorded("2019-12-31")
    assert result.quarantined[REASONS].tolist() == ["not-catalogued-then"]


def test_a_decision_before_the_first_version_is_recorded_where_a_review_lets_legacy_records_in() -> None:
    of = versions(legacy={"reviewed_on": "2020-01-01", "document": "台账"})
    result = recorded("2001-05-01", of=of)
    assert result.versions == {"2020-01-01": 1}
    assert result.accepted["facts"].isna().all()


def test_by_the_rules_of_now_todays_version_records_everything() -> None:
    result = recorded("2019-12-31", "2022-01-01", rules="now")
    assert result.versions == {"2024-01-01": 2}
    assert result.accepted["facts"].notna().all()


def test_a_day_between_two_versions_has_no_rule_to_record_by() -> None:
    first, newest = versions(in_force_from="2024-07-01")
    assert recorded("2024-03-01", of=(first, newest)).quarantined[REASONS].tolist() == ["not-catalogued-then"]


@pytest.mark.parametrize("day", [None, "二〇二五年", "2025-02-30"])
def test_what_is_no_date_has_its_own_reason(day: str | None) -> None:
    assert "not-catalogued-then" not in recorded(day).quarantined[REASONS].tolist()[0]


def test_an_undated_record_is_not_recorded_where_the_date_may_be_empty() -> None:
    fields = FIELDS | {"decided_on": {**FIELDS["decided_on"], "required": False}}
    first, newest = versions(fields=fields, rules=RULES)
    assert recorded(None, of=(first, newest)).quarantined[REASONS].tolist() == ["not-catalogued-then"]


def test_i1_an_entry_that_is_not_in_force_today_records_nothing() -> None:
    for of in (versions(in_force_from="2027-01-01"), versions(in_force_to="2026-01-01")):
        result = recorded("2025-03-01", of=of)
        assert result.refused == "entry-not-in-force"
        assert len(result.accepted) == 0


@settings(deadline=None, max_examples=15)
@given(st.lists(st.dates(max_value=TODAY).map(str), min_size=1, max_size=30))
def test_every_record_is_recorded_by_one_version_or_quarantined(days: list[str]) -> None:
    result = recorded(*days)
    assert sum(result.versions.values()) == len(result.accepted)
    assert len(result.accepted) == sum(day >= "2020-01-01" for day in days)
