"""Rows asked for by very many names, on both databases."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from records.bulk import among, copy_in
from records.schema import runs, writing

NAMES = ["", "甲,乙", "{x}", 'a"b', "it's", "NULL", "\\N", *(f"run {n}" for n in range(70_000))]


@pytest.mark.parametrize("names", [NAMES, NAMES[1:], ["run 7"], []], ids=["all", "but one", "one", "none"])
def test_exactly_the_named_rows_are_found_however_many_and_however_written(engine: Engine, names: list[str]) -> None:
    rows = pd.DataFrame({column.name: "x" for column in runs.columns}, index=range(9)).assign(run=[*NAMES[:7], "run 7", "other"])
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            copy_in(connection, runs, rows)
        else:
            connection.execute(sa.insert(runs), rows.to_dict("records"))  # type: ignore[arg-type]
        found = connection.execute(sa.select(runs.c.run).where(among(connection, runs.c.run, names))).scalars().all()
    assert sorted(found) == sorted(set(rows["run"]) & set(names))
