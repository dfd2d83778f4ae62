"""What Airflow reads from dags/: one DAG for each feed, as the design wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import Airflow

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def read(airflow: Airflow) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(airflow.run(str(HERE / "dags_as_json.py")).splitlines()[-1])
    return told


def test_there_is_one_dag_for_each_feed_and_none_fails_to_import(airflow: Airflow, read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    assert sorted(read["dags"]) == sorted(f"share.{feed}" for feed in airflow.gateway.catalog.feeds)


def test_parsing_the_dags_loads_neither_pandas_nor_great_expectations(read: dict[str, Any]) -> None:
    assert read["loaded"] == []


def test_every_feed_is_read_at_two_at_night_in_shanghai_and_one_run_at_a_time(read: dict[str, Any]) -> None:
    for dag in read["dags"].values():
        assert (dag["timetable"], dag["expression"], dag["zone"]) == ("CronDataIntervalTimetable", "0 2 * * *", "Asia/Shanghai")
        assert dag["catchup"] is False
        assert dag["max_active_runs"] == 1
        assert dag["params"] == ["accept_shrunken", "reason", "rules"]


def test_every_task_tries_a_blip_again_and_nothing_else(read: dict[str, Any]) -> None:
    tasks = [task for dag in read["dags"].values() for task in dag["tasks"].values()]
    assert {(task["retries"], task["policy"]) for task in tasks} == {(2, "BlipsOnly")}


def test_the_last_task_closes_the_run_whatever_happened_and_shows_it(read: dict[str, Any]) -> None:
    for dag in read["dags"].values():
        assert [name for name, task in dag["tasks"].items() if not task["below"]] == ["close_run"]
        assert dag["tasks"]["close_run"]["rule"] == dag["tasks"]["settle"]["rule"] == "all_done"
        assert dag["tasks"]["send"]["rule"] == "all_success"


def test_an_operator_reads_whom_to_call_and_what_each_red_task_means(airflow: Airflow, read: dict[str, Any]) -> None:
    for dag_id, dag in read["dags"].items():
        department = airflow.gateway.catalog.departments[dag_id.split(".")[1]]
        assert department.contact in dag["doc"]
        assert "airflow backfill create" in dag["doc"]
        for name, task in dag["tasks"].items():
            assert task["doc"], name
            assert name == "open_run" or f"`{name.removeprefix('partition.')}`" in dag["doc"]
