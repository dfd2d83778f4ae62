"""`make up`: Airflow's four components and the sample world under one roof, until Ctrl-C; nothing stays behind.

Not `airflow standalone`, which leaves its children behind when it is ended.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gateway import house, secret

COMPONENTS = ("scheduler", "dag-processor", "api-server", "triggerer")
# Seconds: until the address answers, until a component that was asked to end is ended by force, between two looks.
PATIENCE, GRACE, PACE = 180.0, 15.0, 0.5


class ComponentDown(Exception):
    """A component did not come up, or ended by itself. The message names its log."""


class Supervisor:
    """Airflow's components as child processes, each with a session of its own and a log in `logs`.

    As a context: all started at the entry, all ended at the exit, whatever happened in between.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str], port: int) -> None:
        self.logs, self.port = logs, port
        self._environment = dict(environment) | addresses(port)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Supervisor:
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            for name in COMPONENTS:
                self._start(name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def _start(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name], env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

    def sessions(self) -> set[int]:
        """The sessions of the components that were started. All that a component starts stays in its session."""
        return {process.pid for process in self._running.values()}

    def alive(self) -> None:
        """Raises ComponentDown if a component has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ComponentDown(f"{name} ended with {process.returncode}; see {self.logs / name}.log")

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Returns when everything is healthy or `stopped` says so. Raises ComponentDown if that takes too long."""
        ends_at = time.monotonic() + PATIENCE
        while not stopped() and not _healthy(f"{self.address}/api/v2/monitor/health"):
            self.alive()
            if time.monotonic() > ends_at:
                raise ComponentDown(f"not all components are healthy after {PATIENCE:.0f} s; see their logs in {self.logs}")
            time.sleep(PACE)

    def stop(self) -> None:
        """Asks every component to end, waits, and ends by force what is left of it, its children too."""
        sessions = self.sessions()
        for process in self._running.values():
            process.terminate()
        ends_at = time.monotonic() + GRACE
        while any(process.poll() is None for process in self._running.values()) and time.monotonic() < ends_at:
            time.sleep(0.1)
        # Also after a good end: a task that is still at work outlives its scheduler. Again until none is left, since one may
        # have been starting another.
        while left := processes(sessions):
            for pid in left:
                _kill(pid)
            time.sleep(0.05)
        for process in self._running.values():
            process.wait()
        self._running.clear()


def processes(sessions: set[int]) -> list[int]:
    """The processes now running in these sessions, as Linux tells; not by group, since Airflow gives each task its own."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = place.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # pid (name) state parent group session ...; the name may hold anything, brackets too
        state, _, _, session = told.rpartition(b")")[2].split()[:4]
        if int(session) in sessions and state not in (b"Z", b"X"):
            found.append(int(place.parent.name))
    return found


def asked_to_end() -> list[int]:
    """From now on filled with the signals by which this process is asked to end: Ctrl-C, a service manager, or the shell
    whose terminal was closed. None of them ends it at once, which would leave the components behind."""
    ended: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: ended.append(received))
    return ended


def addresses(port: int) -> dict[str, str]:
    """What Airflow's components need to know to find each other on a port of this machine."""
    address = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Runs everything until it is asked to end; returns 0 then, 1 if a component failed."""
    from gateway.sample import World

    place = house.home()
    os.umask(0o077)
    os.environ.setdefault("GATEWAY_WITNESS_HOURS", "4")  # the sample world has a witness
    port = _port(os.environ.get("PORT", "8080"))
    logs = place / "var" / "logs"
    ended = asked_to_end()
    print("getting ready (secrets, keys, state, Airflow's tables, sample departments and recipients)", flush=True)
    gateway = house.prepare(house.last_night(datetime.now(UTC)))
    with house.quiet(logs / "migrate.log"):
        house.migrate()
    try:
        with World(gateway.home, gateway.catalog.entries) as world, Supervisor(logs, os.environ, port) as airflow:
            airflow.wait(lambda: bool(ended))
            if not ended:
                _welcome(airflow, world.urls["credit_china"])
            while not ended:
                airflow.alive()
                time.sleep(PACE)
            print("stopping", flush=True)
    except ComponentDown as trouble:
        print(f"make up: {trouble}", file=sys.stderr)
        return 1
    print("stopped; the state stays in var/", flush=True)
    return 0


def _welcome(airflow: Supervisor, site: str) -> None:
    users = ", ".join(secret.USERS)
    print(f"""
Airflow:        {airflow.address}
log in as:      {users}; the passwords are in {secret.passwords()}
quality report: {airflow.address}/quality/ (compliance or admin)
public pages:   {site}/
logs:           {airflow.logs}
Every DAG starts paused: unpause one, and its last night runs at once. Ctrl-C stops everything.""", flush=True)


def _port(asked: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(asked)))
        except (OSError, ValueError) as error:
            sys.exit(f"port {asked} cannot be had ({error}); name another: make up PORT=8081")
    return int(asked)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            told = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    wanted = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all(told.get(name, {}).get("status") == "healthy" for name in wanted)


def _kill(pid: int) -> None:
    """Ends a process by force; one that has ended already is as good."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main())
