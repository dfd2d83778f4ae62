"""The reconciliation: each morning every recipient is asked what it holds, entry by entry, and what differs is put right."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, get_current_context, task

from gateway.backstop import TASK_LIMIT

ABOUT = """
### 对账 Reconcile
What each recipient says it holds is compared, by counts and digests of segments and then record by record, with what it should
hold by today's catalogue, marks and store. What it lacks or holds otherwise is brought anew; what it must not have is taken back.

**If it is red**, a recipient did not answer, or a difference is left that a person must look at: `gateway reconcile status`.
"""


@task(doc_md="The entries to go through.")
def entries() -> list[str]:
    from gateway import night

    return night.entries_to_decide()


@task(doc_md="Reconciles one entry with every recipient.", map_index_template="{{ entry }}")
def reconcile_entry(entry: str, run_id: str | None = None) -> dict[str, dict[str, int]]:
    from gateway import night

    get_current_context()["entry"] = entry
    return night.reconcile_entry(entry, f"airflow:{run_id}")


with DAG(
    dag_id="reconcile",
    dag_display_name="对账 reconcile",
    description="Compares what recipients hold with what they should, and puts it right",
    schedule=CronTriggerTimetable("0 6 * * *", timezone="Asia/Shanghai"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args={"execution_timeout": TASK_LIMIT},
    doc_md=ABOUT,
):
    reconcile_entry.expand(entry=entries())
