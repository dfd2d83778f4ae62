"""Nights with something amiss, through the DAG: the others go on, nothing is lost, the run is red where it failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import Airflow

RECIPIENTS = {"credit_china", "gsxt", "national_platform", "public_resources"}


@pytest.fixture(scope="module")
def ended(airflow: Airflow) -> dict[str, Any]:
    script = Path(__file__).parent / "troubled_nights.py"
    told: dict[str, Any] = json.loads(airflow.run(str(script), patience=280).splitlines()[-1])
    return told


def states(night: dict[str, Any], task: str) -> list[str]:
    return sorted(state for name, (state, _) in night["tasks"].items() if name.startswith(f"{task}["))


def test_one_broken_partition_does_not_keep_back_the_others(ended: dict[str, Any]) -> None:
    night = ended["one partition broken"]
    assert night["state"] == "failed"
    assert states(night, "partition.collect_part") == ["failed", "success"]
    assert states(night, "partition.check_part") == ["success", "upstream_failed"]
    assert states(night, "send") == ["success"] * 4
    assert states(night, "close_run") == ["failed"]
    assert night["figures"]["totals"]["delivered"] > 0


def test_a_breach_of_contract_is_not_tried_again(ended: dict[str, Any]) -> None:
    tries = [tries for name, (state, tries) in ended["one partition broken"]["tasks"].items()
             if name.startswith("partition.collect_part") and state == "failed"]
    assert tries == [1]


def test_a_recipient_that_is_down_is_tried_thrice_and_does_not_stop_the_others(ended: dict[str, Any]) -> None:
    night = ended["a recipient down"]
    assert night["state"] == "failed"
    assert night["tasks"]["send[national_platform]"] == ["failed", 3]
    assert {night["tasks"][f"send[{name}]"][0] for name in RECIPIENTS - {"national_platform"}} == {"success"}
    served = night["figures"]["feeds"][0]["recipients"]
    assert {name for name, figures in served.items() if figures["pending"]} == {"national_platform"}


def test_i4_the_next_night_completes_what_was_pending(ended: dict[str, Any]) -> None:
    night = ended["all well again"]
    owed = ended["a recipient down"]["figures"]["feeds"][0]["recipients"]["national_platform"]["pending"]
    assert night["state"] == "success"
    served = night["figures"]["feeds"][0]["recipients"]
    assert served["national_platform"]["delivered"] == owed > 0
    assert sum(figures["delivered"] for figures in served.values()) == owed


def test_i7_a_mass_disappearance_stops_all_sending_until_a_person_accepts_it(ended: dict[str, Any]) -> None:
    night = ended["shrunken"]
    assert night["state"] == "failed"
    assert states(night, "settle") == ["failed"]
    assert set(states(night, "send")) == {"upstream_failed"}
    assert ended["shrunken and accepted"]["state"] == "success"


def test_a_run_without_data_interval_fails_and_reads_nothing(ended: dict[str, Any]) -> None:
    night = ended["no data interval"]
    assert night["state"] == "failed"
    assert states(night, "open_run") == ["failed"]
    assert states(night, "plan") == ["upstream_failed"]
    assert night["figures"] is None
