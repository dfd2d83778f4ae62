"""A small penalty entry and batches of it, made up: sound by default, dirty where a test says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from stdnum.cn import uscc

from catalog.model import DatabaseFeed, Entry
from expectations import Context
from keys.keyring import Keyring
from records.stages import DAMAGE, LINE, RAW, Collected

TEXT = pd.ArrowDtype(pa.string())
TODAY = date(2026, 11, 23)
TERMS = {"basis": [{"instrument": "measures", "article": "1"}]}
CODES = {
    "category": {"1": "法人及非法人组织", "2": "个体工商户"},
    "penalty": {"1": "警告", "2": "罚款", "3": "没收违法所得、没收非法财物"},
}
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def field(kind: str, **more: Any) -> dict[str, Any]:
    return {"title": {"zh": "字段", "en": "field"}, "type": kind, "sensitivity": "open", "publish": True, **more}


FIELDS = {
    "name": field("text", length=40, required=True),
    "category": field("code", codes="category"),
    "uscc": field("uscc", required=True),
    "id_number": field("id_number"),
    "document_type": field("text"),
    "document": field("identifier"),
    "number": field("identifier", length=30, required=True),
    "facts": field("text", length=200),
    "classes": field("codes", codes="penalty"),
    "content": field("text"),
    "fine": field("amount", unit="10k_yuan"),
    "capital": field("amount", unit="yuan_or_foreign"),
    "employees": field("integer"),
    "decided_on": field("date", required=True),
    "publicity_end": field("date"),
}
RULES = [
    {"kind": "not_before", "field": "publicity_end", "other": "decided_on", "severity": "critical"},
    {"kind": "not_in_future", "field": "decided_on", "severity": "critical"},
    {"kind": "required_when", "field": "fine", "other": "classes", "contains": "2", "severity": "warning"},
    {"kind": "category_matches_code", "field": "category", "other": "uscc", "sole_trader": "2", "severity": "critical"},
    {"kind": "valid_when", "field": "document", "other": "document_type", "equals": "身份证", "form": "id_number",
     "severity": "critical"},
    {"kind": "amount_agrees_with_text", "field": "fine", "other": "content", "after": "罚款", "severity": "critical"},
]


def entry(**more: Any) -> Entry:
    said: dict[str, Any] = {
        "title": {"zh": "行政处罚", "en": "Penalty"}, "category": 3, "nature": "adverse", **TERMS,
        "in_force_from": "2018-01-01", "subject": {"name": "name", "uscc": "uscc"}, "fields": FIELDS,
        "natural_key": ["uscc", "number"], "rules": RULES,
        "thresholds": {"max_quarantined": 0.5, "min_sample": 100, "min_kept": 0.5},
        "grants": {"site": {**TERMS, "subjects": ["legal_person"], "fields": {"uscc": "open", "number": "open"}}},
    }
    return Entry.model_validate(said | more)


def context(sentinels: Sequence[str] = (), of: Entry | None = None) -> Context:
    feed = DatabaseFeed(method="database", table="t", entry="penalty", connection="c", reading="snapshot",
                        sentinels=tuple(sentinels))
    key = Keyring.for_tests().derive("identity", "penalty")
    return Context("penalty", of or entry(), feed, CODES, key, TODAY)


def credit_code(serial: int, prefix: str = "91", region: str = "330100") -> str:
    """A made-up credit code, right in both check digits."""
    body = f"{serial:08d}"
    check = (11 - sum(int(d) * w for d, w in zip(body, ORGANISATION_WEIGHTS, strict=True)) % 11) % 11
    code = f"{prefix}{region}{body}{'X' if check == 10 else check}"
    return code + str(uscc.calc_check_digit(code))


def row(serial: int = 1, **changed: str | None) -> dict[str, str | None]:
    sound: dict[str, str | None] = {
        "name": f"试样{serial}有限公司", "category": "1", "uscc": credit_code(serial),
        "number": f"试罚〔2025〕{serial}号", "facts": "未按规定公示", "classes": "警告、罚款",
        "content": "警告，罚款人民币2000元", "fine": "0.2", "decided_on": "2025-03-01", "publicity_end": "2026-03-01",
    }
    return dict.fromkeys(FIELDS) | sound | changed


def collected(rows: Iterable[Mapping[str, str | None]], missing: Sequence[str] = ()) -> Collected:
    """The batch of these rows; its first row is line 2. A row may carry DAMAGE and RAW."""
    listed = list(rows)
    frame = pd.DataFrame({name: pd.Series([each.get(name) for each in listed], dtype=TEXT)
                          for name in (*FIELDS, DAMAGE, RAW) if name not in missing})
    frame[LINE] = np.arange(2, len(listed) + 2, dtype=np.int64)
    return Collected("law_enforcement.penalty", "penalty", "p1", frame, (), tuple(missing), "digest")
