"""A feed under the real scheduler with LocalExecutor, all four components running: the nightly run, then three past nights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from gateway import up
from gateway.house import last_night
from gateway.sample import held
from ledger.log import now
from ledger.questions import nights, recipient_figures
from tests.dags.conftest import Airflow

FEED = "credit_office.credit_commitment"
DAG = f"share.{FEED}"
PATIENCE = 240.0

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def running(airflow: Airflow) -> Iterator[up.Supervisor]:
    with up.Supervisor(airflow.home / "var" / "logs", airflow.environment, up.free_port()) as supervisor:
        supervisor.wait(lambda: False)
        yield supervisor


@pytest.fixture(scope="module")
def nightly(airflow: Airflow, running: up.Supervisor) -> str:
    """The state of the run that Airflow makes by itself for the last night, once the DAG may run."""
    until(running, lambda: count(airflow, "SELECT count(*) FROM dag WHERE dag_id = %s") == 1, "the DAG to be known")
    airflow.run("-m", "airflow", "dags", "unpause", DAG, "--yes")
    until(running, lambda: bool(ended(airflow, "scheduled")), "the nightly run to end")
    return ended(airflow, "scheduled")[0]


@pytest.fixture(scope="module")
def night(airflow: Airflow, nightly: str) -> pd.Series:
    """The nightly run on the ledger. Its night is the scheduler's choice: these tests may begin before 02:00 and end after it."""
    return nights(airflow.gateway.engine).query("trigger.str.startswith('airflow:scheduled')").iloc[-1]


@pytest.fixture(scope="module")
def past(night: pd.Series) -> list[date]:
    """The three nights before the last one."""
    return [date.fromisoformat(night["night"]) - timedelta(days=days) for days in (3, 2, 1)]


@pytest.fixture(scope="module")
def backfilled(airflow: Airflow, running: up.Supervisor, past: list[date]) -> list[str]:
    """The states of the runs of a backfill over the three nights before the last one."""
    # A night's logical date is the 02:00 at which its window begins, the day before.
    first, last = (f"{past[place] - timedelta(days=1)}T02:00:00+08:00" for place in (0, -1))
    airflow.run("-m", "airflow", "backfill", "create", "--dag-id", DAG, "--from-date", first, "--to-date", last,
                "--max-active-runs", "1", "--dag-run-conf", '{"reason": "three nights anew"}')
    until(running, lambda: len(ended(airflow, "backfill")) == 3, "three backfilled runs to end")
    return ended(airflow, "backfill")


def test_the_nightly_run_delivers_the_last_night(airflow: Airflow, nightly: str, night: pd.Series) -> None:
    assert nightly == "success"
    assert night["night"] in {last.isoformat() for last in (airflow.night, last_night(now()))}
    assert (night["feed"], night["state"]) == (FEED, "complete")
    served = recipient_figures(airflow.gateway.engine, [night["run"]])
    assert set(served["recipient"]) == {"credit_china", "national_platform"}
    assert (served["delivered"] > 0).all()
    holdings = held(airflow.gateway.home)
    for recipient, delivered in served.set_index("recipient")["delivered"].items():
        assert holdings[str(recipient)]["credit_commitment"] == delivered


def test_a_backfill_reads_three_past_nights_and_sends_nothing_twice(
    airflow: Airflow, backfilled: list[str], past: list[date],
) -> None:
    assert backfilled == ["success"] * 3
    runs = nights(airflow.gateway.engine).query("trigger.str.startswith('airflow:backfill')")
    assert sorted(runs["night"]) == [one.isoformat() for one in past]
    assert set(runs["state"]) == {"complete"}
    served = recipient_figures(airflow.gateway.engine, runs["run"].to_list())
    assert len(served) == 6
    assert (served["delivered"] == 0).all()
    assert (served["unchanged"] > 0).all()


def test_nothing_is_left_running_when_the_supervisor_has_stopped(
    airflow: Airflow, running: up.Supervisor, backfilled: list[str],
) -> None:
    sessions = running.sessions()
    assert len(sessions) == len(up.COMPONENTS)
    assert len(up.processes(sessions)) > len(up.COMPONENTS)
    running.stop()
    assert up.processes(sessions) == []


def until(running: up.Supervisor, there: Callable[[], bool], what: str) -> None:
    """Waits for something under a running Airflow; fails at once if a component ends."""
    ends_at = time.monotonic() + PATIENCE
    while not there():
        running.alive()
        assert time.monotonic() < ends_at, f"waited {PATIENCE:.0f} s for {what}; logs in {running.logs}"
        time.sleep(0.5)


def count(airflow: Airflow, query: str) -> int:
    return int(rows(airflow, query, (DAG,))[0][0])


def ended(airflow: Airflow, kind: str) -> list[str]:
    """The states of the ended runs of a kind."""
    query = "SELECT state FROM dag_run WHERE dag_id = %s AND run_type = %s AND state IN ('success', 'failed') ORDER BY run_id"
    return [str(state) for state, in rows(airflow, query, (DAG, kind))]


def rows(airflow: Airflow, query: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
    engine = sa.create_engine(airflow.metadata_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, values)]
