"""Finds numbers that point to a person in running text: citizen numbers, mobile numbers, bank cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from masking.citizen import is_citizen_number, is_short_citizen_number, lengthened

# Eleven digits of any script or width in a row, at most two marks between two of them: the fewest that can matter.
_ENOUGH_DIGITS = r"(?:[\p{Nd}\p{No}][\s\p{Z}\p{Cf}\p{Pd}.·]{0,2}){11}"

_CITIZEN = r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
_SHORT_CITIZEN = r"[1-9][0-9]{5}[ -]?[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?[0-9]{3}"
_MOBILE = r"(?:(?:\+|00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
_CARD = r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}(?:[ -]?[0-9]{1,3})?"

_EVERY_CITIZEN = re.compile(f"(?=({_CITIZEN}))")
_EVERY_SHORT = re.compile(f"(?<![0-9A-Z])({_SHORT_CITIZEN})(?![0-9A-Z])")
# A sum of money is no telephone number: 13800000000元.
_EVERY_MOBILE = re.compile(rf"(?<![0-9.])({_MOBILE})(?![0-9]|(?:\.[0-9]+)? ?[万亿]*元)")
_EVERY_CARD = re.compile(f"(?P<about>.{{0,12}})(?<![0-9])(?P<digits>{_CARD})(?![0-9])", re.DOTALL)
_CARD_WORDS = re.compile("卡号|银行卡|[账帐][号户]")


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of number: a quick test over a column that may hit too often, and the exact search in one text."""

    quick: str
    is_collapsed: bool
    find: Callable[[str], Iterator[str]]


def citizens(text: str) -> Iterator[str]:
    """Every citizen number of 18 places, also inside a longer run of digits. Text without gaps between digits."""
    for match in _EVERY_CITIZEN.finditer(text):
        number = match.group(1)
        # A residence card starts with 9 as a firm's code does; inside a longer run that tells nothing.
        is_alone = not re.search(rf"[0-9A-Z]{number}|{number}[0-9A-Z]", text)
        if is_citizen_number(number) and (number[0] != "9" or is_alone):
            yield number


def short_citizens(text: str) -> Iterator[str]:
    """Every citizen number of 15 places that stands alone, given with 18."""
    for match in _EVERY_SHORT.finditer(text):
        number = re.sub("[ -]", "", match.group(1))
        if is_short_citizen_number(number):
            yield lengthened(number)


def mobiles(text: str) -> Iterator[str]:
    """Every mainland mobile number that stands alone, with or without country code."""
    return (match.group(1) for match in _EVERY_MOBILE.finditer(text))


def cards(text: str) -> Iterator[str]:
    """Every bank card with a right Luhn digit: UnionPay ones (62…, 9558…) of 16 or 19 digits anywhere, others only
    behind a word for card or account. Document numbers of that length are common, hence no more."""
    for match in _EVERY_CARD.finditer(text):
        digits = re.sub("[ -]", "", match.group("digits"))
        is_known = digits.startswith(("62", "9558")) and len(digits) in (16, 19)
        if (is_known or _CARD_WORDS.search(match.group("about"))) and _closes_luhn(digits):
            yield digits


CITIZENS = Shape(_CITIZEN, True, citizens)
SHORT_CITIZENS = Shape(f"(?:^|[^0-9]){_SHORT_CITIZEN}(?:$|[^0-9])", False, short_citizens)
MOBILES = Shape(f"(?:^|[^0-9.]){_MOBILE}(?:$|[^0-9])", False, mobiles)
CARDS = Shape(f"(?:^|[^0-9])(?:62|9558)[0-9 -]{{12}}|{_CARD_WORDS.pattern}", False, cards)


def found(values: pa.Array, shapes: tuple[Shape, ...]) -> Iterator[tuple[int, str]]:
    """Place in the column and number, for each number of one of the shapes. Quick by column, exact on what is left."""
    places = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(values, _ENOUGH_DIGITS), False))
    if not len(places):
        return
    texts = _plain(values.take(places))
    collapsed = _collapsed(texts)
    for shape in shapes:
        searched = collapsed if shape.is_collapsed else texts
        for hit in pc.indices_nonzero(pc.match_substring_regex(searched, shape.quick)).to_pylist():
            yield from ((places[hit].as_py(), number) for number in shape.find(searched[hit].as_py()))


def _plain(texts: pa.Array) -> pa.Array:
    """Half-width, upper case, every dash a hyphen, every gap one blank, no invisible marks."""
    plain = pc.utf8_upper(pc.utf8_normalize(texts, form="NFKC"))
    plain = pc.replace_substring_regex(plain, r"\p{Cf}", "")
    plain = pc.replace_substring_regex(plain, r"\p{Pd}", "-")
    return pc.replace_substring_regex(plain, r"[\s\p{Z}]+", " ")


def _collapsed(texts: pa.Array) -> pa.Array:
    """Without the marks between digits. Twice, since a single digit between two marks is met only once in a pass."""
    for _ in range(2):
        texts = pc.replace_substring_regex(texts, r"([0-9])[ .·-]{1,2}([0-9X])", r"\1\2")
    return texts


def _closes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(doubled)) % 10 == 0
