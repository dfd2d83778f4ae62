"""A catalogue in memory: one entry, two recipients, and as much law as a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from catalog.load import Catalog
from catalog.model import (
    Department,
    Edition,
    Entry,
    Instrument,
    MeasuresList,
    Recipient,
    RepairRule,
    SeriousList,
)
from keys.keyring import Keyring
from records import consents
from release import Question, Terms

ON = date(2026, 11, 23)
TEXT = pd.ArrowDtype(pa.string())
NOBODY = pd.Index([], dtype=TEXT)
NO_CONSENTS = consents.frame([])
NAME = {"zh": "例", "en": "sample"}
BASIS = {"instrument": "an_order", "article": "1"}


def instrument(level: str = "law", allows: tuple[str, ...] = ("publish_people",), **changes: object) -> Instrument:
    sample = {"number": "1号", "title": NAME, "issuer": "某机关", "level": level, "in_force_from": "2015-01-01",
              "articles": {"1": {"zh": "例", "en": "sample", "allows": allows}}, "evidence": "confirmed"}  # fmt: skip
    return Instrument.model_validate(sample | changes)


def edition(**changes: object) -> Edition:
    sample = {"title": NAME, "document": "通知", "approved_by": "联席会议", "announced_on": "2015-01-01", "in_force_from": "2015-01-01",
              "categories": {3: NAME}, "evidence": "confirmed"}  # fmt: skip
    return Edition.model_validate(sample | changes)


def recipient(kind: str, **changes: object) -> Recipient:
    sample = {"title": NAME, "kind": kind, "contact": "数据岗", "method": "rest", "connection": "a_door", "batch_size": 10, "deadline": 10}
    return Recipient.model_validate(sample | changes)


def rule(**changes: object) -> RepairRule:
    periods = {"slight": {"publish": False, "min_months": 0, "max_months": 3},
               "general": {"publish": True, "min_months": 3, "max_months": 12},
               "serious": {"publish": True, "min_months": 12, "max_months": 36}}  # fmt: skip
    sample = {"title": NAME, "basis": BASIS, "grades": {"警告": "slight", "罚款": "general", "责令关闭": "serious"}, "large_fine": 100,
              "periods": periods, "sectors": {"food": 12}, "accept_days": 3, "feedback_days": 10, "evidence": "confirmed"}  # fmt: skip
    return RepairRule.model_validate(sample | changes)


def serious_list(**changes: object) -> SeriousList:
    standard = {"basis": BASIS, "comment_from": "2020-01-01", "comment_to": "2020-02-15", "on_credit_china": "2020-03-01",
                "on_department_site": "2020-03-01", "removal_conditions": NAME, "removal_procedure": NAME, "relief": NAME}  # fmt: skip
    sample = {"title": NAME, "harm": "fair_competition", "basis": [BASIS], "standard": standard, "level": "county", "objection_days": 5,
              "assessment": {"by": NAME, "every_months": 36, "last_on": "2025-01-01"}}  # fmt: skip
    return SeriousList.model_validate(sample | changes)


def measures(**measure: Mapping[str, Any]) -> MeasuresList:
    common = {"title": NAME, "content": NAME, "subjects": ["企业", "个人"], "basis": [BASIS], "implementer": NAME, "conduct": ["sample"],
              "grades": ["general", "serious"], "kind": "management"}  # fmt: skip
    return MeasuresList.model_validate(
        {"title": NAME, "document": "通知", "announced_on": "2021-01-01", "in_force_from": "2021-01-01", "evidence": "confirmed",
         "measures": {code: common | dict(changes) for code, changes in measure.items()}})  # fmt: skip


def catalogue(entry: Entry, **parts: Mapping[str, Any]) -> Catalog:
    department = Department.model_validate(
        {"title": NAME, "region": "330200", "level": "city", "contact": "某处", "feeds": [
            {"method": "file", "entry": "sample", "connection": "a_source", "reading": "snapshot", "files": ["*.csv"]}]})  # fmt: skip
    whole: dict[str, Any] = {
        "entries": {"sample": entry}, "versions": {"sample": (entry,)}, "departments": {"a_department": department},
        "recipients": {"a_site": recipient("publicity_site"), "an_office": recipient("department"),
                       "another_office": recipient("department")},
        "instruments": {"an_order": instrument()}, "editions": {"an_edition": edition()}, "lists": {}, "measures": {}, "repair_rules": {},
        "codes": {}, "supplements": {}, "digest": "e", "files": {}, "root": Path()}  # fmt: skip
    return Catalog(**whole | parts)


def question(catalog: Catalog, to: str, on: date = ON) -> Question:
    return Question(catalog, "sample", to, on)


def terms(catalog: Catalog, to: str, on: date = ON, consented: pd.DataFrame = NO_CONSENTS) -> Terms:
    ring = Keyring.for_tests()
    return Terms(catalog, "sample", to, on, ring.derive("handle", to), ring.derive("digest", to), ring.derive("identity", "subject"),
                 terms_digest="edition 1", consents=consented)  # fmt: skip
