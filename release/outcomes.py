"""What becomes of each field of an entry for one recipient: permitted, refused by its class, or a gap."""

from __future__ import annotations

from enum import StrEnum

from catalog.model import Entry, Field, Grant, Recipient, RecipientKind, Share


class Outcome(StrEnum):
    """`refused`: the share or publish class forbids it (D10, D13). `gap`: it could be granted but is not; never sent, and
    counted (I1, D1)."""

    PERMITTED = "permitted"
    REFUSED = "refused"
    GAP = "gap"


def outcomes(entry: Entry, recipient: Recipient, grant: Grant | None) -> dict[str, Outcome]:
    """The outcome of each field in the order of the entry; without a grant none is permitted.

    A site is bound by the publish class, everybody else by the share class: to share is not to publish (D13). What is
    shared under a condition goes only to a grant that names the condition (D10).
    """
    granted = grant.fields if grant else {}
    return {code: Outcome.REFUSED if _is_refused(field, recipient, grant)
            else Outcome.PERMITTED if code in granted else Outcome.GAP for code, field in entry.fields.items()}


def _is_refused(field: Field, recipient: Recipient, grant: Grant | None) -> bool:
    if field.share is Share.NOT_SHARED:
        return True
    if recipient.kind is RecipientKind.PUBLICITY_SITE:
        return not field.publish
    return field.share is Share.CONDITIONAL and (grant is None or grant.condition is None)
