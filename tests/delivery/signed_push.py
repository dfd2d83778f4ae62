"""One signed request to a running sample recipient, whatever its body."""

from __future__ import annotations

import requests

from delivery.messages import sign
from gateway.sample.store import content_digest
from keys.connection import Connection
from keys.sign import Signer


def push(at: Connection, signer: Signer, batch: str, body: bytes, **headers: str) -> requests.Response:
    """The answer to a batch posted under the recipient's token and the gateway's signature; `headers` replace the usual ones."""
    usual = {"Authorization": f"Bearer {at.token}", "Idempotency-Key": batch, "Content-Type": "application/json",
             "Content-Digest": content_digest(body)}
    request = requests.Request("POST", f"{at.url}/v1/batches", usual | headers, data=body).prepare()
    sign(request, signer)
    with requests.Session() as session:
        return session.send(request, timeout=10)
