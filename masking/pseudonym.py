"""Tokens: one keyed name per person and recipient, so that two recipients cannot lay their records side by side."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable

import pandas as pd
import pyarrow as pa

from keys.keyring import Derived
from masking.citizen import canonical, is_citizen_number
from masking.columns import arrow, column
from masking.recipes import STARS


def tokens(plain: pd.Series, key: Derived) -> pd.Series:
    """A token for each value, NA for NA, as `t1.<key version>.<26 letters and digits>`: 128 bits of HMAC-SHA256.

    A number that the source starred out comes out as stars: it is many people's, and must not join them (domain.md 6.2).
    Spellings of one identifier (full-width, lower-case x, 15 or 18 places, outer blanks) have one token. Equal people
    have equal tokens at one recipient, so frequencies show; a token is still personal information (PIPL 73).
    Source: security.md 4 (a).
    """
    token = _tokenizer(key)
    encoded = arrow(plain).dictionary_encode()
    made = pa.array([None if value is None else token(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return column(made.take(encoded.indices), plain.index)


def _tokenizer(key: Derived) -> Callable[[str], str]:
    prepared = hmac.new(key.secret, digestmod="sha256")
    prefix = f"t1.{key.id.rpartition('.')[2]}."

    def token(value: str) -> str:
        number = canonical(value)
        if "*" in number:
            return STARS
        state = prepared.copy()
        # The kind of number goes in, so that a passport number never meets a citizen number of the same digits.
        for part in ("citizen" if is_citizen_number(number) else "other", number):
            state.update(len(part.encode()).to_bytes(4, "big") + part.encode())
        return prefix + b32encode(state.digest()[:16])[:26].decode().lower()

    return token
