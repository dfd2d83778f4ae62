"""A MariaDB server that lives in a folder and speaks on a socket there."""

from __future__ import annotations

import getpass
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

_PATIENCE = 60


@contextmanager
def running_mariadb(server: str, install: str, folder: Path) -> Iterator[str]:
    """Yields the URL of its database `office`; sql_mode is the loosest there is, as old servers of departments have it."""
    data, socket = folder / "data", folder / "socket"
    ours = ["--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
    made = subprocess.run([install, *ours, "--auth-root-authentication-method=normal"], capture_output=True, text=True,
                          timeout=2 * _PATIENCE)
    if made.returncode:
        raise RuntimeError(f"{install} failed: {made.stderr or made.stdout}")
    process = subprocess.Popen([server, *ours, f"--socket={socket}", "--skip-networking", "--skip-log-bin", "--sql-mode=",
                                "--innodb-flush-log-at-trx-commit=0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with _connected(socket, process) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE office CHARACTER SET utf8mb4")
        yield f"mysql+pymysql://root@localhost/office?unix_socket={socket}"
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _connected(socket: Path, process: subprocess.Popen[bytes]) -> pymysql.Connection:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if socket.exists():
            return pymysql.connect(unix_socket=str(socket), user="root")
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not come up")
