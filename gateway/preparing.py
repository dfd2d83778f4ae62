"""What is to leave to one recipient: permitted, compared with what it holds by the database, and masked where it differs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

import catalog
import keys
import masking
import records
import release
from gateway.way import Ready, Way
from ledger import changes
from ledger.changes import Settled, Since
from ledger.disclosed import uncertain
from ledger.holdings import TEXT, Holder, withdrawn_records
from ledger.terms import Conditions, under
from records.bulk import laid_down
from records.database import writing
from records.stages import DIGEST, HANDLE, REASON, RECORD

_DAY = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Prepared(Ready):
    """about: of every record RECORD, as_of (the store's block, NA where nobody can tell), ends_on, due_on and terms. by_this_run: how
    many of the unchanged this run brought. unchanged: their record and digest. held: what the recipient holds of all these."""

    about: pd.DataFrame
    by_this_run: int
    unchanged: pd.DataFrame
    held: pd.DataFrame


@dataclass(frozen=True)
class Desk:
    """A recipient's way with what is the same for all of its records: whose they are, under which terms, who is on the
    suppression list. Read once for a journey."""

    way: Way
    since: Since
    withdrawn: pd.Index[str]

    def prepare(self, accepted: pd.DataFrame, as_of: pd.DataFrame | None = None) -> Prepared:
        """Permits, compares and masks. accepted: RECORD and every field of the entry. as_of: RECORD and the block it was read
        from; without it, that of the records that this run itself has stored."""
        way, holder = self.way, self.since.holder
        offer = release.offer(accepted, way.terms, self.withdrawn)
        rows = pd.DataFrame({"record": accepted[RECORD]}).merge(offer.rows, on="record", how="left")
        with way.gateway.engine.connect() as connection, laid_down(connection, rows):
            held = changes.held_of(connection, holder, way.errand.run)
            as_of = changes.as_stored_by(connection, holder, way.errand.run) if as_of is None else as_of
        same = held[held["is_just_so"]]
        permitted = offer.but(same[RECORD]).as_held(held)
        token_key = way.gateway.keyring.derive("token", way.errand.recipient)
        context = masking.MaskContext(token_key, way.door.recipient.kind == "publicity_site", way.door.entry)
        about = offer.about.merge(as_of, on=RECORD, how="left").assign(terms=self.since.terms.id)
        return Prepared(accepted, permitted, masking.mask(permitted, context), about, int(same["is_by_run"].sum()),
                        offer.rows[offer.rows["record"].isin(same[RECORD])], held[[RECORD, HANDLE, DIGEST, "state"]])

    def settled(self) -> Settled:
        """What need not be decided again."""
        with self.way.gateway.engine.connect() as connection:
            return changes.settled(connection, self.since)

    def to_decide(self, settled: Settled) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
        """What the store holds of the entry and must be decided, with its blocks; then the records of which it knows nothing but
        that the recipient holds them, with None. What is not there by the count of `settled` is not looked for."""
        way, fields = self.way, list(self.way.door.entry.fields)
        with way.gateway.engine.connect() as connection:
            for wanted in changes.undecided(connection, self.since) if settled.undecided else ():
                for chunk in way.gateway.store.opened(way.errand.entry, wanted, fields):
                    yield chunk, wanted[["record", "as_of"]].rename(columns={"record": RECORD}).astype({RECORD: TEXT})
        with way.gateway.engine.connect() as connection:
            for unseen in changes.unseen(connection, self.since.holder) if settled.unseen else ():
                empty = pd.Series(pd.NA, index=unseen.index, dtype=TEXT)
                yield unseen.assign(**dict.fromkeys(fields, empty)), None

    def remember(self, ready: Prepared) -> None:
        """Notes what the decision came to, so that it need not be taken again while nothing has moved."""
        withheld = pd.concat([ready.permitted.withheld, ready.masked.withheld]).rename(columns={RECORD: "record", REASON: "reason"})
        named = ready.about.drop(columns="terms").rename(columns={RECORD: "record"})
        rows = named.merge(ready.unchanged, on="record", how="left").merge(withheld, on="record", how="left")
        with writing(self.way.gateway.engine) as connection, laid_down(connection, rows):
            changes.remember(connection, self.since)


def desk(way: Way, everything: bool = False) -> Desk:
    """Where the records of this way are prepared. everything: nothing that was noted is relied on, all is decided."""
    holder = Holder(way.errand.recipient, way.errand.entry)
    with writing(way.gateway.engine) as connection:
        terms = under(connection, holder, conditions(way), way.terms.on)
        is_uncertain, withdrawn = bool(uncertain(connection, holder)), withdrawn_records(connection, holder.entry)
    if everything:
        terms = type(terms)(terms.id, is_trusted=False)
    return Desk(way, Since(holder, terms, way.terms.on, is_uncertain), withdrawn)


def conditions(way: Way) -> Conditions:
    """All that a decision on this way rests on besides records and day; whatever of it moves makes other terms.

    A day counts by which of the days that the catalogue writes it has reached and passed: between them nothing the catalogue says
    begins or ends. Consents count as they stand on the day. The program itself counts, by its source.
    """
    terms = way.terms
    said, on = _said(way), terms.on.isoformat()
    days = sorted(set(_DAY.findall(said)))
    reached = [sum(day <= on for day in days), sum(day < on for day in days)]
    used = [terms.handle_key.id, terms.digest_key.id, way.gateway.keyring.derive("token", way.errand.recipient).id]
    consents = terms.consents.astype(object).where(terms.consents.notna(), None).to_numpy().tolist()
    whole = [said, reached, used, terms.subject_key.id, terms.terms_digest, sorted(consents, key=str), _program()]
    fields = ", ".join(f"{code}:{mask.value}" for code, mask in terms.masks.items())
    digest = hashlib.sha256(json.dumps(whole, ensure_ascii=False).encode()).hexdigest()
    return Conditions(digest, fields, terms.catalog.edition, " ".join(used))


def _said(way: Way) -> str:
    """What the catalogue says that bears on the entry and the recipient: all of it but other entries, other recipients and codes."""
    known, entry = way.terms.catalog, way.terms.entry
    whole: dict[str, Any] = {name: getattr(known, name) for name in
                             ("departments", "instruments", "editions", "lists", "measures", "repair_rules", "supplements")}
    whole |= {"entry": {way.errand.entry: entry}, "recipient": {way.errand.recipient: way.terms.recipient}}
    return json.dumps({name: {key: _dumped(one) for key, one in sorted(part.items())} for name, part in whole.items()}, ensure_ascii=False)


def _dumped(model: Any) -> str:
    text: str = model.model_dump_json()
    return text


@cache
def _program() -> str:
    """A digest of the rooms that decide and mask: a record that was decided by another program is decided again."""
    found = hashlib.sha256(f"{pd.__version__} {pyarrow.__version__}".encode())
    for room in (catalog, keys, masking, records, release):
        for file in sorted(Path(str(room.__file__)).parent.glob("**/*.py")):
            found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()
