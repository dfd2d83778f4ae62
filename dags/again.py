"""The re-decision: what is already out is decided anew from the store, so that a change of catalogue, date or mark acts.

`decide_again` goes through every entry after midnight, since publicity ends with a day, and after the feeds of the night;
`takedown` asks every ten minutes for what some recipient has not confirmed, and `expiry` after midnight, before all else, for what
a site shows past its last day; neither reads the store.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, MultipleCronTriggerTimetable, get_current_context, task

from gateway.backstop import TASK_LIMIT

ABOUT = """
### 再决定 Decide again
What the gateway holds in its store is decided again for every recipient, without collecting again: what ended, lapsed, was
narrowed, revoked or objected to is taken back, what may go out by now is brought.

**If it is red**, the log of the task says which recipient and why. Nothing is lost: the next run asks again. `outstanding` are
records that a recipient has not confirmed to have withdrawn: call its contact.
"""

ABOUT_BACK = """
### 撤回 Take back
Recipients are asked for what they have not confirmed to have taken back: what somebody ordered, what the catalogue or a date ended, and on
the sites what is past its last day. Neither DAG reads the store or brings anything.

**If it is red**, the log of the task says which recipient has not confirmed, whom to call, or which site still shows a record. Nothing is
lost: it is asked for again every ten minutes.
"""


@task(doc_md="The entries to go through.")
def entries() -> list[str]:
    from gateway import night

    return night.entries_to_decide()


@task(doc_md="The entries with a takedown that somebody has not confirmed.")
def outstanding() -> list[str]:
    from gateway import night

    return night.entries_to_take_back()


@task(doc_md="Decides one entry again for every recipient.", map_index_template="{{ entry }}")
def decide_entry(entry: str, run_id: str | None = None) -> dict[str, dict[str, int]]:
    from gateway import night

    get_current_context()["entry"] = entry
    return night.decide_entry(entry, f"airflow:{run_id}")


@task(doc_md="The entries of which a site holds a record past its last day.")
def past_end() -> list[str]:
    from gateway import night

    return night.entries_past_end()


@task(doc_md="Asks the sites for what is past its last day.", map_index_template="{{ entry }}")
def expire_entry(entry: str, run_id: str | None = None) -> dict[str, dict[str, int]]:
    from gateway import night

    get_current_context()["entry"] = entry
    return night.expire_entry(entry, f"airflow:{run_id}")


@task(doc_md="Asks everybody for what they have not confirmed of one entry.", map_index_template="{{ entry }}")
def take_back_entry(entry: str, run_id: str | None = None) -> dict[str, dict[str, int]]:
    from gateway import night

    get_current_context()["entry"] = entry
    return night.take_back_entry(entry, f"airflow:{run_id}")


@task(doc_md="Tells who is late with a takedown, once on the ledger; red while somebody is.", trigger_rule="all_done")
def escalate() -> None:
    from gateway import night

    night.escalate()


@task(doc_md="Notes which repairs and objections everybody has acted on.", trigger_rule="all_done")
def settle_cases() -> None:
    from gateway import night

    night.settle_cases()


@task(doc_md="Reads the public pages of the sites that confirmed a takedown; red if one still shows a record.", trigger_rule="all_done")
def probe_sites() -> None:
    from gateway import night

    night.probe_sites()


with DAG(
    dag_id="decide_again",
    dag_display_name="再决定 decide_again",
    description="Takes back and brings what the catalogue, the day or a mark has changed",
    schedule=MultipleCronTriggerTimetable("10 0 * * *", "0 5 * * *", timezone="Asia/Shanghai"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args={"execution_timeout": TASK_LIMIT},
    doc_md=ABOUT,
):
    decide_entry.expand(entry=entries())

with DAG(
    dag_id="takedown",
    dag_display_name="撤回 takedown",
    description="Asks recipients again that have not confirmed a takedown",
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="Asia/Shanghai"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args={"execution_timeout": TASK_LIMIT},
    doc_md=ABOUT_BACK,
):
    take_back_entry.expand(entry=outstanding()) >> probe_sites() >> settle_cases() >> escalate()

with DAG(
    dag_id="expiry",
    dag_display_name="公示期满 expiry",
    description="Asks the sites for what is past its last day of publicity",
    schedule=CronTriggerTimetable("1 0 * * *", timezone="Asia/Shanghai"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args={"execution_timeout": TASK_LIMIT},
    doc_md=ABOUT_BACK,
):
    expire_entry.expand(entry=past_end())
