"""Which effect a takedown has at which kind of recipient (D41)."""

from __future__ import annotations

import pytest

from catalog.model import RecipientKind
from delivery import Effect
from gateway.effects import effect_at, everywhere
from records.stages import Notice


@pytest.mark.parametrize(("kind", "notice", "effect"), [
    *((kind, Notice.REPAIR, Effect.STOP) for kind in RecipientKind if kind is not RecipientKind.PUBLICITY_SITE),
    (RecipientKind.PUBLICITY_SITE, Notice.REPAIR, Effect.DELETE), (None, Notice.REPAIR, Effect.DELETE),
    *((kind, Notice.OBJECTION, Effect.BLOCK) for kind in (None, *RecipientKind))])
def test_d41_a_site_deletes_and_whoever_left_the_catalogue_may_have_been_a_site(
        kind: RecipientKind | None, notice: Notice, effect: Effect) -> None:
    assert effect_at(kind, notice, {}) is effect


def test_d41_what_the_order_says_counts_before_what_a_kind_does_by_itself() -> None:
    assert {effect_at(kind, Notice.REPAIR, everywhere(Effect.MARK)) for kind in RecipientKind} == {Effect.MARK}
