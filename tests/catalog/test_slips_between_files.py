"""Files that are sound alone and do not hold together: references, duties of the law, and what nobody uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.load import load
from tests.catalog.altered import (
    ABNORMAL,
    ARREARS,
    CREDIT_OFFICE,
    DEFAULTER,
    ENFORCEMENT,
    GONE,
    LICENCE,
    MARKET,
    PENALTY,
    PERSON,
    REGISTER,
    TAXATION,
    alter,
    copied,
    local_supplement,
    problems,
)

PHONE = {"title": {"zh": "电话", "en": "Phone"}, "type": "text", "sensitivity": "personal", "publish": True}
A_BASIS = [{"instrument": "licence_law", "article": "art. 40"}]
BY_POLICY = [{"instrument": "opinions_2020_49", "article": "cl. 5"}]

# what was slipped: the file, what is altered in it, the key and the words of the message
REFERENCES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "an unknown instrument": (LICENCE, {"basis.0.instrument": "licence_lew"}, "basis.0.instrument", "did you mean licence_law?"),
    "an unknown instrument of a grant": (
        LICENCE, {"grants.gsxt.basis.0.instrument": "pippl"}, "grants.gsxt.basis.0.instrument", "did you mean pipl?"),
    "an unknown entry": (TAXATION, {"feeds.0.entry": "tax_arrear"}, "feeds.0.entry", "did you mean tax_arrears?"),
    "an unknown field granted": (LICENCE, {"grants.gsxt.fields.XK_WHS": "open"}, "grants.gsxt.fields.XK_WHS", "did you mean XK_WSH?"),
    "an unknown recipient": (LICENCE, {"grants.gsxtt": {"basis": A_BASIS, "subjects": ["legal_person"], "fields": {"XK_WSH": "open"}}},
                             "grants.gsxtt", "gsxtt is not a recipient; did you mean gsxt?"),
    "an unknown code set": (LICENCE, {"fields.XK_ZT.codes": "licence_states"}, "fields.XK_ZT.codes", "did you mean licence_state?"),
    "a code without a set": (LICENCE, {"fields.XK_ZT.codes": GONE}, "fields.XK_ZT.codes", "names its code set"),
    "several codes without a set": (PENALTY, {"fields.CF_CFLB.codes": GONE}, "fields.CF_CFLB.codes", "names its code set"),
    "a text with a code set": (LICENCE, {"fields.XK_NR.codes": "licence_state"}, "fields.XK_NR.codes", "no other does"),
    "an amount without a unit": (ARREARS, {"fields.balance.unit": GONE}, "fields.balance.unit", "names its unit"),
    "a text with a unit": (LICENCE, {"fields.XK_NR.unit": "yuan"}, "fields.XK_NR.unit", "no other type does"),
    "a field that nobody uses": (LICENCE, {"fields.phone": PHONE}, "fields.phone", "nobody uses it"),
    "an unknown subject": (LICENCE, {"subject.name": "XK_XDR"}, "subject.name", "did you mean XK_XDR_"),
    "a subject's name that is a date": (LICENCE, {"subject.name": "XK_JDRQ"}, "subject.name", "not of type text"),
    "a credit code that is a text": (LICENCE, {"subject.uscc": "XK_NR"}, "subject.uscc", "not of type uscc or identifier"),
    "an ID number that is a text": (PERSON, {"subject.id_number": "CF_NR"}, "subject.id_number", "not of type id_number or"),
    "a category that is no code": (DEFAULTER, {"subject.category": "court_name"}, "subject.category", "not of type code"),
    "a category without the word for people": (
        DEFAULTER, {"subject.natural_person_when": GONE}, "subject.natural_person_when", "goes together with subject.category"),
    "a word for people that is no code": (
        DEFAULTER, {"subject.natural_person_when": "2"}, "subject.natural_person_when", "nobody would count as a person"),
    "a subject without a number": (LICENCE, {"subject.uscc": GONE}, "subject", "neither uscc nor id_number"),
    "a rule on an unknown field": (LICENCE, {"rules.1.field": "XK_YXQS"}, "rules.1.field", "did you mean XK_YXQZ"),
    "a rule with an unknown other field": (LICENCE, {"rules.1.other": "XK_YXQS"}, "rules.1.other", "did you mean XK_YXQZ"),
    "an order of dates between texts": (LICENCE, {"rules.1.field": "XK_NR"}, "rules.1.field", "of type date"),
    "an order of dates against a text": (LICENCE, {"rules.1.other": "XK_NR"}, "rules.1.other", "of type date"),
    "a text that may not lie ahead": (LICENCE, {"rules.2.field": "XK_NR"}, "rules.2.field", "of type date"),
    "an amount rule on a text": (PENALTY, {"rules.2.field": "CF_SY"}, "rules.2.field", "of type amount"),
    "a category rule on no credit code": (PENALTY, {"rules.0.other": "CF_NR"}, "rules.0.other", "of type uscc"),
    "a rule for a category that is no code": (PENALTY, {"rules.0.sole_trader": "个体户"}, "rules.0.sole_trader", "would never hold"),
    "a rule for a part of no code": (PENALTY, {"rules.1.contains": "罚金"}, "rules.1.contains", "would never hold"),
    "a rule for a document that is no code": (PERSON, {"rules.0.equals": "居民身份证"}, "rules.0.equals", "would never hold"),
    "an unknown field in the key": (LICENCE, {"natural_key.0": "XK_WHS"}, "natural_key", "did you mean XK_WSH?"),
    "an optional field in the key": (LICENCE, {"natural_key.0": "XK_XKBH"}, "natural_key", "XK_XKBH is not required"),
    "an ID number in the key": (PERSON, {"natural_key.2": "CF_XDR_ZJHM"}, "natural_key", "CF_XDR_ZJHM is a citizen's number"),
    "a publicity end that is no date": (PENALTY, {"publicity_end": "CF_NR"}, "publicity_end", "not a date field"),
    "a publicity end that does not exist": (PENALTY, {"publicity_end": "CF_GSJZ"}, "publicity_end", "not a date field"),
    "a publicity end that may be missing": (PENALTY, {"fields.CF_GSJZQ.required": False}, "publicity_end", "published for ever"),
    "a basis that is too low": (
        PENALTY, {"basis": [{"instrument": "double_publicity_2018_424", "article": "annex"}]}, "basis", "rests on no law"),
    "a category of another folder": (LICENCE, {"category": 5}, "category", "5 is not the folder's"),
    "an entry that ends before it begins": (LICENCE, {"in_force_to": "2020-01-01"}, "in_force_to", "lies before in_force_from"),
    "an instrument that ends before it begins": (
        "instruments/pipl.yml", {"in_force_to": "2020-01-01"}, "in_force_to", "lies before in_force_from"),
    "names for an unknown field": (MARKET, {"feeds.1.columns.nam": ["企业"]}, "feeds.1.columns", "did you mean name?"),
    "a source column for two fields": (MARKET, {"feeds.1.columns.name": ["reg_no"]}, "feeds.1.columns", "reg_no stands for two fields"),
    "a source column for two fields, in full width": (
        MARKET, {"feeds.1.columns.name": ["ＲＥＧ＿no "]}, "feeds.1.columns", "reg_no stands for two fields"),
    "a source column that is the title of another field": (
        MARKET, {"feeds.1.columns.name": ["注册号"]}, "feeds.1.columns.name", "already what registration_number is called"),
    "a source column that is the code of another field": (
        MARKET, {"feeds.1.columns.name": ["USCC"]}, "feeds.1.columns.name", "already what uscc is called"),
    "a title for two fields": (ABNORMAL, {"fields.removed_by.title.zh": "移出原因"}, "fields.removed_by.title.zh", "removal_reason has the same"),
    "a text without a length": (LICENCE, {"fields.XK_NR.length": GONE}, "fields.XK_NR.length", "how long it may be"),
    "an identifier without a length": (LICENCE, {"fields.XK_XKBH.length": GONE}, "fields.XK_XKBH.length", "how long it may be"),
    "a window on a drop folder": (MARKET, {"feeds.0.reading": "window"}, "feeds.0.reading", "a drop folder has no window"),
    "an encoding that does not exist": (MARKET, {"feeds.0.encodings": ["gb18031"]}, "feeds.0.encodings", "gb18031 is not an encoding"),
    "a window without its column": (ENFORCEMENT, {"feeds.0.reading": "window"}, "feeds.0.window_column", "goes together"),
    "a window column without a window": (ENFORCEMENT, {"feeds.1.reading": "snapshot"}, "feeds.1.window_column", "goes together"),
    "partitions without their column": (ENFORCEMENT, {"feeds.0.partitions": 4}, "feeds.0.partition_column", "goes together"),
    "a partition column for one partition": (ENFORCEMENT, {"feeds.0.partition_column": "id"}, "feeds.0.partition_column", "above 1"),
    "a recipient at the door of another": (
        "recipients/gsxt.yml", {"connection": "credit_china"}, "connection", "already leads to recipients/credit_china.yml"),
}  # fmt: skip

DUTIES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "I3: a grant without a field of the key": (LICENCE, {"grants.gsxt.fields.XK_WSH": GONE}, "grants.gsxt.fields", "XK_WSH of the natural key"),
    "D13: a field that may not be published, granted to a site": (
        LICENCE, {"grants.gsxt.fields.BZ": "open"}, "grants.gsxt.fields.BZ", "publish: false"),
    "D14: a business secret granted to a site": (
        LICENCE, {"fields.XK_NR.sensitivity": "business_secret"}, "grants.credit_china.fields.XK_NR", "a business secret is never published"),
    "D15: people published on a policy document": (PERSON, {"grants.credit_china.basis": BY_POLICY}, "grants.credit_china.basis", "D15"),
    "D16: a person's name open to a site": (
        PERSON, {"grants.credit_china.fields.CF_XDR_MC": "open"}, "grants.credit_china.fields.CF_XDR_MC", "masked before it is published"),
    "D16: a representative open to a site": (
        LICENCE, {"grants.credit_china.fields.XK_FRDB": "open"}, "grants.credit_china.fields.XK_FRDB", "masked before it is published"),
    "D16: people where only firms' names were meant": (
        DEFAULTER, {"grants.credit_china.subjects": ["legal_person", "natural_person"]}, "grants.credit_china.fields.iname", "masked before"),
    "D19: a site without the end of publicity": (
        PENALTY, {"grants.gsxt.fields.CF_GSJZQ": GONE}, "grants.gsxt.fields.CF_GSJZQ", "the end of publicity goes to every site"),
    "PIPL: an ID number open to a department": (
        PERSON, {"grants.public_resources.fields.CF_XDR_ZJHM": "open"}, "grants.public_resources.fields.CF_XDR_ZJHM", "given to nobody open"),
    "PIPL: an ID number open to the platform": (
        PERSON, {"grants.national_platform.fields.CF_XDR_ZJHM": "open"}, "grants.national_platform.fields.CF_XDR_ZJHM", "given to nobody open"),
    "an ID number called open": (PERSON, {"fields.CF_XDR_ZJHM.sensitivity": "open"}, "fields.CF_XDR_ZJHM.sensitivity", "is sensitive_personal"),
    "a person's name called open": (PERSON, {"fields.CF_XDR_MC.sensitivity": "open"}, "fields.CF_XDR_MC.sensitivity", "their name is personal"),
    "a mask that does not fit a date": (LICENCE, {"grants.gsxt.fields.XK_JDRQ": "name"}, "grants.gsxt.fields.XK_JDRQ", "mask name does not fit"),
    "a token of a text": (LICENCE, {"grants.gsxt.fields.XK_NR": "token"}, "grants.gsxt.fields.XK_NR", "mask token does not fit"),
    "an ID mask on a credit code": (
        LICENCE, {"grants.gsxt.fields.XK_XDR_SHXYM": "id_number"}, "grants.gsxt.fields.XK_XDR_SHXYM", "mask id_number does not fit"),
    "people granted of an entry on firms": (LICENCE, {"grants.gsxt.subjects.1": "natural_person"}, "grants.gsxt.subjects", "holds no natural persons"),
    "firms granted of an entry on people": (
        PERSON, {"subject.category": GONE, "subject.natural_person_when": GONE, "grants.public_resources.subjects": ["legal_person"]},
        "grants.public_resources.subjects", "holds no legal persons"),
}  # fmt: skip
SLIPS = REFERENCES | DUTIES


@pytest.mark.parametrize(("file", "changes", "key", "words"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_file_and_key(
    tmp_path: Path, file: str, changes: dict[str, Any], key: str, words: str
) -> None:
    root = copied(tmp_path)
    alter(root, file, changes)
    told = problems(root)
    assert any(problem.startswith(f"{file}: {key}: ") and words in problem for problem in told), told


def test_i10_a_second_collector_is_refused_and_both_files_are_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    feed = yaml.safe_load((root / MARKET).read_text("utf-8"))["feeds"][0]
    alter(root, TAXATION, {"feeds.2": feed})
    [told] = problems(root)
    assert told.startswith(f"{TAXATION}: feeds: enterprise_registration already comes from {MARKET};")


def test_i10_one_department_may_not_hand_in_an_entry_twice(tmp_path: Path) -> None:
    root = copied(tmp_path)
    feed = yaml.safe_load((root / MARKET).read_text("utf-8"))["feeds"][1]
    alter(root, MARKET, {"feeds.3": feed | {"files": ["second*.xlsx"]}})
    [told] = problems(root)
    assert told.startswith(f"{MARKET}: feeds: abnormal_operation already comes from {MARKET};")


def test_an_entry_that_nobody_hands_in_is_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, MARKET, {"feeds.1": GONE})
    assert problems(root) == [f"{ABNORMAL}: no department hands it in; add a feed to one, or remove the entry"]


@pytest.mark.parametrize(
    ("file", "copy"),
    [
        ("instruments/pipl.yml", "instruments/pipl_2.yml"),
        ("codes/performance.csv", "codes/performance_2.csv"),
    ],
)
def test_what_nobody_uses_is_named(tmp_path: Path, file: str, copy: str) -> None:
    root = copied(tmp_path)
    (root / copy).write_bytes((root / file).read_bytes())
    assert problems(root) == [f"{copy}: nobody uses it; cite it or remove it"]


def test_a_recipient_that_is_granted_nothing_is_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "recipients/police.yml").write_bytes((root / "recipients/gsxt.yml").read_bytes())
    alter(root, "recipients/police.yml", {"connection": "police"})
    assert problems(root) == ["recipients/police.yml: nobody uses it; grant it something in an entry or remove it"]


def test_d5_a_local_regulation_carries_an_entry(tmp_path: Path) -> None:
    root = copied(tmp_path)
    local_supplement(root, region="330000")
    assert load(root).entries["tax_arrears"].basis[0].instrument == "local_credit_regulation"


def test_firms_may_be_granted_where_a_category_tells_them_apart(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, DEFAULTER, {"subject.uscc": GONE})
    assert load(root).entries["judgment_defaulter"].subject.uscc is None


@pytest.mark.parametrize("until", ["2021-12-15", "2026-12-31"])
def test_d2_an_entry_may_not_outlive_the_last_law_that_carries_it(tmp_path: Path, until: str) -> None:
    root = copied(tmp_path)
    alter(root, "instruments/penalty_law.yml", {"in_force_to": until})
    assert any(problem.startswith(f"{PENALTY}: basis: no instrument that carries the entry") for problem in problems(root))
    for entry in (PENALTY, PERSON):
        alter(root, entry, {"in_force_to": "2026-12-31"})
    if until == "2026-12-31":
        load(root)


def test_d2_an_entry_may_not_begin_before_the_law_that_carries_it(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, "instruments/penalty_law.yml", {"in_force_from": "2022-01-01"})
    assert any(problem.startswith(f"{PENALTY}: basis: no instrument that carries the entry") for problem in problems(root))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("2,无效", "2,有效", "有效 is the name of 2 and of 1 too"),
        ("2,无效", "2,1", "1 is the name of 2 and of 1 too"),
        ("1,有效", "1,2", "2 is the name of 1 and of 2 too"),
    ],
)
def test_a_name_that_leads_to_two_codes_is_named(tmp_path: Path, before: str, after: str, told: str) -> None:
    root = copied(tmp_path)
    file = root / "codes/licence_state.csv"
    file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
    assert problems(root) == [f"codes/licence_state.csv: {told}; one name, one code"]


def test_all_slips_between_files_come_at_once(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, LICENCE, {"fields.XK_ZT.codes": GONE, "grants.gsxt.fields.BZ": "open", "natural_key.0": "XK_XKBH"})
    alter(root, REGISTER, {"basis.0.instrument": "nothing_like_it"})
    alter(root, CREDIT_OFFICE, {"feeds.0.columns": {"nobody": ["a"]}})
    alter(root, "instruments/pipl.yml", {"in_force_to": "2020-01-01"})
    told = problems(root)
    assert {problem.partition(": ")[0] for problem in told} == {
        LICENCE, REGISTER, CREDIT_OFFICE, "instruments/pipl.yml", "instruments/registration_regulation.yml"
    }  # fmt: skip
    assert sum(problem.startswith(LICENCE) for problem in told) == 3


def test_the_same_slip_is_told_once_and_always_in_the_same_words(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, LICENCE, {"natural_key": ["XK_WHS", "XK_WHS", "XK_WSH"], "fields.XK_ZT.codes": "licence"})
    told = problems(root)
    assert len(told) == len(set(told)) and told == problems(root)
