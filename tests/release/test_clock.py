"""How long a decision is public: Order 58 of 2023 and Order 36 of 2025 side by side (domain.md section 7, traps 14 and 15)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.load import load
from catalog.model import Entry, Grade, RepairRule
from release.clock import GRADES, capped, reckon
from tests.release.reference_clock import Reckoned, clock

SHIPPED = load()
RULES = list(SHIPPED.repair_rules.values())
ENTRY: Entry = SHIPPED.entries["administrative_penalty_legal"]
Decision = tuple[date | None, list[str], Decimal | None, str | None, bool]


def reckoned(decisions: list[Decision], rules: list[RepairRule] = RULES, of: Entry = ENTRY) -> list[Reckoned]:
    texts = {
        "CF_JDRQ": [day and day.isoformat() for day, *_ in decisions], "CF_CFLB": [";".join(classes) or None for _, classes, *_ in decisions],
        "CF_NR_FK": [None if fine is None else str(fine) for _, _, fine, _, _ in decisions], "CF_NR_WFFF": [None] * len(decisions),
        "CF_HYLY": [sector for *_, sector, _ in decisions]}  # fmt: skip
    table = pa.record_batch({name: pa.array(values, pa.string()) for name, values in texts.items()})
    found = reckon(table, of, rules, np.array([lenient for *_, lenient in decisions], dtype=bool))
    days = zip(found.grade, found.is_published, found.earliest.to_pylist(), found.latest.to_pylist(), strict=True)
    return [Reckoned(GRADES[grade] if grade < len(GRADES) else None, bool(published), first and date.fromisoformat(first),
                     last and date.fromisoformat(last)) for grade, published, first, last in days]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "classes", "fine", "sector", "grade", "published", "first", "last"),
    [
        # Order 58: three months to three years; a year at least in five sectors; warnings and criticism not at all
        ("2026-03-31", ["罚款"], "1", None, "general", True, "2026-06-30", "2029-03-31"),
        ("2026-03-31", ["罚款"], "1", "food", "general", True, "2027-03-31", "2029-03-31"),
        ("2025-06-01", ["罚款"], "500", "fire", "general", True, "2026-06-01", "2028-06-01"),
        ("2025-06-01", ["警告"], None, None, "slight", False, "2025-06-01", "2025-06-01"),
        # what is not public at all is not public for a year in some sector
        ("2025-06-01", ["警告"], None, "work_safety", "slight", False, "2025-06-01", "2025-06-01"),
        # Order 36: a year at most for general ones, three for serious ones, slight ones not at all
        ("2026-04-01", ["罚款"], "1", None, "general", True, "2026-07-01", "2027-04-01"),
        ("2026-04-01", ["罚款"], "1", "food", "general", True, "2026-07-01", "2027-04-01"),
        ("2026-04-01", ["罚款"], "99.99", None, "general", True, "2026-07-01", "2027-04-01"),
        ("2026-04-01", ["罚款"], "100", None, "serious", True, "2027-04-01", "2029-04-01"),
        ("2026-04-01", ["吊销许可证件"], None, None, "serious", True, "2027-04-01", "2029-04-01"),
        ("2026-04-01", ["通报批评"], None, None, "slight", False, "2026-04-01", "2026-07-01"),
        # the longest period of several classes counts (trap 14)
        ("2026-04-01", ["警告", "罚款"], "1", None, "general", True, "2026-07-01", "2027-04-01"),
        ("2026-04-01", ["警告", "责令关闭", "罚款"], "1", None, "serious", True, "2027-04-01", "2029-04-01"),
        # months of the calendar
        ("2026-08-31", ["罚款"], "1", None, "general", True, "2026-11-30", "2027-08-31"),
        ("2026-11-30", ["罚款"], "1", None, "general", True, "2027-02-28", "2027-11-30"),
        ("2024-02-29", ["罚款"], "1", "fire", "general", True, "2025-02-28", "2027-02-28"),
    ],
)  # fmt: skip
def test_d39_the_orders_side_by_side(day: str, classes: list[str], fine: str | None, sector: str | None, grade: str, published: bool,
                                     first: str, last: str) -> None:  # fmt: skip
    [found] = reckoned([(date.fromisoformat(day), classes, Decimal(fine) if fine else None, sector, False)])
    assert found == Reckoned(found.grade, published, date.fromisoformat(first), date.fromisoformat(last)) and found.grade == grade


def test_d5_a_local_supplement_shortens_the_period_of_its_grade_and_lengthens_none() -> None:
    local = ENTRY.model_copy(update={"publicity_max_months": {Grade.GENERAL: 6, Grade.SERIOUS: 99}})
    fined, closed = (date(2026, 4, 1), ["罚款"], Decimal(1), None, False), (date(2026, 4, 1), ["责令关闭"], None, None, False)
    assert [found.latest for found in reckoned([fined, closed], of=local)] == [date(2026, 10, 1), date(2029, 4, 1)]


def test_d57_a_lenient_case_is_slight_whatever_the_classes() -> None:
    [found] = reckoned([(date(2026, 4, 1), ["责令关闭"], Decimal(500), None, True)])
    assert found.grade == "slight" and not found.is_published


@pytest.mark.parametrize("unknown", [(None, ["罚款"]), (date(2026, 4, 1), []), (date(2026, 4, 1), ["罚款", "没听说过"])])
def test_what_nobody_can_tell_is_not_published(unknown: tuple[date | None, list[str]]) -> None:
    assert reckoned([(*unknown, None, None, False)]) == [Reckoned(None, False, None, None)]


def test_a_decision_between_two_rules_has_no_clock() -> None:
    rules = [RULES[0].model_copy(update={"decided_from": date(2026, 5, 1)}), RULES[1]]
    assert reckoned([(date(2026, 4, 15), ["罚款"], None, None, False)], rules) == [Reckoned(None, False, None, None)]


decisions = st.tuples(
    st.none() | st.dates(date(2019, 1, 1), date(2032, 12, 31)) | st.sampled_from([date(2026, 3, 31), date(2026, 4, 1), date(2024, 2, 29)]),
    st.lists(st.sampled_from([*RULES[0].grades, "没听说过"]), max_size=3, unique=True),
    st.none() | st.decimals(0, 200, places=2) | st.just(Decimal(100)),
    st.none() | st.sampled_from(["food", "fire", "other"]),
    st.booleans(),
)


@given(st.lists(decisions, max_size=6))
def test_the_clock_by_column_is_the_clock_one_by_one(many: list[Decision]) -> None:
    assert reckoned(many) == [clock(*one, RULES) for one in many]


@given(decisions, st.integers(-1500, 1500))
def test_d19_the_end_that_leaves_never_lies_after_the_maximum(one: Decision, away: int) -> None:
    [found] = reckoned([one])
    own = (one[0] or date(2026, 1, 1)) + timedelta(days=away)
    latest = pa.array([found.latest and found.latest.isoformat()], pa.string())
    given_end, none_given = (capped(pa.array([end], pa.string()), latest)[0].as_py() for end in (own.isoformat(), None))
    assert given_end == (min(own, found.latest) if found.latest else own).isoformat()
    assert none_given == latest[0].as_py()


@pytest.mark.parametrize("written", ["2026/12/31", "2026-02-30", "长期"])
def test_an_end_that_is_no_date_is_not_mended(written: str) -> None:
    assert capped(pa.array([written]), pa.array(["2020-01-01"])).to_pylist() == [written]
