"""Run in Airflow's home: prints what Airflow makes of the DAGs, as JSON."""

from __future__ import annotations

import json
import os
import sys
import time

from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization


def main() -> None:
    heavy = {"pandas", "great_expectations"} & set(sys.modules)
    began = time.monotonic()
    bag = DagBag(dag_folder=os.path.join(os.environ["AIRFLOW_HOME"], "dags"))
    took = time.monotonic() - began
    dags = {}
    for dag_id, dag in bag.dags.items():
        DagSerialization.serialize_dag(dag)
        dags[dag_id] = {
            "timetable": type(dag.timetable).__name__, "expression": getattr(dag.timetable, "expression", ""),
            "zone": str(getattr(dag.timetable, "timezone", "")),
            "catchup": dag.catchup, "max_active_runs": dag.max_active_runs, "doc": dag.doc_md, "params": sorted(dag.params),
            "tasks": {task.task_id: {
                "rule": task.trigger_rule.value, "doc": task.doc_md, "retries": task.retries,
                "seconds": task.execution_timeout.total_seconds() if task.execution_timeout else None,
                "policy": type(getattr(task, "retry_policy", None) or getattr(task, "partial_kwargs", {}).get("retry_policy")).__name__,
                "below": sorted(task.downstream_task_ids)} for task in dag.tasks}}
    loaded = sorted(({"pandas", "great_expectations"} & set(sys.modules)) - heavy)
    print("\n" + json.dumps({"errors": {str(k): str(v) for k, v in bag.import_errors.items()}, "dags": dags,
                             "loaded": loaded, "seconds": took}))


if __name__ == "__main__":
    main()
