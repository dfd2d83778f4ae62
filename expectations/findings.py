"""Verdicts → faults by field → findings and reason codes: figures, line numbers and codes, never a value (I8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.model import Severity
from expectations.columns import Bools, arrow
from expectations.conditions import EACH
from expectations.diagnosis import precise
from expectations.requirements import NotJudged, Requirement
from records.stages import Finding

# Reasons that explain all others of a row stand first; the rest keep the order in which they were found.
FIRST = ("row-width", "undecodable", "replacement-character", "columns-shifted", "old-registration-number")
_LINES_SHOWN = 20

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fault:
    """How one rule fared on one field: how many rows it was asked of, and the positions of those that fail."""

    field: str
    rule: str
    severity: Severity
    tested: int
    rows: Rows


def faults(frame: pd.DataFrame, required: Requirement, rows: Rows) -> list[Fault]:
    """The faults behind a requirement's bad rows, field by field and as precisely as `diagnosis` can name them.

    Fields without a bad row are there too, so that what was tested is on record. Raises NotJudged if
    the engine called a row bad in which no field is.
    """
    if required.across:
        return [Fault(required.fields[0], required.rule, required.severity, len(frame), rows)]
    explained = np.zeros(len(rows), dtype=np.bool_)
    found: list[Fault] = []
    for field in required.fields:
        tested = len(frame) if required.condition == "filled" else int(frame[field].count())
        values = arrow(frame[field].iloc[rows])
        bad = ~EACH[required.condition](values, required.arguments[field]) if len(rows) else explained
        explained |= bad
        found += _of_field(frame, required, Fault(field, required.rule, required.severity, tested, rows[bad]))
    if not explained.all():
        raise NotJudged(f"{required.rule}: {int((~explained).sum())} rows failed without a failing field; the batch is "
                        "refused, report it as a defect of the gateway")
    return found


def _of_field(frame: pd.DataFrame, required: Requirement, fault: Fault) -> list[Fault]:
    if not len(fault.rows) or required.condition == "filled":
        return [fault]
    parts = precise(fault.rule, fault.severity, arrow(frame[fault.field].iloc[fault.rows]))
    return [Fault(fault.field, code, severity, fault.tested, fault.rows[seen])
            for code, severity, seen in parts if seen.any() or code == fault.rule]


def findings(found: Iterable[Fault], lines: NDArray[np.int64]) -> tuple[Finding, ...]:
    """One finding for each field and rule; `lines` gives the LINE of each position."""
    merged: dict[tuple[str, str], Fault] = {}
    for fault in found:
        known = merged.get((fault.field, fault.rule))
        rows = fault.rows if known is None else np.union1d(known.rows, fault.rows)
        tested = fault.tested if known is None else max(known.tested, fault.tested)
        severity = fault.severity if known is None else _graver(known.severity, fault.severity)
        merged[fault.field, fault.rule] = Fault(fault.field, fault.rule, severity, tested, rows)
    return tuple(
        Finding(fault.field, fault.rule, fault.severity.value, fault.tested, len(fault.rows),
                tuple(int(line) for line in lines[fault.rows[:_LINES_SHOWN]]))
        for fault in merged.values()
    )


def in_quarantine(found: Iterable[Fault], size: int) -> Bools:
    """Which of `size` rows have a critical fault."""
    bad = np.zeros(size, dtype=np.bool_)
    for fault in found:
        if fault.severity is Severity.CRITICAL:
            bad[fault.rows] = True
    return bad


def reasons(found: Sequence[Fault], size: int) -> NDArray[np.object_]:
    """The critical reason codes of each row joined by `;`, the primary one first; "" for a row without any."""
    by_code: dict[str, list[Rows]] = {}
    for fault in found:
        if fault.severity is Severity.CRITICAL and len(fault.rows):
            by_code.setdefault(fault.rule, []).append(fault.rows)
    joined = np.full(size, "", dtype=object)
    for code in sorted(by_code, key=lambda code: FIRST.index(code) if code in FIRST else len(FIRST)):
        rows = np.unique(np.concatenate(by_code[code]))
        joined[rows] = [f"{before};{code}" if before else code for before in joined[rows]]
    return joined


def _graver(one: Severity, other: Severity) -> Severity:
    order = list(Severity)
    return min(one, other, key=order.index)
