"""Where everything lies: one folder of state, one database, one catalogue, opened once per process."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from catalog.load import Catalog, load
from gateway.signing import expect_signed
from keys import connection, keyring
from keys.connection import Connection
from keys.keyring import Keyring
from keys.sign import Ed25519Signer
from keys.whole import write_whole
from ledger import log
from ledger.anchor import Anchor
from ledger.events import Event, Line
from ledger.log import now
from records import database, quarantine, schema, staging, store
from records.journal import Journal, alone

SHANGHAI = ZoneInfo("Asia/Shanghai")


def in_shanghai(at: str) -> str:
    """A time of the ledger (ISO, UTC) as people read it: by the clock of those who work here, the zone with it."""
    return datetime.fromisoformat(at).astimezone(SHANGHAI).isoformat(timespec="seconds")


class StateUnusable(Exception):
    """The state database is not there, does not answer, or lacks tables. The message says what to do."""


@dataclass(frozen=True)
class Gateway:
    """The gateway's house as wired for this process: folders, state, catalogue, keys and clock."""

    home: Path
    database: str
    catalog_root: Path | None = None
    clock: Callable[[], datetime] = now
    require_signed: bool = False
    witness_within: timedelta | None = None
    journal_file: Path | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalogue with today's version of every entry; its files are read once.

        Raises CatalogError, of which one that is not signed as it must be is a kind.
        """
        return self._catalog_as_of(self.today)

    @cached_property
    def _catalog_as_of(self) -> Callable[[date], Catalog]:
        found = load(self.catalog_root)
        if self.require_signed:
            expect_signed(found, self.compliance_keys, self.engine)
        return cache(found.as_of)

    @property
    def compliance_keys(self) -> Path:
        return self.home / "secrets" / "compliance_keys.yml"

    @property
    def today(self) -> date:
        """The day on which decisions are taken: the date in Shanghai."""
        return self.clock().astimezone(SHANGHAI).date()

    @cached_property
    def engine(self) -> Engine:
        return database.connect(self.database)

    @cached_property
    def keyring(self) -> Keyring:
        return keyring.unlock(self.home / "keys" / "keyring.json", self.passphrase.read_bytes().strip())

    @property
    def passphrase(self) -> Path:
        return self.home / "secrets" / "keyring.passphrase"

    def signer(self, recipient: str) -> Ed25519Signer:
        """What signs deliveries to a recipient: a key of its own, so that nothing signed for one counts at another."""
        key = self.keyring.derive("sign", "delivery", recipient)
        return Ed25519Signer.from_seed(key.secret, key.id)

    @property
    def staging(self) -> staging.Staging:
        return staging.Staging(self.home / "staging", self.keyring)

    @property
    def store(self) -> store.Store:
        return store.Store(self.home / "store", self.keyring)

    @property
    def quarantine(self) -> quarantine.Store:
        return quarantine.Store(self.engine, self.keyring)

    @property
    def journal(self) -> Journal:
        """The journal of orders, kept where `journal_file` or the database says that there is one."""
        return Journal(self.journal_file, self.keyring)

    @property
    def anchor(self) -> Anchor:
        """The ledger's anchor beside the journal. Raises JournalBroken if none is named."""
        return Anchor(self.journal.file, self.keyring)

    def expect_state(self) -> None:
        """Raises StateUnusable if the state database does not answer or lacks tables."""
        with self._asking_state():
            lacking = database.lacking(self.engine)
        if lacking == sorted(schema.METADATA.tables):
            raise StateUnusable(f"{self._state} is empty or missing; restore its backup, or make an empty one with `gateway setup`: "
                                "every record then goes out again")
        if lacking:
            raise StateUnusable(f"{self._state} lacks {', '.join(lacking)}; bring it up to date with `gateway setup`")

    def migrate(self) -> None:
        """Brings the state database to the newest schema. Raises StateUnusable if it does not answer."""
        with self._asking_state():
            database.migrate(self.database)

    @contextmanager
    def _asking_state(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, ImportError) as error:  # ImportError: a URL whose driver is not installed
            # Not the error itself: it may quote the address with its password.
            kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
            raise StateUnusable(f"{self._state} does not answer ({kind}); look at its address and whether it runs") from None

    @property
    def _state(self) -> str:
        return f"state database (GATEWAY_DATABASE_URL, by default {self.home / 'gateway.db'})"

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    def connection(self, name: str) -> Connection:
        """The registered connection of that name; read anew each time, so that a rotated token needs no restart.

        Raises ConnectionUnknown if it is not registered, or its entry or the file cannot be used.
        """
        return connection.find(self.home / "secrets" / "connections.yml", name)


def from_environment() -> Gateway:
    """The gateway that the environment names: GATEWAY_HOME, GATEWAY_DATABASE_URL, GATEWAY_CATALOG, GATEWAY_REQUIRE_SIGNED,
    GATEWAY_WITNESS_HOURS, GATEWAY_JOURNAL.

    Without GATEWAY_HOME it is `var` below AIRFLOW_HOME or below the working directory; without GATEWAY_WITNESS_HOURS no witness
    is required; without GATEWAY_JOURNAL orders are in the file `journal` of the home where there is one, as in the sample world.
    """
    home = Path(os.environ.get("GATEWAY_HOME") or Path(os.environ.get("AIRFLOW_HOME", ".")) / "var").absolute()
    root = os.environ.get("GATEWAY_CATALOG")
    database = os.environ.get("GATEWAY_DATABASE_URL") or f"sqlite:///{home / 'gateway.db'}"
    named = os.environ.get("GATEWAY_JOURNAL", "")
    journal = Path(named or home / "journal").absolute()
    return Gateway(home, database, Path(root).absolute() if root else None,
                   require_signed=os.environ.get("GATEWAY_REQUIRE_SIGNED", "") not in ("", "0"),
                   witness_within=_hours(os.environ.get("GATEWAY_WITNESS_HOURS", "")),
                   journal_file=journal if named or journal.exists() else None)


def _hours(said: str) -> timedelta | None:
    try:
        hours = float(said or 0)
    except ValueError:
        hours = -1
    if not 0 <= hours <= 24 * 31:
        raise StateUnusable(f"GATEWAY_WITNESS_HOURS={said}: say within how many hours a checkpoint must be witnessed, as 4")
    return timedelta(hours=hours) if hours else None


def set_up(gateway: Gateway) -> None:
    """Makes what is missing: folders, passphrase and keyring (once, 0600), tables. Safe to repeat, and to run twice at once.

    Raises StateUnusable if the state database does not answer, KeyringClosed if the keyring does not open, OSError if a folder cannot
    be made.
    """
    for name in ("secrets", "keys", "staging", "store", "locks", "reports"):
        (gateway.home / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(gateway.home / "keys"):
        _make_keys(gateway)
        gateway.migrate()
        _account_keys(gateway)
        with database.writing(gateway.engine) as state:
            if gateway.journal.begin(state, is_begun=bool(gateway.journal_file) and gateway.anchor.path.exists()):
                gateway.anchor.begin(state)


def _make_keys(gateway: Gateway) -> None:
    """The passphrase and the keyring, where there is no keyring yet; the purposes that it lacks, where there is one."""
    ring, passphrase = gateway.home / "keys" / "keyring.json", gateway.passphrase
    said = passphrase.read_bytes().strip() if passphrase.exists() else b""
    if not ring.exists():
        if not said:  # an empty one was left by a setup that was killed
            write_whole(passphrase, said := secrets.token_urlsafe(32).encode())
        keyring.create(ring, said)
    elif not passphrase.exists():
        raise keyring.KeyringClosed(f"{passphrase}: no passphrase; restore it from the backup that {ring} belongs to")
    keyring.extend(ring, said)


def _account_keys(gateway: Gateway) -> None:
    """Puts the keys that the ledger does not know of on it, by name."""
    with database.writing(gateway.engine) as state:
        known = {key for line in log.read(state, schema.lines.c.event == str(Event.KEYS_MADE)) for key in line.notes["keys"]}
        made = sorted(set(gateway.keyring.ids()) - known)
        if made:
            log.append(state, [Line(Event.KEYS_MADE, "", "", figures={"keys": len(made)}, notes={"keys": made})], gateway.clock())
