"""Catalogues that break one duty of 国办发〔2020〕49号 each, named by its number: none passes, and what to do is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.catalog.altered import (
    ABNORMAL,
    ARREARS,
    ENFORCEMENT,
    GONE,
    LICENCE,
    LIST,
    MEASURES,
    ORDER_36,
    ORDER_58,
    PENALTY,
    PERSON,
    REGISTER,
    SERIOUS,
    TAXATION,
    alter,
    copied,
    problems,
)

LAW, NOTICE, RULE = "instruments/penalty_law.yml", "instruments/double_publicity_2018_424.yml", "instruments/serious_violation_measures.yml"
PLATFORM, EDITION = "recipients/national_platform.yml", "editions/national_2022.yml"


def cite(instrument: str, article: str) -> dict[str, str]:
    return {"instrument": instrument, "article": article}


BY_NOTICE, BY_POLICY, BY_RULE = cite("double_publicity_2018_424", "annex"), cite("opinions_2020_49", "cl. 5"), cite("serious_violation_measures", "art. 2")
TITLE, FAITH = {"zh": "备注二", "en": "Second remark"}, {"zh": "宗教信仰", "en": "Faith"}
TEXT = {"type": "text", "length": 20, "sensitivity": "open", "share": "unconditional", "publish": False}
CONSENT = {"purpose": "loan", "scope": TITLE, "method": TITLE, "max_days": 365}
BACKWARDS = {"purpose": TITLE, "application": "1", "approved_on": "2026-01-10", "until": "2026-01-10"}

# duty: the file, what is altered in it, the key of the message, with its file where that is another one, and words of it
DUTIES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    # basis
    "D2: an article that the instrument does not list": (
        LICENCE, {"basis.0.article": "art. 41"}, "basis.0.article", "art. 41 is not among the articles of instruments/licence_law.yml"),
    "D2: an article of a measure that is not listed": (
        MEASURES, {"measures.no_honours.basis.0.article": "cl. 99"}, "measures.no_honours.basis.0.article", "is not among the articles"),
    "D2: a national entry on a departmental rule alone": (SERIOUS, {"basis": [BY_RULE]}, "basis", "rests on no law"),
    "D2: a grant on a notice alone": (LICENCE, {"grants.credit_china.basis": [BY_NOTICE]}, "grants.credit_china.basis", "rests on no law"),
    "D2: an instrument ends that still bears a grant": (
        "instruments/data_sharing_regulation.yml", {"in_force_to": "2026-12-31"}, f"{ARREARS}: grants.national_platform.basis",
        "instruments/data_sharing_regulation.yml lapses on 2026-12-31"),
    "D5: a local regulation without its region": (LAW, {"level": "local_regulation"}, "region", "says where it holds"),
    "D5: a law with a region": (LAW, {"region": "330000"}, "region", "only a local regulation has one"),
    "D55: what accepts an unnumbered decision has lapsed": (
        "instruments/tax_arrears_measures.yml", {"in_force_to": "2026-03-31"}, f"{ARREARS}: document.unnumbered", "cite what took its place"),
    # editions
    "D3: an unknown edition": (LICENCE, {"editions.0": "national_2020"}, "editions.0", "did you mean national_202"),
    "D3: an edition in force before its announcement": (EDITION, {"announced_on": "2023-01-01"}, "in_force_from", "before it is announced"),
    "D3: two editions in force on one day": (
        EDITION, {"in_force_to": "2024-03-18"}, "editions/national_2024.yml: in_force_from", "national_2022 is still in force then"),
    "D3: a day without edition": (EDITION, {"in_force_from": "2022-12-30"}, f"{LICENCE}: editions", "is in force on 2022-12-29"),
    "D3: an entry that leaves an edition out": (LICENCE, {"editions": ["national_2021", "national_2025"]}, "editions", "in force on 2022-12-29"),
    "D2: a category that no edition knows": (EDITION, {"categories.3": GONE}, f"{LICENCE}: editions.1", "has no category 3"),
    "D4: a feed for a proposal": (ARREARS, {"editions": []}, f"{TAXATION}: feeds.0.entry", "only a proposal"),
    "D4: an edition that was never announced": (EDITION, {"announced_on": None}, f"{LICENCE}: editions", "in force on 2022-12-29"),
    "D5: a national entry of a local edition": (EDITION, {"region": "330000"}, f"{LICENCE}: editions.1", "not of the entry's region"),
    "D5: a local entry of a national edition": (ARREARS, {"region": "330100"}, "editions.0", "not of the entry's region"),
    # share and publish
    "D10: a field not shared is granted": (
        PENALTY, {"grants.national_platform.fields.CF_AJCX": "open"}, "grants.national_platform.fields.CF_AJCX", "is not shared"),
    "D10: conditional fields without the condition": (
        LICENCE, {"grants.national_platform.condition": GONE}, "grants.national_platform.condition", "XK_FRDB are shared under a condition"),
    "D10: a condition that ends as it begins": (
        LICENCE, {"grants.national_platform.condition": BACKWARDS}, "grants.national_platform.condition.until", "approval ends"),
    "D13: a condition on a site's grant": (
        LICENCE, {"grants.gsxt.condition": BACKWARDS | {"until": "2027-01-01"}}, "grants.gsxt.condition", "publishes to everybody"),
    "D18: a site gets what is only shared": (PENALTY, {"grants.gsxt.fields.CF_ZT": "open"}, "grants.gsxt.fields.CF_ZT", "publish: false"),
    "D14: a business secret said to be public": (
        LICENCE, {"fields.BZ.sensitivity": "business_secret", "fields.BZ.publish": True}, "fields.BZ.publish", "never published"),
    "D15: people published under an article that does not say so": (
        PERSON, {"grants.credit_china.basis": [cite("civil_procedure_law", "art. 266 (text of 2023)")]}, "grants.credit_china.basis", "publish_people"),
    "D15: people published under a rule that says so": (LAW, {"level": "departmental_rule"}, f"{PERSON}: grants.credit_china.basis", "allows publish_people (D15)"),
    # collection
    "D51: a personal field without a scope": (PERSON, {"collection.scope.CF_SY": GONE}, "collection.scope", "CF_SY is personal and has no scope"),
    "D51: personal fields without purpose and method": (REGISTER, {"collection": GONE}, "collection", "purpose, method"),
    "D51: a scope for a field that is not personal": (
        REGISTER, {"collection.scope.address": "全部"}, "collection.scope.address", "is not personal"),
    "D51: a scope for an unknown field": (REGISTER, {"collection.scope.adress": "全部"}, "collection.scope", "did you mean address?"),
    "D50: a field on religion": (LICENCE, {"fields.faith": TEXT | {"title": FAITH}}, "fields.faith", "religion"),
    "D50: an English title on blood type": (LICENCE, {"fields.BZ.title.en": "Blood types"}, "fields.BZ", "blood type"),
    "D50: a field whose code tells of fingerprints": (LICENCE, {"fields.fingerPrint": TEXT | {"title": TITLE}}, "fields.fingerPrint", "fingerprints"),
    "D50: an entry on petitions": (LICENCE, {"title.zh": "信访记录"}, "title", "petitions"),
    "D50: an entry on waste sorting": (LICENCE, {"title.en": "Garbage sorting"}, "title", "waste sorting"),
    "D50: a column on blood donations under another name": (
        "departments/market_regulation.yml", {"feeds.1.columns.name": ["献血次数"]}, "feeds.1.columns.name", "blood donation"),
    "D50: medical histories in full width": (LICENCE, {"fields.BZ.title.en": "ＭＥＤＩＣＡＬ ＨＩＳＴＯＲＹ"}, "fields.BZ", "medical history"),
    # what may be recorded
    "D7: an adverse entry without document": (ABNORMAL, {"document": GONE}, "document", "only on an effective document"),
    "D7: a document that may lack its date": (ABNORMAL, {"fields.listed_on.required": False}, "document.date", "hangs on no document"),
    "D7: a document dated by a text": (PENALTY, {"document.date": "CF_NR"}, "document.date", "not of type date"),
    "D7: a document of an unknown authority": (PENALTY, {"document.authority": "CF_CFJGX"}, "document.authority", "did you mean CF_CFJG?"),
    "D7: a document without number": (PENALTY, {"document.number": GONE}, "document.number", "missing"),
    "D7: a document without the authority's code": (PENALTY, {"document.authority_code": GONE}, "document.authority_code", "missing"),
    "D7: no number under an article that knows one": (
        ABNORMAL, {"document.unnumbered": cite("enterprise_publicity", "art. 6")}, "document.unnumbered", "does not allow unnumbered_document"),
    "D7: a state that is no code": (PENALTY, {"document.in_effect": ["valid"]}, "document.in_effect", "valid is not a code of CF_ZT"),
    "D7: a state that nothing puts in effect": (PENALTY, {"document.in_effect": []}, "document.in_effect", "goes together with state"),
    "D7: a state in effect and held at once": (PENALTY, {"document.held": ["in_effect"]}, "document.held", "at once"),
    "D7: decisions held by no state": (PENALTY, {"document.state": GONE, "document.in_effect": []}, "document.held", "goes together with state"),
    "D8: another kind of document without its provision": (ABNORMAL, {"document.kind": "other"}, "document.accepted_by", "D8"),
    "D8: another kind of document on an article that does not accept it": (
        ABNORMAL, {"document.kind": "other", "document.accepted_by": cite("enterprise_publicity", "art. 17")}, "document.accepted_by", "other_document"),
    "D2: an adverse entry that dates no decision": (ABNORMAL, {"decided_on": GONE}, "decided_on", "missing"),
    "D2: a decision dated by a text": (LICENCE, {"decided_on": "XK_NR"}, "decided_on", "not of type date"),
    "D35: an adverse entry without grade or clock": (ABNORMAL, {"grade": GONE}, "grade", "one grade for all"),
    "D35: a grade beside a clock": (PENALTY, {"grade": "slight"}, "grade", "one grade for all"),
    "D37: an adverse entry without repair": (ABNORMAL, {"repair": GONE}, "repair", "name the authority"),
    "D38: repair forbidden by an article that does not": (
        ABNORMAL, {"repair.forbidden_by": cite("enterprise_publicity", "art. 17")}, "repair.forbidden_by", "what was corrected can be repaired"),
    "D39: a clock that reads a text": (PENALTY, {"clock.classes": "CF_NR"}, "clock.classes", "not of type code"),
    "D39: a clock that reads fines in yuan": (PENALTY, {"fields.CF_NR_FK.unit": "yuan"}, "clock.fines.0", "not in 10k_yuan"),
    "D40: a listing that ends on a text": (ABNORMAL, {"ended_on": "removed_by"}, "ended_on", "not of type date"),
    "D57: a clock without leniency": (PENALTY, {"leniency": GONE}, "leniency", "leniency"),
    "D57: marks of leniency that stay behind": (
        PENALTY, {"grants.public_resources.fields.CF_CKQX": GONE}, "grants.public_resources.fields", "travel with the record"),
    "双公示: penalties by summary procedure enter": (PENALTY, {"rules.8": GONE, "rules.7": GONE}, "rules", "summary-procedure"),
    "双公示: an exclusion that would never hold": (PENALTY, {"rules.7.contains": ["1"]}, "rules.7.contains", "1 is not a code of CF_AJCX"),
    # lists
    "D20: a list nobody registered": (SERIOUS, {"listing.list": "market_serious"}, "listing.list", "did you mean market_serious_violation?"),
    "D20: category 6 without a list": (SERIOUS, {"listing": GONE}, "listing", "names its registered list"),
    "D20: a listing outside category 6": (SERIOUS, {"category": 5}, "listing", "only an entry of category 6"),
    "D20: a list on a departmental rule alone": (LIST, {"basis": [BY_RULE]}, "basis", "the list rests on no law"),
    "D20: a serious list that is not adverse": (SERIOUS, {"nature": "neutral"}, "nature", "is adverse"),
    "D21: another harm on a local regulation": (LIST, {"harm": "other", "basis": [BY_RULE]}, "harm", "D21"),
    "D22: a standard in a notice": (LIST, {"standard.basis": BY_NOTICE}, "standard.basis", "sets no standard"),
    "D22: a standard in a rule that is not allowed in the interim": (LIST, {"standard.basis": cite("serious_violation_measures", "art. 15")}, "standard.basis", "interim_standard"),
    "D23: a comment period of 29 days": (LIST, {"standard.comment_to": "2021-02-02"}, "standard.comment_to", "less than 30 days"),
    "D24: published on Credit China before the public commented": (LIST, {"standard.on_credit_china": "2021-02-04"}, "standard.on_credit_china", "after the public"),
    "D24: published by the department before the public commented": (
        LIST, {"standard.on_department_site": "2021-01-01"}, "standard.on_department_site", "after the public"),
    "D25: a standard without relief": (LIST, {"standard.relief": GONE}, "standard.relief", "missing"),
    "D25: a standard without conditions of removal": (LIST, {"standard.removal_conditions": GONE}, "standard.removal_conditions", "missing"),
    "D27: a national entry of a local list": (LIST, {"region": "330100"}, f"{SERIOUS}: listing.list", "holds in 330100 alone"),
    "D28: an objection that is settled by no code": (SERIOUS, {"listing.settled": ["none", "closed"]}, "listing.settled", "closed is not a code"),
    "D28: a notice that is no date": (SERIOUS, {"listing.notified_on": "listed_by"}, "listing.notified_on", "not of type date"),
    "D29: a decision that does not state its relief": (SERIOUS, {"listing.stated.5": GONE}, "listing.stated", "each of the six"),
    "D29: a statement in an unknown field": (SERIOUS, {"listing.stated.5": "reliefs"}, "listing.stated.5", "did you mean relief?"),
    "D30: a level that cannot be told": (SERIOUS, {"listing.level": "objection"}, "listing.level", "county, city, province cannot be told"),
    "D30: a lower body without the rule that lets it": (LIST, {"other_body": BY_RULE}, "other_body", "does not allow other_body"),
    "D66: a standard renewed after the transition": (LIST, {"renewed_on": "2022-01-01"}, "renewed_on", "lies after the transition"),
    # measures
    "D31: a measure that cuts rights on a rule alone": (
        MEASURES, {"measures.sector_ban.basis": [BY_RULE]}, "measures.sector_ban.basis", "rests on no law"),
    "D31: a measure on a notice": (MEASURES, {"measures.no_honours.basis": [BY_NOTICE]}, "measures.no_honours.basis", "rests on no law"),
    "D36: a code that is a measure of no list": (SERIOUS, {"fields.measures.codes": "objection"}, "codes/objection.csv", "none is a measure of no list"),
    "D31: a measure that no record could carry": (SERIOUS, {"fields.measures.codes": "objection"}, f"{MEASURES}: measures.sector_ban", "no record could"),
    "D31: consequences of a licence": (LICENCE, {"measures": "XK_ZT"}, "measures", "only what is adverse"),
    "D65: a review of records that nothing dates": (LICENCE, {"decided_on": GONE}, "legacy", "nothing dates a record"),
    "D32: a list of measures before its announcement": (MEASURES, {"announced_on": "2025-04-02"}, "in_force_from", "before it is announced"),
    "D32: two lists of measures on one day": ("measures/national_2024.yml", {"in_force_to": GONE}, f"{MEASURES}: in_force_from", "national_2024 is still in force then"),
    "D34: a bank told to cut rights": (
        MEASURES, {"measures.sector_ban.implementer.zh": "各商业银行"}, "measures.sector_ban.implementer", "nobody forces 银行"),
    "D34: an association told to manage": (
        MEASURES, {"measures.no_honours.implementer.en": "Trade associations"}, "measures.no_honours.implementer", "nobody forces associations"),
    "D34: advice to an authority": (MEASURES, {"measures.no_honours.kind": "advice"}, "measures.no_honours.implementer", "advice is for"),
    "D35: slight conduct gets a measure that cuts rights": (
        MEASURES, {"measures.office_ban.grades": ["slight"]}, "measures.office_ban.grades", "leave slight out"),
    "D35: a measure for what is not adverse": (
        MEASURES, {"measures.office_ban.conduct.0": "class_a_taxpayer"}, "measures.office_ban.conduct.0", "nothing adverse"),
    "D35: a measure for an unknown entry": (MEASURES, {"measures.office_ban.conduct.0": "tax_arrear"}, "measures.office_ban.conduct.0", "did you mean tax_arrears?"),
    "D36: a measure that cuts rights for ever": (MEASURES, {"measures.office_ban.max_months": None}, "measures.office_ban.max_months", "how long"),
    # repair
    "D39: a class of penalty without grade": (ORDER_36, {"grades.限制从业": GONE}, "grades", "限制从业 has no grade"),
    "D39: a grade for a class that no clock reads": (ORDER_36, {"grades.限制从事": "serious"}, "grades.限制从事", "did you mean 限制从业?"),
    "D39: a minimum above the maximum": (ORDER_36, {"periods.general.min_months": 13}, "periods.general.min_months", "above max_months"),
    "D39: published for no time": (ORDER_58, {"periods.slight.publish": True}, "periods.slight.max_months", "publish: false"),
    "D39: two rules for one day of decision": (ORDER_58, {"decided_to": "2026-04-01"}, f"{ORDER_36}: decided_from", "order_58_2023 still holds then"),
    "D39: a day of decision without rule": (ORDER_58, {"decided_to": "2026-03-30"}, f"{ORDER_36}: decided_from", "no rule holds for what was decided on 2026-03-31"),
    "D39: a last day of decision": (ORDER_36, {"decided_to": "2030-01-01"}, "decided_from", "decided on 2030-01-02"),
    "D39: a rule that ends before it begins": (ORDER_36, {"decided_to": "2026-03-31"}, "decided_to", "lies before decided_from"),
    "D39: a sector that no clock reads": (ORDER_58, {"sectors.foods": 12}, "sectors.foods", "did you mean food?"),
    "D39: a sector's minimum above every period": (ORDER_58, {"sectors.food": 37}, "sectors.food", "the longest period"),
    "D39: a rule of repair in a notice": (ORDER_36, {"basis": BY_NOTICE}, "basis", "sets no rule of repair"),
    "D45: a fee for repair": (ORDER_36, {"fee": 100}, "fee", "unknown key"),
    "D55: a rule of repair ahead of its instrument": ("instruments/credit_repair_2025_36.yml", {"in_force_from": "2026-05-01"}, f"{ORDER_36}: decided_from", "came into force"),
    # consent and recipients
    "D51: consent on an article that does not know it": (
        PERSON, {"grants.public_resources.consent": CONSENT}, "grants.public_resources.consent", "cite one that allows consent"),
    "D52: consent for life": (
        PERSON, {"grants.public_resources.consent": CONSENT | {"max_days": 36500}}, "grants.public_resources.consent.max_days", "1096"),
    "D52: consent without an end": (
        PERSON, {"grants.public_resources.consent": {key: CONSENT[key] for key in ("purpose", "scope", "method")}}, "grants.public_resources.consent.max_days", "missing"),
    "D52: consent for a bundle of purposes": (
        PERSON, {"grants.public_resources.consent": CONSENT | {"purpose": ["loan", "insurance"]}}, "grants.public_resources.consent.purpose", "string"),
    "D43: a recipient that names nobody": (PLATFORM, {"contact": GONE}, "contact", "missing"),
    "D54: a credit agency without an application": ("recipients/public_resources.yml", {"body": "credit_service"}, f"{ARREARS}: grants.public_resources.condition", "(D54)"),
    "D12: a second collector": (ENFORCEMENT, {"feeds.0.entry": "tax_arrears", "feeds.0.columns": {}}, f"{TAXATION}: feeds", "one collector"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "changes", "key", "words"), DUTIES.values(), ids=DUTIES)
def test_a_broken_duty_is_refused(tmp_path: Path, file: str, changes: dict[str, Any], key: str, words: str) -> None:
    root = copied(tmp_path)
    alter(root, file, changes)
    wanted = f"{key}: " if "/" in key else f"{file}: {key}: "
    told = problems(root)
    assert any(problem.startswith(wanted) and words in problem for problem in told), told
