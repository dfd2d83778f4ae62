"""The catalogue that is shipped: it loads clean, cites with care, and answers in a fixed order."""

from __future__ import annotations

import ast
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from catalog.load import Catalog, load
from catalog.model import Mask, RecipientKind, Sensitivity, SubjectKind
from keys.keyring import Keyring
from records import consents
from records.stages import REASON, RECORD
from release.permit import permit
from release.terms import Terms
from tests.catalog.altered import GONE, LICENCE, MARKET, REGISTER, SHIPPED, alter, copied

TEXT = pd.ArrowDtype(pa.string())
SITES = {"credit_china", "gsxt"}
# Confirmed in a source that the domain reference names; every other number and date is from memory until someone looks.
CONFIRMED = {
    "opinions_2020_49", "double_publicity_2018_424", "credit_repair_2025_36", "data_sharing_regulation",
    "credit_repair_2023_58"}


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load()


def test_the_shipped_catalogue_loads_clean(shipped: Catalog) -> None:
    assert len(shipped.entries) == 11 and len(shipped.feeds) == 11 and len(shipped.departments) == 6
    assert set(shipped.recipients) == {"national_platform", "credit_china", "gsxt", "public_resources"}


def test_only_instruments_with_a_named_source_are_marked_confirmed(shipped: Catalog) -> None:
    assert {name for name, instrument in shipped.instruments.items() if instrument.evidence == "confirmed"} == CONFIRMED


@pytest.mark.parametrize(
    ("instrument", "number", "since"),
    [
        ("opinions_2020_49", "国办发〔2020〕49号", "2020-12-07"),
        ("double_publicity_2018_424", "发改办财金〔2018〕424号", "2018-07-25"),
        ("credit_repair_2025_36", "国家发展改革委令2025年第36号", "2026-04-01"),
        ("data_sharing_regulation", "国务院令第809号", "2025-08-01"),
    ],
)
def test_a_confirmed_number_and_date_stand_as_confirmed(
    shipped: Catalog, instrument: str, number: str, since: str
) -> None:
    assert shipped.instruments[instrument].number == number
    assert shipped.instruments[instrument].in_force_from.isoformat() == since


def test_no_two_instruments_share_a_number(shipped: Catalog) -> None:
    numbers = [instrument.number for instrument in shipped.instruments.values()]
    assert len(set(numbers)) == len(numbers)


def test_i3_no_site_gets_an_open_personal_field_but_the_name_of_a_firm(shipped: Catalog) -> None:
    given = {
        (code, name)
        for code, entry in shipped.entries.items()
        for recipient, grant in entry.grants.items()
        if shipped.recipients[recipient].kind is RecipientKind.PUBLICITY_SITE
        for name, mask in grant.fields.items()
        if mask is Mask.OPEN and entry.fields[name].sensitivity is not Sensitivity.OPEN
    }
    assert given == {("judgment_defaulter", "iname")}
    assert shipped.entries["judgment_defaulter"].grants["credit_china"].subjects == (SubjectKind.LEGAL_PERSON,)


def test_the_number_of_a_licence_taken_from_a_person_is_not_published(shipped: Catalog) -> None:
    entry = shipped.entries["administrative_penalty_natural"]
    assert not entry.fields["CF_NR_ZKDX"].publish
    assert not any("CF_NR_ZKDX" in entry.grants[site].fields for site in SITES & set(entry.grants))


@pytest.mark.parametrize("act", ["administrative_licence", "administrative_penalty"])
@pytest.mark.parametrize(("file", "stray"), [("legal", "自然人"), ("natural", "法人及非法人组织"), ("natural", "个体工商户")])
def test_i1_a_subject_who_strays_into_the_other_file_goes_to_nobody(shipped: Catalog, act: str, file: str, stray: str) -> None:
    code, ring = f"{act}_{file}", Keyring.for_tests()
    entry = shipped.entries[code]
    nobody = pd.Index([], dtype=TEXT)
    row = dict.fromkeys(entry.fields, "2099-01-01") | {RECORD: "r", str(entry.subject.category): stray}
    for recipient in entry.grants:
        keys = [ring.derive(purpose, recipient) for purpose in ("handle", "digest", "identity")]
        terms = Terms(shipped, code, recipient, date(2026, 11, 23), *keys, "", consents.frame([]))
        permitted = permit(pd.DataFrame([row], dtype=TEXT), terms, pd.Series([], nobody, dtype=TEXT), nobody)
        assert permitted.withheld[REASON].tolist() == ["subject-kind"] and permitted.rows.empty


def test_what_the_penalty_law_lists_one_by_one_is_understood_one_by_one(shipped: Catalog) -> None:
    assert {"没收违法所得", "没收非法财物", "暂扣许可证件", "吊销许可证件"} <= set(shipped.codes["penalty_class"])


def test_no_title_stands_for_two_fields_of_an_entry(shipped: Catalog) -> None:
    for entry in shipped.entries.values():
        assert len({field.title.zh for field in entry.fields.values()}) == len(entry.fields)


def test_nothing_changes_after_loading(shipped: Catalog) -> None:
    with pytest.raises(ValidationError):
        shipped.entries["tax_arrears"].category = 1


def test_feeds_and_recipients_come_in_a_fixed_order(shipped: Catalog) -> None:
    assert list(shipped.feeds) == [
        "administrative_approval.administrative_licence_legal", "administrative_approval.administrative_licence_natural",
        "court.judgment_defaulter", "credit_office.credit_commitment",
        "law_enforcement.administrative_penalty_legal", "law_enforcement.administrative_penalty_natural",
        "market_regulation.enterprise_registration", "market_regulation.abnormal_operation",
        "market_regulation.serious_violation", "taxation.tax_arrears", "taxation.class_a_taxpayer",
    ]  # fmt: skip
    assert shipped.recipients_of("enterprise_registration") == ("credit_china", "gsxt", "national_platform", "public_resources")
    assert shipped.recipients_of("judgment_defaulter") == ("credit_china", "national_platform", "public_resources")
    assert shipped.department_of("court.judgment_defaulter") == "court"


@pytest.mark.parametrize(
    "changes",
    [
        {"grants.gsxt.fields.XK_FRDB": "name"},
        {"grants.gsxt.fields.XK_NR": GONE},
        {"grants.gsxt.fields.XK_XKBH": "id_number"},
    ],
)
def test_the_terms_digest_changes_with_fields_and_masks(tmp_path: Path, shipped: Catalog, changes: dict[str, Any]) -> None:
    root = copied(tmp_path, local=True)
    alter(root, LICENCE, changes)
    digest = ("administrative_licence_legal", "gsxt")
    assert load(root).terms_digest(*digest) != shipped.terms_digest(*digest)
    other = ("administrative_licence_legal", "credit_china")
    assert load(root).terms_digest(*other) == shipped.terms_digest(*other)


def test_the_terms_digest_does_not_change_with_wording_or_order(tmp_path: Path, shipped: Catalog) -> None:
    root = copied(tmp_path, local=True)
    fields = shipped.entries["administrative_licence_legal"].grants["gsxt"].fields
    turned = {name: mask.value for name, mask in reversed(fields.items())}
    alter(root, LICENCE, {"title.en": "Licences", "fields.XK_NR.title.zh": "内容", "fields.XK_NR.length": 9000,
                          "grants.gsxt.basis.0.article": "art. 6", "grants.gsxt.fields": turned})  # fmt: skip
    found = load(root)
    assert found.edition != shipped.edition
    for recipient in shipped.recipients_of("administrative_licence_legal"):
        assert found.terms_digest("administrative_licence_legal", recipient) == shipped.terms_digest(
            "administrative_licence_legal", recipient
        )


@pytest.mark.parametrize(
    "file", [LICENCE, MARKET, "recipients/gsxt.yml", "instruments/pipl.yml", "codes/performance.csv"]
)
def test_the_edition_changes_with_any_byte(tmp_path: Path, shipped: Catalog, file: str) -> None:
    root = copied(tmp_path, local=True)
    assert load(root).edition == shipped.edition
    with (root / file).open("ab") as end:
        end.write(b"\n")
    assert load(root).edition != shipped.edition


def test_the_edition_changes_with_the_name_of_a_file(tmp_path: Path, shipped: Catalog) -> None:
    root = copied(tmp_path, local=True)
    (root / "entries/01_registration").rename(root / "entries/01_register")
    assert load(root).edition != shipped.edition
    assert load(root).files["entries", "enterprise_registration"] == REGISTER.replace("01_registration", "01_register")


def test_code_sets_give_the_chinese_name_of_a_code(shipped: Catalog) -> None:
    assert shipped.codes["licence_state"] == {"1": "有效", "2": "无效"}
    assert "暂扣或者吊销许可证/执照" in shipped.codes["penalty_class"]


def test_the_catalogue_leans_on_yaml_and_pydantic_alone() -> None:
    for path in SHIPPED.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])  # fmt: skip
            for name in named:
                assert name.split(".")[0] in {"catalog", "yaml", "pydantic", *sys.stdlib_module_names}, f"{path.name}: {name}"
