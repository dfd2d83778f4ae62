"""What the ledger can be asked: figures for the command line, the report and the guards. Reads only."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.events import Event
from records.schema import findings, lines, runs


def nights(engine: Engine) -> pd.DataFrame:
    """The runs, newest first: columns run, feed, night, state, opened_at, trigger, edition, window_start, window_end."""
    with engine.connect() as connection:
        return pd.read_sql(sa.select(runs).order_by(runs.c.opened_at.desc()), connection)


def latest_runs(engine: Engine, night: str) -> pd.DataFrame:
    """The newest run of each feed on a night: the same columns as `nights`."""
    found = nights(engine)
    return found[found["night"] == night].drop_duplicates("feed")


def events(engine: Engine, chosen: list[str], event: Event) -> pd.DataFrame:
    """The lines of one event of some runs, in order: columns run, feed, recipient, at, figures (dict), notes (dict)."""
    query = sa.select(lines).where(lines.c.run.in_(chosen), lines.c.event == str(event)).order_by(lines.c.seq)
    with engine.connect() as connection:
        found = pd.read_sql(query, connection)
    bodies: list[dict[str, Any]] = [json.loads(body) for body in found["body"]]
    return found[["run", "feed", "recipient", "at"]].assign(
        figures=pd.Series([body["figures"] for body in bodies], dtype=object),
        notes=pd.Series([body["notes"] for body in bodies], dtype=object))


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
    """What failed in a run and was not made good by a later try: (reason, message) by partition, "" for the plan.

    A failed attempt counts no more once the same partition was collected after it.
    """
    told = [str(event) for event in (Event.FAILED, Event.REFUSED, Event.COLLECTED)]
    query = sa.select(lines.c.event, lines.c.body).where(lines.c.run == run, lines.c.event.in_(told)).order_by(lines.c.seq)
    open_: dict[str, tuple[str, str]] = {}
    with engine.connect() as connection:
        for event, body in connection.execute(query):
            notes = json.loads(body)["notes"]
            partition = notes.get("partition", "")
            if event == Event.COLLECTED:
                open_.pop(partition, None)
                open_.pop("", None)  # the plan itself succeeded, since a partition of it was collected
            else:
                open_[partition] = notes["reason"], notes.get("message", "")
    return open_


def _spread(found: pd.DataFrame, key: list[str], names: list[str]) -> pd.DataFrame:
    """Figures as columns; of lines written twice for one key (a retried task) the last one counts."""
    columns = {name: [int(figures[name]) for figures in found["figures"]] for name in names}
    return found.drop(columns=["figures", "notes"]).assign(**columns).drop_duplicates(key, keep="last").reset_index(drop=True)
