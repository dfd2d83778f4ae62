"""The law under which something was given: the catalogue of its edition, as of that day."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

import release
from catalog.load import Catalog
from gateway.explain import cited
from gateway.settings import SHANGHAI, Gateway
from ledger import editions
from ledger.holdings import Holder

Json = dict[str, Any]


class PastEditions:
    """The editions of the catalogue that decided, each read from the archive once."""

    def __init__(self, gateway: Gateway, connection: Connection) -> None:
        self.connection, self._known = connection, {gateway.catalog.edition: gateway.catalog}

    def grant(self, at: str, edition: str, holder: Holder) -> Json:
        """What an edition granted a recipient at a moment (ISO instant): `fields` (field, title, mask), and `basis` as `explain.cited`
        has it; both empty where it granted nothing. Raises EditionUnknown.
        """
        on = datetime.fromisoformat(at).astimezone(SHANGHAI).date()
        catalog = self._read(edition).as_of(on)
        if holder.entry not in catalog.entries or holder.recipient not in catalog.recipients:
            return {"fields": [], "basis": []}
        question = release.Question(catalog, holder.entry, holder.recipient, on)
        titles = {code: field.title.model_dump() for code, field in question.entry.fields.items()}
        return {"fields": [{"field": code, "title": titles[code], "mask": str(mask)} for code, mask in question.masks.items()],
                "basis": [cited(catalog, basis) for basis in question.grant.basis] if question.grant else []}

    def _read(self, edition: str) -> Catalog:
        if edition not in self._known:
            with tempfile.TemporaryDirectory() as folder:
                self._known[edition] = editions.restore(self.connection, edition, Path(folder))
        return self._known[edition]
