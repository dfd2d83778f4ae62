"""Text columns as Arrow arrays and as plain bytes, so that checks run over a column at the speed of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
_CONTROLS = "".join(map(chr, (*range(0x21), 0x7F)))
TEXT = pd.ArrowDtype(pa.string())


def arrow(column: pd.Series) -> pa.Array:
    """The column as one Arrow string array, without a copy where pandas already holds it so."""
    values = pa.array(column.array, type=pa.string(), from_pandas=True)
    if not isinstance(values, pa.ChunkedArray):
        return values
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def series(values: pa.Array, index: pd.Index | None = None) -> pd.Series:
    """An Arrow array as a pandas column of Arrow strings."""
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([values], pa.string())), index=index, dtype=TEXT)


def bools(values: Any, missing: bool = False) -> Bools:
    """An Arrow boolean array as numpy; `missing` stands where it is null."""
    return np.asarray(pc.fill_null(values, missing).to_numpy(zero_copy_only=False), dtype=np.bool_)


def is_missing(values: pa.Array) -> Bools:
    if values.null_count == 0:
        return np.zeros(len(values), dtype=np.bool_)
    return bools(pc.is_null(values))


def offsets(values: pa.Array) -> NDArray[np.int64]:
    """Where each value begins in `text_bytes`, and at the end where the last one ends."""
    buffer = values.buffers()[1]
    if len(values) == 0 or buffer is None:
        return np.zeros(len(values) + 1, dtype=np.int64)
    found = np.frombuffer(buffer, dtype=np.int32)[values.offset : values.offset + len(values) + 1].astype(np.int64)
    return np.asarray(found - found[0])


def text_bytes(values: pa.Array) -> Bytes:
    """The UTF-8 bytes of all values, one after the other. Null slots hold none in arrays that Arrow itself built."""
    if len(values) == 0 or values.buffers()[2] is None:
        return np.zeros(0, dtype=np.uint8)
    found = np.frombuffer(values.buffers()[1], dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    return np.frombuffer(values.buffers()[2], dtype=np.uint8)[found[0] : found[-1]]


def trimmed(values: pa.Array) -> pa.Array:
    """The values without blanks of any kind (also no-break and ideographic ones) or controls at their edges."""
    values = pc.utf8_trim_whitespace(values)
    begins, data = offsets(values), text_bytes(values)
    some = np.flatnonzero(np.diff(begins))
    first, last = data[begins[some]], data[begins[some + 1] - 1]
    odd = some[(first < 0x20) | (first == 0x7F) | (last < 0x20) | (last == 0x7F)]
    if not len(odd):
        return values
    mask = np.zeros(len(values), dtype=np.bool_)
    mask[odd] = True
    bare = pc.utf8_trim_whitespace(pc.utf8_trim(values.take(pa.array(odd)), characters=_CONTROLS))
    return pc.replace_with_mask(values, pa.array(mask), bare)


def of_width(values: pa.Array, width: int) -> tuple[Bools, Bytes]:
    """Which values are `width` bytes long, and those as a matrix of bytes, one row a value."""
    fits = bools(pc.equal(pc.binary_length(values), width))
    picked = values if bool(fits.all()) else values.filter(pa.array(fits))
    return fits, text_bytes(picked).reshape(-1, width)


def spread(fits: Bools, verdicts: Bools) -> Bools:
    """Verdicts about the values that fit, over all values; the others are False."""
    whole = np.zeros(len(fits), dtype=np.bool_)
    whole[fits] = verdicts
    return whole
