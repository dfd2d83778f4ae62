"""The invented firms and people that all records of the sample world are about, the same ones in every entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from gateway.sample import codes, names
from gateway.sample.names import DISTRICTS, PROVINCE, Authority

_REGISTERED = {"91": 0.90, "92": 0.085, "93": 0.015}
_OTHERS = {"12": 0.3, "51": 0.2, "52": 0.2, "81": 0.15, "N1": 0.15}
_TYPES = {
    "92": "个体工商户",
    "93": "农民专业合作社",
    "12": "事业单位",
    "51": "社会团体",
    "52": "民办非企业单位",
    "81": "工会",
    "N1": "农村集体经济组织",
}
_COMPANY_TYPES = np.array(["有限责任公司(自然人投资或控股)", "有限责任公司", "股份有限公司", "个人独资企业"])
_MINORS = 0.02


@dataclass(frozen=True, slots=True)
class Subjects:
    """firms: name, uscc, kind (91, 92, 93), category, legal_representative, district, address, registered_on,
    registered_capital, enterprise_type, business_scope, registration_number. others: the same columns, for kinds that
    the market register does not hold (12, 51, 52, 81, N1). people: name, id_number, born_on."""

    firms: pd.DataFrame
    others: pd.DataFrame
    people: pd.DataFrame

    def all_legal(self) -> pd.DataFrame:
        return pd.concat([self.firms, self.others], ignore_index=True)


def invent(rng: Generator, on: date, scale: float) -> Subjects:
    """Firms and people as of the day `on`; about one person in fifty is a minor."""
    firms, others = scaled(9_000, scale), scaled(220, scale)
    serials = rng.permutation(800_000)[: firms + others]
    kinds = rng.choice(list(_REGISTERED), firms, p=list(_REGISTERED.values()))
    other_kinds = rng.choice(list(_OTHERS), others, p=list(_OTHERS.values()))
    return Subjects(
        _firms(rng, kinds, serials[:firms], on),
        _firms(rng, other_kinds, serials[firms:], on),
        _people(rng, scaled(3_000, scale), on),
    )


def scaled(size: int, scale: float) -> int:
    """So many at this scale, never fewer than a hundred, so that every kind of dirt finds room."""
    return max(100, round(size * scale))


def authority_code(authority: Authority) -> str:
    """The USCC of an invented public body."""
    return str(codes.usccs(["11"], [DISTRICTS[0].code], np.array([authority.serial]))[0])


def days_before(rng: Generator, on: date, span: tuple[int, int], size: int) -> list[date]:
    """Days that lie between `span[0]` and `span[1]` days before `on`."""
    return [on - timedelta(days=int(days)) for days in rng.integers(span[0], span[1] + 1, size)]


def only(mask: NDArray[np.bool_], values: Iterable[str]) -> pd.Series:
    """The values where the mask holds, None elsewhere."""
    return pd.Series([value if wanted else None for wanted, value in zip(mask, values, strict=True)], dtype=object)


def mobiles(rng: Generator, size: int) -> list[str]:
    """Mobile numbers of the series 1400, which no operator gives to the public."""
    return [f"1400{number:07d}" for number in rng.integers(0, 10_000_000, size)]


def _firms(rng: Generator, kinds: NDArray[np.str_], serials: NDArray[np.int64], on: date) -> pd.DataFrame:
    size = len(kinds)
    brands, trades, people = names.brands(rng, size), names.trades(rng, kinds), names.people(rng, size)
    # A stall often carries its owner's name, which no masking of columns reaches.
    brands = [
        person if kind == "92" and draw < 0.1 else brand
        for brand, person, kind, draw in zip(brands, people, kinds, rng.random(size), strict=True)
    ]
    districts = rng.integers(0, len(DISTRICTS), size)
    regions = [DISTRICTS[district].code for district in districts]
    return pd.DataFrame(
        {
            "name": _distinct([names.firm(*parts) for parts in zip(kinds, brands, trades, strict=True)]),
            "uscc": codes.usccs(list(kinds), regions, serials),
            "kind": kinds,
            "category": np.where(kinds == "92", "个体工商户", "法人及非法人组织"),
            "legal_representative": people,
            "province": PROVINCE,
            "district": [DISTRICTS[district].name for district in districts],
            "address": names.addresses(rng, districts),
            "registered_on": days_before(rng, on, (1_200, 9_000), size),
            "registered_capital": [
                f"{amount}(万元人民币)" for amount in rng.choice([10, 30, 50, 100, 200, 500, 1000, 3000], size)
            ],
            "enterprise_type": [
                _TYPES.get(kind, company)
                for kind, company in zip(kinds, names.pick(rng, _COMPANY_TYPES, size), strict=True)
            ],
            "business_scope": [f"{trade}的生产、加工、销售及相关服务" for trade in trades],
            "registration_number": codes.registration_numbers(regions, serials),
        },
        dtype=object,
    )


def _people(rng: Generator, size: int, on: date) -> pd.DataFrame:
    grown = days_before(rng, on, (19 * 366, 75 * 365), size)
    young = days_before(rng, on, (12 * 366, 17 * 365), size)
    births = [
        child if draw < _MINORS else adult for adult, child, draw in zip(grown, young, rng.random(size), strict=True)
    ]
    regions = names.pick(rng, names.ORIGINS, size)
    numbers = codes.citizen_numbers(list(regions), [f"{birth:%Y%m%d}" for birth in births])
    frame = pd.DataFrame({"name": names.people(rng, size), "id_number": numbers, "born_on": births}, dtype=object)
    # All serials are 000, so two people of one region and birthday would share a number.
    return frame.drop_duplicates("id_number", ignore_index=True)


def _distinct(given: list[str]) -> list[str]:
    """The same names, with a numeral behind the ones that were taken."""
    seen: dict[str, int] = {}
    result = []
    for name in given:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}第{seen[name]}分部")
    return result
