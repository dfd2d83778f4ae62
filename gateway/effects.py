"""Which of the four effects of clause 11 a takedown has at which kind of recipient (D41)."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import RecipientKind
from delivery import Effect
from gateway.settings import Gateway
from records.stages import Notice

Effects = Mapping[RecipientKind, Effect]


def everywhere(effect: Effect) -> Effects:
    """One effect at every kind of recipient."""
    return dict.fromkeys(RecipientKind, effect)


def effect_at(kind: RecipientKind | None, notice: str, effects: Effects) -> Effect:
    """What a notice does at a kind of recipient: what the order says, and where it says nothing an objection blocks until it is
    settled, what ends otherwise is deleted from a site and no longer shared elsewhere. Who left the catalogue may have been a site."""
    if kind is not None and kind in effects:
        return effects[kind]
    if notice == Notice.OBJECTION:
        return Effect.BLOCK
    return Effect.DELETE if kind in (None, RecipientKind.PUBLICITY_SITE) else Effect.STOP


def kind_of(gateway: Gateway, recipient: str) -> RecipientKind | None:
    """The kind of a recipient; None once it left the catalogue."""
    known = gateway.catalog.recipients.get(recipient)
    return known.kind if known else None


def written(effects: Effects) -> str:
    """The effects of an order as they stand on the suppression list."""
    return " ".join(f"{kind}={effect}" for kind, effect in sorted(effects.items()))


def read(text: str) -> Effects:
    """The reverse of `written`. Raises ValueError if a kind or an effect is not known, or the effect brings."""
    pairs = (part.partition("=")[::2] for part in text.split())
    found = {RecipientKind(kind): Effect(effect) for kind, effect in pairs}
    if Effect.BRING in found.values():
        raise ValueError("an effect that brings takes nothing back")
    return found
