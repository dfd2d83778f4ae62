"""Columns as the decision reads them: distinct words and where each stands, days, and yes or no without gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]

# A month no longer than 31 days; whether the day exists is seen by comparing it with what was read.
_ISO_DATE = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"


@dataclass(frozen=True, slots=True)
class Codes:
    """A column by its distinct words: `places` says of each row which word it holds, len(words) where it is empty."""

    words: list[str]
    places: Ints


def codes(column: pa.Array) -> Codes:
    """A column of texts, encoded."""
    encoded = column.dictionary_encode()
    words: list[str] = encoded.dictionary.to_pylist()
    return Codes(words, pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False).astype(np.int64))


def days(column: pa.Array) -> Days:
    """Days of a column of texts YYYY-MM-DD; NaT where it is empty or says no day of the calendar."""
    shaped = pc.if_else(pc.match_substring_regex(column, _ISO_DATE), column, pa.scalar(None, pa.string()))
    # 30 February is shaped like a date but is none: it moves when it is read by month and day.
    month = np.array(pc.utf8_slice_codeunits(shaped, 0, 7).to_numpy(zero_copy_only=False), dtype="datetime64[M]")
    into = pc.fill_null(pc.cast(pc.utf8_slice_codeunits(shaped, 8, 10), pa.int64()), 1).to_numpy()
    found: Days = month.astype("datetime64[D]") + (into - 1).astype("timedelta64[D]")
    found[found.astype("datetime64[M]") != month] = np.datetime64("NaT")
    return found


def bools(column: pa.Array) -> Bools:
    """Yes or no of a column of booleans; what is unknown is no."""
    found: Bools = pc.fill_null(column, False).to_numpy(zero_copy_only=False)
    return found


def texts(values: Iterable[object]) -> pa.Array:
    """Arrow strings of words or days; NaT is null."""
    if isinstance(values, np.ndarray):
        return pc.cast(pa.array(values.astype("datetime64[D]")), pa.string())
    return pa.array(values, pa.string())
