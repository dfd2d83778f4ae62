"""Amounts and whole numbers as departments write them → plain decimal text in the unit of the field."""

from __future__ import annotations

import re
from decimal import Decimal

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?:\.[0-9]{1,12})?|\.[0-9]{1,12}"
_PLAIN = re.compile(rf"[¥￥]?({_NUMBER})$")
_WITH_UNIT = re.compile(rf"({_NUMBER})\(?(万|亿)?(元)?(人民币|[\u4e00-\u9fff]{{2,6}})?(元)?\)?$")
_TIMES = {None: Decimal(1), "万": Decimal(10_000), "亿": Decimal(100_000_000)}

# Currencies met in registered capital, by their names in Chinese and in ISO 4217, also those long gone.
CURRENCIES = {
    "美元": "USD", "香港元": "HKD", "港元": "HKD", "港币": "HKD", "日元": "JPY", "欧元": "EUR", "英镑": "GBP",
    "法国法郎": "FRF", "德国马克": "DEM", "瑞士法郎": "CHF", "澳大利亚元": "AUD", "澳元": "AUD", "加拿大元": "CAD",
    "加元": "CAD", "新加坡元": "SGD", "韩元": "KRW", "新台湾元": "TWD", "新台币": "TWD", "澳门元": "MOP",
}


def amount(text: str, unit: str | None) -> str:
    """An amount as plain decimal text: 3,000 → 3000, 0.200000 → 0.2, in `yuan` also 0.5万元 → 5000, in `10k_yuan`
    5000元 → 0.5. With `yuan_or_foreign` a foreign currency follows as its ISO code: 50(万美元) → 500000 USD.
    What is no amount comes back unchanged."""
    bare = "".join(text.split())
    if found := _PLAIN.fullmatch(bare):
        return plain(_decimal(found[1]))
    if found := _WITH_UNIT.fullmatch(bare):
        return _in_unit(found, unit) or text
    return text


def integer(text: str) -> str:
    """A whole number without thousands commas and without the `.0` of spreadsheets; anything else unchanged."""
    if found := _PLAIN.fullmatch("".join(text.split())):
        value = _decimal(found[1])
        return plain(value) if value == value.to_integral_value() else text
    return text


def plain(value: Decimal) -> str:
    """Decimal text without exponent and without zeros that say nothing, so that equal amounts are equal texts."""
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", ""))


def _in_unit(found: re.Match[str], unit: str | None) -> str | None:
    value = _decimal(found[1]) * _TIMES[found[2]]
    currency = found[4]
    if currency not in (None, "人民币"):
        known = CURRENCIES.get(currency) or CURRENCIES.get(currency + "元")
        return f"{plain(value)} {known}" if known and unit == "yuan_or_foreign" else None
    return plain(value / 10_000) if unit == "10k_yuan" else plain(value)
