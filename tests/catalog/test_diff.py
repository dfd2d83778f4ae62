"""A change of the catalogue is graded by what it does to disclosure, and what nobody graded counts as widening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.diff import Effect, diff, widens
from catalog.load import read
from tests.catalog.altered import GONE, LICENCE, PENALTY, SHIPPED, alter, copied

MARKET = "departments/market_regulation.yml"
ARTICLES = yaml.safe_load((SHIPPED / "instruments/pipl.yml").read_text("utf-8"))["articles"]
BASIS = [{"instrument": "enterprise_publicity", "article": "art. 7"}]
CHANGES: dict[str, tuple[str, dict[str, Any], Effect]] = {
    "a new grant": (LICENCE, {"grants.public_resources": {"basis": BASIS, "subjects": ["legal_person"], "fields": {"XK_WSH": "open"}}}, Effect.WIDENS),
    "a new field granted": (LICENCE, {"grants.gsxt.fields.XK_FRDB": "name"}, Effect.WIDENS),
    "a weaker mask": (LICENCE, {"grants.credit_china.fields.XK_FRDB": "open"}, Effect.WIDENS),
    "another mask of the same strength": (LICENCE, {"grants.credit_china.fields.XK_FRDB": "address"}, Effect.WIDENS),
    "more subjects": (LICENCE, {"grants.gsxt.subjects": ["legal_person", "natural_person"]}, Effect.WIDENS),
    "a share class opened": (LICENCE, {"fields.XK_FRDB.share": "unconditional"}, Effect.WIDENS),
    "a publication opened": (LICENCE, {"fields.BZ.publish": True}, Effect.WIDENS),
    "a field no longer personal": (LICENCE, {"fields.XK_FRDB.sensitivity": "open"}, Effect.WIDENS),
    "a condition that ends later": (PENALTY, {"grants.national_platform.condition.until": "2030-01-01"}, Effect.WIDENS),
    "a condition dropped": (PENALTY, {"grants.national_platform.condition": GONE}, Effect.WIDENS),
    "an excluding rule dropped": (PENALTY, {"rules.7": GONE}, Effect.WIDENS),
    "an end of publicity dropped": (PENALTY, {"publicity_end": GONE}, Effect.WIDENS),
    "the clock dropped": (PENALTY, {"clock": GONE}, Effect.WIDENS),
    "a must-fill field no longer so": (LICENCE, {"fields.XK_NR.required": False}, Effect.WIDENS),
    "thresholds loosened": (LICENCE, {"thresholds.max_quarantined": 0.9}, Effect.WIDENS),
    "an earlier beginning": (LICENCE, {"in_force_from": "2020-01-01"}, Effect.WIDENS),
    "a door moved": ("recipients/gsxt.yml", {"connection": "elsewhere"}, Effect.WIDENS),
    "a recipient that became a site": ("recipients/public_resources.yml", {"kind": "publicity_site"}, Effect.WIDENS),
    "an article that allows more": ("instruments/pipl.yml", {"articles": ARTICLES | {"art. 34": ARTICLES["art. 34"] | {"allows": ["publish_people"]}}}, Effect.WIDENS),
    "a law that lasts longer": ("instruments/credit_repair_2023_58.yml", {"in_force_to": "2030-01-01"}, Effect.WIDENS),
    "a longer period of publicity": ("repair_rules/order_36_2025.yml", {"periods.general.max_months": 36}, Effect.WIDENS),
    "a comment period rewritten": ("lists/market_serious_violation.yml", {"standard.comment_to": "2021-01-05"}, Effect.WIDENS),
    "a field taken out of a grant": (LICENCE, {"grants.gsxt.fields.XK_NR": GONE}, Effect.NARROWS),
    "a grant taken away": (LICENCE, {"grants.gsxt": GONE}, Effect.NARROWS),
    "a stronger mask": (PENALTY, {"grants.credit_china.fields.CF_XDR_SHXYM": "token"}, Effect.NARROWS),
    "a share class closed": (LICENCE, {"fields.XK_NR.share": "conditional"}, Effect.NARROWS),
    "a condition that ends earlier": (PENALTY, {"grants.national_platform.condition.until": "2027-01-01"}, Effect.NARROWS),
    "an entry that ends": (LICENCE, {"in_force_to": "2027-01-01"}, Effect.NARROWS),
    "a type changed": (LICENCE, {"fields.XK_XKBH.type": "text"}, Effect.BREAKS),
    "a new must-fill field": (LICENCE, {"fields.XK_YXQZ.required": True}, Effect.BREAKS),
    "a key changed": (LICENCE, {"natural_key": ["XK_WSH"]}, Effect.BREAKS),
    "a header renamed": (LICENCE, {"fields.XK_NR.title.zh": "许可事项"}, Effect.BREAKS),
    "a title reworded": (LICENCE, {"title.en": "Licences of firms"}, Effect.WORDING),
    "another contact": ("recipients/gsxt.yml", {"contact": "另一岗位"}, Effect.WORDING),
    "an article reworded": ("instruments/pipl.yml", {"articles": ARTICLES | {"art. 34": ARTICLES["art. 34"] | {"en": "otherwise"}}}, Effect.WORDING),
}


@pytest.mark.parametrize(("file", "said", "effect"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_graded_by_what_it_does_to_disclosure(tmp_path: Path, file: str, said: dict[str, Any], effect: Effect) -> None:
    old, new = copied(tmp_path / "old"), copied(tmp_path / "new")
    alter(new, file, said)
    changes = diff(read(old), read(new))
    assert changes and {change.file for change in changes} == {file}
    assert max((change.effect for change in changes), key=lambda each: -list(Effect).index(each)) is effect
    assert widens(changes) is (effect is Effect.WIDENS)


def test_nothing_differs_between_a_catalogue_and_itself(tmp_path: Path) -> None:
    assert diff(read(copied(tmp_path / "old")), read(copied(tmp_path / "new"))) == []


def test_the_order_of_keys_and_lists_says_nothing(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old"), copied(tmp_path / "new")
    rules = read(old).entries["administrative_penalty_legal"].model_dump(mode="json")["rules"]
    alter(new, PENALTY, {"rules": list(reversed(rules))})
    assert diff(read(old), read(new)) == []


def test_an_entry_that_comes_or_goes_is_one_change(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old"), copied(tmp_path / "new")
    (new / LICENCE).unlink()
    assert [(change.effect, change.key) for change in diff(read(old), read(new))] == [(Effect.NARROWS, "")]
    assert [change.effect for change in diff(read(new), read(old))] == [Effect.WIDENS]


def test_a_supplement_that_goes_widens_what_it_narrowed(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old", local=True), copied(tmp_path / "new", local=True)
    (new / "local/330100/supplements/administrative_licence_legal.yml").unlink()
    changes = diff(read(old), read(new))
    assert widens(changes)


def test_whatever_differs_is_told(tmp_path: Path) -> None:
    """Every scalar of every file altered, one at a time: no change of meaning is silent."""
    old = copied(tmp_path / "old")
    before = read(old)
    for file in ("recipients/gsxt.yml", "lists/market_serious_violation.yml", "repair_rules/order_36_2025.yml", "editions/national_2025.yml"):
        content = yaml.safe_load((old / file).read_text("utf-8"))
        for key in [key for key, value in content.items() if isinstance(value, str | int) and key not in ("harm", "level", "evidence", "kind", "body",
                                                                                                        "method", "connection")]:
            new = copied(tmp_path / f"{file.replace('/', '-')}-{key}")
            alter(new, file, {key: content[key] + 1 if isinstance(content[key], int) else f"{content[key]}x"})
            assert [change.key.split(".")[0] for change in diff(before, read(new))] == [key]
