"""The whole gateway, step by step beside its reference: whatever the order, recipients show what the reference says (I1, I2, I4, I6, I7)."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.model.reference import Fields, Place, Reference
from tests.small import reader
from tests.small.effects import AFTER, BEFORE, Effects
from tests.small.place import ALL, CATALOGUES, catalogues, document, hand_in, scratch
from tests.small.wire import Wire
from tests.small.world import SmallWorld, Told

# Penalties 0 to 2 never leave the source, or the guard against a mass disappearance would rightly stop the night.
NUMBERS, LEAVING = st.integers(0, 5), st.integers(3, 5)
KINDS = st.sampled_from([("repair", ""), ("objection", ""), ("objection", "mark"), ("correction", "stop_sharing"), ("revocation", "delete")])
EFFECTS, SIDES = st.integers(1, 70), st.sampled_from([BEFORE, AFTER])
_FIRST = dict.fromkeys(range(4), 0)


class Stage:
    """What all examples share: the catalogues, a home after its first night, the listener on the wire."""

    def __init__(self) -> None:
        self.folder = scratch()
        self.first = SmallWorld(self.folder / "first", catalogues(self.folder))
        self.first.set_up()
        hand_in(self.first.home, _FIRST)
        with self.first.recipients():
            self.first.night()
        reader.keep_journal(self.first.home)
        self.first.close()
        self.wire = Wire()
        self.steps: Counter[str] = Counter()
        self.examples = 0

    def close(self) -> None:
        shutil.rmtree(self.folder)


def machine_on(stage: Stage) -> type[RuleBasedStateMachine]:
    """The machine whose every example begins with the morning after the first night."""

    def step(**given: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
        def counted(taken: Callable[..., None]) -> Any:
            @wraps(taken)
            def one(self: RuleBasedStateMachine, **drawn: Any) -> None:
                stage.steps[taken.__name__.replace("_", " ")] += 1
                taken(self, **drawn)

            return rule(**given)(one)

        return counted

    class Whole(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            stage.examples += 1
            self.world = stage.first.copy(stage.folder / "example")
            stage.wire.forget()
            self.expected = Reference(dict(_FIRST))
            self.expected.night()
            self.days = 0
            self.recipients = self.world.recipients().__enter__()

        def teardown(self) -> None:
            self.recipients.__exit__(None, None, None)
            self.world.close()
            shutil.rmtree(self.world.home)

        @step(number=NUMBERS)
        def the_department_hands_in_another_version(self, number: int) -> None:
            self.expected.source[number] = self.expected.source.get(number, self.expected.store.get(number, -1)) + 1
            hand_in(self.world.home, self.expected.source)

        @step(number=NUMBERS)
        def a_version_is_corrected_and_comes_back(self, number: int) -> None:
            first = self.expected.source.get(number, 0) + 1
            for version in (first, first + 1, first):
                self.expected.source[number] = version
                hand_in(self.world.home, self.expected.source)
                self.days += 1
                self._go(self._night, self.expected.night)

        @step(number=LEAVING)
        def the_department_does_not_hand_it_in_any_more(self, number: int) -> None:
            self.expected.source.pop(number, None)
            hand_in(self.world.home, self.expected.source)

        @step(number=LEAVING)
        def the_department_lags_and_hands_in_an_old_version(self, number: int) -> None:
            self.expected.source[number] = 0
            hand_in(self.world.home, self.expected.source)

        @step()
        def night(self) -> None:
            self.days += 1
            self._go(self._night, self.expected.night)

        @step()
        def backfill(self) -> None:
            self._go(lambda: self.world.backfill(self.expected.catalogue), self.expected.night)

        @step()
        def decide(self) -> None:
            self._go(self._decide, self.expected.decide)

        @step()
        def take_back(self) -> None:
            self._go(lambda: self.world.take_back(self.expected.catalogue), self.expected.take_back)

        @step(number=NUMBERS, kind=KINDS)
        def takedown(self, number: int, kind: tuple[str, str]) -> None:
            assert self.world.takedown(number, *kind) == self.expected.takedown(number, kind[1]), f"takedown of {number}"
            self._look()

        @precondition(lambda self: self.expected.suppressed)
        @step(data=st.data())
        def lift(self, data: st.DataObject) -> None:
            number = data.draw(st.sampled_from(sorted(self.expected.suppressed)))
            assert self.world.lift(number) and self.expected.lift(number)
            self._look()

        @step(name=st.sampled_from(sorted(CATALOGUES)))
        def the_catalogue_changes(self, name: str) -> None:
            self.expected.catalogue = name

        @step(recipient=st.sampled_from(ALL))
        def a_recipient_goes_down(self, recipient: str) -> None:
            self.expected.down.add(recipient)
            self.recipients.reach(self.expected.down)

        @precondition(lambda self: self.expected.down)
        @step()
        def everybody_is_up_again(self) -> None:
            self.expected.down.clear()
            self.recipients.reach(set())

        @step(effect=EFFECTS, side=SIDES)
        def a_night_is_killed_and_runs_again(self, effect: int, side: str) -> None:
            self.days += 1
            self._killed(self._night, self.expected.night, (effect, side))
            self._go(self._night, self.expected.night)

        @step(effect=EFFECTS, side=SIDES)
        def a_decision_is_killed_and_runs_again(self, effect: int, side: str) -> None:
            self._killed(self._decide, self.expected.decide, (effect, side))
            self._go(self._decide, self.expected.decide)

        @step(effect=EFFECTS, side=SIDES, number=NUMBERS)
        def a_takedown_comes_while_a_night_is_killed(self, effect: int, side: str, number: int) -> None:
            self.days += 1
            self._killed(self._night, self.expected.night, (effect, side))
            if number in self.expected.store:
                assert self.world.takedown(number) == self.expected.takedown(number, "")
            self._run(self._night, self.expected.night)
            self.expected.free.clear()
            self._go(self._decide, self.expected.decide)

        @step()
        def all_that_was_sent_is_sent_once_more(self) -> None:
            answers = stage.wire.replay()
            assert 200 not in answers, f"a replayed request was taken: {answers}"
            self._look()

        def _night(self) -> Told:
            return self.world.night(self.expected.catalogue, self.days)

        def _decide(self) -> Told:
            return self.world.decide(self.expected.catalogue)

        def _run(self, step: Callable[[], Told], foreseen: Callable[[], None]) -> None:
            told = step()
            foreseen()
            assert self.expected.down or not told, f"told although everybody is up: {told}"

        def _go(self, step: Callable[[], Told], foreseen: Callable[[], None]) -> None:
            self._run(step, foreseen)
            self._look()

        def _killed(self, step: Callable[[], Told], foreseen: Callable[[], None], where: tuple[int, str]) -> None:
            """Each record is then as before the step or as after it, at every recipient."""
            before, after = self.expected.shown(), self.expected.copy()
            getattr(after, foreseen.__name__)()
            status = in_child(self.world, step, Effects(self.world.home, *where))
            note(f"ended with {status}")
            found = reader.shown(self.world.home)
            free = {(recipient, document(number)) for recipient, number in after.free}
            for place in found.fields.keys() | before.keys() | after.shown().keys():
                either = (before.get(place), after.shown().get(place), *([None] if place in free else []))
                assert found.fields.get(place) in either, f"killed, and {place} is neither as before nor as after"
            self._nothing_twice(found)

        def _look(self) -> None:
            found = reader.shown(self.world.home)
            self.expected.adopt(set(found.fields), found.marked)
            assert found.fields == self.expected.shown(), difference(found.fields, self.expected.shown())
            assert found.marked == self.expected.marks(), f"marks {found.marked ^ self.expected.marks()}"
            self._nothing_twice(found)
            assert not reader.kept_apart(self.world.home)
            confirmed = {(recipient, record) for record, recipient, state in self.world.takedowns() if state in ("confirmed", "verified")}
            for number, effect in self.expected.suppressed.items():
                record = self.world.record(number)
                shows = {recipient for recipient in ALL if (recipient, document(number)) in found.fields}
                assert effect == "mark" or not shows & {recipient for recipient, other in confirmed if other == record}, \
                    f"{number} is shown although its takedown is confirmed"
            assert reader.breaches(self.world.export()) == []

        def _nothing_twice(self, found: reader.Reading) -> None:
            assert not [place for place, copies in found.copies.items() if copies > 1]

    return Whole


def difference(found: dict[Place, Fields], expected: dict[Place, Fields]) -> str:
    """In what recipients show something else than they must."""
    lines = [f"{place}: lost" for place in expected.keys() - found.keys()] + [f"{place}: kept" for place in found.keys() - expected.keys()]
    for place in found.keys() & expected.keys():
        if other := dict(found[place].items() ^ expected[place].items()).keys():
            lines.append(f"{place}: {sorted(other)}, shown {[found[place].get(name) for name in sorted(other)]}")
    return "; ".join(sorted(lines))


def in_child(world: SmallWorld, step: Callable[[], object], effects: Effects) -> int:
    """Runs a step in a process of its own that is killed at an effect, if it comes so far; returns how that ended."""
    world.close()
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        effects.watch()
        step()
    finally:
        os._exit(0)

