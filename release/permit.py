"""What one recipient may have of the accepted records: the only way from checked to permitted."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from records.stages import RECORD, Permitted
from release.clock import GRADES
from release.facts import Facts, decision_fields
from release.offer import array, frame, offer
from release.terms import Question, Terms


def permit(accepted: pd.DataFrame, terms: Terms, held: pd.Series, withdrawn: pd.Index) -> Permitted:
    """Gives a recipient the granted fields of the records it may have and does not hold yet; nothing else (I1, I3).

    accepted: RECORD and every field of the entry, in normal form; RECORD unique. held: record id → digest this
    recipient holds. withdrawn: record ids of the entry on the suppression list (I6). A record is withheld for the first
    of release/decide.py's REASONS that holds of it. The end of publicity leaves as the clock has it, the same to all
    (D19), and measures leave in the words of their list (D34).
    """
    return offer(accepted, terms, withdrawn).unlike(held)


def periods(accepted: pd.DataFrame, question: Question) -> pd.DataFrame | None:
    """How long the clock lets each record be public: grade, earliest and latest (the last days of the minimum and maximum
    period, YYYY-MM-DD), NA where nobody can tell. None for an entry without a clock."""
    if question.entry.clock is None:
        return None
    names = [RECORD, *(code for code in question.entry.fields if code in decision_fields(question.entry))]
    table = pa.record_batch({name: array(accepted[name].array) for name in names})
    clocked = Facts(table, question.catalog, question.entry_code).clocked
    if clocked is None:
        return None
    grade = pa.array([*map(str, GRADES), None], pa.string()).take(pa.array(clocked.grade))
    return frame(pa.record_batch({"grade": grade, "earliest": clocked.earliest, "latest": clocked.latest}))
