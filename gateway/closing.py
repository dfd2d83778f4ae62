"""The end of a feed's run: every recipient balanced, staging cleared, and an honest state."""

from __future__ import annotations

import sqlalchemy as sa

from delivery import outbox
from gateway.intake import Run
from gateway.outgo import recipients
from gateway.settings import Gateway
from ledger import log, questions
from ledger.events import Event, Line
from records.schema import runs, writing


class NightIncomplete(Exception):
    """A run ended with something failed, refused or pending. The message says what and what to do next."""


def close_run(gateway: Gateway, run: Run) -> str:
    """Closes a run and returns its state, "complete".

    Raises NightIncomplete, after closing, if a partition failed or was refused, a recipient is still owed records, or a
    recipient has no balance.
    """
    troubles = _troubles(gateway, run)
    state = "failed" if any(hard for hard, _ in troubles) else "incomplete" if troubles else "complete"
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(runs).where(runs.c.run == run["run"]).values(state=state))
        log.append(connection, [Line(Event.RUN_CLOSED, run["run"], run["feed"], notes={"state": state})], gateway.clock())
        keep = outbox.owed_paths(connection)
    gateway.staging.clear(run["run"], keep)
    gateway.quarantine.expire(gateway.clock().date())
    if troubles:
        raise NightIncomplete(f"feed {run['feed']}: {state}. " + " ".join(words for _, words in troubles))
    return state


def _troubles(gateway: Gateway, run: Run) -> list[tuple[bool, str]]:
    """What stands against "complete": (whether it needs a person, in words)."""
    found: list[tuple[bool, str]] = []
    for partition, (reason, message) in questions.failures(gateway.engine, run["run"]).items():
        where = f"partition {partition}: " if partition else ""
        words = message or f"batch refused, {reason}; see gateway quarantine list"
        found.append((reason != "source-unavailable", where + words))
    balanced = questions.recipient_figures(gateway.engine, [run["run"]])
    pending = dict(zip(balanced["recipient"], balanced["pending"].astype(int), strict=True))
    if questions.source_figures(gateway.engine, [run["run"]]).empty and not found:
        found.append((True, "the run never came to settle its source; run it again."))
    for recipient in recipients(gateway, run):
        if recipient not in pending:
            found.append((True, f"recipient {recipient}: not served; run the feed again."))
        elif pending[recipient]:
            found.append((False, f"recipient {recipient}: {pending[recipient]} records pending; the next run completes them."))
    return found
