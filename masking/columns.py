"""Between a column of a frame and one Arrow array."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa


def arrow(column: pd.Series) -> pa.Array:
    """The column's texts as one array; NA is null."""
    values = pa.array(column.array, pa.string())
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def column(values: pa.Array, index: pd.Index) -> pd.Series:
    """The array as a column of Arrow strings."""
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=index)
