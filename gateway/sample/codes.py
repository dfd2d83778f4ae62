"""Makes codes that pass every check digit and that no authority ever gave out.

A firm's body starts with WW, a series that is not issued; a citizen's serial is 000, which is not issued either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Text = NDArray[np.str_]

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
_BODY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_BODY_CHECK = np.array(list("0123456789X0"))
_CITIZEN_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CITIZEN_CHECK = np.array(list("10X98765432"))


def organisation_codes(serials: NDArray[np.int64]) -> Text:
    """Nine characters by GB 11714: WW, the serial in six digits, the check character."""
    bodies = _joined("WW", [f"{serial:06d}" for serial in serials])
    check = 11 - _weighed(bodies, _BODY_ALPHABET, _BODY_WEIGHTS) % 11
    return np.char.add(bodies, _BODY_CHECK[check])


def usccs(prefixes: Sequence[str], regions: Sequence[str], serials: NDArray[np.int64]) -> Text:
    """Eighteen characters by GB 32100: registration kind, region, organisation code, check character."""
    heads = np.char.add(np.array(prefixes, dtype=np.str_), np.array(regions, dtype=np.str_))
    numbers = np.char.add(heads, organisation_codes(serials))
    check = (31 - _weighed(numbers, _USCC_ALPHABET, _USCC_WEIGHTS) % 31) % 31
    return np.char.add(numbers, np.array(list(_USCC_ALPHABET))[check])


def citizen_numbers(regions: Sequence[str], births: Sequence[str]) -> Text:
    """Eighteen characters by GB 11643 with serial 000. births: YYYYMMDD."""
    heads = np.char.add(np.array(regions, dtype=np.str_), np.array(births, dtype=np.str_))
    numbers = np.char.add(heads, "000")
    return np.char.add(numbers, _CITIZEN_CHECK[_weighed(numbers, "0123456789", _CITIZEN_WEIGHTS) % 11])


def registration_numbers(regions: Sequence[str], serials: NDArray[np.int64]) -> list[str]:
    """Fifteen digits of the old business register: region, serial, check digit by ISO 7064 MOD 11,10."""
    bodies = [f"{region}{serial:08d}" for region, serial in zip(regions, serials, strict=True)]
    return [body + _mod_11_10(body) for body in bodies]


def _mod_11_10(body: str) -> str:
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def with_wrong_check(code: str) -> str:
    """The same code with another last character."""
    return code[:-1] + ("1" if code[-1] != "1" else "2")


def _joined(head: str, tails: Sequence[str]) -> Text:
    return np.char.add(head, np.array(tails, dtype=np.str_))


def _weighed(numbers: Text, alphabet: str, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """The weighted sum of each number's characters."""
    values = np.zeros(128, dtype=np.int64)
    values[[ord(character) for character in alphabet]] = np.arange(len(alphabet))
    points = np.ascontiguousarray(numbers).view(np.uint32).reshape(len(numbers), -1)[:, : len(weights)]
    sums: NDArray[np.int64] = values[points] @ weights
    return sums
