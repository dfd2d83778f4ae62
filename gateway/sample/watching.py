"""Compliance's witness of the ledger in the sample world: the auditor's own program, with a state of its own."""

from __future__ import annotations

from base64 import b64encode
from http.server import ThreadingHTTPServer
from pathlib import Path

from gateway.settings import Gateway
from gateway.witness import NAME, ledger_key
from ledger_audit.notes import read_key
from ledger_audit.witness import Witness, server


def witness_of(home: Path) -> Witness:
    """The witness of a gateway's sample world."""
    return Witness("sample.example/witness", home / "sample" / NAME)


def know_ledger(gateway: Gateway) -> None:
    """Makes the gateway's ledger known to the witness, as its operator would; again after the ledger was renewed."""
    witness_of(gateway.home).register(read_key(ledger_key(gateway).text))


def listening(witness: Witness, port: int) -> ThreadingHTTPServer:
    """The witness on a port of this machine, on the given one if it is free; not yet serving."""
    try:
        return server(witness, "127.0.0.1", port)
    except OSError:
        return server(witness, "127.0.0.1", 0)


def connection_of(witness: Witness, service: ThreadingHTTPServer) -> dict[str, str]:
    """How the gateway reaches and checks it."""
    return {"url": f"http://127.0.0.1:{service.server_port}", "public_key": b64encode(witness.key.raw).decode(), "key_id": witness.name}
