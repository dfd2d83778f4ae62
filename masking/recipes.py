"""Named recipes: pure functions from a column of plain values to a column that may be seen. Null stays null.

What has not the shape a recipe knows comes out as stars only; no recipe passes a value through because it is odd.
Vectors: tests/vectors/<recipe>.json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import Mask

Recipe = Callable[[pa.Array], pa.Array]

# Fixed length: the number of stars says nothing about a value whose shape is not known.
STARS = "******"

_HAN_NAME = r"^\p{Han}[\p{Han}·•・‧]{0,24}$"
_LATIN_NAME = r"^\p{Latin}[\p{Latin}\p{Mn} .,'’-]*$"
_CITIZEN = (
    r"^(?P<place>(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{4})"
    r"(?:(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
    r"|[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3})$"
)
_MOBILE = r"^(?:\+?86|0086)?(?P<head>1[3-9][0-9])[0-9]{4}(?P<tail>[0-9]{4})$"
_ACCOUNT = r"^[0-9]{8,}(?P<tail>[0-9]{4})$"
_GAPS = r"[\s\p{Z}\p{Cf}\p{Pd}]+"

# Words in which 区, 市, 旗 do not end the name of a place of government; and the first word that belongs to a street,
# a village or a house. Where one stands, the address is cut before it.
_FROM_THE_FIRST_FIGURE = r"(?s)\P{Han}.*"
_NOT_A_DISTRICT = (
    r"[小社园校厂院景库宅舍活属税发业片军营试验集商贸物流]区|[场超门夜早菜花超]市|市[场政]|红旗|区[内间域]"
)
_STREET = r"([^市省州盟区县旗])[路街巷弄道镇乡村楼]([^市区县]|$)|[号幢栋室座屯组苑坊庄园]"
_PLACE = (
    r"^(?P<place>(?:\p{Han}{2,6}(?:省|自治区|特别行政区))?(?:\p{Han}{2,10}?(?:自治州|州市|州|市|盟|地区))?"
    r"(?:\p{Han}{1,5}?[区县市]|\p{Han}{1,8}?旗|\p{Han}{1,14}?自治[县旗])?)"
)
_ENDS_AS_A_PLACE = r"[省市州盟区县旗]$"


def open_(values: pa.Array) -> pa.Array:
    """The value itself: giving it plain is a written decision of the catalogue."""
    return values


def name(values: pa.Array) -> pa.Array:
    """The first character and a star for each other one (张**); one character alone is a star. In Latin letters the
    first letter and three stars. Of a compound surname the first character only. Customary (domain.md 6.2)."""
    plain = _plain(values)
    first = pc.utf8_slice_codeunits(plain, 0, 1)
    rest = pc.max_element_wise(pc.subtract(pc.utf8_length(plain), 1), 0, skip_nulls=False)
    han = pc.if_else(pc.equal(rest, 0), "*", _joined(first, pc.binary_repeat("*", rest)))
    return _shaped(plain, {_HAN_NAME: han, _LATIN_NAME: _joined(pc.utf8_upper(first), "***")})


def id_number(values: pa.Array) -> pa.Array:
    """Of a citizen number the first 6 places (where it was issued) and 12 stars, also of one with 15 places.

    Day of birth, sequence number, sex and check digit are hidden: some 30 million numbers look the same. Seen in
    government practice (Ningbo, domain.md 6.2). Not 6 + 4: that hides a birthday only and can be guessed. Any other
    document comes out as stars.
    """
    plain = pc.utf8_upper(_plain(values))
    place = pc.struct_field(pc.extract_regex(plain, _CITIZEN), "place")
    return _shaped(plain, {_CITIZEN: _joined(place, "*" * 12)})


def mobile(values: pa.Array) -> pa.Array:
    """A mainland mobile number as 138****1234, without country code; other numbers as stars (security.md 4 (b))."""
    digits = pc.replace_substring_regex(_plain(values), _GAPS, "")
    parts = pc.extract_regex(digits, _MOBILE)
    return _shaped(digits, {_MOBILE: _joined(pc.struct_field(parts, "head"), "****", pc.struct_field(parts, "tail"))})


def address(values: pa.Array) -> pa.Array:
    """Province, city and district as far as the address names them in this order, then three stars (domain.md 6.2).

    Everything from the first street, village, house or number on is hidden. An address that does not begin with a
    place of government comes out as stars.
    """
    plain = pc.replace_substring_regex(_plain(values), _GAPS, "")
    # A house number ends every name of a place. What stands before it repeats itself, so each such text is read once.
    encoded = pc.replace_substring_regex(plain, _FROM_THE_FIRST_FIGURE, "").dictionary_encode()
    barred = pc.replace_substring_regex(encoded.dictionary, _NOT_A_DISTRICT, "#")
    barred = pc.replace_substring_regex(barred, _STREET, r"\1#")
    place = pc.struct_field(pc.extract_regex(barred, _PLACE), "place")
    seen = pc.if_else(pc.match_substring_regex(place, _ENDS_AS_A_PLACE), _joined(place, "***"), STARS)
    return seen.take(encoded.indices)


def account(values: pa.Array) -> pa.Array:
    """The last 4 of at least 12 digits behind 4 stars; shorter or other ones as stars."""
    digits = pc.replace_substring_regex(_plain(values), _GAPS, "")
    tail = pc.struct_field(pc.extract_regex(digits, _ACCOUNT), "tail")
    return _shaped(digits, {_ACCOUNT: _joined("****", tail)})


RECIPES: Mapping[Mask, Recipe] = {
    Mask.OPEN: open_,
    Mask.NAME: name,
    Mask.ID_NUMBER: id_number,
    Mask.MOBILE: mobile,
    Mask.ADDRESS: address,
    Mask.ACCOUNT: account,
}
"""Every recipe without a key. `token` has one and lives in masking/pseudonym.py."""


def _plain(values: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(pc.utf8_normalize(values, form="NFKC"))


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _shaped(values: pa.Array, outputs: Mapping[str, pa.Array]) -> pa.Array:
    """For each value the output of the first shape it has, else stars."""
    result = pc.if_else(pc.is_valid(values), STARS, pa.scalar(None, pa.string()))
    for shape, output in reversed(list(outputs.items())):
        result = pc.if_else(pc.match_substring_regex(values, shape), output, result)
    return result
