"""When a batch is refused whole: a must-fill column is absent, or too many of its rows are bad."""

from __future__ import annotations

from catalog.model import Entry, Thresholds
from records.stages import Collected

MISSING_COLUMN = "missing-column"
TOO_MANY = "too-many-quarantined"
NOT_JUDGED = "not-judged"
NOT_IN_FORCE = "entry-not-in-force"


def missing_columns(collected: Collected, entry: Entry) -> list[str]:
    """The fields that every record must have and the header does not."""
    absent = {*collected.missing, *(set(entry.fields) - set(collected.rows.columns))}
    return [code for code, field in entry.fields.items()
            if code in absent and (field.required or code in entry.natural_key)]


def are_too_many(quarantined: int, collected: int, thresholds: Thresholds) -> bool:
    """Whether more rows are bad than the entry tolerates. A sample below `min_sample` says nothing."""
    return collected >= thresholds.min_sample and quarantined > collected * thresholds.max_quarantined
