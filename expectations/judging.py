"""Readable rows → normal form, record ids and everything that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.model import Severity
from expectations import findings
from expectations.columns import TEXT
from expectations.context import Context
from expectations.diagnosis import is_shifted
from expectations.editions import recorded
from expectations.findings import Fault, Rows
from expectations.normal import normal_form
from expectations.repeated import repeated
from expectations.requirements import requirements
from records.identity import record_ids
from records.stages import LINE


@dataclass(frozen=True, slots=True)
class Judged:
    """frame: every field of the entry in normal form, on a RangeIndex. records: record id, NA where the key cannot be
    read. versions: the version of the entry that records the row (editions.py). Faults name rows by their position in the
    frame."""

    frame: pd.DataFrame
    records: pd.Series
    versions: pd.Series
    faults: list[Fault]


def judge(rows: pd.DataFrame, context: Context) -> Judged:
    """Judges rows that could be read. rows: fields as received and LINE, on a RangeIndex. Raises NotJudged."""
    frame, changed = normal_form(rows, context.entry, context.feed.sentinels, context.code_sets())
    found = [Fault(each.field, each.rule, Severity.INFO, int(rows[each.field].count()), np.flatnonzero(each.rows))
             for each in changed]
    if len(frame):
        found += _verdicts(frame, rows[LINE], context)
        found += _shifted(frame, context, found)
    frame, versions, unrecorded = recorded(frame, context)
    found += unrecorded
    records = _records(frame, context, found)
    return Judged(frame, records, versions, [*found, *repeated(frame, records, context.identity_key)])


def _verdicts(frame: pd.DataFrame, lines: pd.Series, context: Context) -> list[Fault]:
    # Great Expectations takes seconds to import; who only needs the types of this room does not pay for it.
    from expectations import suite

    required = requirements(context.entry, context.code_sets(), context.today)
    rows = suite.failing_rows(frame.assign(**{LINE: lines}), required)
    return [fault for each, bad in zip(required, rows, strict=True) for fault in findings.faults(frame, each, bad)]


def _shifted(frame: pd.DataFrame, context: Context, found: list[Fault]) -> list[Fault]:
    bad = np.flatnonzero(findings.in_quarantine(found, len(frame)))
    if len(bad):
        bad = bad[is_shifted(frame.iloc[bad], context.entry)]
    return [Fault("", "columns-shifted", Severity.CRITICAL, len(frame), bad)]


def _records(frame: pd.DataFrame, context: Context, found: list[Fault]) -> pd.Series:
    """Record ids. A key with a faulty field, or in a row whose columns moved, is no key."""
    key = context.entry.natural_key
    unsafe = [fault for fault in found if fault.field in key or fault.rule == "columns-shifted"]
    records = record_ids(frame, context.entry_code, key, context.identity_key).astype(TEXT)
    return records.mask(findings.in_quarantine(unsafe, len(frame)))


def placed(judged: Judged, place: Rows) -> list[Fault]:
    """The faults by position in the collected batch, where the judged rows stand at `place`."""
    return [Fault(each.field, each.rule, each.severity, each.tested, place[each.rows]) for each in judged.faults]
