"""What a recipient may have, before anybody asks what of it it holds already."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records.identity import digests, handles, subjects
from records.stages import DIGEST, HANDLE, REASON, RECORD, SUBJECT, Permitted
from release.decide import decide
from release.due import due, ends
from release.facts import Facts, decision_fields
from release.measures import is_ordered_about
from release.subjects import numbers
from release.terms import Question, Terms


@dataclass(frozen=True, slots=True)
class Offer:
    """The records of a batch that a recipient may have, in the words in which they leave, not yet masked.

    given: RECORD and the granted fields. digest: the recipient's keyed digest of each of them. withheld: RECORD, REASON.
    about: of every record RECORD, ends_on (the end of publicity) and due_on (when it must be decided again), YYYY-MM-DD or NA.
    """

    terms: Terms
    given: pa.RecordBatch
    digest: pa.Array
    withheld: pd.DataFrame
    about: pd.DataFrame

    @property
    def rows(self) -> pd.DataFrame:
        """record and digest of what may leave, to be compared with what is held."""
        return frame(pa.record_batch({"record": self.given[RECORD], "digest": self.digest}))

    def but(self, unchanged: pd.Series) -> Permitted:
        """The offer without the records that are held just so; rows in the order of HANDLE."""
        return self._of(pc.invert(pc.is_in(self.given[RECORD], value_set=array(unchanged.array))))

    def unlike(self, held: pd.Series) -> Permitted:
        """The offer without the records of which `held`, digest by record id, has the same digest."""
        before = pc.take(array(held.array), pc.index_in(self.given[RECORD], value_set=array(held.index.array)))
        return self._of(pc.fill_null(pc.not_equal(before, self.digest), True))

    def _of(self, is_changed: pa.Array) -> Permitted:
        place = pc.indices_nonzero(is_changed)
        handle = array(handles(frame(self.given.select([RECORD]).take(place))[RECORD], self.terms.handle_key).array)
        order = pc.sort_indices(handle)
        place = place.take(order)
        key = {RECORD: self.given[RECORD].take(place), HANDLE: handle.take(order), DIGEST: self.digest.take(place)}
        rows = frame(pa.record_batch(key | {code: self.given[code].take(place) for code in self.terms.masks}))
        masks = {code: mask.value for code, mask in self.terms.masks.items()}
        return Permitted(self.terms.entry_code, self.terms.recipient_code, len(self.given) + len(self.withheld), rows, masks,
                         self.withheld, len(self.given) - len(rows))


def offer(accepted: pd.DataFrame, terms: Terms, withdrawn: pd.Index) -> Offer:
    """Decides about every record, and digests what may leave. accepted and withdrawn: as `permit` takes them."""
    table = _needed(accepted, terms)
    facts = Facts(table, terms.catalog, terms.entry_code)
    reason = decide(facts, terms, withdrawn, terms.consents)
    stopped = pc.is_valid(reason)
    withheld = pa.record_batch({RECORD: table[RECORD], REASON: reason}).filter(stopped)
    about = pa.record_batch({RECORD: table[RECORD], "ends_on": ends(facts), "due_on": due(facts, terms.on)})
    given = outgoing(facts, terms).filter(pc.invert(stopped))
    # The recipe belongs to the content: the same value under another mask is not what the recipient holds.
    salt = "|".join([terms.terms_digest, *(f"{code}:{mask.value}" for code, mask in terms.masks.items())])
    # Without a grant nothing is left here; RECORD stands in, since a digest needs a column.
    digest = array(digests(frame(given), list(terms.masks) or [RECORD], terms.digest_key, salt).array)
    return Offer(terms, given, digest, frame(withheld), frame(about))


def outgoing(facts: Facts, question: Question) -> pa.RecordBatch:
    """RECORD and the granted fields of every record in the words in which they leave to this recipient, not yet masked."""
    columns = {name: facts.table[name] for name in (RECORD, *question.masks)}
    entry = question.entry
    if facts.publicity_end is not None and entry.publicity_end in columns:
        columns[entry.publicity_end] = facts.publicity_end
    if facts.measured is not None and entry.measures in columns:
        is_order = is_ordered_about(question.recipient.body)
        columns[entry.measures] = facts.measured.texts if is_order else facts.measured.advice
    return pa.record_batch(columns)


def _needed(accepted: pd.DataFrame, terms: Terms) -> pa.RecordBatch:
    used = {*terms.masks, *decision_fields(terms.entry)}
    names = [RECORD, *(code for code in terms.entry.fields if code in used)]
    table = pa.record_batch({name: array(accepted[name].array) for name in names})
    if terms.grant is None or terms.grant.consent is None:
        return table
    named = subjects(frame(pa.record_batch({RECORD: numbers(table, terms.entry)}))[RECORD], terms.subject_key)
    return table.append_column(SUBJECT, array(named.array))


def array(values: object) -> pa.Array:
    """Arrow strings in one piece."""
    texts = pa.array(values, pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def frame(table: pa.RecordBatch) -> pd.DataFrame:
    """The same as a frame of Arrow strings."""
    found: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return found
