"""What one recipient may have of the accepted records: the only way from checked to permitted."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import SubjectKind
from records.identity import digests, handles
from records.stages import DIGEST, HANDLE, REASON, RECORD, Permitted
from release.terms import (
    Terms,
    births,
    decision_fields,
    is_minor,
    is_publicity_over,
    subject_kinds,
)
from release.withdrawn import is_withdrawn


def permit(accepted: pd.DataFrame, terms: Terms, held: pd.Series, withdrawn: pd.Index) -> Permitted:
    """Gives a recipient the granted fields of the records it may have and does not hold yet; nothing else (I1, I3).

    accepted: RECORD and every field of the entry, in normal form; RECORD unique. held: record id → digest this
    recipient holds. withdrawn: record ids of the entry on the suppression list (I6). A record is withheld for the first
    that holds of: withdrawn, no-grant, entry-not-in-force, subject-kind, minor, age-unknown, publicity-ended. Minors go to
    nobody, since no instrument in the catalogue opens their records (D57, house reading). Sites get a person's record
    only where the age can be read: who must not be published must be known (D57). Publicity ends for sites only.
    """
    table = _needed(accepted, terms)
    reason = _reasons(table, terms, withdrawn)
    stopped = pc.is_valid(reason)
    withheld = pa.record_batch({RECORD: table[RECORD], REASON: reason}).filter(stopped)
    given = table.select([RECORD, *terms.masks]).filter(pc.invert(stopped))
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


def _reasons(table: pa.RecordBatch, terms: Terms, withdrawn: pd.Index) -> pa.Array:
    """The first reason to withhold each row, null for none."""
    names, columns = zip(*_refusals(table, terms, withdrawn), strict=True)
    held_back = pa.StructArray.from_arrays([pc.fill_null(column, False) for column in columns], names=list(names))
    return pc.case_when(held_back, *(pa.scalar(name) for name in names))


def _refusals(table: pa.RecordBatch, terms: Terms, withdrawn: pd.Index) -> Iterator[tuple[str, pa.Array]]:
    grant, entry = terms.grant, terms.entry
    kind = subject_kinds(table, entry)
    granted_kinds = pa.array([kind.value for kind in grant.subjects] if grant else [], pa.string())
    if len(granted_kinds) == len(SubjectKind):
        granted_kinds = pa.concat_arrays([granted_kinds, pa.nulls(1, pa.string())])  # any kind, so an unknown one too
    yield "withdrawn", is_withdrawn(table[RECORD], withdrawn)
    yield "no-grant", _all(table, grant is None)
    yield "entry-not-in-force", _all(table, not terms.is_in_force)
    yield "subject-kind", pc.invert(pc.is_in(kind, value_set=granted_kinds))
    if entry.subject.id_number:
        # A person whom the record does not call an organisation may be a minor; an organisation cannot.
        is_person = pc.fill_null(pc.not_equal(kind, SubjectKind.LEGAL_PERSON.value), True)
        birth = births(table[entry.subject.id_number])
        yield "minor", pc.and_(is_person, pc.fill_null(is_minor(birth, terms.on), False))
        yield "age-unknown", pc.and_(is_person, pc.and_(pc.is_null(birth), terms.is_publicity))
    if entry.publicity_end and terms.is_publicity:
        yield "publicity-ended", is_publicity_over(table[entry.publicity_end], terms.on)


def _all(table: pa.RecordBatch, answer: bool) -> pa.Array:
    return pa.repeat(pa.scalar(answer), len(table))


def _needed(accepted: pd.DataFrame, terms: Terms) -> pa.RecordBatch:
    used = {*terms.masks, *decision_fields(terms.entry)}
    names = [RECORD, *(code for code in terms.entry.fields if code in used)]
    return pa.record_batch({name: _array(accepted[name].array) for name in names})


def _array(values: object) -> pa.Array:
    texts = pa.array(values, pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _frame(table: pa.RecordBatch) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
