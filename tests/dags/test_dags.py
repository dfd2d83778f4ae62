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
    assert sorted(read["dags"]) == sorted(["decide_again", "expiry", "reconcile", "takedown", *(f"share.{feed}" for feed in airflow.gateway.catalog.feeds)])


@pytest.fixture
def feeds(read: dict[str, Any]) -> dict[str, Any]:
    return {name: dag for name, dag in read["dags"].items() if name.startswith("share.")}


def test_i9_what_is_out_is_decided_again_after_midnight_and_after_the_nights_feeds(read: dict[str, Any]) -> None:
    again = read["dags"]["decide_again"]
    assert again["timetable"] == "MultipleCronTriggerTimetable" and again["max_active_runs"] == 1 and again["catchup"] is False
    assert {name: task["below"] for name, task in again["tasks"].items()} == {"entries": ["decide_entry"], "decide_entry": []}
    assert "outstanding" in again["doc"]
    takedown = read["dags"]["takedown"]
    assert takedown["expression"] == "*/10 * * * *" and takedown["max_active_runs"] == 1
    assert {name: task["below"] for name, task in takedown["tasks"].items()} == {
        "outstanding": ["take_back_entry"], "take_back_entry": ["probe_sites"], "probe_sites": ["settle_cases"],
        "settle_cases": ["escalate"], "escalate": []}


def test_d19_what_is_past_its_last_day_is_asked_back_a_minute_after_midnight(read: dict[str, Any]) -> None:
    expiry = read["dags"]["expiry"]
    assert expiry["expression"] == "1 0 * * *" and expiry["max_active_runs"] == 1
    assert {name: task["below"] for name, task in expiry["tasks"].items()} == {"past_end": ["expire_entry"], "expire_entry": []}


def test_parsing_the_dags_loads_neither_pandas_nor_great_expectations(read: dict[str, Any]) -> None:
    assert read["loaded"] == []


def test_every_feed_is_read_at_two_at_night_in_shanghai_and_one_run_at_a_time(feeds: dict[str, Any]) -> None:
    for dag in feeds.values():
        assert (dag["timetable"], dag["expression"], dag["zone"]) == ("CronDataIntervalTimetable", "0 2 * * *", "Asia/Shanghai")
        assert dag["catchup"] is False
        assert dag["max_active_runs"] == 1
        assert dag["params"] == ["accept_shrunken", "reason", "rules"]


def test_every_task_tries_a_blip_again_and_nothing_else(feeds: dict[str, Any]) -> None:
    tasks = [task for dag in feeds.values() for task in dag["tasks"].values()]
    assert {(task["retries"], task["policy"]) for task in tasks} == {(2, "BlipsOnly")}


def test_no_task_hangs_for_ever_and_none_is_killed_in_a_first_load(read: dict[str, Any]) -> None:
    """Ten times what ten million records take at the 4,800 a second that were measured for a first load (docs/measurements.md)."""
    first_load = 10_000_000 / 4_800
    for dag_id, dag in read["dags"].items():
        for name, task in dag["tasks"].items():
            assert task["seconds"] is not None and 10 * first_load < task["seconds"] <= 24 * 3600, f"{dag_id}.{name}"


def test_the_last_task_closes_the_run_whatever_happened_and_shows_it(feeds: dict[str, Any]) -> None:
    for dag in feeds.values():
        assert [name for name, task in dag["tasks"].items() if not task["below"]] == ["close_run"]
        assert dag["tasks"]["close_run"]["rule"] == dag["tasks"]["settle"]["rule"] == "all_done"
        assert dag["tasks"]["send"]["rule"] == "all_success"


def test_an_operator_reads_whom_to_call_and_what_each_red_task_means(airflow: Airflow, feeds: dict[str, Any]) -> None:
    for dag_id, dag in feeds.items():
        department = airflow.gateway.catalog.departments[dag_id.split(".")[1]]
        assert department.contact in dag["doc"]
        assert "airflow backfill create" in dag["doc"]
        for name, task in dag["tasks"].items():
            assert task["doc"], name
            assert name == "open_run" or f"`{name.removeprefix('partition.')}`" in dag["doc"]
