"""Requirements → Great Expectations → row numbers. The only module that imports Great Expectations.

GX 1.24 is held to what was measured of it:

- Values never leave it: one constant result format without values, on a RangeIndex frame, and only expectations of our
  own row-level class. Its result objects end here and are never stored.
- A failure without a list of rows is no verdict. It becomes NotJudged, and the caller refuses the batch.
- It is asked through its Validator over a PandasExecutionEngine. The fluent `batch.validate` hashes the whole frame
  twice for a batch id that nobody reads: 8 s for 150,000 rows × 25 columns, against 1 s for all the judging.
- An expectation costs some 20 ms whatever it asks, so fields of one kind share one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, ClassVar

# Read once when GX is first imported; a gateway that handles personal data sends no telemetry.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.execution_engine.pandas_execution_engine import (
    PandasExecutionEngine,
)
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)
from great_expectations.validator.validator import Validator
from numpy.typing import NDArray

from expectations.columns import arrow
from expectations.conditions import ACROSS, EACH
from expectations.requirements import NotJudged, Requirement
from records.stages import LINE

# The only shape of result that holds row numbers and no value.
RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
    "partial_unexpected_count": 0,
}


class _RowsMeet(MulticolumnMapMetricProvider):
    """The condition of a requirement, over whole columns."""

    condition_metric_name = "multicolumn_values.meet"
    condition_domain_keys = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
    condition_value_keys = ("condition", "arguments", "across")

    # GX gives the decorator no types.
    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **asked: Any) -> pd.Series:
        condition, arguments = asked["condition"], json.loads(asked["arguments"])
        columns = {name: arrow(column_list[name]) for name in column_list.columns if name != LINE}
        if asked["across"]:
            met = ACROSS[condition](columns, arguments)
        else:
            met = np.ones(len(column_list), dtype=np.bool_)
            for name, values in columns.items():
                met &= EACH[condition](values, arguments[name])
        return pd.Series(met, index=column_list.index)


class ExpectRowsToMeet(MulticolumnMapExpectation):
    """Expect every row to meet a condition of the catalogue."""

    condition: str
    # JSON text: GX copies what it is given some 150 times, which a nested dict with a large code set makes felt.
    arguments: str
    across: bool

    map_metric: ClassVar[str] = "multicolumn_values.meet"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "condition", "arguments", "across")


def failing_rows(frame: pd.DataFrame, required: Sequence[Requirement]) -> list[NDArray[np.int64]]:
    """For each requirement the positions of the rows that fail it, as Great Expectations judges.

    frame: the fields in normal form and LINE, on a RangeIndex. Raises NotJudged if any verdict is missing, failed to
    compute, or does not name its rows.
    """
    return rows_by_requirement(results(frame, required), required, len(frame))


def results(frame: pd.DataFrame, required: Sequence[Requirement]) -> list[ExpectationValidationResult]:
    """The results of Great Expectations, one for each requirement, in no order that could be relied on."""
    suite = gx.ExpectationSuite(name="entry", expectations=[_expectation(each, n) for n, each in enumerate(required)])
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    engine = PandasExecutionEngine(batch_data_dict={"rows": frame})
    return Validator(execution_engine=engine, data_context=context).graph_validate(
        configurations=suite.expectation_configurations,
        runtime_configuration={"catch_exceptions": True, "result_format": RESULT_FORMAT},
    )


def rows_by_requirement(
    found: Sequence[ExpectationValidationResult], required: Sequence[Requirement], size: int
) -> list[NDArray[np.int64]]:
    """The row numbers in the results, in the order of the requirements. Raises NotJudged as `failing_rows` says."""
    by_number = {result.expectation_config.meta["requirement"]: result for result in found if result.expectation_config}
    if sorted(by_number) != list(range(len(required))) or len(found) != len(required):
        raise NotJudged(f"{len(required)} requirements, {len(found)} verdicts; the batch is refused, report it as a "
                        "defect of the gateway")
    return [_rows(by_number[n], each, size) for n, each in enumerate(required)]


def _rows(result: ExpectationValidationResult, required: Requirement, size: int) -> NDArray[np.int64]:
    judged = result.result
    rows: list[Any] = judged.get("unexpected_index_list") or []
    is_listed = "unexpected_index_list" in judged and all(isinstance(row, int) for row in rows)
    is_counted = judged.get("unexpected_count") == len(rows) and judged.get("element_count") == size
    if not is_listed or not is_counted or bool(result.success) != (rows == []):
        # The result's own exception text may quote values, so it is not passed on.
        raise NotJudged(f"{required.rule} on {', '.join(required.fields)}: no verdict by row; the batch is refused, "
                        "report it as a defect of the gateway")
    return np.asarray(rows, dtype=np.int64)


def _expectation(required: Requirement, number: int) -> ExpectRowsToMeet:
    # GX wants at least two columns; the line column stands in where there is one field, and no condition reads it.
    return ExpectRowsToMeet(
        column_list=[*required.fields, LINE],
        ignore_row_if="never",
        condition=required.condition,
        arguments=json.dumps(dict(required.arguments), ensure_ascii=False),
        across=required.across,
        severity=FailureSeverity(required.severity.value),
        meta={"requirement": number},
    )
