"""`make run`: one real night of every feed through its Airflow DAG, in this one process, on the sample world."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gateway import house
from gateway.settings import Gateway

# A night that someone waits for does not wait between the tries.
os.environ.setdefault("GATEWAY_RETRY_SECONDS", "0")
# The sample world has a witness: nothing is brought without it.
os.environ.setdefault("GATEWAY_WITNESS_HOURS", "4")

Tell = Callable[[str], None]
AGAIN = "decide_again"


def main() -> int:
    """Runs the night, prints its balance and where the report lies; returns the exit code of `gateway night`."""
    began = time.monotonic()
    place = house.home()
    os.umask(0o077)
    log = place / "var" / "logs" / f"run-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)

    def tell(words: str) -> None:
        print(words, file=terminal, flush=True)

    try:
        with house.quiet(log):
            return _night(place, tell, began)
    except Exception:
        traceback.print_exc()
        print(f"make run: a defect of the gateway, see above; Airflow's log is {log}", file=sys.stderr)
        return 1


def _night(place: Path, tell: Tell, began: float) -> int:
    from gateway.figures import last_line, night_figures, table
    from gateway.manners import FAILED, exit_code

    night = house.last_night(datetime.now(UTC))
    tell(f"night of {night}: getting ready (secrets, keys, state, sample departments and recipients)")
    gateway = house.prepare(night)
    tell(f"night of {night}: getting Airflow ready ({time.monotonic() - began:.0f} s so far)")
    house.migrate()
    dags = _dags(place)
    runs, is_decided = _through(gateway, dags, tell)
    if len(runs) < len(dags) - 1:  # all but the re-decision
        return 1
    figures = night_figures(gateway, runs)
    report = _report(gateway, night)
    tell(f"\n{table(figures)}\n\nquality report: {report}\ntook {time.monotonic() - began:.0f} s\n{last_line(figures)}")
    return exit_code(figures) or (0 if is_decided else FAILED)


def _dags(place: Path) -> dict[str, Any]:
    """The DAGs by feed, in the feeds' order, and the re-decision's by its own name. Raises if Airflow cannot read one."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(place / "dags"))
    if bag.import_errors:
        raise RuntimeError("\n".join(str(error) for error in bag.import_errors.values()))
    feeds = sorted(dag_id for dag_id in bag.dags if dag_id.startswith("share."))
    return {dag_id.removeprefix("share."): bag.dags[dag_id] for dag_id in (*feeds, AGAIN)}


def _through(gateway: Gateway, dags: dict[str, Any], tell: Tell) -> tuple[list[str], bool]:
    """Runs the DAGs one after the other beside the sample world; returns the names of the runs that were opened, and whether
    everything was decided again."""
    from gateway.sample import World

    runs, is_decided = [], False
    with World(gateway.home, gateway.catalog.entries) as world:
        tell(f"sample world: public pages at {world.urls['credit_china']}/ while the night runs")
        for number, (feed, dag) in enumerate(dags.items(), 1):
            began = time.monotonic()
            if feed == AGAIN:
                is_decided, told = _decide_again(gateway, dag)
                tell(f"[{number:>2}/{len(dags)}] {feed:<54} {told}  {time.monotonic() - began:.1f} s")
                continue
            name = _run(dag)
            told = _progress(gateway, name) if name else "did not open its run; see the log of its open_run task"
            tell(f"[{number:>2}/{len(dags)}] {feed:<54} {told}  {time.monotonic() - began:.1f} s")
            if name:
                runs.append(name)
                for words in _troubles(gateway, name):
                    tell(f"        {words}")
    return runs, is_decided


def _decide_again(gateway: Gateway, dag: Any) -> tuple[bool, str]:
    from ledger.questions import decided_again

    is_decided = dag.test().state == "success"
    figures = decided_again(gateway.engine, gateway.today.isoformat())
    shown = {"considered": "accepted", "brought": "delivered", "taken back": "withdrawn", "outstanding": "outstanding"}
    return is_decided, f"{'complete' if is_decided else 'failed':<11} " + " ".join(
        f"{words} {int(figures[name].sum()):,}" for words, name in shown.items())


def _run(dag: Any) -> str:
    """Runs one DAG to its end in this process; returns the name of the run that its first task opened, or nothing."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    dag_run = dag.test()
    with create_session() as session:
        found = session.scalars(
            XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag.dag_id, task_ids="open_run", key="return_value")).first()
        return str(XComModel.deserialize_value(found)["run"]) if found else ""


def _progress(gateway: Gateway, run: str) -> str:
    from gateway.figures import night_figures

    figures = night_figures(gateway, [run])
    totals = figures["totals"]
    shown = ["collected", "quarantined", "delivered", "unchanged", *(["pending"] if totals["pending"] else [])]
    counts = " ".join(f"{name} {totals[name]:,}" for name in shown)
    return f"{figures['feeds'][0]['state']:<11} {counts}"


def _troubles(gateway: Gateway, run: str) -> list[str]:
    from ledger.questions import failures

    told = failures(gateway.engine, run).items()
    return [message or f"partition {partition} was refused, {reason}; see gateway quarantine list"
            for partition, (reason, message) in told]


def _report(gateway: Gateway, night: date) -> Path:
    from console.report import write_report

    return write_report(gateway, night.isoformat(), gateway.home / "reports")


if __name__ == "__main__":
    sys.exit(main())
