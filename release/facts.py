"""What the records themselves say, whoever asks: read once, and the same for every recipient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.model import Entry, SubjectKind
from release.clock import GRADES, UNKNOWN, Clocked, capped, reckon
from release.columns import Bools, Days, Ints, bools, codes, days, texts
from release.measures import Measured, measured
from release.subjects import births, subject_kinds

_LEVELS = ("county", "city", "province")


def decision_fields(entry: Entry) -> frozenset[str]:
    """The fields that may decide whether a record goes out even where the recipient does not get them.

    They are the only exception to I3, and they work on whole records: kind of subject, age, consent, state of the
    document, leniency, how a listing was decided and whether it ended, measures, the publicity clock. The clock's fields
    also shape the end of publicity, which is reckoned from them and is the same for all (D19), and the decision date says
    under which list a measure is worded. No other field that is not granted can change what a recipient gets.
    """
    subject, document, clock, listing = entry.subject, entry.document, entry.clock, entry.listing
    named = {subject.category, subject.uscc, subject.id_number, entry.publicity_end, entry.ended_on, entry.leniency, entry.measures}
    if document:
        named |= {document.state}
    if clock or entry.measures:
        named |= {entry.decided_on, document.date if document else None}
    if clock:
        named |= {clock.classes, *clock.fines, clock.sector}
    if listing:
        named |= {listing.decided_on, listing.level, listing.notified_on, listing.objection, *listing.stated}
    return frozenset(code for code in named if code is not None)


class Facts:
    """The records of an entry as a decision reads them; each column is read when it is first asked for, and then kept.

    table: the decision fields of the entry as Arrow strings in normal form. All answers are arrays of its length; what a
    column cannot tell is answered against going out.
    """

    def __init__(self, table: pa.RecordBatch, catalog: Catalog, entry_code: str) -> None:
        self.table, self.catalog, self.entry_code = table, catalog, entry_code

    @property
    def entry(self) -> Entry:
        return self.catalog.entries[self.entry_code]

    @cached_property
    def kinds(self) -> Ints:
        """Place of each subject's kind in SubjectKind, its length where the record does not tell."""
        told = pc.index_in(subject_kinds(self.table, self.entry), value_set=pa.array([kind.value for kind in SubjectKind]))
        found: Ints = pc.fill_null(told, len(SubjectKind)).to_numpy(zero_copy_only=False).astype(np.int64)
        return found

    @cached_property
    def may_be_person(self) -> Bools:
        """Whom the record does not call an organisation may be a person, and so a minor."""
        found: Bools = self.kinds != list(SubjectKind).index(SubjectKind.LEGAL_PERSON)
        return found

    @cached_property
    def births(self) -> pa.Array:
        """Day of birth as YYYYMMDD, null where it cannot be read; of everybody where the entry holds no ID numbers."""
        name = self.entry.subject.id_number
        return births(self.table[name]) if name else pa.nulls(len(self.table), pa.string())

    @cached_property
    def is_lenient(self) -> Bools:
        return self._filled(self.entry.leniency)

    @cached_property
    def clocked(self) -> Clocked | None:
        rules = self.catalog.repair_rules.values()
        return reckon(self.table, self.entry, rules, self.is_lenient) if self.entry.clock else None

    @cached_property
    def grades(self) -> Ints:
        """Place of each record's grade in GRADES, UNKNOWN where nobody can tell."""
        if self.clocked:
            return self.clocked.grade
        grade = GRADES.index(self.entry.grade) if self.entry.grade else UNKNOWN
        return np.where(self.is_lenient & (grade != UNKNOWN), 0, grade)

    @cached_property
    def publicity_end(self) -> pa.Array | None:
        """The end of publicity that leaves, None for an entry that has none."""
        name = self.entry.publicity_end
        if name is None:
            return None
        return capped(self.table[name], self.clocked.latest) if self.clocked else self.table[name]

    @cached_property
    def measured(self) -> Measured | None:
        name, decided = self.entry.measures, self.entry.decided_on or (self.entry.document.date if self.entry.document else None)
        if name is None:
            return None
        columns = self.table[name], self.table[decided] if decided else None
        return measured(self.catalog, self.entry_code, columns, self.kinds, self.grades)

    @cached_property
    def of_document(self) -> tuple[tuple[str, Bools], ...]:
        """Reasons that the state of the document gives (D7)."""
        document = self.entry.document
        if document is None or document.state is None:
            return ()
        state = codes(self.table[document.state])
        ends = np.array([word not in (*document.in_effect, *document.held) for word in state.words] + [False])
        holds = np.array([word in document.held for word in state.words] + [False])
        return ("document-not-in-effect", ends[state.places]), ("document-held", holds[state.places])

    @cached_property
    def of_measures(self) -> tuple[tuple[str, Bools], ...]:
        """Reasons that the attached measures give (D31, D35)."""
        if self.measured is None:
            return ()
        return ("measure-not-in-list", self.measured.is_unlisted), ("measure-too-heavy", self.measured.is_too_heavy)

    def of_listing(self, level: str | None) -> Iterator[tuple[str, Bools]]:
        """Reasons that the procedure of a listing gives (D28–D30). `level` is the lowest that may decide, None for any."""
        listing = self.entry.listing
        if listing is None:
            return
        if level is not None:
            deciding = codes(self.table[listing.level])
            enough = np.array([word in _LEVELS[_LEVELS.index(level):] for word in deciding.words] + [False])
            yield "decided-below-level", ~enough[deciding.places]
        yield "subject-not-told", ~(self._days(listing.notified_on) <= self._days(listing.decided_on))
        objection = codes(self.table[listing.objection])
        yield "objection-open", ~np.array([word in listing.settled for word in objection.words] + [False])[objection.places]
        yield "decision-incomplete", ~np.all([self._filled(name) for name in listing.stated], axis=0)

    def is_over(self, ends: pa.Array, on: str, *, is_last_day_in: bool) -> Bools:
        """Whether the day in `ends` lies before `on`, or is reached on it. No date is no end; what is no date counts as
        over, since nobody can say that it is not (I9)."""
        told, limit = codes(ends), np.datetime64(on)
        read = days(texts(told.words))
        over = np.isnat(read) | ((read < limit) if is_last_day_in else (read <= limit))
        found: Bools = np.append(over, False)[told.places]
        return found

    def _days(self, name: str) -> Days:
        told = codes(self.table[name])
        found: Days = np.append(days(texts(told.words)), np.datetime64("NaT"))[told.places]
        return found

    def _filled(self, name: str | None) -> Bools:
        return bools(pc.is_valid(self.table[name])) if name else np.zeros(len(self.table), np.bool_)
