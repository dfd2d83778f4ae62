"""What is asked of the catalogue: may this recipient have records of this entry on this day?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from catalog.load import Catalog
from catalog.model import Entry, Grant, Mask, Recipient, RecipientKind
from keys.keyring import Derived
from release.outcomes import Outcome, outcomes


class Unpublishable(ValueError):
    """A grant hands a recipient a field that the entry's share or publish class forbids. Correct the grant or the field."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a decision rests on besides the records: `catalog` as of the day `on`, which is the day of the decision.

    Raises Unpublishable, naming entry, field and recipient.
    """

    catalog: Catalog
    entry_code: str
    recipient_code: str
    on: date

    def __post_init__(self) -> None:
        found = outcomes(self.entry, self.recipient, self.grant)
        refused = [code for code in self.masks if found[code] is Outcome.REFUSED]
        if refused:
            why = "not publishable" if self.is_publicity else "not shared, or shared under a condition that the grant does not name"
            raise Unpublishable(f"entry {self.entry_code}, field {refused[0]}: {why}, yet granted to {self.recipient_code}; "
                                "take it out of the grant")

    @property
    def entry(self) -> Entry:
        return self.catalog.entries[self.entry_code]

    @property
    def recipient(self) -> Recipient:
        return self.catalog.recipients[self.recipient_code]

    @property
    def grant(self) -> Grant | None:
        return self.entry.grants.get(self.recipient_code)

    @property
    def masks(self) -> dict[str, Mask]:
        """The recipe of each granted field in the order of the entry, so that the order of a grant changes nothing."""
        granted = self.grant.fields if self.grant else {}
        return {code: granted[code] for code in self.entry.fields if code in granted}

    @property
    def is_publicity(self) -> bool:
        return self.recipient.kind is RecipientKind.PUBLICITY_SITE


@dataclass(frozen=True, slots=True)
class Terms(Question):
    """The question with what it takes to answer with a delivery: keys, and the subjects' consents.

    `terms_digest` stands for whatever shapes the content beyond the values (grant, recipes, token key): another digest
    sends all anew. `subject_key` makes the names under which `consents` (columns of records/consents.py) know subjects.
    """

    handle_key: Derived
    digest_key: Derived
    subject_key: Derived
    terms_digest: str
    consents: pd.DataFrame
