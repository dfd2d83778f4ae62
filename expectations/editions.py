"""Which version of the catalogue entry may record a row, by the day it was decided (D2, D3, D65)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from catalog.model import Entry, Severity
from expectations.columns import TEXT, Bools, arrow, bools
from expectations.conditions import is_iso_date
from expectations.context import Context
from expectations.findings import Fault

NOT_CATALOGUED = "not-catalogued-then"
FIELD_NOT_CATALOGUED = "field-not-catalogued-then"


def recorded(frame: pd.DataFrame, context: Context) -> tuple[pd.DataFrame, pd.Series, list[Fault]]:
    """What may be recorded of rows in normal form: the frame without the fields that the version of a row does not know,
    the version of each row as the day it came into force (NA where none may record it), and the faults.

    By the rules of `then` the version in force on the decision date records; a row decided before the first version needs
    the entry's `legacy` review. By the rules of `now` today's version records everything.
    """
    versions = context.versions or (context.entry,)
    if context.rules == "now" or context.entry.decided_on is None:
        return frame, _named(frame, context.entry), []
    days = frame[context.entry.decided_on]
    chosen = [_in_force(days, entry, versions) for entry in versions]
    version = pd.Series(pd.NA, index=frame.index, dtype=TEXT)
    for entry, rows in zip(versions, chosen, strict=True):
        version[rows] = entry.in_force_from.isoformat()
    # What is no date at all is a fault of its own, and so is an empty must-fill field.
    told = is_iso_date(arrow(days)) | (days.isna().to_numpy() & (not context.entry.fields[context.entry.decided_on].required))
    unknown = np.flatnonzero(version.isna().to_numpy() & told)
    found = [Fault(context.entry.decided_on, NOT_CATALOGUED, Severity.CRITICAL, len(frame), unknown)]
    frame, blanked = _without_later_fields(frame, versions, chosen)
    return frame, version, [*found, *blanked]


def _named(frame: pd.DataFrame, entry: Entry) -> pd.Series:
    return pd.Series(entry.in_force_from.isoformat(), index=frame.index, dtype=TEXT)


def _in_force(days: pd.Series, entry: Entry, versions: Sequence[Entry]) -> Bools:
    """The rows decided while this version was in force, or before the first one where a review lets them in."""
    values = arrow(days)
    until = "9999-12-31" if entry.in_force_to is None else entry.in_force_to.isoformat()
    is_first_and_reviewed = entry is versions[0] and versions[-1].legacy is not None
    since = "0000-01-01" if is_first_and_reviewed else entry.in_force_from.isoformat()
    return is_iso_date(values) & bools(pc.and_(pc.greater_equal(values, since), pc.less_equal(values, until)))


def _without_later_fields(
    frame: pd.DataFrame, versions: Sequence[Entry], chosen: Sequence[Bools],
) -> tuple[pd.DataFrame, list[Fault]]:
    """A field that the catalogue did not know on the day of the decision is not recorded of that decision."""
    blank: dict[str, Bools] = {}
    for entry, rows in zip(versions, chosen, strict=True):
        for code in frame.columns.difference(list(entry.fields)):
            blank[code] = blank.get(code, np.zeros(len(frame), dtype=np.bool_)) | rows
    found = []
    for code, rows in blank.items():
        filled = rows & frame[code].notna().to_numpy()
        found.append(Fault(code, FIELD_NOT_CATALOGUED, Severity.INFO, int(rows.sum()), np.flatnonzero(filled)))
        if filled.any():
            frame = frame.assign(**{code: frame[code].mask(filled)})
    return frame, found
