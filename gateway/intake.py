"""The first half of a night for one feed: open the run, plan, collect, check, and settle what was accepted."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import connectors
import expectations
from catalog.model import Entry
from connectors import Partition, Source, Window
from gateway import duplicates
from gateway.settings import Gateway
from ledger import log, questions
from ledger.events import Event, Line
from records.schema import findings, runs, writing
from records.stages import Checked, Collected
from records.staging import Reference

Run = dict[str, str]
Json = dict[str, Any]
SHANGHAI = ZoneInfo("Asia/Shanghai")


class FeedUnknown(Exception):
    """No feed of that name in the catalogue."""


class MassDisappearance(Exception):
    """Far fewer records than last time (I7). Nothing was taken down and nothing sent; a person must look."""


def night_window(on: date) -> tuple[str, str]:
    """The window that the night of a date reads: from 02:00 the day before to 02:00 of the date, Shanghai, as ISO."""
    end = datetime(on.year, on.month, on.day, 2, tzinfo=SHANGHAI)
    return (end - timedelta(days=1)).isoformat(), end.isoformat()


def open_run(gateway: Gateway, feed: str, window: tuple[str, str], trigger: str) -> Run:
    """Opens the run of a feed over a window and returns what its tasks need to know of it.

    The same feed and trigger give the same run, so that a retried task goes on with it. Raises FeedUnknown.
    """
    if feed not in gateway.catalog.feeds:
        raise FeedUnknown(f"feed {feed} is not in the catalogue; it knows {', '.join(sorted(gateway.catalog.feeds))}")
    night = datetime.fromisoformat(window[1]).astimezone(SHANGHAI).date().isoformat()
    name = f"{night}.{feed}.{hashlib.sha256(f'{trigger}|{feed}|{window}'.encode()).hexdigest()[:8]}"
    at = gateway.clock()
    run = {"run": name, "feed": feed, "night": night, "window_start": window[0], "window_end": window[1],
           "trigger": trigger[:40], "edition": gateway.catalog.edition}
    with writing(gateway.engine) as connection:
        known = connection.execute(sa.select(runs.c.run).where(runs.c.run == name)).one_or_none()
        if known is None:
            connection.execute(sa.insert(runs).values(**run, opened_at=at.isoformat(), state="open"))
            notes = {key: run[key] for key in ("night", "window_start", "window_end", "trigger", "edition")}
            log.append(connection, [Line(Event.RUN_OPENED, name, feed, notes=notes)], at)
    return run


def plan(gateway: Gateway, run: Run) -> list[Json]:
    """The partitions of a feed to collect. Raises what the connector raises, after putting it on the ledger."""
    source = _source(gateway, run)
    with _failing(gateway, run, ""):
        return [{"name": part.name, "spec": dict(part.spec)} for part in connectors.partitions(source, _window(run))]


def collect_part(gateway: Gateway, run: Run, part: Json) -> Json:
    """Collects one partition into staging and returns its reference."""
    with _failing(gateway, run, part["name"]):
        collected = connectors.collect(_source(gateway, run), Partition(part["name"], part["spec"]), _window(run))
    reference = gateway.staging.write(collected.rows, run["run"], part["name"], "collected")
    notes = {"partition": part["name"], "digest": collected.digest, "dropped": list(collected.dropped)}
    _account(gateway, [Line(Event.COLLECTED, run["run"], run["feed"], figures={"rows": len(collected.rows)}, notes=notes)])
    about = {"missing": list(collected.missing), "dropped": list(collected.dropped), "digest": collected.digest}
    return {"partition": part["name"], "reference": reference.as_json(), **about}


def check_part(gateway: Gateway, run: Run, staged: Json) -> Json:
    """Checks a collected partition: stages what is accepted, quarantines what is not, keeps the findings."""
    source = _source(gateway, run)
    rows = gateway.staging.read(Reference(**staged["reference"]))
    collected = Collected(run["feed"], source.feed.entry, staged["partition"], rows, tuple(staged["dropped"]),
                          tuple(staged["missing"]), staged["digest"])
    checked = expectations.check(collected, context(gateway, run["feed"], _today(gateway)))
    reference = gateway.staging.write(checked.accepted, run["run"], staged["partition"], "accepted")
    _keep(gateway, run, checked)
    return {"partition": staged["partition"], "reference": reference.as_json(), "collected": checked.collected,
            "quarantined": len(checked.quarantined), "refused": checked.refused}


def settle(gateway: Gateway, run: Run, checked: list[Json], accept_shrunken: bool = False) -> list[Json]:
    """Settles a feed's night: sets aside what came twice, proves the balance, guards against mass disappearance.

    Returns the references of the accepted records. Raises MassDisappearance (I7), Imbalance (I2).
    """
    settled, moved = duplicates.set_aside(gateway, run, checked)
    accepted = sum(part["reference"]["rows"] for part in settled)
    quarantined = sum(part["quarantined"] for part in checked) + moved
    figures = {"collected": sum(part["collected"] for part in checked), "accepted": accepted, "quarantined": quarantined}
    if not accept_shrunken:
        _guard_stock(gateway, run, checked, accepted)
    _account(gateway, [Line(Event.SOURCE_BALANCED, run["run"], run["feed"], figures=figures)])
    return settled


def account_defect(gateway: Gateway, run: Run, error: Exception) -> str:
    """Puts an error that nobody foresaw on the ledger and returns the words for it: its kind and place, since its own
    words may quote a value (I8)."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    words = (f"feed {run['feed']}: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}, a defect of the gateway or of "
             "this machine (disk, memory, database); report it. What was not delivered goes out with the next run")
    notes: Mapping[str, Any] = {"partition": "(defect)", "reason": "defect", "message": words}
    _account(gateway, [Line(Event.FAILED, run["run"], run["feed"], notes=notes)])
    return words


def context(gateway: Gateway, feed: str, today: date) -> expectations.Context:
    """What a check needs to know about a feed."""
    entry_code = gateway.catalog.feeds[feed].entry
    return expectations.Context(entry_code, gateway.catalog.entries[entry_code], gateway.catalog.feeds[feed],
                                gateway.catalog.codes, gateway.keyring.derive("identity", entry_code), today)


def _guard_stock(gateway: Gateway, run: Run, checked: list[Json], accepted: int) -> None:
    entry: Entry = gateway.catalog.entries[gateway.catalog.feeds[run["feed"]].entry]
    whole = gateway.catalog.feeds[run["feed"]].reading == "snapshot"
    last = questions.last_accepted(gateway.engine, run["feed"])
    # A partition that failed or was refused explains the gap; the run is failed anyway.
    if whole and not questions.failures(gateway.engine, run["run"]) and accepted < last * entry.thresholds.min_kept:
        _account(gateway, [Line(Event.FAILED, run["run"], run["feed"], figures={"accepted": accepted, "last": last},
                                notes={"reason": "mass-disappearance"})])
        raise MassDisappearance(
            f"feed {run['feed']}: {accepted} records accepted, {last} last time; nothing was sent or taken down. Ask the "
            f"department; if this is right, run `gateway night --feed {run['feed']} --accept-shrunken`")


def _source(gateway: Gateway, run: Run) -> Source:
    feed = gateway.catalog.feeds[run["feed"]]
    return Source(run["feed"], feed, gateway.catalog.entries[feed.entry], gateway.connection(feed.connection))


def _window(run: Run) -> Window:
    return Window(datetime.fromisoformat(run["window_start"]), datetime.fromisoformat(run["window_end"]))


def _today(gateway: Gateway) -> date:
    return gateway.clock().astimezone(SHANGHAI).date()


def _account(gateway: Gateway, lines: list[Line]) -> None:
    with writing(gateway.engine) as connection:
        log.append(connection, lines, gateway.clock())


def _keep(gateway: Gateway, run: Run, checked: Checked) -> None:
    figures = {"accepted": len(checked.accepted), "quarantined": len(checked.quarantined)}
    notes: Mapping[str, Any] = {"partition": checked.partition, "reasons": duplicates.by_reason(checked.quarantined)}
    lines = [Line(Event.CHECKED, run["run"], run["feed"], figures=figures, notes=notes)]
    if checked.refused:
        lines.append(Line(Event.REFUSED, run["run"], run["feed"],
                          notes={"partition": checked.partition, "reason": checked.refused}))
    rows = [{"run": run["run"], "partition": checked.partition, "field": found.field, "rule": found.rule,
             "severity": found.severity, "tested": found.tested, "failed": found.failed,
             "lines": json.dumps(list(found.lines))} for found in checked.findings]
    with writing(gateway.engine) as connection:
        gateway.quarantine.put(connection, checked, run["run"], gateway.clock())
        this = (findings.c.run == run["run"]) & (findings.c.partition == checked.partition)
        connection.execute(sa.delete(findings).where(this))
        if rows:
            connection.execute(sa.insert(findings), rows)
        log.append(connection, lines, gateway.clock())


class _failing:
    """Puts a source's failure on the ledger on its way out."""

    def __init__(self, gateway: Gateway, run: Run, partition: str) -> None:
        self._gateway, self._run, self._partition = gateway, run, partition

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, connectors.ContractBreach | connectors.SourceUnavailable):
            reason = error.reason if isinstance(error, connectors.ContractBreach) else "source-unavailable"
            notes: Mapping[str, Any] = {"partition": self._partition, "reason": reason, "message": str(error)}
            _account(self._gateway, [Line(Event.FAILED, self._run["run"], self._run["feed"], notes=notes)])
