"""REST recipients: one signed POST a batch, with an idempotency key and a content digest; the signed answer is the receipt."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from functools import partial
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import pandas as pd
import requests

from delivery.base import Asked, Batch, Door, Promise, ReceiptToCome, RecipientContractBreach, RecipientUnavailable
from delivery.body import content_digest, rest_body
from delivery.exchange import is_untrusted, never_left, retry_after, within
from delivery.messages import ANSWER_COVERED, sign, verify
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

    Raises RecipientUnavailable (no connection, timeout, 429, 5xx), ReceiptToCome (202), RecipientContractBreach (any other answer
    than 200, a certificate that is not trusted), ReceiptMismatch.
    """
    body = rest_body(batch, door.entry_code)
    answer, content = exchanged(_request("/v1/batches", body, batch, door), batch, door, door.recipient.deadline)
    if answer.status_code == requests.codes.accepted:
        verify(answer, content, batch, door, (*ANSWER_COVERED, "location"))
        raise ReceiptToCome(f"{door.names(batch)}: it took the batch into its queue; {batch.later}", _promise(answer, body, batch, door))
    return read(_verified(answer, content, batch, door), content_digest(body), batch, door)


def ask(inquiry: Inquiry, door: Door) -> pd.DataFrame:
    """Posts the inquiry and returns the verified statement. Raises as `deliver` does."""
    body = inquiry.body(door.entry_code)
    answer, content = exchanged(_request("/v1/statements", body, inquiry, door), inquiry, door, door.recipient.deadline)
    return read_statement(_verified(answer, content, inquiry, door), content_digest(body), inquiry, door)


def _verified(answer: requests.Response, content: bytes, asked: Asked, door: Door) -> bytes:
    """The content of an answer that is one, by its status and its signature."""
    if answer.status_code != requests.codes.ok:
        refuse_status(answer.status_code, answer.headers, asked, door)
    verify(answer, content, asked, door)
    return content


def _promise(answer: requests.Response, body: bytes, batch: Batch, door: Door) -> Promise:
    """Where the receipt will be. Raises RecipientContractBreach if that is not the registered host, which alone gets a credential."""
    place = urljoin(_place("/v1/batches", door), answer.headers["Location"])
    there, registered = urlsplit(place), urlsplit(door.connection.url)
    if (there.scheme, there.netloc) != (registered.scheme, registered.netloc):
        raise RecipientContractBreach("receipt-elsewhere", f"{door.names(batch)}: it names another host for its receipt than that of "
                                                           f"connection {door.connection.name}; ask the recipient; {batch.later}")
    return Promise(place, content_digest(body), door.clock() + timedelta(seconds=door.recipient.deadline))


def _place(path: str, door: Door) -> str:
    return f"{door.connection.url.rstrip('/')}{path}"


def headers_of(body: bytes, asked: Asked, door: Door) -> dict[str, str]:
    """The headers of a request, all that its signature covers among them."""
    headers = {"Authorization": f"Bearer {door.connection.token}", "Content-Type": "application/json",
               "Content-Digest": content_digest(body), "Idempotency-Key": asked.id,
               "Accept-Encoding": "identity"}  # the digest of an answer is over its bytes as sent
    if door.checkpoint:
        headers["Ledger-Checkpoint"] = b64encode(door.checkpoint.encode()).decode()
    return headers


def _request(path: str, body: bytes, asked: Asked, door: Door) -> requests.Request:
    return requests.Request("POST", _place(path, door), headers_of(body, asked, door), data=body)


def exchanged(asking: requests.Request, asked: Asked, door: Door, seconds: float) -> tuple[requests.Response, bytes]:
    """The answer to a request, signed here, and its content, within so many seconds from the connection. Raises as `deliver` does."""
    try:
        request = asking.prepare()
        sign(request, door.signer)
        return within(_CONNECT + seconds, partial(_exchange, request, asked, door))
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


def refuse_status(status: int, headers: requests.structures.CaseInsensitiveDict[str], asked: Asked, door: Door) -> NoReturn:
    """Raises RecipientUnavailable or RecipientContractBreach for a status that is no answer."""
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        after = retry_after(headers.get("Retry-After", ""), now())
        raise RecipientUnavailable(f"http-{status}", f"{door.names(asked)}: answered {status}; {asked.later}", after)
    what = {401: "renew its token, or have it register the key of `gateway recipient keys`", 403: "ask for access",
            404: "check its address", 409: "it knows this batch with other content",
            413: "lower its batch_size"}.get(status, "ask the recipient")
    raise RecipientContractBreach(f"http-{status}", f"{door.names(asked)}: answered {status}; {what} (connection "
                                                    f"{door.connection.name}); {asked.later}")
