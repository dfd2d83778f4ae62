"""One HTTP exchange with a recipient, bounded as a whole: a recipient that dribbles its answer holds nobody past its deadline."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

import requests
import urllib3

_T = TypeVar("_T")


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """The result of `work`, or what it raises; raises requests.Timeout if it takes longer.

    A socket's own timeout starts anew with every byte. What takes longer goes on beside and its result is dropped.
    """
    done: SimpleQueue[tuple[list[_T], Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put(([work()], None))
        except Exception as error:
            done.put(([], error))

    Thread(target=run, name="exchange", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        raise requests.Timeout from None
    if error is not None:
        raise error
    return result[0]


def retry_after(said: str, at: datetime) -> int | None:
    """The seconds that a Retry-After header asks for, in seconds or as a date (RFC 9110, 10.2.3); None if it says nothing sound."""
    if said.isascii() and said.isdigit():
        return int(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0, round((until - at).total_seconds())) if until.tzinfo else None


def never_left(error: Exception) -> bool:
    """Whether no connection came about, so that no byte of the batch can have left."""
    return isinstance(error, requests.ConnectTimeout) or isinstance(_cause(error), urllib3.exceptions.NewConnectionError)


def is_untrusted(error: Exception) -> bool:
    """Whether the recipient's certificate was refused."""
    cause = _cause(error)
    return isinstance(cause, urllib3.exceptions.SSLError) and any(isinstance(one, ssl.SSLCertVerificationError) for one in cause.args)


def _cause(error: Exception) -> object:
    return getattr(error.args[0], "reason", None) if error.args else None
