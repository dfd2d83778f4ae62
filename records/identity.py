"""Keyed names for records: the same key and content give the same name; without the key a name tells nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from keys.keyring import Derived

# Separators that no checked value can hold: control characters are refused in expectations/.
BETWEEN, ABSENT = "\x1f", "\x00"
TEXT = pd.ArrowDtype(pa.string())
_AT_ONCE = 10_000  # so few rows that they are still in the processor's cache when the next step reads them


def record_ids(frame: pd.DataFrame, entry: str, key_fields: Sequence[str], key: Derived) -> pd.Series:
    """Record id of each row from the entry's natural key: Arrow strings, NA where a key field is empty.

    Brackets in document numbers come in many shapes; 〔2020〕, [2020], (2020) and （2020） name the same document
    (domain.md 9.7), so the id is taken over a normal form while the record keeps its own.
    """
    columns = [_plain_brackets(plain(frame[field])) for field in key_fields]
    joined = pc.binary_join_element_wise(*columns, pa.scalar(BETWEEN))
    return _named(_bytes(joined), key, f"record|{entry}", frame.index)


def handles(records: pd.Series, key: Derived) -> pd.Series:
    """A recipient's own reference to each record, from the record ids and the recipient's key."""
    return _named(_bytes(plain(records)), key, "handle", records.index)


def subjects(numbers: pd.Series, key: Derived) -> pd.Series:
    """The keyed name of each subject from its credit code or ID number, NA where there is none; key: identity, context
    "subject". However the number was typed (full width, small letters, blanks around it), its name is the same."""
    normal = pc.utf8_upper(pc.utf8_trim_whitespace(pc.utf8_normalize(plain(numbers), form="NFKC")))
    return _named(_bytes(normal), key, "subject", numbers.index)


def digests(frame: pd.DataFrame, columns: Sequence[str], key: Derived, salt: str) -> pd.Series:
    """Keyed digest of each row over `columns` in the order given; `salt` stands for the terms they are given under."""
    rows = chain.from_iterable(contents(frame, columns))
    return _named(rows, key, f"digest|{salt}|{BETWEEN.join(columns)}", frame.index)


def contents(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[list[bytes]]:
    """Each row as one text over `columns` in the order given, a missing value apart from an empty one; 10,000 rows at a time."""
    table = pa.table({column: plain(frame[column]) for column in columns})
    for start in range(0, len(frame), _AT_ONCE):
        parts = [pc.fill_null(column, ABSENT) for column in table.slice(start, _AT_ONCE).columns]
        joined = pc.binary_join_element_wise(*parts, pa.scalar(BETWEEN)) if len(parts) > 1 else parts[0]
        yield pc.cast(joined, pa.binary()).to_pylist()


def plain(column: pd.Series) -> pa.ChunkedArray:
    """The same texts without pandas around them; as a list of Python's own they take a tenth of what `to_list` takes."""
    return pa.chunked_array([pa.array(column.array, type=pa.string())])


def _named(values: Iterable[bytes | None], key: Derived, about: str, index: pd.Index) -> pd.Series:
    name = _namer(key, about)
    names = [None if value is None else name(value) for value in values]
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(names, pa.string())), index=index, dtype=TEXT)


def _namer(key: Derived, about: str) -> Callable[[bytes], str]:
    # BLAKE2b in its keyed mode is a MAC (RFC 7693); a copy of a prepared state costs a third of a fresh HMAC.
    prepared = hashlib.blake2b(about.encode() + b"\x00", key=key.secret, digest_size=16)
    version = key.id.rpartition(".")[2]

    def name(value: bytes) -> str:
        state = prepared.copy()
        state.update(value)
        return f"{version}-{state.hexdigest()}"

    return name


def _bytes(values: pa.ChunkedArray) -> Iterable[bytes | None]:
    found: list[bytes | None] = pc.cast(values, pa.binary()).to_pylist()
    return found


def _plain_brackets(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = pc.replace_substring_regex(values, "[〔\\[（【]", "(")
    return pc.replace_substring_regex(values, "[〕\\]）】]", ")")
