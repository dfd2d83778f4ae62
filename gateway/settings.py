"""Where everything lies: one folder of state, one database, one catalogue, opened once per process."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import Engine

from catalog.load import Catalog, load
from keys import connection, keyring
from keys.connection import Connection, ConnectionUnknown
from keys.keyring import Keyring
from ledger.log import now
from records import quarantine, schema, staging


@dataclass(frozen=True)
class Gateway:
    """The gateway's house as wired for this process: folders, state, catalogue, keys and clock."""

    home: Path
    database: str
    catalog_root: Path | None = None
    clock: Callable[[], datetime] = now

    @cached_property
    def catalog(self) -> Catalog:
        return load(self.catalog_root)

    @cached_property
    def engine(self) -> Engine:
        return schema.connect(self.database)

    @cached_property
    def keyring(self) -> Keyring:
        return keyring.unlock(self.home / "keys" / "keyring.json", self.passphrase.read_bytes().strip())

    @property
    def passphrase(self) -> Path:
        return self.home / "secrets" / "keyring.passphrase"

    @property
    def staging(self) -> staging.Staging:
        return staging.Staging(self.home / "staging", self.keyring)

    @property
    def quarantine(self) -> quarantine.Store:
        return quarantine.Store(self.engine, self.keyring)

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    def connection(self, name: str) -> Connection:
        """The registered connection of that name; read anew each time, so that a rotated token needs no restart.

        Raises ConnectionUnknown if it is not registered.
        """
        path = self.home / "secrets" / "connections.yml"
        known: Mapping[str, Connection] = connection.load(path)
        if name not in known:
            raise ConnectionUnknown(f"{path}: connection {name} is not registered; add its url and credential there")
        return known[name]


def from_environment() -> Gateway:
    """The gateway that the environment names: GATEWAY_HOME, GATEWAY_DATABASE_URL, GATEWAY_CATALOG.

    Without GATEWAY_HOME it is `var` below AIRFLOW_HOME or below the working directory.
    """
    home = Path(os.environ.get("GATEWAY_HOME") or Path(os.environ.get("AIRFLOW_HOME", ".")) / "var").absolute()
    root = os.environ.get("GATEWAY_CATALOG")
    database = os.environ.get("GATEWAY_DATABASE_URL") or f"sqlite:///{home / 'gateway.db'}"
    return Gateway(home, database, Path(root).absolute() if root else None)


def set_up(gateway: Gateway) -> None:
    """Makes what is missing: folders, passphrase and keyring (once, 0600), tables. Safe to repeat."""
    for name in ("secrets", "keys", "staging", "locks", "reports"):
        (gateway.home / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    if not gateway.passphrase.exists():
        descriptor = os.open(gateway.passphrase, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    if not (gateway.home / "keys" / "keyring.json").exists():
        keyring.create(gateway.home / "keys" / "keyring.json", gateway.passphrase.read_bytes().strip())
    schema.migrate(gateway.database)
