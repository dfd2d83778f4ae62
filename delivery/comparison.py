"""Comparing 对账: from counts and digests of segments down to the records that differ, without asking for those that agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

import pandas as pd

from delivery.statements import CONTENT, ENDS, PREFIX, RECORDS, Inquiry, records_frame, segments
from records.stages import HANDLE

OURS, THEIRS = "ours", "theirs"
# Records in a segment of the first question: with a difference in every thousand records three segments in four are equal.
_SEGMENT = 256
_FEW = 24  # records of a segment that are asked for one by one instead of dividing it once more
_LONGEST = 64  # characters of a handle, of which every further one would have to be the same
_AT_ONCE = 500  # prefixes in one inquiry

Ask = Callable[[Inquiry], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs. rows: HANDLE, OURS (the digest expected, NA: not expected there), THEIRS (NA: not there), ENDS (theirs).

    `found` is how many records the recipient says it holds; `sent` counts what it sent for it: segments, records, inquiries.
    """

    rows: pd.DataFrame
    found: int
    sent: Counter[str]


@dataclass
class _Asking:
    """Puts questions to the recipient and counts what they cost."""

    ask: Ask
    ends_field: str
    sent: Counter[str] = field(default_factory=Counter)

    def about(self, prefixes: list[str], length: int) -> pd.DataFrame:
        parts = [self.ask(Inquiry(token_hex(32), tuple(prefixes[start : start + _AT_ONCE]), length, self.ends_field))
                 for start in range(0, len(prefixes), _AT_ONCE)]
        self.sent["inquiries"] += len(parts)
        self.sent["segments" if length else "records"] += sum(map(len, parts))
        return pd.concat(parts, ignore_index=True)


def compare(expected: pd.DataFrame, ask: Ask, ends_field: str = "") -> Compared:
    """Finds every record of which a recipient holds other content than expected, or holds it unexpectedly, or not at all.

    expected: HANDLE (unique), CONTENT (in the canonical form, so over the handle too; "" where only its being there is known,
    which counts as different). `ask` puts one inquiry to the recipient and returns its statement; what it raises passes through.
    """
    asking = _Asking(ask, ends_field)
    length = _first_length(expected)
    ours, theirs = segments(expected, length), asking.about([""], length)
    found, listed = int(theirs[RECORDS].sum()), list[pd.DataFrame]()
    while len(differing := _differing(ours, theirs)):
        is_last = (differing["most"] <= _FEW) | (differing[PREFIX].str.len() < length) | (length >= _LONGEST)
        listed.append(_listed(expected, asking, differing[PREFIX][is_last].to_list()))
        larger = differing[PREFIX][~is_last].to_list()
        if not larger:
            break
        ours = segments(_within(expected, larger), length + 1)
        theirs, length = asking.about(larger, length + 1), length + 1
    return Compared(_unlike(pd.concat([_listed(expected, asking, []), *listed], ignore_index=True)), found, asking.sent)


def _first_length(expected: pd.DataFrame) -> int:
    """How many characters tell segments of a good size apart: the key's version, a dash, then hexadecimal digits."""
    if expected.empty:
        return 1
    version = int(expected[HANDLE].str.find("-").max()) + 1
    return version + max(1, math.ceil(math.log(max(1.0, len(expected) / _SEGMENT), 16)))


def _differing(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """PREFIX of the segments that are not equal, and `most`: how many records either side has in it."""
    both = ours.merge(theirs, on=PREFIX, how="outer", suffixes=("", "_theirs"))
    is_equal = (both[CONTENT] == both[f"{CONTENT}_theirs"]) & (both[RECORDS] == both[f"{RECORDS}_theirs"])
    unlike = both[~is_equal.fillna(False).astype(bool)]
    return pd.DataFrame({PREFIX: unlike[PREFIX], "most": unlike[[RECORDS, f"{RECORDS}_theirs"]].max(axis=1)})


def _within(expected: pd.DataFrame, prefixes: list[str]) -> pd.DataFrame:
    lengths = {len(prefix) for prefix in prefixes}
    wanted = [expected[expected[HANDLE].str.slice(0, length).isin([p for p in prefixes if len(p) == length])] for length in sorted(lengths)]
    return pd.concat([expected.iloc[:0], *wanted]).drop_duplicates(HANDLE)


def _listed(expected: pd.DataFrame, asking: _Asking, prefixes: list[str]) -> pd.DataFrame:
    theirs = asking.about(prefixes, 0) if prefixes else records_frame([])
    mine = _within(expected, prefixes).rename(columns={CONTENT: OURS})
    return mine.merge(theirs.rename(columns={CONTENT: THEIRS}), on=HANDLE, how="outer")[[HANDLE, OURS, THEIRS, ENDS]]


def _unlike(listed: pd.DataFrame) -> pd.DataFrame:
    is_equal = (listed[OURS] == listed[THEIRS]).fillna(False).astype(bool)
    return listed[~is_equal].drop_duplicates(HANDLE).reset_index(drop=True)
