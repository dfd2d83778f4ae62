"""Great Expectations held to what we rely on: rows by number, no values, no verdict means no passing."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

import expectations
from catalog.model import Severity
from expectations import check, suite
from expectations.codes import CodeSet
from expectations.conditions import ACROSS, EACH
from expectations.findings import faults
from expectations.requirements import NotJudged, Requirement, requirements
from records.stages import LINE, REASONS
from tests.expectations.penalty import CODES, TODAY, collected, context, entry, row

CANARY = "金丝雀甲乙丙"
ROOM = Path(expectations.__file__).parent


def frame(**columns: list[str | None]) -> pd.DataFrame:
    text = {name: pd.array(values, dtype="string[pyarrow]") for name, values in columns.items()}
    return pd.DataFrame(text | {LINE: range(2, len(next(iter(columns.values()))) + 2)})


def filled(*fields: str) -> Requirement:
    return Requirement("required-empty", "filled", Severity.CRITICAL, fields, dict.fromkeys(fields))


def test_great_expectations_is_of_the_major_version_we_measured() -> None:
    assert gx.__version__.split(".")[0] == "1"


def test_the_airflow_provider_of_great_expectations_is_absent() -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("airflow-provider-great-expectations")


def test_only_the_suite_imports_great_expectations() -> None:
    marks = ("import great_expectations", "from great_expectations")
    users = [path.name for path in ROOM.glob("*.py") if any(mark in path.read_text() for mark in marks)]
    assert users == ["suite.py"]


def test_importing_the_room_does_not_load_great_expectations() -> None:
    code = "import sys, expectations; assert 'great_expectations' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOM.parent, check=True)


def test_telemetry_is_switched_off_before_great_expectations_is_loaded() -> None:
    source = (ROOM / "suite.py").read_text()
    switched_off, loaded = 'os.environ["GX_ANALYTICS_ENABLED"] = "false"', "import great_expectations as gx"
    assert source.index(switched_off) < source.index(loaded)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_rows_are_named_by_position_also_where_values_are_missing() -> None:
    rows = frame(a=[None, "x", None, "y"], b=["x", None, None, "y"])
    assert [list(found) for found in suite.failing_rows(rows, [filled("a"), filled("a", "b"), filled("b")])] == [
        [0, 2], [0, 1, 2], [1, 2]]


def test_a_column_without_any_value_is_judged_too() -> None:
    """A column map expectation of GX calls such a column good whatever it holds."""
    assert list(suite.failing_rows(frame(a=[None, None]), [filled("a")])[0]) == [0, 1]


def test_more_bad_rows_than_great_expectations_lists_values_for_are_all_named() -> None:
    rows = frame(a=[None] * 1000 + ["x"])
    assert list(suite.failing_rows(rows, [filled("a")])[0]) == list(range(1000))


def test_a_requirement_on_a_column_that_is_not_there_gives_no_verdict() -> None:
    with pytest.raises(NotJudged, match="required-empty on b"):
        suite.failing_rows(frame(a=["x"]), [filled("a"), filled("b")])


def test_a_condition_that_breaks_gives_no_verdict_and_does_not_quote_the_value() -> None:
    broken = Requirement("date-invalid", "citizen_number", Severity.CRITICAL, ("a",), {"a": CANARY})
    with pytest.raises(NotJudged) as caught:
        suite.failing_rows(frame(a=["330102199001010011"]), [broken])
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.fixture
def verdicts() -> list[Any]:
    """The results of one requirement, as Great Expectations gives them, to be damaged by a test."""
    rows = frame(a=[None, "x"])
    return suite.results(rows, [filled("a")])


def test_a_result_holds_row_numbers_and_no_values(verdicts: list[Any]) -> None:
    assert verdicts[0].result["unexpected_index_list"] == [0]
    assert not {"unexpected_list", "partial_unexpected_list", "unexpected_rows"} & set(verdicts[0].result)


@pytest.mark.parametrize("damage", [
    {"unexpected_index_list": None}, {"unexpected_index_list": [{"a": "x"}]}, {"unexpected_index_list": []},
    {"element_count": 1}, {"unexpected_count": 2},
])
def test_a_failure_without_a_whole_list_of_rows_is_no_verdict(verdicts: list[Any], damage: dict[str, Any]) -> None:
    verdicts[0].result.update(damage)
    with pytest.raises(NotJudged):
        suite.rows_by_requirement(verdicts, [filled("a")], 2)


def test_a_verdict_without_any_list_or_missing_altogether_is_no_verdict(verdicts: list[Any]) -> None:
    with pytest.raises(NotJudged, match="1 requirements, 0 verdicts"):
        suite.rows_by_requirement([], [filled("a")], 2)
    with pytest.raises(NotJudged, match="2 requirements, 2 verdicts"):
        suite.rows_by_requirement(verdicts * 2, [filled("a"), filled("b")], 2)
    del verdicts[0].result["unexpected_index_list"]
    with pytest.raises(NotJudged):
        suite.rows_by_requirement(verdicts, [filled("a")], 2)
    verdicts[0].success = True
    with pytest.raises(NotJudged):
        suite.rows_by_requirement(verdicts, [filled("a")], 2)


def test_a_row_called_bad_in_which_no_field_is_bad_is_no_verdict() -> None:
    with pytest.raises(NotJudged, match="1 rows failed without a failing field"):
        faults(frame(a=["x", None]), filled("a"), np.array([0, 1]))


def test_a_batch_without_a_verdict_is_refused_whole(caplog: pytest.LogCaptureFixture) -> None:
    # Arguments that break a condition stand for any defect of the engine.
    broken = replace(context(), codes=CODES | {"category": {CANARY: CANARY, "\ud800": "x"}})
    with caplog.at_level(logging.ERROR):
        result = check(collected([row(1), row(2)]), broken)
    assert result.refused == "not-judged"
    assert result.quarantined[REASONS].tolist() == ["not-judged", "not-judged"]
    assert CANARY not in caplog.text
    assert "law_enforcement.penalty" in caplog.text


def test_i8_a_value_appears_in_no_finding_no_log_and_no_output(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    typed = ("category", "uscc", "id_number", "fine", "employees", "decided_on", "classes")
    bad = row(1) | dict.fromkeys(typed, CANARY)
    with caplog.at_level(logging.DEBUG):
        result = check(collected([bad | {"facts": CANARY * 100, "name": CANARY + "\ufffd"}, row(2)]), context())
    shown = capfd.readouterr()
    assert CANARY in str(result.quarantined.to_dict())
    assert CANARY not in repr(result.findings) + caplog.text + shown.out + shown.err
    assert all(len(each.lines) <= 20 for each in result.findings)


def test_nothing_is_shown_while_a_batch_is_judged(capfd: pytest.CaptureFixture[str]) -> None:
    check(collected([row(1)]), context())
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_every_condition_named_by_the_requirements_is_there() -> None:
    required = requirements(entry(), {name: CodeSet.of(names) for name, names in CODES.items()}, TODAY)
    assert {each.condition for each in required if not each.across} <= set(EACH)
    assert {each.condition for each in required if each.across} <= set(ACROSS)
    assert len({(each.rule, each.condition) for each in required}) == len(required)
