"""The supervisor of `make up` with a stand-in for Airflow: whatever a component has started ends with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import up

# Like a scheduler with a task at work: the task has a process group of its own and does not listen.
SCHEDULER = """
import os, signal, sys, time
task = os.fork()
if not task:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(os.path.join(os.environ["PIDS"], sys.argv[1]), "w").close()
    time.sleep(600)
time.sleep(600)
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def supervisor(folder: Path, airflow: str) -> up.Supervisor:
    (folder / "airflow.py").write_text(airflow, encoding="utf-8")
    (folder / "pids").mkdir()
    environment = {"PYTHONPATH": str(folder), "PIDS": str(folder / "pids"), "PATH": os.environ["PATH"]}
    return up.Supervisor(folder / "logs", environment, up.free_port())


def test_a_task_at_work_that_does_not_listen_ends_with_its_component(tmp_path: Path) -> None:
    with supervisor(tmp_path, SCHEDULER) as running:
        ends_at = time.monotonic() + 30
        while len(list((tmp_path / "pids").iterdir())) < len(up.COMPONENTS) and time.monotonic() < ends_at:
            time.sleep(0.05)
        sessions = running.sessions()
        assert len(up.processes(sessions)) == 2 * len(up.COMPONENTS)
    assert up.processes(sessions) == []


def test_a_component_that_ends_by_itself_is_named_with_its_log(tmp_path: Path) -> None:
    with supervisor(tmp_path, "raise SystemExit(7)") as running, pytest.raises(up.ComponentDown, match=r"ended with 7; see .*\.log"):
        running.wait(lambda: False)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", SIGNALS)
def test_being_asked_to_end_is_told_and_does_not_end_the_supervisor_at_once(number: signal.Signals) -> None:
    ended = up.asked_to_end()
    assert callable(signal.getsignal(number)), "or the signal would end this run of the tests"
    os.kill(os.getpid(), number)
    assert ended == [number]


def test_only_the_processes_of_the_asked_sessions_are_found() -> None:
    assert os.getpid() in up.processes({os.getsid(0)})
    assert up.processes(set()) == []
