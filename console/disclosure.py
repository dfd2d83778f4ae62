"""What was withheld from whom and why: records by reason, fields by grant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from catalog.model import Entry, Field, Mask, Recipient, Title
from console.facts import Facts
from gateway.settings import Gateway
from ledger.events import Event
from release import Outcome, outcomes

OUT = ("accepted", "delivered", "unchanged", "withheld", "pending")


@dataclass(frozen=True, slots=True)
class RecipientView:
    """What became of the records a recipient was to be served with this night. `receipts` are the batches it signed or
    confirmed, `refused` the records it refused by its own reason, `late` those sent from what earlier nights owed."""

    title: Title
    figures: dict[str, int]
    receipts: int
    refused: dict[str, int]
    late: int


@dataclass(frozen=True, slots=True)
class WithheldView:
    """Records of one entry withheld from one recipient for one reason."""

    recipient: Title
    entry: Title
    reason: str
    records: int


@dataclass(frozen=True, slots=True)
class GrantView:
    """What one recipient may have of an entry: fields in full, fields with their mask, those their share or publish class
    refuses, and the gaps, which could be granted and are not. It gets neither refused fields nor gaps."""

    recipient: Title
    plain: tuple[Field, ...]
    masked: tuple[tuple[Field, Mask], ...]
    refused: tuple[Field, ...]
    gaps: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EntryGrants:
    """One entry, recipient by recipient."""

    title: Title
    fields: int
    grants: tuple[GrantView, ...]


def recipients(gateway: Gateway, facts: Facts) -> list[RecipientView]:
    """Every recipient that was to be served this night, in the order of the catalogue."""
    served = {row["recipient"]: row for row in facts.figures["recipients"]}
    return [_recipient(code, known, served.get(code, {}), facts)
            for code, known in gateway.catalog.recipients.items() if code in _expected(gateway, facts)]


def withheld(gateway: Gateway, facts: Facts) -> list[WithheldView]:
    """Records withheld, by recipient, entry and reason, the most frequent first within a recipient."""
    rows = facts.withheld.sort_values(["recipient", "records"], ascending=[True, False])
    return [WithheldView(gateway.catalog.recipients[row["recipient"]].title, _entry(gateway, row["feed"]).title, row["reason"],
                         int(row["records"])) for row in rows.to_dict("records")]


def grants(gateway: Gateway, facts: Facts) -> list[EntryGrants]:
    """The entries of this night's feeds, field by field. A recipient without a grant of an entry has gaps throughout."""
    codes = dict.fromkeys(gateway.catalog.feeds[feed["feed"]].entry for feed in facts.feeds)
    known = gateway.catalog.recipients
    return [_grants(gateway.catalog.entries[code], known) for code in codes]


def _grants(entry: Entry, known: Mapping[str, Recipient]) -> EntryGrants:
    return EntryGrants(entry.title, len(entry.fields), tuple(_grant(entry, code, known[code]) for code in known))


def _grant(entry: Entry, code: str, recipient: Recipient) -> GrantView:
    grant = entry.grants.get(code)
    given, found = grant.fields if grant else {}, outcomes(entry, recipient, grant)

    def fields(outcome: Outcome) -> dict[str, Field]:
        return {name: field for name, field in entry.fields.items() if found[name] is outcome}

    permitted = fields(Outcome.PERMITTED)
    return GrantView(recipient.title, tuple(field for name, field in permitted.items() if given[name] is Mask.OPEN),
                     tuple((field, given[name]) for name, field in permitted.items() if given[name] is not Mask.OPEN),
                     tuple(fields(Outcome.REFUSED).values()), tuple(fields(Outcome.GAP).values()))


def _recipient(code: str, known: Recipient, figures: dict[str, int], facts: Facts) -> RecipientView:
    delivered, late = (_of(facts.story[event], code) for event in (Event.DELIVERED, Event.CAUGHT_UP))
    refused: dict[str, int] = {}
    for notes in delivered["notes"]:
        for reason, records in notes.get("refused", {}).items():
            refused[reason] = refused.get(reason, 0) + records
    return RecipientView(known.title, {name: figures.get(name, 0) for name in OUT}, len(delivered), refused,
                         sum(line["delivered"] for line in late["figures"]))


def _of(story: pd.DataFrame, recipient: str) -> pd.DataFrame:
    return story[story["recipient"] == recipient]


def _expected(gateway: Gateway, facts: Facts) -> set[str]:
    return {code for feed in facts.feeds for code in gateway.catalog.recipients_of(gateway.catalog.feeds[feed["feed"]].entry)}


def _entry(gateway: Gateway, feed: str) -> Entry:
    return gateway.catalog.entries[gateway.catalog.feeds[feed].entry]
