"""The plan of a night: the steps as Airflow and the command line both take them, each with JSON in and JSON out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from gateway import again, closing, expiry, failing, intake, outgo, probe, store_journeys, takedown
from gateway.cases import standing
from gateway.failing import Run
from gateway.intake import Json
from gateway.lanes import Lanes
from gateway.settings import Gateway, from_environment
from gateway.store_journeys import decide_all, reconcile_all, take_back_all
from gateway.troubles import NightBroken, Tell, going_on, once_each
from ledger.questions import RECONCILES

__all__ = ["NightBroken", "backfill", "decide_all", "once_each", "reconcile_all", "run_feed", "run_night", "take_back_all"]


@cache
def wired() -> Gateway:
    """The gateway of this process, opened once."""
    return from_environment()


def open_run(feed_key: str, window: tuple[str, str], trigger: str, rules: str) -> Run:
    """Opens the run of a feed over a window; the same trigger gives the same run."""
    return intake.open_run(wired(), feed_key, window, trigger, rules)


def plan(run: Run) -> list[Json]:
    """The partitions to collect."""
    return intake.plan(wired(), run)


def collect_part(run: Run, part: Json) -> Json:
    """Collects one partition into staging."""
    return intake.collect_part(wired(), run, part)


def check_part(run: Run, ref: Json) -> Json:
    """Checks one collected partition."""
    return intake.check_part(wired(), run, ref)


def settle(run: Run, refs: list[Json], accept_shrunken: bool = False) -> list[Json]:
    """Settles the source's figures and returns what may go out."""
    return intake.settle(wired(), run, refs, accept_shrunken)


def recipients(run: Run) -> list[str]:
    """Who is to be served."""
    return outgo.recipients(wired(), run)


def send(run: Run, settled: list[Json], recipient: str) -> Json:
    """Serves one recipient."""
    return outgo.send(wired(), run, settled, recipient)


def close_run(run: Run) -> str:
    """Closes the run; raises NightIncomplete if it is not complete."""
    return closing.close_run(wired(), run)


def entries_to_decide() -> list[str]:
    """The entries that a re-decision goes through."""
    return again.entries(wired())


def entries_to_take_back() -> list[str]:
    """The entries of which some recipient has not confirmed a takedown."""
    return takedown.outstanding(wired())


def take_back_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Asks everybody for what they have not confirmed of one entry; returns the figures. Raises NightIncomplete, after all of them."""
    return store_journeys.with_everybody(wired(), entry, store_journeys.TAKE_BACK, trigger)


def entries_past_end() -> list[str]:
    """The entries of which a site holds a record past its last day."""
    return expiry.entries(wired())


def expire_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Asks the sites for what is past its last day; returns the figures. Raises NightIncomplete, after all of them."""
    expiry.expire(wired(), entry)
    return take_back_entry(entry, trigger)


def escalate() -> None:
    """Tells who is late with a takedown. Raises NightIncomplete if somebody is."""
    if late := takedown.escalate(wired()):
        raise closing.NightIncomplete(" ".join(late))


def probe_sites() -> None:
    """Reads the public pages of sites that confirmed a takedown. Raises NightIncomplete if one still shows a record."""
    if troubles := probe.probe(wired()):
        raise closing.NightIncomplete(" ".join(troubles))


def settle_cases() -> None:
    """Notes which repairs and objections everybody has acted on by now."""
    standing.settle(wired())


def decide_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Decides one entry again for everybody; returns the figures by recipient. Raises NightIncomplete, after all of them."""
    return store_journeys.with_everybody(wired(), entry, store_journeys.DECIDE, trigger)


def reconcile_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Reconciles one entry with everybody; returns the figures by recipient. Raises NightIncomplete, after all of them."""
    return store_journeys.with_everybody(wired(), entry, store_journeys.RECONCILE, f"{RECONCILES}{trigger}")


@dataclass(frozen=True, slots=True)
class _Underway:
    """A feed's run, what is under way in the recipients' lanes, and to whom troubles are told."""

    run: Run
    sending: list[Future[Json]]
    tell: Tell


def run_feed(gateway: Gateway, feed: str, window: tuple[str, str], tell: Tell = print, **options: Any) -> str:
    """One feed's night without Airflow: the same steps in the same order; returns the run's name.

    A partition or recipient in trouble does not stop the others; what happened stands on the ledger and is told. Options:
    accept_shrunken (False), rules ("then").
    """
    with Lanes() as lanes:
        return _finish(gateway, _begin(gateway, feed, window, lanes, tell=tell, **options))


def _begin(gateway: Gateway, feed: str, window: tuple[str, str], lanes: Lanes, *, tell: Tell,
           accept_shrunken: bool = False, rules: str = "then") -> _Underway:
    """Collects, checks and settles a feed, and puts what may go out into the recipients' lanes."""
    run = intake.open_run(gateway, feed, window, f"command:{uuid.uuid4()}", rules)
    once, sending = once_each(tell), list[Future[Json]]()
    checked = _checked(gateway, run, once)
    with going_on(once):
        settled = intake.settle(gateway, run, checked, accept_shrunken)
        sending += [lanes.put(name, _bound(gateway, run, settled, name)) for name in outgo.recipients(gateway, run)]
    return _Underway(run, sending, once)


def _checked(gateway: Gateway, run: Run, tell: Tell) -> list[Json]:
    parts, checked = list[Json](), list[Json]()
    with going_on(tell):
        parts = intake.plan(gateway, run)
    for part in parts:
        with going_on(tell):
            checked.append(intake.check_part(gateway, run, intake.collect_part(gateway, run, part)))
    return checked


def _bound(gateway: Gateway, run: Run, settled: list[Json], recipient: str) -> Callable[[], Json]:
    return lambda: outgo.send(gateway, run, settled, recipient)


def _finish(gateway: Gateway, one: _Underway) -> str:
    """Waits for every recipient of a feed and closes its run."""
    for each in one.sending:
        with going_on(one.tell):
            each.result()
    with going_on(one.tell):
        closing.close_run(gateway, one.run)
    return one.run["run"]


def backfill(gateway: Gateway, feeds: list[str], days: tuple[date, date], tell: Tell = print, rules: str = "now") -> list[str]:
    """The nights of every date from the first to the last, the oldest first; returns the runs' names.

    By default what may be recorded is judged by today's catalogue. Raises NightBroken as `run_night` does.
    """
    first, last = days
    done: list[str] = []
    broken: list[str] = []
    for n in range((last - first).days + 1):
        try:
            done += run_night(gateway, first + timedelta(days=n), feeds, tell, rules=rules)
        except NightBroken as error:
            done, broken = done + error.runs, broken + error.feeds
    if broken:
        raise NightBroken(broken, done)
    return done


def run_night(gateway: Gateway, on: date, feeds: list[str], tell: Tell = print, lanes: Lanes | None = None, **options: Any) -> list[str]:
    """The night of a date for some feeds; returns the runs' names. Options as of `run_feed`.

    The feeds are collected and checked one after the other, while each recipient is served in a lane of its own: who is slow with
    one feed holds up neither the others nor the next feed. Raises NightBroken, after the last feed, if one could not even be
    accounted for.
    """
    done, broken = list[str](), list[str]()
    begun: list[tuple[str, _Underway]] = []
    with lanes or Lanes() as used:
        for feed in feeds:
            try:
                begun.append((feed, _begin(gateway, feed, intake.night_window(on), used, tell=tell, **options)))
            except intake.FeedUnknown:
                raise
            except Exception as error:
                # What nobody foresaw in one feed must not cost the others their night.
                tell(failing.in_words(feed, error))
                broken.append(feed)
        for feed, one in begun:
            try:
                done.append(_finish(gateway, one))
            except Exception as error:
                tell(failing.in_words(feed, error))
                broken.append(feed)
    if broken:
        raise NightBroken(broken, done)
    return done
