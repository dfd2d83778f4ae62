"""What must stand before Airflow can run here: secrets, Airflow's tables, the gateway's state, the sample world's data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from gateway import secret
from gateway.settings import SHANGHAI, Gateway, from_environment, set_up


def home() -> Path:
    """AIRFLOW_HOME: the folder with airflow.cfg. Ends the program with a hint if it is not set."""
    place = os.environ.get("AIRFLOW_HOME", "")
    if not (Path(place) / "airflow.cfg").is_file() or not place:
        sys.exit("AIRFLOW_HOME does not name the folder with airflow.cfg; use `make run` or `make up`")
    return Path(place)


def prepare(night: date) -> Gateway:
    """Makes what is missing, and returns the gateway. Safe to repeat; secrets and keys are made once, with mode 0600."""
    from gateway.sample import create, know_ledger

    for name in secret.NAMES:
        secret.secret(name)
    secret.passwords()
    gateway = from_environment()
    # The sample world keeps a journal, though not on a disk of its own.
    gateway = replace(gateway, journal_file=gateway.journal_file or gateway.home / "journal")
    set_up(gateway)
    create(gateway.home, night)
    know_ledger(gateway)
    return gateway


def migrate() -> None:
    """Makes or updates Airflow's own tables, in this process."""
    from airflow.utils.db import upgradedb

    upgradedb()


def last_night(now: datetime) -> date:
    """The date of the last night that is over: a night ends at 02:00, Shanghai."""
    return (now.astimezone(SHANGHAI) - timedelta(hours=2)).date()


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """While it lasts, what this process and its libraries print goes to a file; `sys.__stdout__` is left to us.

    Works on the file descriptors, because Airflow's loggers hold on to the streams they found.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, number in zip(kept, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
