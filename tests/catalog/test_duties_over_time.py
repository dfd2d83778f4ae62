"""Duties that need two files or a day: versions, local supplements, windows, and what a day makes wrong."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.base import is_within
from catalog.check import problems_on, warnings_of
from catalog.duties.collection import of_entry, problems_of
from catalog.duties.windows import first_uncovered
from catalog.load import load
from tests.catalog.altered import (
    ARREARS,
    GONE,
    LICENCE,
    LIST,
    PENALTY,
    PERSON,
    REGULATION,
    SERIOUS,
    alter,
    copied,
    copy_file,
    local_supplement,
    problems,
)

TODAY = date(2026, 11, 24)
FORMER = ARREARS.replace(".yml", "@2021-12-16.yml")
CONSENT = {"purpose": "loan", "scope": {"zh": "欠税", "en": "Arrears"}, "method": {"zh": "接口", "en": "Interface"}, "max_days": 365}
DAY = st.dates(date(2026, 1, 1), date(2026, 2, 10))


def two_versions(folder: Path, former: dict[str, Any], later: dict[str, Any]) -> Path:
    """Tax arrears in two versions, the former until the end of 2023."""
    root = copied(folder)
    copy_file(root, ARREARS, FORMER, {"in_force_to": "2023-12-31"})
    alter(root, FORMER, former)
    alter(root, ARREARS, {"in_force_from": "2024-01-01"} | later)
    return root


def test_the_shipped_catalogue_is_clean_today_and_needs_no_look() -> None:
    assert problems_on(load(), TODAY) == [] == warnings_of(load(), TODAY)


def test_d3_a_later_version_follows_the_former_day_by_day(tmp_path: Path) -> None:
    versions = load(two_versions(tmp_path, {}, {})).versions["tax_arrears"]
    assert [entry.in_force_from.year for entry in versions] == [2021, 2024]


@pytest.mark.parametrize(
    ("former", "later", "told"),
    [
        ({"in_force_to": "2024-01-01"}, {}, "in_force_from: the version of 2021-12-16 is still in force then (D3)"),
        ({"in_force_to": GONE}, {}, "in_force_from: the version of 2021-12-16 is still in force then (D3)"),
        ({}, {"in_force_from": "2024-01-03"}, "in_force_from: no version is in force on 2024-01-01 (D2)"),
    ],
    ids=["an overlap", "a version that never ends", "a gap"],
)
def test_d3_versions_that_do_not_follow_on_each_other_are_refused(
    tmp_path: Path, former: dict[str, Any], later: dict[str, Any], told: str
) -> None:
    root = two_versions(tmp_path, former, later)
    assert any(problem.startswith(f"{ARREARS}: {told}") for problem in problems(root))


@pytest.mark.parametrize("change", [{"natural_key": ["uscc", "tax_type"]}, {"subject": {"name": "tax_authority", "uscc": "uscc"}}], ids=["natural_key", "subject"])
def test_d9_a_record_keeps_its_id_through_all_versions(tmp_path: Path, change: dict[str, Any]) -> None:
    told = problems(two_versions(tmp_path, {}, change))
    assert any(problem.startswith(f"{ARREARS}: {next(iter(change))}: differs from the version of 2021-12-16") for problem in told)


def test_d3_the_undated_file_holds_the_newest_version(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, ARREARS, {"in_force_to": "2023-12-31"})
    copy_file(root, ARREARS, ARREARS.replace(".yml", "@2024-01-01.yml"), {"in_force_from": "2024-01-01", "in_force_to": GONE})
    assert any(problem.startswith(f"{ARREARS}: in_force_from: not the newest version") for problem in problems(root))


def test_every_duty_is_asked_of_former_versions_too(tmp_path: Path) -> None:
    root = two_versions(tmp_path, {"repair": GONE}, {})
    assert problems(root) == [f"{FORMER}: repair: missing; name the authority that decides on repair (D37)"]


@pytest.mark.parametrize(("region", "is_sound"), [("330000", True), ("330100", True), ("330200", False), ("330106", False), ("440000", False)])
def test_d5_a_local_regulation_carries_what_lies_in_its_region(tmp_path: Path, region: str, is_sound: bool) -> None:
    root = copied(tmp_path)
    local_supplement(root, region)
    if is_sound:
        assert load(root).entries["tax_arrears"].region == "330100"
    else:
        assert any(problem.startswith(f"{ARREARS}: basis.0: a local regulation of {region} carries nothing in 330100") for problem in problems(root))


def test_d5_a_local_regulation_carries_nothing_national(tmp_path: Path) -> None:
    root = copied(tmp_path)
    local_supplement(root, "330000")
    alter(root, ARREARS, {"region": GONE, "editions": ["national_2021", "national_2022", "national_2024", "national_2025"]})
    assert any(problem.startswith(f"{ARREARS}: basis.0: a local regulation of 330000 carries nothing national (D5)") for problem in problems(root))


def test_d3_a_local_supplement_and_the_national_catalogue_are_in_force_side_by_side(tmp_path: Path) -> None:
    root = copied(tmp_path)
    local_supplement(root, "330100")
    assert "local_2021" in load(root).editions
    copy_file(root, "editions/local_2021.yml", "editions/local_2022.yml", {"in_force_from": "2022-06-01"})
    assert problems(root) == ["editions/local_2022.yml: in_force_from: local_2021 is still in force then (D3, D32); end that one the day before: one edition a day"]


def test_d27_a_local_list_has_its_standard_in_its_own_local_regulation(tmp_path: Path) -> None:
    root = copied(tmp_path)
    local_supplement(root, "330100")
    alter(root, LIST, {"region": "330100", "standard.basis": {"instrument": "local_credit_regulation", "article": "art. 45"}})
    alter(root, SERIOUS, {"region": "330100", "editions": ["local_2021"]})
    assert load(root).lists["market_serious_violation"].region == "330100"
    alter(root, REGULATION, {"region": "330200"})
    assert any(problem.startswith(f"{LIST}: standard.basis: a local regulation sets no standard of this list") for problem in problems(root))


def test_d4_a_proposal_needs_no_feed_and_gets_none(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, ARREARS, {"editions": []})
    alter(root, "departments/taxation.yml", {"feeds.0": GONE})
    assert load(root).entries["tax_arrears"].editions == ()


def test_d51_consent_carries_a_grant_under_an_article_that_says_so(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, PERSON, {"grants.public_resources.consent": CONSENT,
                         "grants.public_resources.basis.1": {"instrument": "pipl", "article": "art. 13 and 14"}})  # fmt: skip
    consent = load(root).entries["administrative_penalty_natural"].grants["public_resources"].consent
    assert consent is not None and consent.max_days == 365


def test_d55_a_grant_whose_basis_is_not_yet_in_force_is_refused_on_that_day_alone() -> None:
    shipped, eve = load(), date(2025, 7, 31)
    told = problems_on(shipped, eve)
    assert f"{ARREARS}: grants.national_platform.basis: nothing it cites is in force on {eve} (D2, D55); cite what is, or end the grant" in told
    assert problems_on(shipped, date(2025, 8, 1)) == []


def test_d66_a_list_not_renewed_by_the_end_of_its_transition_is_refused_from_the_day_after(tmp_path: Path) -> None:
    root = copied(tmp_path)
    alter(root, LIST, {"renewed_on": GONE, "transition_to": "2026-11-23"})
    assert problems_on(load(root), date(2026, 11, 23)) == []
    [told] = problems_on(load(root), TODAY)
    assert told.startswith(f"{LIST}: renewed_on: the transition ended on 2026-11-23") and "D66" in told


@pytest.mark.parametrize(("last", "months", "due"), [("2023-11-23", 36, "2026-11-23"), ("2025-10-31", 13, None), ("2024-02-29", 12, "2025-02-28")])
def test_d26_an_assessment_that_is_overdue_warns_and_refuses_nothing(tmp_path: Path, last: str, months: int, due: str | None) -> None:
    root = copied(tmp_path)
    alter(root, LIST, {"assessment.last_on": last, "assessment.every_months": months})
    told = warnings_of(load(root), TODAY)
    assert [problem.partition(";")[0] for problem in told] == (
        [f"{LIST}: assessment.last_on: the assessment was due on {due} (D26)"] if due else [])  # fmt: skip


def test_d3_an_edition_that_lies_ahead_warns(tmp_path: Path) -> None:
    root = copied(tmp_path)
    copy_file(root, "editions/national_2025.yml", "editions/national_2027.yml", {"announced_on": None, "in_force_from": "2027-01-01"})
    [told] = warnings_of(load(root), TODAY)
    assert told.startswith("editions/national_2027.yml: announced_on: not in force on 2026-11-24")


@pytest.mark.parametrize("title", ["General remarks", "疾病预防控制机构", "Centre for disease control", "Wastewater classification", "基层治理"])
def test_d50_words_that_only_look_prohibited_pass(tmp_path: Path, title: str) -> None:
    root = copied(tmp_path)
    alter(root, LICENCE, {"fields.BZ.title": {"zh": title, "en": title}})
    assert list(problems_of(load(root))) == []


def test_d51_a_firm_needs_no_scope(tmp_path: Path) -> None:
    assert list(of_entry(load().entries["tax_arrears"])) == []


def test_d45_nothing_in_the_catalogue_can_name_a_fee(tmp_path: Path) -> None:
    for file, key in ((PENALTY, "repair.fee"), (PENALTY, "fee"), (LIST, "fee"), ("recipients/credit_china.yml", "fee"), (SERIOUS, "grants.gsxt.fee")):
        root = copied(tmp_path / key / Path(file).stem)
        alter(root, file, {key: 1})
        assert [problem for problem in problems(root) if problem.startswith(f"{file}: {key}: unknown key")]


@given(st.lists(st.tuples(DAY, DAY), max_size=6), DAY, DAY)
def test_the_first_uncovered_day_is_the_first_that_no_window_holds(windows: list[tuple[date, date]], since: date, until: date) -> None:
    wanted = (min(since, until), max(since, until))
    sound = [(min(window), max(window)) for window in windows]
    days = (wanted[0] + timedelta(days=n) for n in range((wanted[1] - wanted[0]).days + 1))
    bare = next((day for day in days if not any(first <= day <= last for first, last in sound)), None)
    assert first_uncovered(wanted, sound) == bare


def test_a_window_that_never_ends_covers_every_day_after_its_first() -> None:
    assert first_uncovered((date(2021, 1, 1), date.max), [(date(2020, 1, 1), date.max)]) is None
    assert first_uncovered((date.min, date.max), [(date(2020, 1, 1), date.max)]) == date.min


@given(st.integers(11, 65), st.integers(0, 99), st.integers(0, 99))
def test_d5_a_region_lies_in_itself_its_city_and_its_province(province: int, city: int, county: int) -> None:
    region = f"{province}{city:02}{county:02}"
    assert all(is_within(region, upper) for upper in (region, f"{region[:4]}00", f"{region[:2]}0000"))
    assert not is_within(region, f"{province + 1}0000")
