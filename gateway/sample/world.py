"""Runs the sample world: pretend departments and recipients on ports of this machine, in threads of this process."""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from gateway.sample import credentials, fitting, rest, services, site, watching
from gateway.sample.credentials import Credential, Fault
from gateway.sample.frontend import FrontEnd
from gateway.sample.inbox import Inbox
from gateway.sample.services import Shelf
from gateway.sample.store import Store
from gateway.settings import Gateway
from gateway.witness import NAME
from keys import connection

log = logging.getLogger(__name__)

DEPARTMENTS = ("court", "credit_office")
RECIPIENTS = ("national_platform", "credit_china", "gsxt", "public_resources")
_PATIENCE = 15.0
_PACE = 0.2


class WorldDown(Exception):
    """A program of the sample world did not come up. Look at what it printed, free the machine's ports, start again."""


class World:
    """Everything outside the gateway that one machine can pretend, between `start` and `stop` or as a context.

    Needs the data that `create` writes, and the catalogue's entries by code. While it runs,
    home/secrets/connections.yml says where everything is reached.
    """

    def __init__(self, home: Path, entries: fitting.Entries) -> None:
        self.home, self.root = home.absolute(), home.absolute() / "sample"
        self._entries = entries
        self._known = credentials.load(self.root, DEPARTMENTS + RECIPIENTS)
        self._stopping = threading.Event()
        self._servers: list[tuple[uvicorn.Server, threading.Thread]] = []
        self._loops: list[threading.Thread] = []
        self.urls: dict[str, str] = {}
        self.witness = watching.witness_of(self.home)
        self._witness: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Returns when everything answers and the connections are written. Raises WorldDown if something does not."""
        former = self._former()
        self._register_gateway()
        for name, app in self._applications().items():
            self.urls[name] = self._serve(app, former.get(_connection_name(name), ""))
        inbox, front_end = self._inbox(), self._front_end()
        inbox.create()
        front_end.create()
        for name, take in (("gsxt", inbox.take), ("public_resources", front_end.take)):
            self._repeat(name, take)
        self._witness = watching.listening(self.witness, urlsplit(former.get(NAME, "")).port or 0)
        self._loops.append(threading.Thread(target=self._witness.serve_forever, args=(_PACE,), name=NAME, daemon=True))
        self._loops[-1].start()
        self._await()
        self._write_connections()

    def stop(self) -> None:
        """Ends all programs; what they hold stays."""
        self._stopping.set()
        self.stop_witness()
        for server, _ in self._servers:
            server.should_exit = True
        for thread in [thread for _, thread in self._servers] + self._loops:
            thread.join(_PATIENCE)

    def stop_witness(self) -> None:
        """Ends the witness alone; what it saw stays."""
        if self._witness:
            self._witness.shutdown()
            self._witness.server_close()
            self._witness = None

    def fault(self, name: str, kind: str) -> None:
        """Makes one department service or recipient misbehave (down, slow, html, wrong-signature) until `none`."""
        self._known[name].faults.set(name, Fault(kind))

    def __enter__(self) -> World:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _register_gateway(self) -> None:
        """Every recipient gets the public key that the gateway signs with for it, as `gateway recipient keys` prints it."""
        gateway = Gateway(self.home, "")
        if gateway.passphrase.is_file():
            signers = {name: gateway.signer(name) for name in RECIPIENTS}
            credentials.register(self.root, {name: {one.key_id: one.public_key} for name, one in signers.items()})

    def _applications(self) -> dict[str, FastAPI]:
        place, ends = self.root / "departments", fitting.publicity_ends(self._entries)
        court = Shelf(place / "court" / "court.db", "judgment_defaulters", "/api/judgment-defaulters")
        office = Shelf(place / "credit_office" / "credit_office.db", "credit_commitments", "/api/credit-commitments")
        public = Store(self._holdings("credit_china"), ends)
        publicity_site = rest.recipient(self._known["credit_china"], public)
        site.add_pages(publicity_site, public, fitting.shown(self._entries, "credit_china"))
        platform = rest.recipient(self._known["national_platform"], Store(self._holdings("national_platform")))
        return {
            "court": services.department(self._known["court"], court),
            "credit_office": services.department(self._known["credit_office"], office),
            "national_platform": platform,
            "credit_china": publicity_site,
        }

    def _inbox(self) -> Inbox:
        return Inbox(self.root / "recipients" / "gsxt", self._known["gsxt"], Store(self._holdings("gsxt")))

    def _front_end(self) -> FrontEnd:
        columns = fitting.columns(self._entries, "public_resources")
        return FrontEnd(self._holdings("public_resources"), columns, self._known["public_resources"])

    def _holdings(self, recipient: str) -> Path:
        return self.root / "recipients" / recipient / "holdings.db"

    def _serve(self, app: FastAPI, former: str) -> str:
        listener = _listen(urlsplit(former).port or 0)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=app.title, daemon=True)
        thread.start()
        self._servers.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _repeat(self, name: str, take: Callable[[], int]) -> None:
        def loop() -> None:
            while not self._stopping.wait(_PACE):
                try:
                    take()
                except (sqlite3.OperationalError, OSError) as error:
                    log.warning("%s could not take what lies there and tries again: %s", name, error)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        self._loops.append(thread)

    def _await(self) -> None:
        ends_at = time.monotonic() + _PATIENCE
        while not all(server.started for server, _ in self._servers):
            if time.monotonic() > ends_at or not all(thread.is_alive() for _, thread in self._servers):
                self.stop()
                raise WorldDown("a program of the sample world did not come up; see its output above")
            time.sleep(0.02)

    def _former(self) -> Mapping[str, str]:
        """Addresses of the last time: a gateway that is running keeps finding everything where it was."""
        path = self.home / "secrets" / "connections.yml"
        known = connection.load(path) if path.exists() else {}
        return {name: one.url for name, one in known.items()}

    def _write_connections(self) -> None:
        path = self.home / "secrets" / "connections.yml"
        others = connection.load(path) if path.exists() else {}
        kept = {
            one.name: {key: said for key, said in asdict(one).items() if key != "name" and said} for one in others.values()
        }
        connection.save(path, kept | self._connections())

    def _connections(self) -> dict[str, dict[str, str]]:
        place, recipients = self.root / "departments", self.root / "recipients"
        known = {_connection_name(name): _answering(self._known[name], url) for name, url in self.urls.items()}
        return known | {
            "market_regulation_drop": {"url": f"file://{place / 'market_regulation'}"},
            "taxation_drop": {"url": f"file://{place / 'taxation'}"},
            "administrative_approval_db": {"url": f"sqlite:///{place / 'administrative_approval' / 'approval.db'}"},
            "law_enforcement_db": {"url": f"sqlite:///{place / 'law_enforcement' / 'enforcement.db'}"},
            "gsxt": _answering(self._known["gsxt"], f"file://{recipients / 'gsxt'}"),
            "public_resources": {"url": f"sqlite:///{self._holdings('public_resources')}"},
            **({NAME: watching.connection_of(self.witness, self._witness)} if self._witness else {}),
        }


def _answering(credential: Credential, url: str) -> dict[str, str]:
    return {"url": url, "token": credential.token, "public_key": credential.public_key, "key_id": credential.key_id}


def _connection_name(name: str) -> str:
    return f"{name}_service" if name in DEPARTMENTS else name


def _listen(port: int) -> socket.socket:
    """A listening socket of this machine only, on the given port if it is free."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    return listener
