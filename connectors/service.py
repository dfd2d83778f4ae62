"""Service exchange 服务方式: a paged JSON service, asked page by page until every record it announced is here."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from catalog.model import ServiceFeed
from connectors import answers
from connectors.answers import Page
from connectors.base import Partition, Source, Window
from connectors.header import source_names
from connectors.rows import collected
from records.stages import Collected


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, and how much to take, in bytes. `page_seconds` ends an answer that only trickles in."""

    connect_seconds: float = 5
    read_seconds: float = 30
    page_seconds: float = 120
    page_bytes: int = 64 << 20
    total_bytes: int = 1 << 30


LIMITS = Limits()
_BLOCK = 1 << 16


def partitions() -> list[Partition]:
    """A service is read by one task: its pages hang together by their count."""
    return [Partition("all", {})]


def collect(source: Source, partition: Partition, window: Window, limits: Limits = LIMITS) -> Collected:
    """All records of the service; LINE counts them over all pages.

    Raises SourceUnavailable for a time-out, a broken connection, 429 and 5xx; ContractBreach: `refused` for any other
    status, `not-json`, `page-count` where the pages do not add up, `too-large`, `empty-source` if a whole stock is
    empty, and as `header.match` does.
    """
    digest, rows = hashlib.sha256(), list[Any]()
    for page in _pages(source, partition, window, limits):
        digest.update(page.body)
        rows += page.rows
    if not rows and source.hands_in_stock:
        remedy = "the service has no record, which is never believed of a whole stock; ask the department what happened"
        raise source.breach("empty-source", partition.name, remedy)
    return collected(source, partition.name, answers.received(rows, source, partition.name), digest.hexdigest())


def _pages(source: Source, partition: Partition, window: Window, limits: Limits) -> Iterator[Page]:
    """Page after page. Each must be the one asked for, announce the same total, and be no repetition."""
    seen: set[bytes] = set()
    count = size = 0
    total: int | None = None
    with _session(source) as session:
        for number in range(1, 1 << 31):
            body = _body(session, source, partition, _query(source, window, number), limits)
            page = answers.page(body, source, partition.name)
            count, size = count + len(page.rows), size + len(body)
            is_sound = page.number == number and page.total == (page.total if total is None else total) and count <= page.total
            if not is_sound or page.mark in seen or (not page.rows and count < page.total):
                remedy = f"page {number} does not fit the pages before it or the total; ask the department to correct its paging"
                raise source.breach("page-count", partition.name, remedy)
            if size > limits.total_bytes:
                raise _too_large(source, partition)
            yield page
            if count == page.total:
                return
            total = page.total
            seen.add(page.mark)


def _query(source: Source, window: Window, number: int) -> dict[str, str]:
    feed = _feed(source)
    query = {"page": str(number), "page_size": str(feed.page_size), "fields": ",".join(source_names(source))}
    if not source.hands_in_stock:
        query |= {"from": window.start.isoformat(), "to": window.end.isoformat()}
    return query


def _session(source: Source) -> requests.Session:
    session = requests.Session()
    # The environment must not add a proxy or another credential (.netrc); only where to find the site's own CA is taken from it.
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
    if source.connection.token:
        session.headers["Authorization"] = f"Bearer {source.connection.token}"
    return session


def _body(session: requests.Session, source: Source, partition: Partition, query: dict[str, str], limits: Limits) -> bytes:
    ends_at = time.monotonic() + limits.page_seconds
    try:
        with session.get(
            _address(source),
            params=query,
            timeout=(limits.connect_seconds, limits.read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            _refuse(response, source, partition)
            return _content(response, source, partition, limits, ends_at)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        remedy = f"the service does not answer ({type(error).__name__}); it is tried again, then ask the department"
        raise source.unavailable(partition.name, remedy) from None


def _content(response: requests.Response, source: Source, partition: Partition, limits: Limits, ends_at: float) -> bytes:
    body = bytearray()
    # read1 gives what has come, so that a trickle cannot hold the task beyond its time.
    while block := response.raw.read1(_BLOCK):
        body += block
        if len(body) > limits.page_bytes:
            raise _too_large(source, partition)
        if time.monotonic() > ends_at:
            raise source.unavailable(partition.name, "the service answers too slowly; it is tried again, then ask the department")
    return answers.to_utf8(bytes(body), response.headers.get("Content-Type", ""), source, partition.name)


def _refuse(response: requests.Response, source: Source, partition: Partition) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        raise source.unavailable(partition.name, f"the service answers {status}; it is tried again, then ask the department")
    if status != 200:
        remedy = f"the service answers {status}; check path and token of the connection with the department"
        raise source.breach("refused", partition.name, remedy)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise source.breach("not-json", partition.name, "the service packs its answer though asked not to; ask the department")


def _address(source: Source) -> str:
    base = source.connection.url
    if urlsplit(base).scheme not in ("http", "https"):
        raise source.breach("wrong-connection", "", f"connection {source.connection.name} must be an http address; correct it")
    return base.rstrip("/") + "/" + _feed(source).path.lstrip("/")


def _too_large(source: Source, partition: Partition) -> Exception:
    return source.breach("too-large", partition.name, "the service answers more than one reading may hold; ask for a smaller page_size")


def _feed(source: Source) -> ServiceFeed:
    if not isinstance(source.feed, ServiceFeed):
        raise TypeError(f"feed {source.feed_key} is not a service feed")
    return source.feed
