"""The first half of a night for one feed: open the run, plan, collect, check, and settle what was accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from secrets import token_hex
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

import connectors
import expectations
from catalog.model import Entry
from connectors import Partition, Source, Window
from delivery import outbox
from gateway import duplicates
from gateway.alike import enter_alike
from gateway.failing import Run, account, failing
from gateway.settings import SHANGHAI, Gateway
from ledger import editions, log, questions
from ledger.events import Event, Line
from ledger.holdings import withdrawn_records
from records.database import writing
from records.schema import findings, runs
from records.stages import RECORD, Checked, Collected
from records.staging import Reference
from records.store import Origin

Json = dict[str, Any]


class FeedUnknown(Exception):
    """No feed of that name in the catalogue."""


class MassDisappearance(Exception):
    """Far fewer records than last time (I7). Nothing was taken down and nothing sent; a person must look."""


def night_window(on: date) -> tuple[str, str]:
    """The window that the night of a date reads: from 02:00 the day before to 02:00 of the date, Shanghai, as ISO."""
    end = datetime(on.year, on.month, on.day, 2, tzinfo=SHANGHAI)
    return (end - timedelta(days=1)).isoformat(), end.isoformat()


def open_run(gateway: Gateway, feed: str, window: tuple[str, str], trigger: str, rules: str = "then") -> Run:
    """Opens the run of a feed over a window and returns what its tasks need to know of it.

    The same feed and trigger give the same run, so that a retried task goes on with it; a run that was closed is open
    again. `rules` says by which version of the entry a record may be recorded: "then" by that of its decision date, "now"
    by today's. The window begins where the last one that was read whole ended, so that a night that failed or was left out
    loses no change. Raises FeedUnknown.
    """
    if feed not in gateway.catalog.feeds:
        raise FeedUnknown(f"feed {feed} is not in the catalogue; it knows {', '.join(sorted(gateway.catalog.feeds))}")
    night = datetime.fromisoformat(window[1]).astimezone(SHANGHAI).date().isoformat()
    name = f"{night}.{feed}.{hashlib.sha256(f'{trigger}|{feed}|{window}'.encode()).hexdigest()[:8]}"
    at = gateway.clock()
    run = {"run": name, "feed": feed, "night": night, "window_start": _start(gateway, feed, window[0]), "window_end": window[1],
           "trigger": trigger[:40], "edition": gateway.catalog.edition}
    with writing(gateway.engine) as connection:
        known = connection.execute(sa.select(runs.c.window_start, runs.c.state).where(runs.c.run == name)).one_or_none()
        if known is None:
            connection.execute(sa.insert(runs).values(**run, opened_at=at.isoformat(), state="open"))
        else:
            run["window_start"] = known.window_start
            connection.execute(sa.update(runs).where(runs.c.run == name).values(state="open"))
        if known is None or known.state != "open":
            notes = {key: run[key] for key in ("night", "window_start", "window_end", "trigger", "edition")} | {"rules": rules}
            log.append(connection, [Line(Event.RUN_OPENED, name, feed, notes=notes)], at)
            editions.keep(connection, gateway.catalog, at)
    return run | {"rules": rules}


def plan(gateway: Gateway, run: Run) -> list[Json]:
    """The partitions of a feed to collect. Raises what the connector raises, after putting it on the ledger."""
    with failing(gateway, run, ""):
        parts = connectors.partitions(_source(gateway, run), _window(run))
    account(gateway, [Line(Event.PLANNED, run["run"], run["feed"], notes={"partitions": [part.name for part in parts]})])
    return [{"name": part.name, "spec": dict(part.spec)} for part in parts]


def collect_part(gateway: Gateway, run: Run, part: Json) -> Json:
    """Collects one partition into staging and returns its reference."""
    with failing(gateway, run, part["name"]):
        collected = connectors.collect(_source(gateway, run), Partition(part["name"], part["spec"]), _window(run))
        reference = gateway.staging.write(collected.rows, run["run"], part["name"], "collected")
    notes = {"partition": part["name"], "digest": collected.digest, "dropped": list(collected.dropped)}
    account(gateway, [Line(Event.COLLECTED, run["run"], run["feed"], figures={"rows": len(collected.rows)}, notes=notes)])
    about = {"missing": list(collected.missing), "dropped": list(collected.dropped), "digest": collected.digest}
    return {"partition": part["name"], "reference": reference.as_json(), **about}


def check_part(gateway: Gateway, run: Run, staged: Json) -> Json:
    """Checks a collected partition: stages what is accepted, quarantines what is not, keeps the findings."""
    with failing(gateway, run, staged["partition"]):
        rows = gateway.staging.read(Reference(**staged["reference"]))
        collected = Collected(run["feed"], gateway.catalog.feeds[run["feed"]].entry, staged["partition"], rows,
                              tuple(staged["dropped"]), tuple(staged["missing"]), staged["digest"])
        checked = expectations.check(collected, context(gateway, run["feed"], "now" if run.get("rules") == "now" else "then"))
        # A place of its own: what an earlier try of this run settled is owed, and must lie there until this try has settled, too.
        reference = gateway.staging.write(checked.accepted, run["run"], staged["partition"], "accepted", token_hex(4))
        _keep(gateway, run, checked)
    return {"partition": staged["partition"], "reference": reference.as_json(), "collected": checked.collected,
            "quarantined": len(checked.quarantined), "refused": checked.refused}


def settle(gateway: Gateway, run: Run, checked: list[Json], accept_shrunken: bool = False) -> list[Json]:
    """Settles a feed's night: sets aside what came twice, proves the balance, guards against mass disappearance.

    From here on every recipient is owed what was accepted, whatever happens to its delivery. Returns the references of
    the accepted records. Raises MassDisappearance (I7), Imbalance (I2).
    """
    with failing(gateway, run, "(settle)", (MassDisappearance,)):
        return _settle(gateway, run, checked, accept_shrunken)


def _settle(gateway: Gateway, run: Run, checked: list[Json], accept_shrunken: bool) -> list[Json]:
    settled, moved = duplicates.set_aside(gateway, run, checked)
    accepted = sum(part["reference"]["rows"] for part in settled)
    quarantined = sum(part["quarantined"] for part in checked) + moved
    figures = {"collected": sum(part["collected"] for part in checked), "accepted": accepted, "quarantined": quarantined}
    if not accept_shrunken:
        _guard_stock(gateway, run, checked, accepted)
    accepted_by_all = [Reference(**part["reference"]) for part in settled]
    origin = Origin(gateway.catalog.feeds[run["feed"]].entry, run["run"], run["edition"])
    with writing(gateway.engine) as connection:
        for reference in accepted_by_all:
            gateway.store.put(connection, origin, gateway.staging.read(reference), gateway.clock())
        for reference in accepted_by_all:  # after the last, since from here on nobody else writes to the ledger
            _alarm(gateway, connection, run, gateway.staging.read(reference))
        for recipient in gateway.catalog.recipients_of(gateway.catalog.feeds[run["feed"]].entry):
            outbox.owe_anew(connection, errand(gateway, run, recipient), accepted_by_all)
        log.append(connection, [Line(Event.SOURCE_BALANCED, run["run"], run["feed"], figures=figures)], gateway.clock())
    return settled


def _alarm(gateway: Gateway, connection: Connection, run: Run, rows: pd.DataFrame) -> None:
    """A source that still hands in what was withdrawn, under whatever name, is told on the ledger; the record goes to nobody (I6)."""
    entry = gateway.catalog.feeds[run["feed"]].entry
    enter_alike(connection, gateway, entry, rows)
    again = int(rows[RECORD].isin(withdrawn_records(connection, entry)).sum())
    if again:
        log.append(connection, [Line(Event.RESURFACED, run["run"], run["feed"], figures={"records": again})], gateway.clock())


def errand(gateway: Gateway, run: Run, recipient: str) -> outbox.Errand:
    """What a run has to do at one recipient."""
    entry = run.get("entry") or gateway.catalog.feeds[run["feed"]].entry
    return outbox.Errand(run["run"], run["feed"], entry, recipient, run["edition"])


def context(gateway: Gateway, feed: str, rules: Literal["then", "now"] = "then") -> expectations.Context:
    """What a check needs to know about a feed."""
    catalog, entry_code = gateway.catalog, gateway.catalog.feeds[feed].entry
    return expectations.Context(
        entry_code, catalog.entries[entry_code], catalog.feeds[feed], catalog.codes,
        gateway.keyring.derive("identity", entry_code), gateway.today, catalog.versions[entry_code], rules)


def _guard_stock(gateway: Gateway, run: Run, checked: list[Json], accepted: int) -> None:
    entry: Entry = gateway.catalog.entries[gateway.catalog.feeds[run["feed"]].entry]
    whole = gateway.catalog.feeds[run["feed"]].reading == "snapshot"
    last = questions.last_accepted(gateway.engine, run["feed"])
    # A partition that failed or was refused explains the gap; the run is failed anyway. A step's failure does not.
    explained = any(not place.startswith("(") for place in questions.failures(gateway.engine, run["run"]))
    if whole and not explained and accepted < last * entry.thresholds.min_kept:
        words = (f"feed {run['feed']}: {accepted} records accepted, {last} last time; nothing was sent or taken down. Ask the "
                 f"department; if this is right, run `gateway night --feed {run['feed']} --accept-shrunken`")
        notes: Mapping[str, Any] = {"partition": "(settle)", "reason": "mass-disappearance", "message": words}
        account(gateway, [Line(Event.FAILED, run["run"], run["feed"], figures={"accepted": accepted, "last": last}, notes=notes)])
        raise MassDisappearance(words)


def _source(gateway: Gateway, run: Run) -> Source:
    feed = gateway.catalog.feeds[run["feed"]]
    return Source(run["feed"], feed, gateway.catalog.entries[feed.entry], gateway.connection(feed.connection))


def _start(gateway: Gateway, feed: str, start: str) -> str:
    """Where the window of a run begins: earlier than asked if what lies before it was never read whole."""
    read = questions.read_until(gateway.engine, feed) if gateway.catalog.feeds[feed].reading == "window" else ""
    return read if read and datetime.fromisoformat(read) < datetime.fromisoformat(start) else start


def _window(run: Run) -> Window:
    return Window(datetime.fromisoformat(run["window_start"]), datetime.fromisoformat(run["window_end"]))


def _keep(gateway: Gateway, run: Run, checked: Checked) -> None:
    figures = {"accepted": len(checked.accepted), "quarantined": len(checked.quarantined)}
    notes: Mapping[str, Any] = {"partition": checked.partition, "reasons": duplicates.by_reason(checked.quarantined),
                                "versions": dict(checked.versions)}
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
