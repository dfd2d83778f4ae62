"""A ledger as nights leave it, written with the ledger's own functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from gateway.intake import night_window, open_run
from gateway.settings import Gateway
from ledger import log
from ledger.events import Event, Line
from records.database import writing
from records.schema import findings, runs

NIGHT = "2026-11-23"
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
DEFAULTERS, ARREARS = "court.judgment_defaulter", "taxation.tax_arrears"
PENALTIES = "law_enforcement.administrative_penalty_legal"


@dataclass
class Told:
    """What a seeded night is to have been. `rules` are findings: field, rule, severity, failed, rows."""

    collected: int = 100
    reasons: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[tuple[str, str, str, int, tuple[int, ...]], ...] = ()
    withheld: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pending: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    partition: str = "part.csv"
    state: str = "complete"


def seed(gateway: Gateway, feed: str, told: Told, night: str = NIGHT, trigger: str = "first") -> str:
    """Puts one run of a feed on the ledger, balanced; returns its name."""
    run = open_run(gateway, feed, night_window(datetime.fromisoformat(night).date()), trigger)["run"]
    quarantined = sum(told.reasons.values())
    accepted = told.collected - quarantined
    lines = [
        Line(Event.COLLECTED, run, feed, figures={"rows": told.collected},
             notes={"partition": told.partition, "digest": "", "dropped": list(told.dropped)}),
        Line(Event.CHECKED, run, feed, figures={"accepted": accepted, "quarantined": quarantined},
             notes={"partition": told.partition, "reasons": dict(told.reasons)}),
        Line(Event.SOURCE_BALANCED, run, feed,
             figures={"collected": told.collected, "accepted": accepted, "quarantined": quarantined}),
        *(_served(gateway, run, feed, told, recipient) for recipient in recipients_of(gateway, feed)),
        Line(Event.RUN_CLOSED, run, feed, notes={"state": told.state}),
    ]
    put(gateway, *lines)
    with writing(gateway.engine) as connection:
        connection.execute(sa.update(runs).where(runs.c.run == run).values(state=told.state))
        for code, rule, severity, failed, rows in told.rules:
            connection.execute(sa.insert(findings).values(
                run=run, partition=told.partition, field=code, rule=rule, severity=severity, tested=told.collected,
                failed=failed, lines=json.dumps(rows)))
    return run


def seed_everything(gateway: Gateway) -> None:
    """Three feeds of a night with everything the report can tell of, and a night before."""
    code, _ = field_of(gateway, ARREARS)
    first = recipients_of(gateway, DEFAULTERS)[0]
    seed(gateway, ARREARS, Told(collected=90), night="2026-11-22")
    seed(gateway, ARREARS, Told(1234, {"uscc-invalid": 7, "duplicate-row": 3}, (
        (code, "uscc-invalid", "critical", 7, (12, 44, 101)), (code, "full-width", "info", 31, (3,)))))
    seed(gateway, DEFAULTERS, Told(500, withheld={first: {"minor": 4, "publicity-ended": 9}}, dropped=("备注",)))
    seed(gateway, PENALTIES, Told(300, pending={recipients_of(gateway, PENALTIES)[0]: 25}, state="incomplete"))


def put(gateway: Gateway, *lines: Line) -> None:
    """Appends lines to the ledger."""
    with writing(gateway.engine) as connection:
        log.append(connection, list(lines), NOW)


def recipients_of(gateway: Gateway, feed: str) -> list[str]:
    return list(gateway.catalog.recipients_of(gateway.catalog.feeds[feed].entry))


def _served(gateway: Gateway, run: str, feed: str, told: Told, recipient: str) -> Line:
    accepted = told.collected - sum(told.reasons.values())
    withheld, pending = dict(told.withheld.get(recipient, {})), told.pending.get(recipient, 0)
    rest = accepted - sum(withheld.values()) - pending
    figures = {"accepted": accepted, "delivered": rest - rest // 3, "unchanged": rest // 3,
               "withheld": sum(withheld.values()), "pending": pending}
    return Line(Event.RECIPIENT_BALANCED, run, feed, recipient, figures, {"withheld": withheld})


def field_of(gateway: Gateway, feed: str) -> tuple[str, Any]:
    """The first field of a feed's entry: its code and definition."""
    return next(iter(gateway.catalog.entries[gateway.catalog.feeds[feed].entry].fields.items()))
