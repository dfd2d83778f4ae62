"""Every reason that keeps a record back, one by one, and the order in which they are asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from catalog.load import Catalog
from catalog.model import Entry
from records import consents
from records.stages import RECORD, SUBJECT
from release import REASONS, Facts, Question, decide, outgoing
from tests.release import world

GROWN_UP, CHILD = "339999199003072314", "339999201506120021"
FIELDS = ("number", "category", "uscc", "id_number", "state", "mark", "class", "fine", "sector", "decided", "end", "told", "objection", "level",
          "why", "ended", "measures")  # fmt: skip


def entry(**changes: Any) -> Entry:
    """An entry that uses every key of the law; its fields are named after what they say."""
    grant = {"basis": [world.BASIS], "subjects": ["legal_person", "natural_person"], "fields": {"number": "open", "end": "open", "measures": "open"}}
    sample = {
        "title": world.NAME, "category": 6, "nature": "adverse", "basis": [world.BASIS], "in_force_from": "2020-01-01",
        "editions": ["an_edition"], "natural_key": ["number"], "decided_on": "decided", "publicity_end": "end", "ended_on": "ended",
        "subject": {"name": "number", "uscc": "uscc", "id_number": "id_number", "category": "category", "natural_person_when": "人"},
        "document": {"kind": "penalty_decision", "date": "decided", "authority": "number", "state": "state", "in_effect": ["有效"],
                     "held": ["异议"]},
        "clock": {"classes": "class", "fines": ["fine"], "sector": "sector"}, "leniency": "mark", "measures": "measures",
        "listing": {"list": "a_list", "decided_on": "decided", "level": "level", "notified_on": "told", "objection": "objection",
                    "settled": ["none", "rejected"], "stated": ["why"]},
        "fields": {code: {"title": {"zh": code, "en": code}, "type": "text", "sensitivity": "open", "share": "unconditional", "publish": True}
                   for code in FIELDS},
        "thresholds": {"max_quarantined": 0.1, "min_sample": 10, "min_kept": 0.5},
        "grants": {"a_site": grant, "an_office": grant},
    }  # fmt: skip
    return Entry.model_validate(sample | changes)


GOOD = {"number": "甲1", "category": "人", "uscc": None, "id_number": GROWN_UP, "state": "有效", "mark": None, "class": "罚款", "fine": "1",
        "sector": None, "decided": "2026-06-01", "end": "2027-01-01", "told": "2026-05-01", "objection": "none", "level": "county",
        "why": "依据", "ended": None, "measures": None}  # fmt: skip


def catalog(of: Entry | None = None, **parts: Any) -> Catalog:
    lists = world.measures(key_supervision={}, office_ban={"grades": ["serious"]}, firms_only={"subjects": ["企业"]},
                           elsewhere={"conduct": ["another"]}, lending={"kind": "advice"})  # fmt: skip
    parts = {"lists": {"a_list": world.serious_list()}, "repair_rules": {"a_rule": world.rule()}, "measures": {"a_list": lists}} | parts
    return world.catalogue(of or entry(), **parts)


def facts(known: Catalog, *rows: dict[str, str | None]) -> Facts:
    whole = [{RECORD: f"r{n}", SUBJECT: f"s{n}"} | GOOD | row for n, row in enumerate(rows)]
    return Facts(pa.record_batch({name: pa.array([row[name] for row in whole], pa.string()) for name in whole[0]}), known, "sample")


def reason(known: Catalog, to: str, row: dict[str, str | None], on: date = world.ON, consented: pd.DataFrame = world.NO_CONSENTS) -> str | None:
    told: list[str | None] = decide(facts(known, row), Question(known, "sample", to, on), world.NOBODY, consented).to_pylist()
    return told[0]


def grants(**changes: Any) -> Entry:
    """The same grant for both, altered."""
    whole = entry().model_dump()
    return Entry.model_validate(whole | {"grants": {name: grant | changes for name, grant in whole["grants"].items()}})


def test_what_nothing_keeps_back_goes_to_both() -> None:
    assert [reason(catalog(), to, {}) for to in ("a_site", "an_office")] == [None, None]


SITE, OFFICE = "a_site", "an_office"
STANDARD = world.serious_list().standard


@pytest.mark.parametrize(
    ("row", "why", "elsewhere"),
    [
        ({"state": "撤销"}, "document-not-in-effect", "document-not-in-effect"),
        ({"state": "异议"}, "document-held", "document-held"),
        ({"state": None}, None, None),
        ({"id_number": CHILD}, "minor", "minor"),
        ({"id_number": "E1"}, "age-unknown", None),
        ({"mark": "force_majeure"}, "lenient", None),
        ({"level": "township"}, "decided-below-level", "decided-below-level"),
        ({"level": None}, "decided-below-level", "decided-below-level"),
        ({"level": "city"}, None, None),
        ({"told": None}, "subject-not-told", "subject-not-told"),
        ({"told": "2026-06-02"}, "subject-not-told", "subject-not-told"),
        ({"told": "2026-06-01"}, None, None),
        ({"objection": "open"}, "objection-open", "objection-open"),
        ({"objection": None}, "objection-open", "objection-open"),
        ({"objection": "rejected"}, None, None),
        ({"why": None}, "decision-incomplete", "decision-incomplete"),
        ({"measures": "key_supervision"}, None, None),
        ({"measures": "key_supervision;flogging"}, "measure-not-in-list", "measure-not-in-list"),
        ({"measures": "elsewhere"}, "measure-not-in-list", "measure-not-in-list"),
        ({"measures": "firms_only"}, "measure-not-in-list", "measure-not-in-list"),
        ({"measures": "firms_only", "category": "firm"}, None, None),
        ({"measures": "firms_only", "category": None, "id_number": None}, "age-unknown", "measure-not-in-list"),
        ({"measures": "key_supervision", "decided": "2020-12-31", "told": "2020-01-01"}, "measure-not-in-list", "measure-not-in-list"),
        ({"measures": "office_ban"}, "measure-too-heavy", "measure-too-heavy"),
        ({"measures": "office_ban", "fine": "100"}, None, None),
        ({"measures": "office_ban", "fine": "100", "mark": "force_majeure"}, "lenient", "measure-too-heavy"),
        ({"measures": "key_supervision", "class": "没听说过"}, "measure-too-heavy", "measure-too-heavy"),
        ({"class": "警告"}, "not-published", None),
        ({"class": "没听说过"}, "not-published", None),
        ({"end": "2026-11-22"}, "publicity-ended", None),
        ({"end": "2026-11-23"}, None, None),
        ({"end": None}, None, None),
        ({"end": "2099-01-01", "decided": "2025-11-22", "told": "2025-01-01"}, "publicity-ended", None),
        ({"end": "2026/12/31"}, "publicity-ended", None),
        ({"ended": "2026-11-23"}, "listing-ended", None),
        ({"ended": "2026-11-24"}, None, None),
        ({"ended": "暂无"}, "listing-ended", None),
    ],
)  # fmt: skip
def test_what_the_record_says_keeps_it_back(row: dict[str, str | None], why: str | None, elsewhere: str | None) -> None:
    assert (reason(catalog(), SITE, row), reason(catalog(), OFFICE, row)) == (why, elsewhere)


CONDITION = {"purpose": world.NAME, "application": "申请", "approved_on": "2026-01-01", "until": "2026-12-31"}


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (catalog(entry(in_force_to="2026-11-22")), "entry-not-in-force"),
        (catalog(entry(editions=[])), "entry-not-in-force"),
        (catalog(editions={"an_edition": world.edition(announced_on=None)}), "entry-not-in-force"),
        (catalog(editions={"an_edition": world.edition(announced_on="2026-11-24")}), "entry-not-in-force"),
        (catalog(editions={"an_edition": world.edition(in_force_to="2026-11-22")}), "entry-not-in-force"),
        (catalog(grants(subjects=["legal_person"])), "subject-kind"),
        (catalog(instruments={"an_order": world.instrument(in_force_to="2026-11-22")}), "basis-lapsed"),
        (catalog(instruments={"an_order": world.instrument("departmental_rule")}), "basis-lapsed"),
        (catalog(instruments={"an_order": world.instrument("local_regulation", region="330000")}), "basis-lapsed"),
        (catalog(instruments={}), "basis-lapsed"),
        (catalog(grants(condition=CONDITION | {"until": "2026-11-22"})), "condition-ended"),
        (catalog(grants(condition=CONDITION | {"approved_on": "2026-11-24"})), "condition-ended"),
        (catalog(grants(condition=CONDITION)), None),
        (catalog(lists={}), "listing-not-registered"),
        (catalog(lists={"a_list": world.serious_list(level="city")}), "decided-below-level"),
        (catalog(lists={"a_list": world.serious_list(level="city", other_body=world.BASIS)}), None),
        *[(catalog(lists={"a_list": world.serious_list(**changes)}), "listing-standard-not-in-force") for changes in (
            {"standard": STANDARD.model_copy(update={"comment_to": date(2020, 1, 30)})},
            {"standard": STANDARD.model_copy(update={"on_credit_china": date(2026, 11, 24)})},
            {"standard": STANDARD.model_copy(update={"on_department_site": date(2026, 11, 24)})},
            {"transition_to": "2021-12-31"}, {"transition_to": "2021-12-31", "renewed_on": "2022-01-01"})],
        (catalog(lists={"a_list": world.serious_list(transition_to="2021-12-31", renewed_on="2021-12-31")}), None),
        (catalog(lists={"a_list": world.serious_list(transition_to="2026-11-23")}), None),
    ],
)  # fmt: skip
def test_what_the_catalogue_says_keeps_everything_back(known: Catalog, why: str | None) -> None:
    assert [reason(known, to, {}) for to in (SITE, OFFICE)] == [why, why]


def test_d5_a_local_regulation_carries_an_entry_of_its_region() -> None:
    law = {"an_order": world.instrument("local_regulation", region="330000")}
    assert reason(catalog(entry(region="330200"), instruments=law), OFFICE, {}) is None
    assert reason(catalog(entry(region="340200"), instruments=law), OFFICE, {}) == "basis-lapsed"


def test_d15_people_are_published_only_on_an_article_that_says_so() -> None:
    known = catalog(instruments={"an_order": world.instrument(allows=())})
    assert [reason(known, to, {}) for to in (SITE, OFFICE)] == ["basis-lapsed", None]
    assert reason(known, SITE, {"category": "firm", "uscc": "9133"}) is None


def test_d57_an_article_may_open_minors_to_whoever_is_no_site() -> None:
    known = catalog(instruments={"an_order": world.instrument(allows=("publish_people", "share_minors"))})
    assert [reason(known, to, {"id_number": CHILD}) for to in (SITE, OFFICE)] == ["minor", None]


@pytest.mark.parametrize(
    ("issued", "expires", "revoked", "purpose", "why"),
    [
        ("2026-01-01", "2026-11-23", None, "loans", None),
        ("2026-11-24", "2026-12-23", None, "loans", "no-consent"),
        ("2026-01-01", "2026-11-22", None, "loans", "no-consent"),
        ("2026-01-01", "2026-11-23", "2026-11-23", "loans", "no-consent"),
        ("2026-01-01", "2026-11-23", "2026-11-24", "loans", None),
        ("2026-01-01", "2026-11-23", None, "rent", "no-consent"),
        ("2025-01-01", "2026-11-23", None, "loans", "no-consent"),
    ],
)  # fmt: skip
def test_d52_a_grant_that_rests_on_consent_needs_one_that_holds(issued: str, expires: str, revoked: str | None, purpose: str, why: str | None) -> None:
    known = catalog(grants(consent={"purpose": "loans", "scope": world.NAME, "method": world.NAME, "max_days": 366}))
    given = consents.frame([("s0", purpose, issued, expires, revoked)])
    assert reason(known, OFFICE, {}, consented=given) == why
    assert reason(known, OFFICE, {}) == "no-consent"


def test_the_first_reason_is_told() -> None:
    worst = {"state": "撤销", "id_number": CHILD, "mark": "x", "level": None, "told": None, "objection": None, "why": None, "measures": "x",
             "class": "警告", "end": "2020-01-01", "ended": "2020-01-01"}  # fmt: skip
    assert reason(catalog(), SITE, worst) == "document-not-in-effect"
    assert decide(facts(catalog(), worst), Question(catalog(), "sample", SITE, world.ON), pd.Index(["r0"], dtype=world.TEXT),
                  world.NO_CONSENTS).to_pylist() == ["withdrawn"]  # fmt: skip
    assert len(set(REASONS)) == len(REASONS)


def test_d19_the_end_that_leaves_is_the_same_for_all_and_never_after_the_maximum() -> None:
    known = catalog()
    many = facts(known, {"end": "2030-01-01"}, {"end": "2026-12-01"}, {"end": None}, {"end": "2030-01-01", "class": "没听说过"})
    ends = [outgoing(many, Question(known, "sample", to, world.ON))["end"].to_pylist() for to in (SITE, OFFICE)]
    assert ends[0] == ends[1] == ["2027-06-01", "2026-12-01", "2027-06-01", "2030-01-01"]


def test_d34_advice_says_that_it_is_no_order_and_so_does_whatever_goes_to_who_is_no_authority() -> None:
    advice = "（建议，由接收方自主决定 advice, not an order）"
    for body, expected in (("authority", f"key_supervision 例；lending 例{advice}"), ("media", f"key_supervision 例{advice}；lending 例{advice}")):
        known = catalog(recipients={OFFICE: world.recipient("department", body=body)})
        told = outgoing(facts(known, {"measures": "key_supervision;lending"}, {}), Question(known, "sample", OFFICE, world.ON))
        assert told["measures"].to_pylist() == [expected, None]
