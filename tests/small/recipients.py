"""The recipients of a small world as a process of its own: real servers, an inbox and a front-end database that outlive a killed gateway."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import uvicorn

from catalog.load import Catalog
from gateway.sample import credentials, fitting, rest
from gateway.sample.frontend import FrontEnd
from gateway.sample.inbox import Inbox
from gateway.sample.store import Store
from gateway.settings import Gateway
from keys import connection
from tests.small.place import ALL, ENTRY, FRONT_END, PACKAGE, REST, clock

_PACE = 0.003
_NOWHERE = dict.fromkeys(REST, "http://127.0.0.1:1") | {PACKAGE: "file:///nowhere", FRONT_END: "sqlite:////nowhere/at.db"}


class Recipients:
    """They run in a forked process between enter and exit; the gateway finds them in home/secrets/connections.yml."""

    def __init__(self, gateway: Gateway, catalog: Catalog) -> None:
        self.gateway, self.root = gateway, gateway.home / "sample"
        self._entries = {ENTRY: catalog.entries[ENTRY]}
        self._known = credentials.load(self.root, ALL)
        self._process, self._urls = 0, dict[str, str]()
        signers = {name: gateway.signer(name) for name in ALL}
        credentials.register(self.root, {name: {one.key_id: one.public_key} for name, one in signers.items()})

    def __enter__(self) -> Recipients:
        listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in REST}
        self._urls = {name: f"http://127.0.0.1:{listener.getsockname()[1]}" for name, listener in listeners.items()}
        self._urls |= {PACKAGE: f"file://{self.folder(PACKAGE)}", FRONT_END: f"sqlite:///{self._holdings(FRONT_END)}"}
        self.reach(set())
        ready, is_ready = os.pipe()
        self._process = os.fork()
        if not self._process:
            try:
                self._serve(listeners, is_ready)
            finally:
                os._exit(1)
        os.close(is_ready)
        for listener in listeners.values():
            listener.close()
        came_up = os.read(ready, 1)
        os.close(ready)
        if not came_up:
            raise RuntimeError("the recipients of the small world did not come up; see what they printed")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)

    def folder(self, recipient: str) -> Path:
        return self.root / "recipients" / recipient

    def reach(self, down: set[str]) -> None:
        """From now on the gateway reaches everybody but these."""
        urls = self._urls | {name: _NOWHERE[name] for name in down}
        of = {name: {"url": urls[name], "token": one.token, "public_key": one.public_key, "key_id": one.key_id}
              for name, one in self._known.items()}
        of["law_enforcement_db"] = {"url": f"sqlite:///{self.root / 'departments' / 'enforcement.db'}"}
        connection.save(self.gateway.home / "secrets" / "connections.yml", of)

    def _holdings(self, recipient: str) -> Path:
        return self.folder(recipient) / "holdings.db"

    def _serve(self, listeners: dict[str, socket.socket], is_ready: int) -> None:
        servers = []
        for name, listener in listeners.items():
            app = rest.recipient(self._known[name], Store(self._holdings(name), clock=clock))
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False))
            threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
            servers.append(server)
        inbox = Inbox(self.folder(PACKAGE), self._known[PACKAGE], Store(self._holdings(PACKAGE), clock=clock))
        front_end = FrontEnd(self._holdings(FRONT_END), fitting.columns(self._entries, FRONT_END), self._known[FRONT_END])
        inbox.create()
        front_end.create()
        while not all(server.started for server in servers):
            time.sleep(_PACE)
        os.write(is_ready, b".")
        while True:
            for take in (inbox.take, front_end.take):
                with suppress(OSError, sqlite3.OperationalError):  # taken away meanwhile, or busy: the next time
                    take()
            time.sleep(_PACE)
