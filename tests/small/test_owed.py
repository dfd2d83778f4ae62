"""A recipient that was down gets what it is owed as it is by now, however the catalogue and the source went on meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.model.reference import Reference
from tests.small import reader
from tests.small.place import PACKAGE, catalogues, document, hand_in, scratch
from tests.small.world import SmallWorld

FIRST = dict.fromkeys(range(4), 0)


@pytest.fixture
def world() -> Iterator[SmallWorld]:
    folder = scratch()
    made = SmallWorld(folder / "home", catalogues(folder))
    made.set_up()
    yield made
    made.close()
    shutil.rmtree(folder)


def test_i6_what_is_owed_of_before_a_grant_ended_and_came_back_goes_out_as_the_store_has_it_by_now(world: SmallWorld) -> None:
    expected = Reference(dict(FIRST))
    with world.recipients() as recipients:
        for down, catalogue, source in (({PACKAGE}, "full", FIRST), (set(), "ended", FIRST | {3: 1}),
                                        (set(), "full", dict.fromkeys(range(3), 0))):
            recipients.reach(down)
            hand_in(world.home, source)
            world.night(catalogue)
            expected.down, expected.catalogue, expected.source = down, catalogue, dict(source)
            expected.night()
    assert reader.shown(world.home).fields == expected.shown()


def test_d58_what_is_owed_and_was_erased_from_the_store_meanwhile_goes_to_nobody(world: SmallWorld) -> None:
    with world.recipients() as recipients:
        recipients.reach({PACKAGE})
        hand_in(world.home, FIRST)
        world.night()
        world.erase(3)
        recipients.reach(set())
        hand_in(world.home, dict.fromkeys(range(3), 0))
        assert world.night(days=1) == []
    assert {place[1] for place in reader.shown(world.home).fields if place[0] == PACKAGE} == {document(number) for number in range(3)}
    assert reader.breaches(world.export()) == []
