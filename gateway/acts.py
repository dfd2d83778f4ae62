"""The same act under another record id: a department that hands a repaired penalty in again under the party's new name, or writes
the name otherwise, names the same document, authority and number. What is taken back stays back under every such name (D41, I6).
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

import release
from gateway.settings import Gateway
from ledger.holdings import TEXT
from records.identity import record_ids

_NUMBER = "number"


def fields(gateway: Gateway, entry: str) -> list[str]:
    """The fields that tell an act and its party."""
    known = gateway.catalog.entries[entry]
    subject = (known.subject.name, known.subject.uscc, known.subject.id_number, known.subject.category)
    return list(dict.fromkeys([*known.natural_key, *filter(None, subject)]))


def names(gateway: Gateway, entry: str, rows: pd.DataFrame) -> pd.Series:
    """The keyed name of each row's act, from its natural key with the party's number in place of the party's name; NA where the
    key holds no name, so that the record id is the act's, or the row has no number. rows: `fields`."""
    known = gateway.catalog.entries[entry]
    if known.subject.name not in known.natural_key or rows.empty:
        return pd.Series(pd.NA, index=rows.index, dtype=TEXT)
    table = pa.record_batch({code: pa.array(rows[code].to_list(), pa.string()) for code in fields(gateway, entry)})
    number = pd.Series(release.numbers(table, known).to_pylist(), index=rows.index, dtype=TEXT)
    columns = [code for code in known.natural_key if code != known.subject.name]
    named = rows.assign(**{_NUMBER: number.str.upper()})
    return record_ids(named, f"{entry}|act", [*columns, _NUMBER], gateway.keyring.derive("identity", "act"))
