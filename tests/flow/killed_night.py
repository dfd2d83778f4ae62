"""A night, or the re-decision or reconciliation of an entry, in a process of its own that is killed (SIGKILL) when it enters or leaves a named function.

Run as: python killed_night.py FEED|store.ENTRY|statement.ENTRY DATE MODULE.FUNCTION call|return. Nothing of the gateway is replaced: the interpreter's own profile hook
watches for the place.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import date
from types import FrameType

from gateway.intake import night_window
from gateway.night import decide_all, reconcile_all, run_feed
from gateway.settings import from_environment


def main(feed: str, on: str, place: str, event: str) -> None:
    """Runs the night; never returns if the place is reached."""

    def watch(frame: FrameType, happening: str, _: object) -> None:
        if happening == event and f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}" == place:
            os.kill(os.getpid(), signal.SIGKILL)

    gateway = from_environment()
    sys.setprofile(watch)
    threading.setprofile(watch)  # the recipients' lanes are threads
    if feed.startswith("store."):
        decide_all(gateway, [feed.removeprefix("store.")])
    elif feed.startswith("statement."):
        reconcile_all(gateway, [feed.removeprefix("statement.")])
    else:
        run_feed(gateway, feed, night_window(date.fromisoformat(on)))
    raise SystemExit(f"{place} was never reached")


if __name__ == "__main__":
    main(*sys.argv[1:])
