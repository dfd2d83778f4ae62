"""The journeys that begin at the store, entry by entry, each recipient in a lane of its own: a re-decision, a taking back, a
reconciliation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from gateway import again, alike, failing, reconcile, taking_back
from gateway.closing import NightIncomplete
from gateway.discrepancies import is_settled
from gateway.failing import Run
from gateway.intake import Json
from gateway.lanes import Lanes
from gateway.settings import Gateway
from gateway.troubles import NightBroken, Tell, going_on, once_each
from ledger.questions import RECONCILES


@dataclass(frozen=True, slots=True)
class Journey:
    """What is done with each recipient of an entry, whether its figures say that all is done, what is told if not, with whom, and
    what may show afterwards that there is more to do."""

    go: Callable[[Gateway, Run, str], Json]
    is_done: Callable[[Json], bool]
    words: str = ""
    whom: Callable[[Gateway, Run], list[str]] = again.recipients
    seek: Callable[[Gateway, str], object] = lambda _gateway, _entry: False


DECIDE = Journey(again.decide_again, lambda figures: not figures["pending"] + figures["outstanding"], seek=alike.seek)
DECIDE_ALL = replace(DECIDE, go=partial(again.decide_again, everything=True))
RECONCILE = Journey(reconcile.reconcile, is_settled, "it holds other records than it should and that could not be put right; "
                                                     "see gateway reconcile status")
# What is ordered is asked for first, and then what was found in the store to be the same act under another name.
TAKE_BACK = Journey(taking_back.take_back, lambda figures: not figures["outstanding"], whom=taking_back.recipients, seek=alike.seek)


@dataclass(frozen=True, slots=True)
class _Underway:
    """An entry's run and what is under way in the recipients' lanes."""

    entry: str
    run: Run
    going: dict[str, Future[Json]]
    trigger: str


def decide_all(gateway: Gateway, entries: list[str], tell: Tell = print, lanes: Lanes | None = None,
               everything: bool = False) -> dict[str, Json]:
    """Decides entries again for every recipient concerned; returns the figures summed up by recipient. everything: also what has
    not moved since it was decided.

    Raises NightBroken, after the last entry, if one could not even be accounted for.
    """
    return _through(gateway, entries, (DECIDE_ALL if everything else DECIDE, f"command:{uuid.uuid4()}", tell), lanes)


def take_back_all(gateway: Gateway, entries: list[str], tell: Tell = print, lanes: Lanes | None = None) -> dict[str, Json]:
    """Asks everybody for what they have not confirmed to have taken back; returns the figures summed up by recipient.

    Raises NightBroken likewise.
    """
    return _through(gateway, entries, (TAKE_BACK, f"command:{uuid.uuid4()}", tell), lanes)


def reconcile_all(gateway: Gateway, entries: list[str], tell: Tell = print, lanes: Lanes | None = None) -> dict[str, Json]:
    """Reconciles entries with every recipient concerned; returns the figures summed up by recipient. Raises NightBroken likewise."""
    return _through(gateway, entries, (RECONCILE, f"{RECONCILES}{uuid.uuid4()}", tell), lanes)


def with_everybody(gateway: Gateway, entry: str, journey: Journey, trigger: str) -> dict[str, Json]:
    """One entry alone; returns the figures by recipient. Raises NightIncomplete, after all of them, if something stands against it."""
    troubles: list[str] = []
    with Lanes() as lanes:
        done = _to_the_end(gateway, _begin(gateway, entry, (journey, trigger), lanes), (journey, troubles.append), lanes)
    if troubles:
        raise NightIncomplete(f"entry {entry}: " + " ".join(troubles))
    return done


def _through(gateway: Gateway, entries: list[str], journey: tuple[Journey, str, Tell], lanes: Lanes | None) -> dict[str, Json]:
    """Every entry is put into the lanes before the first is waited for, so that no recipient waits for another's."""
    step, trigger, tell = journey
    once = once_each(tell)
    sums: dict[str, Json] = {}
    broken: list[str] = []
    begun: list[_Underway] = []
    with lanes or Lanes() as used:
        for entry in entries:
            with _accounted(entry, once, broken):
                begun.append(_begin(gateway, entry, (step, trigger), used))
        for one in begun:
            with _accounted(one.entry, once, broken):
                _add(sums, _to_the_end(gateway, one, (step, once), used))
    if broken:
        raise NightBroken(broken, [])
    return dict(sorted(sums.items()))


class _accounted:
    """What nobody foresaw in one entry must not cost the others theirs."""

    def __init__(self, entry: str, tell: Tell, broken: list[str]) -> None:
        self._entry, self._tell, self._broken = entry, tell, broken

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._tell(failing.in_words(f"{again.STORE}.{self._entry}", error))
        self._broken.append(self._entry)
        return True


def _add(sums: dict[str, Json], done: dict[str, Json]) -> None:
    for recipient, figures in done.items():
        known = sums.setdefault(recipient, {})
        known |= {name: known.get(name, 0) + n for name, n in figures.items()}


def _begin(gateway: Gateway, entry: str, journey: tuple[Journey, str], lanes: Lanes) -> _Underway:
    step, trigger = journey
    run = again.open_again(gateway, entry, trigger)
    return _Underway(entry, run, {recipient: lanes.put(recipient, _bound(step, gateway, run, recipient))
                                  for recipient in step.whom(gateway, run)}, trigger)


def _bound(step: Journey, gateway: Gateway, run: Run, recipient: str) -> Callable[[], Json]:
    return lambda: step.go(gateway, run, recipient)


def _to_the_end(gateway: Gateway, one: _Underway, journey: tuple[Journey, Tell], lanes: Lanes) -> dict[str, Json]:
    """The figures of an entry; where more shows up afterwards, of both runs: what is left is that of the last."""
    step, tell = journey
    done = _finish(gateway, one, step, tell)
    if step.seek(gateway, one.entry):
        more = _finish(gateway, _begin(gateway, one.entry, (step, f"{one.trigger} alike"), lanes), step, tell)
        for recipient, figures in more.items():
            done[recipient] = figures | {"withdrawn": figures["withdrawn"] + done.get(recipient, {"withdrawn": 0})["withdrawn"]}
    return done


def _finish(gateway: Gateway, one: _Underway, journey: Journey, tell: Tell) -> dict[str, Json]:
    """Waits for every recipient and closes the run, complete if the figures of each say so."""
    done: dict[str, Json] = {}
    for recipient, going in one.going.items():
        with going_on(tell):
            done[recipient] = going.result()
    with going_on(tell):
        again.close_again(gateway, one.run, len(done) == len(one.going) and all(map(journey.is_done, done.values())))
    for recipient, figures in done.items():
        if journey.words and not journey.is_done(figures):
            tell(f"recipient {recipient}, entry {one.entry}: {journey.words}")
    return done
