"""What the ledger can be asked: figures for the command line, the report and the guards. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.events import Event
from ledger.log import read
from records.schema import findings, lines, runs

# Runs that read the store and no department's feed.
STORE_FEEDS = "store.%"
# How the trigger of a run that reconciles begins, to tell it from one that decides again.
RECONCILES = "reconcile:"


def nights(engine: Engine) -> pd.DataFrame:
    """The runs of departments' feeds, newest first: columns run, feed, night, state, opened_at, trigger, edition,
    window_start, window_end."""
    with engine.connect() as connection:
        return pd.read_sql(sa.select(runs).where(runs.c.feed.not_like(STORE_FEEDS)).order_by(runs.c.opened_at.desc()), connection)


def decided_again(engine: Engine, night: str) -> pd.DataFrame:
    """What the newest re-decision of each entry on a night came to: entry, recipient and the figures as columns."""
    names = ["accepted", "delivered", "unchanged", "withheld", "pending", "withdrawn", "outstanding", "unseen"]
    return _of_store(engine, night, (Event.DECIDED_AGAIN, runs.c.trigger.not_like(f"{RECONCILES}%")), names)


def taken_back(engine: Engine, night: str) -> pd.Series:
    """How many records each recipient confirmed on a day to have taken back, on whatever road, by recipient."""
    with engine.connect() as connection:
        chosen = list(connection.execute(sa.select(runs.c.run).where(runs.c.night == night)).scalars())
    found = events(engine, chosen, Event.WITHDRAWN)
    return found["figures"].map(lambda figures: figures["accepted"]).astype(int).groupby(found["recipient"]).sum()


def reconciled(engine: Engine, night: str, names: list[str]) -> pd.DataFrame:
    """What the newest reconciliation of each entry on a night came to: run, recipient and the figures named as columns."""
    return _of_store(engine, night, (Event.RECONCILED, runs.c.trigger.like(f"{RECONCILES}%")), names)


def _of_store(engine: Engine, night: str, which: tuple[Event, sa.ColumnElement[bool]], names: list[str]) -> pd.DataFrame:
    event, of_runs = which
    # A run of the same entry that only took back, or broke off, does not stand in place of one that came to figures.
    has_figures = sa.exists().where(lines.c.run == runs.c.run, lines.c.event == str(event))
    query = sa.select(runs).where(runs.c.feed.like(STORE_FEEDS), runs.c.night == night, of_runs, has_figures)
    with engine.connect() as connection:
        chosen = pd.read_sql(query.order_by(runs.c.opened_at.desc()), connection).drop_duplicates("feed")["run"].to_list()
    return _spread(events(engine, chosen, event), ["run", "recipient"], names)


def events(engine: Engine, chosen: list[str], event: Event) -> pd.DataFrame:
    """The lines of one event of some runs, in order: columns run, feed, recipient, at, figures (dict), notes (dict)."""
    with engine.connect() as connection:
        found = list(read(connection, lines.c.run.in_(chosen), lines.c.event == str(event)))
    names = ["run", "feed", "recipient", "at", "figures", "notes"]
    return pd.DataFrame({name: pd.Series([getattr(line, name) for line in found], dtype=object) for name in names})


def source_figures(engine: Engine, chosen: list[str]) -> pd.DataFrame:
    """Per run: run, feed, collected, accepted, quarantined. A run that never balanced is absent."""
    return _spread(events(engine, chosen, Event.SOURCE_BALANCED), ["run"], ["collected", "accepted", "quarantined"])


def recipient_figures(engine: Engine, chosen: list[str]) -> pd.DataFrame:
    """Per run and recipient: accepted, delivered, unchanged, withheld, pending, caught_up (sent late from earlier runs)."""
    names = ["accepted", "delivered", "unchanged", "withheld", "pending"]
    return _spread(events(engine, chosen, Event.RECIPIENT_BALANCED), ["run", "recipient"], names)


def reasons(engine: Engine, chosen: list[str], event: Event, note: str) -> pd.DataFrame:
    """Counts by reason code out of a note of some event: columns run, feed, recipient, reason, records.

    (CHECKED, "reasons") are the quarantined rows, (RECIPIENT_BALANCED, "withheld") what was withheld and why.
    """
    key = ["run", "recipient"] if event is Event.RECIPIENT_BALANCED else ["run", "partition"]
    found = events(engine, chosen, event)
    found["partition"] = [notes.get("partition", "") for notes in found["notes"]]
    last = found.drop_duplicates(key, keep="last")
    lines_of: list[dict[str, Any]] = last.to_dict("records")  # type: ignore[assignment]
    rows = [(line["run"], line["feed"], line["recipient"], reason, n) for line in lines_of
            for reason, n in line["notes"].get(note, {}).items()]
    return pd.DataFrame(rows, columns=["run", "feed", "recipient", "reason", "records"])


def rule_results(engine: Engine, chosen: list[str]) -> pd.DataFrame:
    """Findings of some runs: run, partition, field, rule, severity, tested, failed, lines (JSON list of line numbers)."""
    with engine.connect() as connection:
        return pd.read_sql(sa.select(findings).where(findings.c.run.in_(chosen)), connection)


def last_accepted(engine: Engine, feed: str) -> int:
    """How many records the last completed run of a feed accepted; 0 if there was none."""
    query = sa.select(runs.c.run).where(runs.c.feed == feed, runs.c.state == "complete").order_by(runs.c.opened_at.desc())
    with engine.connect() as connection:
        run = connection.execute(query.limit(1)).scalar_one_or_none()
    figures = source_figures(engine, [run]) if run else pd.DataFrame()
    return int(figures["accepted"].iloc[0]) if len(figures) else 0


def failures(engine: Engine, run: str) -> dict[str, tuple[str, str]]:
    """What failed in a run, or was begun and never ended, and was not made good by a later try: (reason, message) by
    partition, "" for the plan, a step in brackets for what concerns no single partition."""
    open_: dict[str, tuple[str, str]] = {}
    with engine.connect() as connection:
        for line in read(connection, lines.c.run == run, lines.c.event.in_(_TOLD)):
            _follow(open_, line.event, line.recipient, line.notes)
    return open_


_TOLD = [str(event) for event in (Event.RUN_OPENED, Event.PLANNED, Event.COLLECTED, Event.CHECKED, Event.REFUSED, Event.FAILED,
                                  Event.SOURCE_BALANCED, Event.RECIPIENT_BALANCED)]


def _follow(open_: dict[str, tuple[str, str]], event: Event, recipient: str, notes: dict[str, Any]) -> None:
    """Takes one line of a run into what is open in it. A kill leaves no line of its own: what began must end."""
    partition = notes.get("partition", "")
    match event:
        case Event.RUN_OPENED:
            open_.clear()
            open_[""] = "unfinished", "the source was never asked what it has; run the feed again"
        case Event.PLANNED:
            open_.clear()
            open_ |= dict.fromkeys(notes["partitions"], ("unfinished", "was never collected; run the feed again"))
        case Event.COLLECTED:
            open_.pop("", None)  # the plan itself succeeded, since a partition of it was collected
            open_[partition] = "unfinished", "was collected and never checked; run the feed again"
        case Event.CHECKED:
            open_.pop(partition, None)
        case Event.SOURCE_BALANCED:
            open_.pop("(settle)", None)
        case Event.RECIPIENT_BALANCED:
            open_.pop(f"(send to {recipient})", None)
        case _:
            open_[partition] = notes["reason"], notes.get("message", "")


def read_until(engine: Engine, feed: str) -> str:
    """The end of the latest window that a closed run of a feed read whole, "" if none did. A refused batch was read."""
    query = sa.select(runs.c.run, runs.c.window_end).where(runs.c.feed == feed, runs.c.state != "open")
    with engine.connect() as connection:
        known = sorted(connection.execute(query), key=lambda row: datetime.fromisoformat(row[1]), reverse=True)
    for run, end in known:
        failed = [reason for reason, message in failures(engine, run).values() if message]
        if not failed and not source_figures(engine, [run]).empty:
            return str(end)
    return ""


def _spread(found: pd.DataFrame, key: list[str], names: list[str]) -> pd.DataFrame:
    """Figures as columns; of lines written twice for one key (a retried task) the last one counts."""
    columns = {name: [int(figures[name]) for figures in found["figures"]] for name in names}
    return found.drop(columns=["figures", "notes"]).assign(**columns).drop_duplicates(key, keep="last").reset_index(drop=True)
