"""Departments as the report shows them: what each handed in, how it fared, how it fared on earlier nights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from catalog.model import Title
from console.facts import Facts
from console.words import outside
from gateway.settings import Gateway
from ledger import questions
from ledger.events import Event

NIGHTS = 14


@dataclass(frozen=True, slots=True)
class FeedView:
    """One feed of a department on this night. `reasons` are primary reasons of quarantine, the most frequent first."""

    key: str
    title: Title
    state: str
    collected: int
    accepted: int
    quarantined: int
    reasons: tuple[tuple[str, int], ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One night of a department: what it handed in and how much of it was accepted; `collected` 0 is a night without."""

    night: str
    collected: int
    accepted: int


@dataclass(frozen=True, slots=True)
class DepartmentView:
    """One department on this night, with the nights before it, oldest first."""

    code: str
    title: Title
    feeds: tuple[FeedView, ...]
    trend: tuple[Point, ...]

    @property
    def collected(self) -> int:
        return sum(feed.collected for feed in self.feeds)

    @property
    def accepted(self) -> int:
        return sum(feed.accepted for feed in self.feeds)

    @property
    def quarantined(self) -> int:
        return sum(feed.quarantined for feed in self.feeds)

    @property
    def state(self) -> str:
        """The worst state among its feeds."""
        states = {feed.state for feed in self.feeds}
        return next(state for state in ("failed", "open", "incomplete", "complete", *states) if state in states)


def departments(gateway: Gateway, facts: Facts, history: pd.DataFrame) -> list[DepartmentView]:
    """The departments that had a run this night, in the order of their codes; history as of past_nights."""
    nights = sorted(set(history["night"]))
    by_department: dict[str, list[FeedView]] = {}
    for feed in facts.feeds:
        by_department.setdefault(department_of(feed["feed"]), []).append(_feed(gateway, facts, feed))
    views = []
    for code, feeds in by_department.items():
        known = gateway.catalog.departments[code]
        own = history[history["department"] == code]
        views.append(DepartmentView(code, known.title, tuple(feeds), trend(own, nights)))
    return views


def department_of(feed: str) -> str:
    """The department of a feed key."""
    return feed.partition(".")[0]


def past_nights(gateway: Gateway, night: str) -> pd.DataFrame:
    """The last nights up to this one: columns night, department, feed, collected, accepted; the newest run of each feed."""
    known = questions.nights(gateway.engine)
    known = known[known["night"] <= night].drop_duplicates(["night", "feed"])
    last = sorted(set(known["night"]))[-NIGHTS:]
    known = known[known["night"].isin(last)]
    settled = questions.source_figures(gateway.engine, known["run"].to_list())
    rows = settled[["run", "collected", "accepted"]].merge(known[["run", "night", "feed"]], on="run")
    return rows.assign(department=[department_of(feed) for feed in rows["feed"]])


def trend(rows: pd.DataFrame, nights: Iterable[str]) -> tuple[Point, ...]:
    """Rows of past_nights added up by night; a night without rows is a point with nothing collected."""
    sums = rows.groupby("night")[["collected", "accepted"]].sum().to_dict("index")
    return tuple(Point(night, *(int(sums[night][name]) if night in sums else 0 for name in ("collected", "accepted")))
                 for night in nights)


def _feed(gateway: Gateway, facts: Facts, feed: dict[str, Any]) -> FeedView:
    known = gateway.catalog.feeds[feed["feed"]]
    collected = facts.story[Event.COLLECTED]
    dropped = [name for line in collected[collected["run"] == feed["run"]]["notes"] for name in line.get("dropped", [])]
    reasons = sorted(feed["by_reason"].items(), key=lambda pair: (-pair[1], pair[0]))
    return FeedView(feed["feed"], gateway.catalog.entries[known.entry].title, feed["state"], feed["collected"],
                    feed["accepted"], feed["quarantined"], tuple(reasons),
                    tuple(outside(name) for name in dict.fromkeys(dropped)))
