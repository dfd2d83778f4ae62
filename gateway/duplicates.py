"""Records that came twice in one night, in two partitions: the same content once, different content not at all."""

from __future__ import annotations

from collections import Counter
from secrets import token_hex
from typing import Any

import pandas as pd
import pyarrow as pa

from gateway.settings import Gateway
from ledger import log
from ledger.events import Event, Line
from records.database import writing
from records.identity import digests
from records.stages import LINE, REASONS, RECORD, Checked
from records.staging import Reference

Json = dict[str, Any]


def set_aside(gateway: Gateway, run: dict[str, str], checked: list[Json]) -> tuple[list[Json], int]:
    """The accepted partitions without what came twice, and how many rows went to quarantine for it.

    Equal content in a later partition is a `duplicate-row`; different content under one record id is a
    `conflicting-record` and no side is believed.
    """
    checked = [part for part in checked if part["reference"]["rows"]]
    if len(checked) < 2:
        return checked, 0
    # One partition at a time: only the names of all of them, and the rows that came twice, lie in memory together.
    names = pd.concat([_read(gateway, part)[RECORD] for part in checked], ignore_index=True)
    twice = names[names.duplicated()]
    if twice.empty:
        return checked, 0
    rows = [frame[frame[RECORD].isin(twice)] for frame in (_read(gateway, part) for part in checked)]
    settled, moved = [], 0
    for part, reason in zip(checked, _reasons(gateway, rows), strict=True):
        bad = reason.notna()
        if bad.any():
            moved += int(bad.sum())
            frame = _read(gateway, part)
            part = _move(gateway, run, part, frame, reason.reindex(frame.index))
        settled.append(part)
    return settled, moved


def by_reason(quarantined: pd.DataFrame) -> dict[str, int]:
    """How many rows have each primary reason."""
    return dict(Counter(reasons.split(";")[0] for reasons in quarantined[REASONS].to_list()).most_common())


def _read(gateway: Gateway, part: Json) -> pd.DataFrame:
    return gateway.staging.read(Reference(**part["reference"]))


def _reasons(gateway: Gateway, frames: list[pd.DataFrame]) -> list[pd.Series]:
    """Per partition, NA or the reason code why a row may not stand."""
    records = pd.concat([frame[RECORD] for frame in frames], keys=range(len(frames)))
    twice = records[records.duplicated(keep=False)]
    reason = pd.Series(pd.NA, index=records.index, dtype=pd.ArrowDtype(pa.string()))
    if len(twice):
        key = gateway.keyring.derive("identity", "content")
        rows = pd.concat([frame.loc[twice.loc[n].index] if n in twice.index.levels[0] and n in twice.index.get_level_values(0)
                          else frame.iloc[:0] for n, frame in enumerate(frames)], keys=range(len(frames)))
        content = digests(rows, sorted(set(rows.columns) - {RECORD, LINE}), key, "content")
        conflicting = content.groupby(rows[RECORD]).transform("nunique") > 1
        later = rows[RECORD].duplicated(keep="first")
        reason.loc[rows.index[conflicting]] = "conflicting-record"
        reason.loc[rows.index[~conflicting & later]] = "duplicate-row"
    return [reason.loc[n] if len(frame) else reason.iloc[:0] for n, frame in enumerate(frames)]


def _move(gateway: Gateway, run: dict[str, str], part: Json, frame: pd.DataFrame, reason: pd.Series) -> Json:
    bad = reason.notna().to_numpy()
    out = frame[bad].assign(**{REASONS: reason[bad].to_numpy()})
    moved = Checked(run["feed"], "", part["partition"], len(out), frame.iloc[:0], out, ())
    reference = gateway.staging.write(frame[~bad], run["run"], part["partition"], "settled", token_hex(4))
    line = Line(Event.CHECKED, run["run"], run["feed"], figures={"quarantined": len(out)},
                notes={"partition": f"{part['partition']} (across partitions)", "reasons": by_reason(out)})
    with writing(gateway.engine) as connection:
        gateway.quarantine.put(connection, moved, run["run"], gateway.clock())
        log.append(connection, [line], gateway.clock())
    return part | {"reference": reference.as_json()}
