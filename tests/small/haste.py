"""Imported before the gateway: what it pauses for while it waits for an answer is short here, since recipients answer at once."""

from __future__ import annotations

import time

_LONGEST = 0.004
_pause = time.sleep


def _short(seconds: float) -> None:
    _pause(min(seconds, _LONGEST))


time.sleep = _short
