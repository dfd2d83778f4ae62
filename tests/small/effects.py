"""Where a process can be killed: before and after each thing that outlives it. Nothing of the gateway is replaced.

An effect is a commit (of the gateway's state or of a front-end database), a request sent, an answer received, a file renamed,
synced or removed. They are counted in the libraries beneath the gateway: SQLAlchemy, urllib3 and os.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import urllib3.connection
from sqlalchemy.engine.default import DefaultDialect

BEFORE, AFTER = "before", "after"
_PLACES: list[tuple[Any, str, str]] = [
    (DefaultDialect, "do_commit", "commit"), (urllib3.connection.HTTPConnection, "request", "request sent"),
    (urllib3.connection.HTTPConnection, "getresponse", "answer received"), (os, "replace", "rename"), (os, "rename", "rename"),
    (os, "fsync", "sync"), (os, "unlink", "remove"), (os, "remove", "remove")]


@dataclass
class Effects:
    """Counts the effects of this process, of its files those below `home`, and kills it (SIGKILL) at the one named, before it or
    after it."""

    home: Path
    kill_at: int = 0
    side: str = BEFORE
    kinds: list[str] = field(default_factory=list)

    def watch(self) -> Effects:
        """From here on; a process is watched once, and for the rest of its life."""
        for holder, name, kind in _PLACES:
            setattr(holder, name, self._counting(getattr(holder, name), kind))
        return self

    def _counting(self, effect: Callable[..., Any], kind: str) -> Callable[..., Any]:
        @wraps(effect)
        def counted(*arguments: Any, **named: Any) -> Any:
            if effect.__module__ in ("posix", "nt") and not self._is_ours(arguments[0], named.get("dir_fd")):
                return effect(*arguments, **named)
            self.kinds.append(kind)
            number = len(self.kinds)
            self._reached(number, BEFORE)
            try:
                return effect(*arguments, **named)
            finally:  # also where there was nothing to remove
                self._reached(number, AFTER)

        return counted

    def _is_ours(self, place: Any, folder: int | None) -> bool:
        """Whether a file is of the gateway's home: what a library keeps elsewhere for itself is no effect."""
        number = place if isinstance(place, int) else folder
        path = os.fspath(place) if number is None else os.readlink(f"/proc/self/fd/{number}")
        return str(path).startswith(str(self.home))

    def _reached(self, number: int, side: str) -> None:
        if (number, side) == (self.kill_at, self.side):
            os.kill(os.getpid(), signal.SIGKILL)
