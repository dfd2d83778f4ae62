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
    if troubles:
        raise NightIncomplete(f"feed {run['feed']}: {state}. " + " ".join(words for _, words in troubles))
    return state


def _troubles(gateway: Gateway, run: Run) -> list[tuple[bool, str]]:
    """What stands against "complete": (whether it needs a person, in words)."""
    found = []
    for failure in questions.failures(gateway.engine, run["run"]).itertuples():
        hard = failure.reason != "source-unavailable"
        where = f"partition {failure.partition}: " if failure.partition else ""
        found.append((hard, f"{where}{failure.message or 'batch refused, ' + str(failure.reason) + '; see gateway quarantine list'}"))
    balanced = questions.recipient_figures(gateway.engine, [run["run"]]).set_index("recipient")
    if questions.source_figures(gateway.engine, [run["run"]]).empty and not found:
        found.append((True, "the run never came to settle its source; run it again."))
    for recipient in recipients(gateway, run):
        if recipient not in balanced.index:
            found.append((True, f"recipient {recipient}: not served; run the feed again."))
        elif (pending := int(balanced.loc[recipient, "pending"])) > 0:
            found.append((False, f"recipient {recipient}: {pending} records pending; the next run completes them."))
    return found
