"""REST recipients: one signed POST a batch, with an idempotency key and a content digest; the signed answer is the receipt."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from typing import NoReturn

import pandas as pd
import requests

from delivery.base import Asked, Batch, Door, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest, rest_body
from delivery.exchange import is_untrusted, never_left, retry_after, within
from delivery.messages import sign, verify
from delivery.receipts import read
from delivery.statements import Inquiry, read_statement
from ledger.log import now
from records.stages import Receipt

_CONNECT = 5.0
_NO_ANSWER = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError,
              requests.exceptions.ContentDecodingError)
_LARGEST_ANSWER = 64 * 1024 * 1024


def deliver(batch: Batch, door: Door) -> Receipt:
    """Posts the batch and returns the verified receipt.

    Raises RecipientUnavailable (no connection, timeout, 429, 5xx), RecipientContractBreach (any other answer than 200, a
    certificate that is not trusted), ReceiptMismatch.
    """
    body = rest_body(batch, door.entry_code)
    return read(_answered("/v1/batches", body, batch, door), content_digest(body), batch, door)


def ask(inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """Posts the inquiry and returns the verified statement. Raises as `deliver` does."""
    body = inquiry.body(door.entry_code)
    return read_statement(_answered("/v1/statements", body, inquiry, door), content_digest(body), inquiry, door)


def _answered(path: str, body: bytes, asked: Asked, door: Door) -> bytes:
    """The verified answer to one signed request."""
    request = _request(path, body, asked, door)
    answer, content = _post(request, asked, door)
    if answer.status_code != requests.codes.ok:
        _refuse(answer.status_code, answer.headers, asked, door)
    verify(answer, content, asked, door)
    return content


def _request(path: str, body: bytes, asked: Asked, door: Door) -> requests.Request:
    headers = {"Authorization": f"Bearer {door.connection.token}", "Content-Type": "application/json",
               "Content-Digest": content_digest(body), "Idempotency-Key": asked.id,
               "Accept-Encoding": "identity"}  # the digest of an answer is over its bytes as sent
    if door.checkpoint:
        headers["Ledger-Checkpoint"] = b64encode(door.checkpoint.encode()).decode()
    return requests.Request("POST", f"{door.connection.url.rstrip('/')}{path}", headers, data=body)


def _post(asking: requests.Request, asked: Asked, door: Door) -> tuple[requests.Response, bytes]:
    try:
        request = asking.prepare()
        sign(request, door.signer)
        return within(_CONNECT + door.recipient.deadline, partial(_exchange, request, asked, door))
    except _NO_ANSWER as error:
        if is_untrusted(error):
            raise RecipientContractBreach("untrusted", f"{door.names(asked)}: its certificate is not trusted; ask the recipient, and "
                                                       f"name its authority as ca of connection {door.connection.name}") from None
        # Unless no connection came about nobody knows whether the recipient took it: the batch goes out again under the same key.
        reason = "not-reached" if never_left(error) else "no-answer"
        raise RecipientUnavailable(reason, f"{door.names(asked)}: {type(error).__name__} at its address; {asked.later}") from None
    except requests.RequestException as error:
        raise RecipientContractBreach("wrong-address", f"{door.names(asked)}: {type(error).__name__}; correct the url of connection "
                                                       f"{door.connection.name}; {asked.later}") from None
    except OSError:  # requests tells so of a certificate file that is not there
        raise RecipientContractBreach("no-certificate", f"{door.names(asked)}: a file of client_certificate, client_key or ca cannot be "
                                      f"read; correct connection {door.connection.name}; {asked.later}") from None


def _exchange(request: requests.PreparedRequest, asked: Asked, door: Door) -> tuple[requests.Response, bytes]:
    with requests.Session() as session:
        session.trust_env = False  # a credential goes only to the host it was issued for, not to a proxy
        session.verify = door.connection.ca or True
        if door.connection.client_certificate:
            session.cert = (door.connection.client_certificate, door.connection.client_key)
        with session.send(request, timeout=(_CONNECT, door.recipient.deadline), allow_redirects=False, stream=True) as answer:
            return answer, _bounded(answer, asked, door)


def _bounded(answer: requests.Response, asked: Asked, door: Door) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(1 << 16):
        content += chunk
        if len(content) > _LARGEST_ANSWER:
            raise RecipientContractBreach("answer-too-large", f"{door.names(asked)}: the answer is larger than a receipt can be")
    return bytes(content)


def _refuse(status: int, headers: requests.structures.CaseInsensitiveDict[str], asked: Asked, door: Door) -> NoReturn:
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        after = retry_after(headers.get("Retry-After", ""), now())
        raise RecipientUnavailable(f"http-{status}", f"{door.names(asked)}: answered {status}; {asked.later}", after)
    what = {401: "renew its token, or have it register the key of `gateway recipient keys`", 403: "ask for access",
            404: "check its address", 409: "it knows this batch with other content",
            413: "lower its batch_size"}.get(status, "ask the recipient")
    raise RecipientContractBreach(f"http-{status}", f"{door.names(asked)}: answered {status}; {what} (connection "
                                                    f"{door.connection.name}); {asked.later}")
