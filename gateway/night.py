"""The plan of a night: the steps as Airflow and the command line both take them, each with JSON in and JSON out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache, partial
from typing import Any

import connectors
import delivery
from gateway import again, alike, closing, failing, intake, outgo, probe, reconcile, takedown, taking_back
from gateway.discrepancies import is_settled
from gateway.failing import Run
from gateway.intake import Json
from gateway.settings import Gateway, from_environment
from gateway.witness import NotWitnessed
from keys.connection import ConnectionUnknown
from keys.keyring import KeyringClosed
from ledger.events import Imbalance
from ledger.questions import RECONCILES
from records.stages import Unbalanced
from records.staging import StagingDamaged

Tell = Callable[[str], None]


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
    troubles: list[str] = []
    done = _take_back_entry(wired(), entry, trigger, troubles.append)
    if troubles:
        raise closing.NightIncomplete(f"entry {entry}: " + " ".join(troubles))
    return done


def escalate() -> None:
    """Tells who is late with a takedown. Raises NightIncomplete if somebody is."""
    if late := takedown.escalate(wired()):
        raise closing.NightIncomplete(" ".join(late))


def probe_sites() -> None:
    """Reads the public pages of sites that confirmed a takedown. Raises NightIncomplete if one still shows a record."""
    if troubles := probe.probe(wired()):
        raise closing.NightIncomplete(" ".join(troubles))


def decide_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Decides one entry again for everybody; returns the figures by recipient. Raises NightIncomplete, after all of them."""
    troubles: list[str] = []
    done = _decide_entry(wired(), entry, trigger, troubles.append)
    if troubles:
        raise closing.NightIncomplete(f"entry {entry}: " + " ".join(troubles))
    return done


def reconcile_entry(entry: str, trigger: str) -> dict[str, Json]:
    """Reconciles one entry with everybody; returns the figures by recipient. Raises NightIncomplete, after all of them."""
    troubles: list[str] = []
    done = _reconcile_entry(wired(), entry, f"{RECONCILES}{trigger}", troubles.append)
    if troubles:
        raise closing.NightIncomplete(f"entry {entry}: " + " ".join(troubles))
    return done


# What the steps of a feed may raise: told in the ledger, and no reason to stop other feeds.
TROUBLES = (connectors.SourceUnavailable, connectors.ContractBreach, delivery.DeliveryFailed, intake.MassDisappearance,
            closing.NightIncomplete, again.NoDoor, StagingDamaged, Imbalance, Unbalanced, ConnectionUnknown, KeyringClosed, NotWitnessed,
            failing.Defect)


class NightBroken(Exception):
    """A feed could not even be accounted for: its run is missing, or open, on the ledger. The other feeds had their night.

    `feeds` names them, `runs` the runs that were closed.
    """

    def __init__(self, feeds: list[str], runs: list[str]) -> None:
        self.feeds, self.runs = feeds, runs
        super().__init__(f"{', '.join(feeds)}: could not be accounted for, see above; mend disk or database and run again")


def run_feed(gateway: Gateway, feed: str, window: tuple[str, str], tell: Tell = print,
             accept_shrunken: bool = False, rules: str = "then") -> str:
    """One feed's night without Airflow: the same steps in the same order; returns the run's name.

    A partition or recipient in trouble does not stop the others; what happened stands on the ledger and is told.
    """
    run = intake.open_run(gateway, feed, window, f"command:{uuid.uuid4()}", rules)
    once = once_each(tell)
    _steps(gateway, run, once, accept_shrunken)
    with _going_on(once):
        closing.close_run(gateway, run)
    return run["run"]


def _steps(gateway: Gateway, run: Run, tell: Tell, accept_shrunken: bool) -> None:
    parts: list[Json] = []
    checked: list[Json] = []
    with _going_on(tell):
        parts = intake.plan(gateway, run)
    for part in parts:
        with _going_on(tell):
            checked.append(intake.check_part(gateway, run, intake.collect_part(gateway, run, part)))
    with _going_on(tell):
        settled = intake.settle(gateway, run, checked, accept_shrunken)
        for recipient in outgo.recipients(gateway, run):
            with _going_on(tell):
                outgo.send(gateway, run, settled, recipient)


def once_each(tell: Tell) -> Tell:
    """Tells nothing twice: what ails the source and every recipient alike is one trouble."""
    told: set[str] = set()

    def once(words: str) -> None:
        if words not in told:
            told.add(words)
            tell(words)

    return once


@contextmanager
def _going_on(tell: Tell) -> Iterator[None]:
    try:
        yield
    except TROUBLES as error:
        tell(str(error))


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


def run_night(gateway: Gateway, on: date, feeds: list[str], tell: Tell = print, **options: Any) -> list[str]:
    """The night of a date for some feeds, one after the other; returns the runs' names.

    Raises NightBroken, after the last feed, if one could not even be accounted for.
    """
    done, broken = [], []
    for feed in feeds:
        try:
            done.append(run_feed(gateway, feed, intake.night_window(on), tell, **options))
        except intake.FeedUnknown:
            raise
        except Exception as error:
            # What nobody foresaw in one feed must not cost the others their night.
            tell(failing.in_words(feed, error))
            broken.append(feed)
    if broken:
        raise NightBroken(broken, done)
    return done


def decide_all(gateway: Gateway, entries: list[str], tell: Tell = print, everything: bool = False) -> dict[str, Json]:
    """Decides entries again for every recipient concerned; returns the figures summed up by recipient. everything: also what has
    not moved since it was decided.

    Raises NightBroken, after the last entry, if one could not even be accounted for.
    """
    trigger = f"command:{uuid.uuid4()}"
    return _summed(entries, tell, lambda entry, once: _decide_entry(gateway, entry, trigger, once, everything))


def take_back_all(gateway: Gateway, entries: list[str], tell: Tell = print) -> dict[str, Json]:
    """Asks everybody for what they have not confirmed to have taken back; returns the figures summed up by recipient.

    Raises NightBroken likewise.
    """
    trigger = f"command:{uuid.uuid4()}"
    return _summed(entries, tell, lambda entry, once: _take_back_entry(gateway, entry, trigger, once))


def reconcile_all(gateway: Gateway, entries: list[str], tell: Tell = print) -> dict[str, Json]:
    """Reconciles entries with every recipient concerned; returns the figures summed up by recipient. Raises NightBroken likewise."""
    trigger = f"{RECONCILES}{uuid.uuid4()}"
    return _summed(entries, tell, lambda entry, once: _reconcile_entry(gateway, entry, trigger, once))


def _summed(entries: list[str], tell: Tell, go_through: Callable[[str, Tell], dict[str, Json]]) -> dict[str, Json]:
    once = once_each(tell)
    sums: dict[str, Json] = {}
    broken = []
    for entry in entries:
        try:
            done = go_through(entry, once)
        except Exception as error:
            once(failing.in_words(f"{again.STORE}.{entry}", error))
            broken.append(entry)
            continue
        for recipient, figures in done.items():
            known = sums.setdefault(recipient, {})
            known |= {name: known.get(name, 0) + n for name, n in figures.items()}
    if broken:
        raise NightBroken(broken, [])
    return dict(sorted(sums.items()))


def _decide_entry(gateway: Gateway, entry: str, trigger: str, tell: Tell, everything: bool = False) -> dict[str, Json]:
    run, step = again.open_again(gateway, entry, trigger), partial(again.decide_again, everything=everything)
    return _with_each(gateway, run, tell, (step, lambda figures: not figures["pending"] + figures["outstanding"]))


def _reconcile_entry(gateway: Gateway, entry: str, trigger: str, tell: Tell) -> dict[str, Json]:
    run = again.open_again(gateway, entry, trigger)
    done = _with_each(gateway, run, tell, (reconcile.reconcile, is_settled))
    for recipient, figures in done.items():
        if not is_settled(figures):
            tell(f"recipient {recipient}, entry {entry}: it holds other records than it should and that could not be put right; "
                 "see gateway reconcile status")
    return done


def _take_back_entry(gateway: Gateway, entry: str, trigger: str, tell: Tell) -> dict[str, Json]:
    """What is ordered is asked for first, and then what was found in the store to be the same act under another name."""
    step = taking_back.take_back, lambda figures: not figures["outstanding"]
    done = _with_each(gateway, again.open_again(gateway, entry, trigger), tell, step, taking_back.recipients)
    if alike.seek(gateway, entry):
        more = _with_each(gateway, again.open_again(gateway, entry, f"{trigger} alike"), tell, step, taking_back.recipients)
        for recipient, figures in more.items():
            done[recipient] = figures | {"withdrawn": figures["withdrawn"] + done.get(recipient, figures | {"withdrawn": 0})["withdrawn"]}
    return done


_Step = tuple[Callable[[Gateway, Run, str], Json], Callable[[Json], bool]]


def _with_each(gateway: Gateway, run: Run, tell: Tell, step: _Step,
               whom: Callable[[Gateway, Run], list[str]] = again.recipients) -> dict[str, Json]:
    """Takes a step with every recipient concerned and closes the run, complete if each step says so of its figures."""
    go, is_complete = step
    done: dict[str, Json] = {}
    concerned = whom(gateway, run)
    for recipient in concerned:
        with _going_on(tell):
            done[recipient] = go(gateway, run, recipient)
    with _going_on(tell):
        again.close_again(gateway, run, len(done) == len(concerned) and all(map(is_complete, done.values())))
    return done
