"""The suppression list: what was taken back stays back on every path out (I6)."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def is_withdrawn(records: pa.Array, withdrawn: pd.Index) -> pa.Array:
    """Boolean, no nulls: which record ids stand on the list. The list holds record ids of the same entry."""
    return pc.is_in(records, value_set=pa.array(withdrawn, pa.string()))
