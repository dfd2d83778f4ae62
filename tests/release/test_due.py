"""A decision holds until the day that a record's own dates name: on no day before it does the reason change."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import load
from records.stages import RECORD
from release import Facts, Question, decide, decision_fields
from release.due import due
from tests.release.world import NO_CONSENTS, NOBODY, ON

CATALOGUE = load()
HORIZON = 12
NEAR = st.one_of(st.none(), st.just("2026-02-30"), st.integers(-HORIZON, HORIZON).map(lambda n: (ON + timedelta(days=n)).isoformat()))
BIRTH = st.one_of(
    st.integers(-HORIZON, HORIZON).map(lambda n: f"110101{ON.year - 18}{ON + timedelta(days=n):%m%d}123X"),
    st.sampled_from([None, "11010120080229123X", "11010120080231123X", "110101080229123", "1101012008****123X", "11010120081131123X"]))
DAYS = [date(2026, 2, 20), date(2027, 2, 20), date(2026, 11, 28), ON]


def told(entry_code: str, rows: list[dict[str, str | None]], to: str, on: date) -> tuple[list[str | None], list[str | None]]:
    """Reasons and due days on a day."""
    question = Question(CATALOGUE.as_of(on), entry_code, to, on)
    names = [code for code in question.entry.fields if code in decision_fields(question.entry)]
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    table = pa.record_batch({RECORD: pa.array([str(n) for n in range(len(rows))], pa.string())} | columns)
    facts = Facts(table, question.catalog, entry_code)
    return decide(facts, question, NOBODY, NO_CONSENTS).to_pylist(), due(facts, on).to_pylist()


def holds_until_due(entry: str, row: dict[str, str | None], to: str, on: date) -> None:
    reasons, dues = told(entry, [row], to, on)
    for n in range(1, 2 * HORIZON):
        day = on + timedelta(days=n)
        if dues[0] is not None and day.isoformat() >= dues[0]:
            break
        assert told(entry, [row], to, day)[0] == reasons, f"due {dues[0]}, but another reason on {day}"
    assert dues[0] is None or dues[0] > on.isoformat()


PERSON = {"CF_XDR_LB": "自然人", "CF_CFLB": "罚款", "CF_NR_FK": "3", "CF_JDRQ": "2026-10-12", "CF_ZT": "in_effect"}


@settings(max_examples=60)
@given(BIRTH, NEAR, st.sampled_from(["credit_china", "national_platform"]), st.sampled_from(DAYS))
def test_d57_i9_no_reason_changes_before_the_due_day(birth: str | None, end: str | None, to: str, on: date) -> None:
    holds_until_due("administrative_penalty_natural", PERSON | {"CF_XDR_ZJHM": birth, "CF_GSJZQ": end}, to, on)


def test_the_due_day_is_the_day_on_which_the_reason_changes() -> None:
    rows = [PERSON | {"CF_XDR_ZJHM": "11010120081125123X", "CF_GSJZQ": "2027-10-12"},
            PERSON | {"CF_XDR_ZJHM": "11010119900101123X", "CF_GSJZQ": "2026-11-24"}]
    reasons, dues = told("administrative_penalty_natural", rows, "credit_china", ON)
    assert reasons == ["minor", None] and dues == ["2026-11-25", "2026-11-25"]
    assert told("administrative_penalty_natural", rows, "credit_china", date(2026, 11, 25))[0] == [None, "publicity-ended"]


def test_a_listing_that_ends_is_due_on_that_day() -> None:
    entry = CATALOGUE.entries["abnormal_operation"]
    assert entry.ended_on is not None
    assert told("abnormal_operation", [{entry.ended_on: "2026-11-30"}, {}], "credit_china", ON)[1] == ["2026-11-30", None]


def test_nothing_is_due_of_no_records() -> None:
    assert pd.Series(told("abnormal_operation", [], "credit_china", ON)[1]).empty
