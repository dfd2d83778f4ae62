"""Records that come more than once in a partition: the same content once, different content not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from catalog.model import Severity
from expectations.findings import Fault
from keys.keyring import Derived
from records.identity import digests


def repeated(frame: pd.DataFrame, records: pd.Series, key: Derived) -> list[Fault]:
    """The faults `duplicate-row` (equal to an earlier row) and `conflicting-record` (another row has the same record id
    and other content; none of them is believed). Content is compared in normal form, over every column of `frame`."""
    tested = int(records.count())
    more = np.flatnonzero((records.notna() & records.duplicated(keep=False)).to_numpy(dtype=np.bool_))
    conflicting = later = np.zeros(len(more), dtype=np.bool_)
    if len(more):
        record = records.iloc[more].reset_index(drop=True)
        content = digests(frame.iloc[more], list(frame.columns), key, "content").reset_index(drop=True)
        conflicting = (content.groupby(record).transform("nunique") > 1).to_numpy(dtype=np.bool_)
        later = record.duplicated(keep="first").to_numpy(dtype=np.bool_) & ~conflicting
    return [
        Fault("", "duplicate-row", Severity.CRITICAL, tested, more[later]),
        Fault("", "conflicting-record", Severity.CRITICAL, tested, more[conflicting]),
    ]
