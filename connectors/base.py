"""The seam of the exchange methods: what they are asked, what they answer, and the two ways in which they fail.

    Exception
    ├── SourceUnavailable   a blip: the source is down, slow or in mid-write; the scheduler tries again
    └── ContractBreach      final: the source answered, but not as agreed; a person must act
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from catalog.model import Entry, Feed
from keys.connection import Connection


class SourceUnavailable(Exception):
    """A source cannot be read now. Nothing of it was kept; try again later."""


class ContractBreach(Exception):
    """A source answers otherwise than agreed. Trying again will not help; `reason` is the reason code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.args[1]} [{self.reason}]"


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a feed that one task collects. `spec` is the exchange method's own and holds only JSON values."""

    name: str
    spec: Mapping[str, str | int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Partition:
        return cls(value["name"], dict(value["spec"]))


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time a reading of changes covers: from `start` up to but without `end`, both with a time zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or not self.start < self.end:
            raise ValueError("a window needs two times with a time zone, the start before the end")


@dataclass(frozen=True, slots=True)
class Source:
    """A feed, the entry it hands in, and where it is reached."""

    feed_key: str
    feed: Feed
    entry: Entry
    connection: Connection

    @property
    def hands_in_stock(self) -> bool:
        """Whether each reading is the whole stock, so that an empty one is never believed (I7)."""
        return self.feed.reading == "snapshot"

    def breach(self, reason: str, partition: str, remedy: str) -> ContractBreach:
        """The breach to raise. `remedy` says what is wrong and what to do next, without any value (I8)."""
        return ContractBreach(reason, f"{self._place(partition)}: {remedy}")

    def unavailable(self, partition: str, remedy: str) -> SourceUnavailable:
        """The blip to raise, worded like a breach."""
        return SourceUnavailable(f"{self._place(partition)}: {remedy}")

    def _place(self, partition: str) -> str:
        return f"feed {self.feed_key}" + (f", partition {partition}" if partition else "")
