"""Keyed names for records: the same key and content give the same name; without the key a name tells nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from keys.keyring import Derived

# Separators that no checked value can hold: control characters are refused in expectations/.
_BETWEEN, _ABSENT = "\x1f", "\x00"
TEXT = pd.ArrowDtype(pa.string())


def record_ids(frame: pd.DataFrame, entry: str, key_fields: Sequence[str], key: Derived) -> pd.Series:
    """Record id of each row from the entry's natural key: Arrow strings, NA where a key field is empty.

    Brackets in document numbers come in many shapes; 〔2020〕, [2020], (2020) and （2020） name the same document
    (domain.md 9.7), so the id is taken over a normal form while the record keeps its own.
    """
    columns = [_plain_brackets(_arrow(frame[field])) for field in key_fields]
    joined = pc.binary_join_element_wise(*columns, pa.scalar(_BETWEEN))
    return _named(joined, key, f"record|{entry}", frame.index)


def handles(records: pd.Series, key: Derived) -> pd.Series:
    """A recipient's own reference to each record, from the record ids and the recipient's key."""
    return _named(_arrow(records), key, "handle", records.index)


def subjects(numbers: pd.Series, key: Derived) -> pd.Series:
    """The keyed name of each subject from its credit code or ID number, NA where there is none; key: identity, context
    "subject". However the number was typed (full width, small letters, blanks around it), its name is the same."""
    plain = pc.utf8_upper(pc.utf8_trim_whitespace(pc.utf8_normalize(_arrow(numbers), form="NFKC")))
    return _named(plain, key, "subject", numbers.index)


def digests(frame: pd.DataFrame, columns: Sequence[str], key: Derived, salt: str) -> pd.Series:
    """Keyed digest of each row over `columns` in the order given; `salt` stands for the terms they are given under."""
    parts = [pc.fill_null(_arrow(frame[column]), _ABSENT) for column in columns]
    joined = pc.binary_join_element_wise(*parts, pa.scalar(_BETWEEN)) if len(parts) > 1 else parts[0]
    return _named(joined, key, f"digest|{salt}|{_BETWEEN.join(columns)}", frame.index)


def _named(values: pa.ChunkedArray, key: Derived, about: str, index: pd.Index) -> pd.Series:
    name = _namer(key, about)
    names = [None if value is None else name(value) for value in _bytes(values)]
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


def _arrow(column: pd.Series) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(column.array, type=pa.string())])


def _plain_brackets(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = pc.replace_substring_regex(values, "[〔\\[（【]", "(")
    return pc.replace_substring_regex(values, "[〕\\]）】]", ")")
