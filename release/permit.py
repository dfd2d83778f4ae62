"""What one recipient may have of the accepted records: the only way from checked to permitted."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records.identity import digests, handles, subjects
from records.stages import DIGEST, HANDLE, REASON, RECORD, SUBJECT, Permitted
from release.clock import GRADES
from release.decide import decide
from release.facts import Facts, decision_fields
from release.measures import is_ordered_about
from release.subjects import numbers
from release.terms import Question, Terms


def permit(accepted: pd.DataFrame, terms: Terms, held: pd.Series, withdrawn: pd.Index) -> Permitted:
    """Gives a recipient the granted fields of the records it may have and does not hold yet; nothing else (I1, I3).

    accepted: RECORD and every field of the entry, in normal form; RECORD unique. held: record id → digest this
    recipient holds. withdrawn: record ids of the entry on the suppression list (I6). A record is withheld for the first
    of release/decide.py's REASONS that holds of it. The end of publicity leaves as the clock has it, the same to all
    (D19), and measures leave in the words of their list (D34).
    """
    table = _needed(accepted, terms)
    facts = Facts(table, terms.catalog, terms.entry_code)
    reason = decide(facts, terms, withdrawn, terms.consents)
    stopped = pc.is_valid(reason)
    withheld = pa.record_batch({RECORD: table[RECORD], REASON: reason}).filter(stopped)
    given = outgoing(facts, terms).filter(pc.invert(stopped))
    rows = _unheld(given, terms, held)
    return Permitted(
        entry=terms.entry_code,
        recipient=terms.recipient_code,
        considered=len(accepted),
        rows=rows,
        masks={code: mask.value for code, mask in terms.masks.items()},
        withheld=_frame(withheld),
        unchanged=len(given) - len(rows),
    )


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


def _unheld(given: pa.RecordBatch, terms: Terms, held: pd.Series) -> pd.DataFrame:
    """The rows whose content the recipient does not hold, with HANDLE and DIGEST, ordered by HANDLE."""
    # The recipe belongs to the content: the same value under another mask is not what the recipient holds.
    salt = "|".join([terms.terms_digest, *(f"{code}:{mask.value}" for code, mask in terms.masks.items())])
    # Without a grant nothing is left here; RECORD stands in, since a digest needs a column.
    digest = _array(digests(_frame(given), list(terms.masks) or [RECORD], terms.digest_key, salt).array)
    place = pc.indices_nonzero(_is_changed(given[RECORD], digest, held))
    handle = _array(handles(_frame(given.select([RECORD]).take(place))[RECORD], terms.handle_key).array)
    order = pc.sort_indices(handle)
    place = place.take(order)
    fields = {code: given[code].take(place) for code in terms.masks}
    key = {RECORD: given[RECORD].take(place), HANDLE: handle.take(order), DIGEST: digest.take(place)}
    return _frame(pa.record_batch(key | fields))


def _is_changed(records: pa.Array, digest: pa.Array, held: pd.Series) -> pa.Array:
    before = pc.take(_array(held.array), pc.index_in(records, value_set=_array(held.index.array)))
    return pc.fill_null(pc.not_equal(before, digest), True)


def _needed(accepted: pd.DataFrame, terms: Terms) -> pa.RecordBatch:
    used = {*terms.masks, *decision_fields(terms.entry)}
    names = [RECORD, *(code for code in terms.entry.fields if code in used)]
    table = pa.record_batch({name: _array(accepted[name].array) for name in names})
    if terms.grant is None or terms.grant.consent is None:
        return table
    named = subjects(_frame(pa.record_batch({RECORD: numbers(table, terms.entry)}))[RECORD], terms.subject_key)
    return table.append_column(SUBJECT, _array(named.array))


def _array(values: object) -> pa.Array:
    texts = pa.array(values, pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _frame(table: pa.RecordBatch) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def periods(accepted: pd.DataFrame, question: Question) -> pd.DataFrame | None:
    """How long the clock lets each record be public: grade, earliest and latest (the last days of the minimum and maximum
    period, YYYY-MM-DD), NA where nobody can tell. None for an entry without a clock."""
    if question.entry.clock is None:
        return None
    names = [RECORD, *(code for code in question.entry.fields if code in decision_fields(question.entry))]
    table = pa.record_batch({name: _array(accepted[name].array) for name in names})
    clocked = Facts(table, question.catalog, question.entry_code).clocked
    if clocked is None:
        return None
    grade = pa.array([*map(str, GRADES), None], pa.string()).take(pa.array(clocked.grade))
    return _frame(pa.record_batch({"grade": grade, "earliest": clocked.earliest, "latest": clocked.latest}))
