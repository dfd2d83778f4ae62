"""Check 校验: every record against the catalogue, before anybody may have it."""

from __future__ import annotations

from expectations.checking import check
from expectations.context import Context, WrongContext

__all__ = ["Context", "WrongContext", "check"]
