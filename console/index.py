"""The nights that have a report, with their figures in one line each."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from console.disclosure import OUT
from gateway.settings import Gateway
from ledger import questions

RECENT = 31
_SOURCE = ["collected", "accepted", "quarantined"]


@dataclass(frozen=True, slots=True)
class NightView:
    """One night: its totals, whether it balances, and how many of its feeds ended in each state."""

    night: str
    totals: dict[str, int]
    is_balanced: bool
    states: dict[str, int]


def nights(gateway: Gateway, reports: list[str]) -> list[NightView]:
    """A line for each of the first RECENT nights in `reports`; the newest run of each feed counts.

    The figures are those of the reports; they are added up here for all nights at once, since the index is written anew
    with every report.
    """
    known = questions.nights(gateway.engine).drop_duplicates(["night", "feed"])
    known = known[known["night"].isin(reports[:RECENT])]
    source = known.merge(questions.source_figures(gateway.engine, known["run"].to_list())[["run", *_SOURCE]], on="run")
    out = questions.recipient_figures(gateway.engine, known["run"].to_list()).merge(known[["run", "night"]], on="run")
    settled = source["run"][_is_served(gateway, source, out)]
    return [_night(night, known, source, out, settled) for night in reports[:RECENT]]


def _night(night: str, known: pd.DataFrame, source: pd.DataFrame, out: pd.DataFrame, settled: pd.Series) -> NightView:
    runs = known[known["night"] == night]
    totals = source[source["night"] == night][_SOURCE].sum().to_dict() | out[out["night"] == night][list(OUT[1:])].sum().to_dict()
    return NightView(night, {str(name): int(count) for name, count in totals.items()},
                     bool(len(runs)) and bool(runs["run"].isin(settled).all()),
                     {str(state): int(count) for state, count in runs["state"].value_counts().items()})


def _is_served(gateway: Gateway, source: pd.DataFrame, out: pd.DataFrame) -> list[bool]:
    """Whether every recipient of each run has a balance over all that the run accepted (I2).

    Of a feed that has left the catalogue nobody can say who was expected; the recipients on the ledger stand for them.
    """
    served = {run: dict(zip(own["recipient"], own["accepted"], strict=True)) for run, own in out.groupby("run")}
    feeds = gateway.catalog.feeds
    expected = {feed: gateway.catalog.recipients_of(feeds[feed].entry) for feed in set(source["feed"]) if feed in feeds}
    return [served.get(run, {}) == dict.fromkeys(expected.get(feed, served.get(run, {})), accepted)
            for run, feed, accepted in zip(source["run"], source["feed"], source["accepted"], strict=True)]
