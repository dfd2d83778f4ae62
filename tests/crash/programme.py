"""The crash programme: a journey is killed before or after an effect, runs again (and is killed again), and is compared.

Each try has a home, recipients and processes of its own, forked from one parent that has everything loaded.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from random import Random

from tests.crash import audit, journey
from tests.small import reader
from tests.small.effects import AFTER, BEFORE, Effects
from tests.small.place import catalogues, hand_in, scratch
from tests.small.world import SmallWorld


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The effect of a step at which, and the side of it on which, the process is killed. The first effect has number 1."""

    step: int
    effect: int
    side: str


@dataclass
class Outcome:
    """What became of one try: how often it was killed, what the reader found, how many effects the second run had left."""

    killed: int = 0
    found: list[str] = field(default_factory=list)
    absorbed: int = 0
    left: int = 0


class Programme:
    """One journey that ran undisturbed, with the state before each of its steps, and any number of tries that are killed."""

    def __init__(self) -> None:
        self._folder = scratch()
        self._roots = catalogues(self._folder)
        self._begin()
        self.effects = [self._undisturbed(step) for step in range(len(journey.STEPS))]
        last = self._state(len(journey.STEPS))
        last.export()
        last.close()
        self._expected = audit.Expected(reader.shown(last.home), reader.closing_figures(last.home / "export"))
        gc.freeze()

    def close(self) -> None:
        shutil.rmtree(self._folder)

    def points(self) -> list[Point]:
        """Every point: before and after each effect of each step."""
        return [Point(step, number + 1, side) for step, kinds in enumerate(self.effects)
                for number, side in product(range(len(kinds)), (BEFORE, AFTER))]

    def kind(self, point: Point) -> str:
        return self.effects[point.step][point.effect - 1]

    def pairs(self, left: dict[Point, int], count: int, seed: int) -> list[tuple[Point, Point]]:
        """Drawn by lot: a first point, and a second among the effects that the run after the first had left."""
        lots, firsts, chosen = Random(seed), sorted(point for point in left if left[point]), set[tuple[Point, Point]]()
        while len(chosen) < count:
            first = lots.choice(firsts)
            chosen.add((first, Point(first.step, lots.randint(1, left[first]), lots.choice((BEFORE, AFTER)))))
        return sorted(chosen)

    def run(self, *points: Point) -> Outcome:
        """Kills the journey at these points, one after the other, lets it run to its end, and has it read."""
        outcome = Outcome()
        with self._try(points[0].step) as world, world.recipients():
            for point in points:
                status = self._child(world, Effects(world.home, point.effect, point.side))
                if not _is_killed(status):
                    outcome.found.append(f"effect {point.effect} was not reached, the run ended with {status}")
                outcome.killed += 1
                outcome.found += audit.after_kill(world.home)
            status = self._child(world, Effects(world.home))
            outcome.left = self._said(world)["effects"]
            outcome.found += [f"the run after it ended with {status}"] if status else []
            outcome.found += [f"told: {words}" for words in self._said(world)["told"]]
            outcome.found += audit.compare(world.home, self._expected)
            outcome.absorbed = audit.absorbed(world.home)
        return outcome

    def _begin(self) -> None:
        """Everybody holds what the first night brought."""
        world = self._state(0)
        world.set_up()
        hand_in(world.home, journey.FIRST)
        with world.recipients():
            if told := world.night():
                raise RuntimeError(f"the first night went wrong: {told}")
        reader.keep_journal(world.home)
        world.close()

    def _undisturbed(self, step: int) -> list[str]:
        """Runs one step on a copy of the state before it, which becomes the state before the next; the kinds of its effects."""
        world = self._state(step).copy(self._state(step + 1).home)
        with world.recipients():
            if status := self._child(world, Effects(world.home), step + 1):
                raise RuntimeError(f"{journey.NAMES[step]} ended with {status}")
        said = self._said(world)
        if said["told"]:
            raise RuntimeError(f"{journey.NAMES[step]} went wrong: {said['told']}")
        return list(said["kinds"])

    def _state(self, step: int) -> SmallWorld:
        return SmallWorld(self._folder / f"before-{step}", self._roots)

    @contextmanager
    def _try(self, step: int) -> Iterator[SmallWorld]:
        world = self._state(step).copy(self._folder / f"try-{os.getpid()}")
        try:
            yield world
        finally:
            shutil.rmtree(world.home)

    def _child(self, world: SmallWorld, effects: Effects, last: int = len(journey.STEPS)) -> int:
        """Runs the journey from where it stands in a process of its own; returns how that ended."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        try:
            began = journey.stands_at(world.home)
            effects.watch()
            told = journey.run_from(world, began, min(last, began + 1))
            kinds = list(effects.kinds)
            if last > began + 1:
                told += journey.run_from(world, began + 1, last)
            if last == len(journey.STEPS):
                world.export()
            (world.home / "said.json").write_text(json.dumps({"kinds": kinds, "effects": len(kinds), "told": told}), encoding="utf-8")
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)

    @staticmethod
    def _said(world: SmallWorld) -> dict[str, object]:
        path = world.home / "said.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"kinds": [], "effects": 0, "told": []}


def _is_killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
