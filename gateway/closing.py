"""The end of a feed's run: every recipient balanced, staging cleared, and an honest state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from delivery import outbox
from gateway.failing import Run
from gateway.outgo import recipients
from gateway.settings import Gateway
from gateway.witness import NotWitnessed, vouch
from ledger import log, questions
from ledger.events import Event, Line
from records.database import writing
from records.schema import runs

# A run that is still open after so long was killed; its staged batches are cleared like those of a closed one.
DEAD_AFTER = timedelta(days=3)


class NightIncomplete(Exception):
    """A run ended with something failed, refused or pending. The message says what and what to do next."""


def close_run(gateway: Gateway, run: Run) -> str:
    """Closes a run and returns its state, "complete".

    Raises NightIncomplete, after closing, if a partition failed, was refused or was never checked, a recipient is still
    owed records, or a recipient has no balance.
    """
    troubles = _troubles(gateway, run)
    state = "failed" if any(hard for hard, _ in troubles) else "incomplete" if troubles else "complete"
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(runs).where(runs.c.run == run["run"]).values(state=state))
        log.append(connection, [Line(Event.RUN_CLOSED, run["run"], run["feed"], notes={"state": state})], gateway.clock())
    _clear_staging(gateway, run["feed"])
    gateway.quarantine.expire(gateway.clock().date())
    try:
        vouch(gateway)
    except NotWitnessed as error:
        troubles.append((True, str(error)))
    if troubles:
        raise NightIncomplete(f"feed {run['feed']}: {state}. " + " ".join(dict.fromkeys(words for _, words in troubles)))
    return state


def _troubles(gateway: Gateway, run: Run) -> list[tuple[bool, str]]:
    """What stands against "complete": (whether it needs a person, in words)."""
    found: list[tuple[bool, str]] = []
    for partition, (reason, message) in questions.failures(gateway.engine, run["run"]).items():
        where = f"partition {partition}: " if partition and not partition.startswith("(") else ""
        words = message or f"batch refused, {reason}; see gateway quarantine list"
        found.append((reason != "source-unavailable", where + words))
    balanced = set(questions.recipient_figures(gateway.engine, [run["run"]])["recipient"])
    if questions.source_figures(gateway.engine, [run["run"]]).empty and not found:
        found.append((True, "the run never came to settle its source; run it again."))
    with gateway.engine.connect() as connection:
        owed = outbox.owed_rows(connection, run["feed"])
    for recipient in recipients(gateway, run):
        if recipient not in balanced:
            found.append((True, f"recipient {recipient}: not served; run the feed again."))
        elif recipient in owed:
            found.append(_pending(gateway, run, recipient, owed[recipient]))
    return found


def _pending(gateway: Gateway, run: Run, recipient: str, records: int) -> tuple[bool, str]:
    """Why a recipient has not everything: it could not be reached, or it says no, which the next night does not mend."""
    delivered, undelivered = (_notes(gateway, run, recipient, event) for event in (Event.DELIVERED, Event.UNDELIVERED))
    reasons = {reason for notes in delivered for reason in notes.get("refused", {})}
    reasons |= {notes["reason"] for notes in undelivered[-1:] if notes.get("waits") == "no"}
    if reasons:
        return True, (f"recipient {recipient}: {records} records pending; it said {', '.join(sorted(reasons))}. Call the recipient; "
                      "they are offered again with every run.")
    return False, f"recipient {recipient}: {records} records pending; the next run completes them."


def _notes(gateway: Gateway, run: Run, recipient: str, event: Event) -> list[dict[str, Any]]:
    told = questions.events(gateway.engine, [run["run"]], event)
    return list(told[told["recipient"] == recipient]["notes"])


def _clear_staging(gateway: Gateway, feed: str) -> None:
    """Deletes what no recipient waits for of this feed's runs: those that are closed, and those that died long ago."""
    dead = (gateway.clock() - DEAD_AFTER).isoformat()
    query = sa.select(runs.c.run).where(runs.c.feed == feed, (runs.c.state != "open") | (runs.c.opened_at < dead))
    with gateway.engine.connect() as connection:
        over, keep = connection.execute(query).scalars().all(), outbox.owed_paths(connection)
    for run in over:
        gateway.staging.clear(run, keep)
