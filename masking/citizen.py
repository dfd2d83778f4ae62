"""Citizen ID numbers (GB 11643) and what can be mistaken for one: canonical form and check digits."""

from __future__ import annotations

import unicodedata
from datetime import date
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_PROVINCES = frozenset(
    str(code)
    for codes in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
    for code in codes
) | {"71", "81", "82", "83"}
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LETTERS_OF_ORG = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = frozenset("0123456789")


def canonical(value: str) -> str:
    """The one spelling of an identifier: NFKC, upper case, no outer blanks, a citizen number of 15 places as 18."""
    plain = unicodedata.normalize("NFKC", value).strip().upper()
    return lengthened(plain) if is_short_citizen_number(plain) else plain


def is_citizen_number(value: str) -> bool:
    """18 places with a province, a day of birth and the right check digit. Foreigners' residence cards, which start
    with 9, count too; a code that starts with 9 and is a right credit code is a firm's and does not."""
    if len(value) != 18 or not _DIGITS.issuperset(value[:17]) or value[17] not in _CHECKS:
        return False
    is_resident_card = value[0] == "9" and value[1:3] in _PROVINCES and not is_credit_code(value)
    known = value[:2] in _PROVINCES or is_resident_card
    return known and _is_day(value[6:14]) and value[17] == check_digit(value[:17])


def is_short_citizen_number(value: str) -> bool:
    """15 places, without a check digit: issued until 1999 to people born in the 1900s."""
    shaped = len(value) == 15 and _DIGITS.issuperset(value) and value[:2] in _PROVINCES
    return shaped and _is_day("19" + value[6:12])


def lengthened(short: str) -> str:
    """The number of 18 places that replaced a number of 15."""
    body = short[:6] + "19" + short[6:]
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """Check digit of the first 17 places."""
    return _CHECKS[sum(map(mul, _WEIGHTS, map(int, body))) % 11]


def is_credit_code(value: str) -> bool:
    """A unified social credit code with the right check digit (GB 32100)."""
    if len(value) != 18 or any(sign not in _USCC for sign in value):
        return False
    total = sum(_USCC.index(sign) * pow(3, place, 31) for place, sign in enumerate(value[:17]))
    return _USCC.index(value[17]) == -total % 31


def is_old_register_number(value: str) -> bool:
    """15 digits that are an old business registration number (check digit by ISO 7064 MOD 11,10) or an old taxpayer
    number (region and organisation code, check digit by GB 11714)."""
    if len(value) != 15 or not _DIGITS.issuperset(value[:14]):
        return False
    return _closes_mod_11_10(value) or _closes_organisation_code(value[6:])


def _closes_mod_11_10(value: str) -> bool:
    if not _DIGITS.issuperset(value):
        return False
    product = 10
    for digit in value[:-1]:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return (product + int(value[-1])) % 10 == 1


def _closes_organisation_code(value: str) -> bool:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * _LETTERS_OF_ORG.index(sign) for weight, sign in zip(weights, value[:8], strict=True))
    return value[8] == "0123456789X0"[11 - total % 11]


def _is_day(digits: str) -> bool:
    if not "1850" < digits[:4] < "2100":
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
