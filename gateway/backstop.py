"""How long a task of a DAG may take before Airflow kills it; light, since the DAG files read it at each parsing."""

from __future__ import annotations

from datetime import timedelta

# Each call to a source or recipient has a deadline of its own: this is for what nobody foresaw, so that a task that hangs does not keep
# its DAG, of which one run goes at a time, from ever running again. A day is some hundreds of millions of records of a first load as
# measured (docs/measurements.md), and what a killed task leaves the next run goes on with (docs/reliability.md).
TASK_LIMIT = timedelta(days=1)
