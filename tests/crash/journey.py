"""What is killed: a night that delivers, three takedowns, a change of the catalogue, a night whose source lags behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.small.place import document, hand_in
from tests.small.world import SmallWorld, Told

# What the department has on each night: penalty 5 vanishes from it, 6 is new, and it never hears of a repair.
FIRST = dict.fromkeys(range(6), 0)
SECOND = {**dict.fromkeys(range(5), 0), 0: 1, 3: 1, 6: 0}
THIRD = SECOND | {0: 2, 1: 1, 7: 0}
CHANGED = "narrowed and ended"
REPAIRED, BLOCKED, MARKED = document(0), document(1), document(2)


def _night(world: SmallWorld) -> Told:
    return world.night("full", 1)


def _takedown(world: SmallWorld) -> Told:
    world.takedown(0, "repair")
    world.takedown(1, "objection")
    world.takedown(2, "objection", "mark")
    return []


def _take_back(world: SmallWorld) -> Told:
    return world.take_back("full")


def _change(world: SmallWorld) -> Told:
    return world.decide(CHANGED)


def _lagging(world: SmallWorld) -> Told:
    return world.night(CHANGED, 2)


STEPS: tuple[Callable[[SmallWorld], Told], ...] = (_night, _takedown, _take_back, _change, _lagging)
NAMES = ("a night", "takedowns opened", "taken back", "decided again under a changed catalogue", "a night with a lagging source")
SOURCES = (SECOND, SECOND, SECOND, SECOND, THIRD)


def run_from(world: SmallWorld, first: int, last: int = len(STEPS)) -> Told:
    """Runs the steps in their order and notes where it stands; the step that was killed is the first to run again."""
    told: Told = []
    for number in range(first, last):
        hand_in(world.home, SOURCES[number])
        told += STEPS[number](world)
        _place(world.home).write_text(str(number + 1), encoding="ascii")
    return told


def stands_at(home: Path) -> int:
    """The step to go on with."""
    return int(_place(home).read_text(encoding="ascii")) if _place(home).exists() else 0


def _place(home: Path) -> Path:
    return home / "step"
