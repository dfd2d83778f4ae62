"""The verb of this room: collected rows in, good and bad rows apart, each bad one with its reasons."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from catalog.model import Entry, Severity
from expectations import findings, thresholds
from expectations.columns import TEXT, Bools
from expectations.context import Context
from expectations.findings import Fault
from expectations.judging import Judged, judge, placed
from expectations.requirements import NotJudged
from records.stages import DAMAGE, LINE, RAW, REASONS, RECORD, Checked, Collected

_log = logging.getLogger(__name__)


def check(collected: Collected, context: Context) -> Checked:
    """Parts a collected batch into accepted rows in normal form and quarantined rows as they came, with reasons (I2).

    The batch is refused whole, with all its rows in quarantine, for `entry-not-in-force` (D2), for `missing-column`, for
    `too-many-quarantined`, and for `not-judged` where the engine gave no verdict. Raises WrongContext if the context is
    not that of the batch.
    """
    context.ensure_fits(collected)
    damage = _damage(collected.rows)
    if not context.entry.is_in_force(context.today):
        return _refused(collected, context.entry, damage, _over_all(collected, thresholds.NOT_IN_FORCE, ""))
    if absent := thresholds.missing_columns(collected, context.entry):
        return _refused(collected, context.entry, damage, _over_all(collected, thresholds.MISSING_COLUMN, *absent))
    whole = ~findings.in_quarantine(damage, len(collected.rows))
    try:
        judged = judge(collected.rows[whole].reset_index(drop=True), context)
    except NotJudged as error:
        _log.error("feed %s, partition %s: %s", collected.feed, collected.partition, error)
        return _refused(collected, context.entry, damage, _over_all(collected, thresholds.NOT_JUDGED, ""))
    return _parted(collected, context.entry, [*damage, *placed(judged, np.flatnonzero(whole))], (judged, whole))


def _damage(rows: pd.DataFrame) -> list[Fault]:
    codes = rows[DAMAGE].to_numpy(dtype=object, na_value="")
    return [Fault("", str(code), Severity.CRITICAL, len(rows), np.flatnonzero(codes == code))
            for code in sorted(set(codes) - {""})]


def _over_all(collected: Collected, rule: str, *fields: str) -> list[Fault]:
    size = len(collected.rows)
    return [Fault(field, rule, Severity.CRITICAL, size, np.arange(size)) for field in fields]


def _refused(collected: Collected, entry: Entry, damage: list[Fault], refusal: list[Fault]) -> Checked:
    nothing = pd.DataFrame({code: pd.Series(dtype=TEXT) for code in entry.fields})
    judged = Judged(nothing, pd.Series(dtype=TEXT), pd.Series(dtype=TEXT), [])
    none = np.zeros(len(collected.rows), dtype=np.bool_)
    return _parted(collected, entry, [*damage, *refusal], (judged, none), refusal[0].rule)


def _parted(
    collected: Collected, entry: Entry, found: list[Fault], rows: tuple[Judged, Bools], refused: str = ""
) -> Checked:
    """The two frames. `rows` are the judged rows and which of the collected ones they are."""
    judged, whole = rows
    size = len(collected.rows)
    bad = findings.in_quarantine(found, size)
    if not refused and thresholds.are_too_many(int(bad.sum()), size, entry.thresholds):
        refused = thresholds.TOO_MANY
        found = [*found, *_over_all(collected, refused, "")]
        bad = findings.in_quarantine(found, size)
    lines = collected.rows[LINE].to_numpy(dtype=np.int64)
    good = judged.frame[~bad[whole]].reset_index(drop=True)
    good.insert(0, RECORD, judged.records[~bad[whole]].reset_index(drop=True))
    good.insert(1, LINE, lines[whole & ~bad])
    records = np.full(size, None, dtype=object)
    records[whole] = judged.records.array.to_numpy(dtype=object, na_value=None)
    return Checked(collected.feed, collected.entry, collected.partition, size, good,
                   _quarantined(collected.rows, entry, records, findings.reasons(found, size)),
                   findings.findings(found, lines), refused, _counts(judged.versions[~bad[whole]]))


def _counts(versions: pd.Series) -> dict[str, int]:
    return {str(version): int(rows) for version, rows in versions.value_counts().sort_index().items()}


def _quarantined(rows: pd.DataFrame, entry: Entry, records: np.ndarray, reasons: np.ndarray) -> pd.DataFrame:
    bad = reasons != ""
    fields = {code: rows[code][bad].astype(TEXT) if code in rows else pd.NA for code in entry.fields}
    out = pd.DataFrame({
        LINE: rows[LINE][bad].to_numpy(dtype=np.int64), RECORD: pd.array(records[bad], dtype=TEXT),
        REASONS: pd.array(reasons[bad], dtype=TEXT), RAW: rows[RAW][bad].astype(TEXT).array,
    })
    for code, values in fields.items():
        out[code] = pd.array([None] * len(out), dtype=TEXT) if values is pd.NA else values.array
    return out
