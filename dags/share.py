"""One DAG for each feed in the catalogue: collect, check, settle, send to every recipient, close.

Parsed every few seconds, so it reads the catalogue and nothing heavier; what works is imported in the tasks.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import (
    DAG,
    CronDataIntervalTimetable,
    Param,
    TriggerRule,
    get_current_context,
    get_parsing_context,
    task,
    task_group,
)
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from catalog.load import Catalog, load
from gateway.backstop import TASK_LIMIT

RETRIES = 2
RETRY_SECONDS = float(os.environ.get("GATEWAY_RETRY_SECONDS", "30"))


class BlipsOnly(RetryPolicy):
    """A source or recipient that cannot be reached is tried again; everything else fails at once: a person must act.

    Not Airflow's ExceptionRetryPolicy, which imports the exceptions it names, and with them pandas, at each parsing.
    """

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from connectors import SourceUnavailable
        from delivery import RecipientUnavailable

        if isinstance(exception, SourceUnavailable | RecipientUnavailable):
            return RetryDecision.retry(timedelta(seconds=RETRY_SECONDS), "cannot be reached; tried again")
        return RetryDecision.fail("not a blip: trying again would meet the same")


def duties(catalog: Catalog, feed: str) -> str:
    """What an operator needs to know of a feed's DAG at half past two at night."""
    department, entry = catalog.departments[catalog.department_of(feed)], catalog.entries[catalog.feeds[feed].entry]
    recipients = "\n".join(
        f"- `{name}` {catalog.recipients[name].title.zh} {catalog.recipients[name].title.en}"
        for name in catalog.recipients_of(catalog.feeds[feed].entry))
    return f"""
### {entry.title.zh} · {department.title.zh}
{entry.title.en}, handed in by: {department.title.en}. Contact: {department.contact}

Exchange: {catalog.feeds[feed].method}, connection `{catalog.feeds[feed].connection}`, {catalog.feeds[feed].reading}. Served:
{recipients}

**If it is red**, open the log of `close_run`: it names all that is amiss and what to do. Nothing is lost and nothing is sent twice: a
recipient already served is not sent the same record again, by a cleared task, by a new run or by a backfill.

| red task | what it means | what to do |
|---|---|---|
| `plan`, `collect_part` | the source was not there after {RETRIES + 1} tries, or handed in what nobody agreed on | the log says which; for the first clear the task, for the second call the department |
| `check_part` | the batch was refused whole, or is damaged | `gateway quarantine list --feed {feed}`; call the department |
| `settle` | far fewer records than last time: **nothing was sent or taken down** | ask the department; if right, trigger anew with `accept_shrunken` |
| `send` | a recipient is down (its records stay pending; `gateway recipient status`), or refuses what we send | if down, nothing: the next night completes it. Otherwise call the recipient |
| `close_run` alone | records are pending, or a batch was refused | as its log says |

To read past nights anew: `airflow backfill create --dag-id {dag_id(feed)} --from-date … --to-date …` (dates with +08:00).
"""  # noqa: E501  (a table's row is one line)


def dag_id(feed: str) -> str:
    """The DAG of a feed, share.<department>.<entry>."""
    return f"share.{feed}"


@task(doc_md="Opens the run on the ledger over the DAG run's data interval.")
def open_run(
    feed: str, data_interval_start: datetime | None = None, data_interval_end: datetime | None = None, run_id: str | None = None,
    params: dict[str, Any] | None = None,
) -> dict[str, str]:
    from gateway import night

    if data_interval_start is None or data_interval_end is None:
        raise ValueError(
            f"feed {feed}: this DAG run has no data interval, so there is no window to read. Trigger it with a logical date, "
            f"or use: airflow backfill create --dag-id {dag_id(feed)} --from-date … --to-date …")
    rules = (params or {}).get("rules", "by kind of run")
    if rules == "by kind of run":  # a backfill judges by today's catalogue unless it is told otherwise
        rules = "now" if str(run_id).startswith("backfill") else "then"
    window = data_interval_start.isoformat(), data_interval_end.isoformat()
    return night.open_run(feed, window, f"airflow:{run_id}", rules)


@task(doc_md="Asks the source which partitions there are to collect.")
def plan(run: dict[str, str]) -> list[dict[str, Any]]:
    from gateway import night

    return night.plan(run)


@task(doc_md="Collects one partition into sealed staging and hands on a reference to it.", map_index_template="{{ partition }}")
def collect_part(run: dict[str, str], part: dict[str, Any]) -> dict[str, Any]:
    from gateway import night

    get_current_context()["partition"] = part["name"]
    return night.collect_part(run, part)


@task(doc_md="Checks one partition; rows that fail go to quarantine.", map_index_template="{{ partition }}")
def check_part(run: dict[str, str], collected: dict[str, Any]) -> dict[str, Any]:
    from gateway import night

    get_current_context()["partition"] = collected["partition"]
    return night.check_part(run, collected)


# Goes on with what was collected and checked: one partition in trouble does not keep back the others.
@task(doc_md="Proves the balance of the source and guards against a mass disappearance.", trigger_rule=TriggerRule.ALL_DONE)
def settle(run: dict[str, str] | None, checked: Any, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    from gateway import night

    if run is None:
        raise ValueError("the run was never opened: see the log of open_run")
    # Airflow hands on the one answer of a group of one as it is, and nothing for a group of which all failed.
    parts = [checked] if isinstance(checked, dict) else [part for part in checked or [] if part]
    return night.settle(run, parts, bool((params or {}).get("accept_shrunken")))


@task(doc_md="Permits, masks and delivers to one recipient, and proves its balance.", map_index_template="{{ recipient }}")
def send(run: dict[str, str], settled: list[dict[str, Any]], recipient: str) -> dict[str, Any]:
    from gateway import night

    get_current_context()["recipient"] = recipient
    return night.send(run, settled, recipient)


@task(doc_md="Closes the run; red if anything failed, was refused or is pending.", trigger_rule=TriggerRule.ALL_DONE)
def close_run(run: dict[str, str] | None) -> str:
    from gateway import night

    if run is None:
        raise ValueError("the run was never opened: see the log of open_run")
    return night.close_run(run)


def build(catalog: Catalog, feed: str) -> DAG:
    """The DAG of one feed."""
    entry = catalog.entries[catalog.feeds[feed].entry]
    with DAG(
        dag_id=dag_id(feed),
        dag_display_name=f"{entry.title.zh} {feed}",
        description=entry.title.en,
        schedule=CronDataIntervalTimetable("0 2 * * *", timezone="Asia/Shanghai"),
        start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": RETRIES, "retry_delay": timedelta(seconds=RETRY_SECONDS), "retry_policy": BlipsOnly(),
                      "execution_timeout": TASK_LIMIT},
        params={
            "reason": Param("nightly", type="string", title="原因 Reason", description="Why this run was started."),
            "rules": Param(
                "by kind of run", enum=["by kind of run", "then", "now"], title="归集规则 Rules",
                description="May record: the catalogue of the decision date (then), or today's (now). A backfill: now."),
            "accept_shrunken": Param(
                False, type="boolean", title="接受骤减 Accept far fewer records",
                description="Go on although far fewer records came than last time. Ask the department first."),
        },
        tags=[catalog.department_of(feed), f"category-{entry.category:02d}"],
        doc_md=duties(catalog, feed),
    ) as dag:
        run = open_run(feed)

        @task_group(group_id="partition")
        def partition(part: dict[str, Any]) -> Any:
            return check_part(run, collect_part(run, part))

        settled = settle(run, partition.expand(part=plan(run)))
        sent = send.partial(run=run, settled=settled).expand(recipient=list(catalog.recipients_of(catalog.feeds[feed].entry)))
        sent >> close_run(run)
    return dag


root = os.environ.get("GATEWAY_CATALOG")
catalog = load(Path(root) if root else None)
wanted = get_parsing_context().dag_id
for feed in sorted(catalog.feeds):
    if wanted in (None, dag_id(feed)):
        globals()[dag_id(feed)] = build(catalog, feed)
