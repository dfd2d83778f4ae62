"""What was withheld from whom and why: records by reason, fields by grant."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from catalog.model import Entry, Field, Mask, Recipient, Sensitivity, Title
from console.facts import Facts
from gateway.settings import Gateway
from ledger.events import Event

OUT = ("accepted", "delivered", "unchanged", "withheld", "pending")


@dataclass(frozen=True, slots=True)
class RecipientView:
    """What became of the records a recipient was to be served with this night. `receipts` are the batches it signed or
    confirmed, `refused` the records it refused by its own reason, `late` those sent from what earlier nights owed."""

    code: str
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
class FieldRow:
    """A field that some recipient does not get plain: per recipient the mask, or None for a gap."""

    code: str
    field: Field
    masks: tuple[Mask | None, ...]

    @property
    def is_sensitive(self) -> bool:
        return self.field.sensitivity is not Sensitivity.OPEN


@dataclass(frozen=True, slots=True)
class EntryGrants:
    """One entry by recipient: `open_to_all` are titles of the fields that every recipient of it gets plain."""

    title: Title
    recipients: tuple[Title, ...]
    rows: tuple[FieldRow, ...]
    open_to_all: tuple[Title, ...]

    def gaps(self, place: int) -> int:
        """How many fields the recipient at `place` does not get at all."""
        return sum(row.masks[place] is None for row in self.rows)

    def masked(self, place: int) -> int:
        """How many fields the recipient at `place` gets masked."""
        return sum(row.masks[place] not in (None, Mask.OPEN) for row in self.rows)


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
    return [_grants(gateway.catalog.entries[code], dict(known)) for code in codes]


def _grants(entry: Entry, known: dict[str, Recipient]) -> EntryGrants:
    given = [entry.grants[code].fields if code in entry.grants else {} for code in known]
    rows = [FieldRow(code, field, tuple(fields.get(code) for fields in given)) for code, field in entry.fields.items()]
    plain = [row for row in rows if all(mask is Mask.OPEN for mask in row.masks)]
    return EntryGrants(entry.title, tuple(recipient.title for recipient in known.values()),
                       tuple(row for row in rows if row not in plain), tuple(row.field.title for row in plain))


def _recipient(code: str, known: Recipient, figures: dict[str, int], facts: Facts) -> RecipientView:
    delivered, late = (_of(facts.story[event], code) for event in (Event.DELIVERED, Event.CAUGHT_UP))
    refused: dict[str, int] = {}
    for notes in delivered["notes"]:
        for reason, records in notes.get("refused", {}).items():
            refused[reason] = refused.get(reason, 0) + records
    return RecipientView(code, known.title, {name: figures.get(name, 0) for name in OUT}, len(delivered), refused,
                         sum(line["delivered"] for line in late["figures"]))


def _of(story: pd.DataFrame, recipient: str) -> pd.DataFrame:
    return story[story["recipient"] == recipient]


def _expected(gateway: Gateway, facts: Facts) -> set[str]:
    return {code for feed in facts.feeds for code in gateway.catalog.recipients_of(gateway.catalog.feeds[feed["feed"]].entry)}


def _entry(gateway: Gateway, feed: str) -> Entry:
    return gateway.catalog.entries[gateway.catalog.feeds[feed].entry]
