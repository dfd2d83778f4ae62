"""Run in Airflow's home: nights with something amiss through a DAG in one process; prints how each ended, as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session

from delivery import doors
from gateway.figures import night_figures
from gateway.night import wired
from gateway.sample.credentials import Fault, Faults
from records.database import writing

FEED = "market_regulation.enterprise_registration"


def main() -> None:
    gateway = wired()
    drop = gateway.home / "sample" / "departments" / "market_regulation"
    faults = Faults(gateway.home / "sample" / "faults.json")
    dag = DagBag(dag_folder=os.path.join(os.environ["AIRFLOW_HOME"], "dags")).dags[f"share.{FEED}"]
    ended = {}
    broken, whole = sorted(drop.glob("*.csv"))[:2]
    kept = broken.read_bytes()
    broken.write_bytes(b"")
    ended["one partition broken"] = night(dag)
    broken.write_bytes(kept)
    faults.set("national_platform", Fault("down"))
    ended["a recipient down"] = night(dag)
    faults.set("national_platform", Fault("none"))
    # A night comes a day later; here a person says that it is well.
    with writing(gateway.engine) as connection:
        doors.answered(connection, "national_platform", gateway.clock())
    ended["all well again"] = night(dag)
    shrink(broken)
    shrink(whole)
    ended["shrunken"] = night(dag)
    ended["shrunken and accepted"] = night(dag, run_conf={"accept_shrunken": True})
    ended["no data interval"] = night(dag, logical_date=None)
    print("\n" + json.dumps(ended))


def night(dag: Any, **how: Any) -> dict[str, Any]:
    """Runs the DAG once and tells the states of run and tasks, tries, and the ledger's figures."""
    dag_run = dag.test(**how)
    with create_session() as session:
        tasks = {f"{one.task_id}[{one.rendered_map_index or one.map_index}]": [str(one.state), one.try_number]
                 for one in dag_run.get_task_instances(session=session)}
        opened = session.scalars(XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag.dag_id, task_ids="open_run",
                                                    key="return_value")).first()
    figures = night_figures(wired(), [XComModel.deserialize_value(opened)["run"]]) if opened else None
    return {"state": str(dag_run.state), "tasks": tasks, "figures": figures}


def shrink(path: Path) -> None:
    """Leaves a file its header and its first few rows."""
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:12]) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
