"""A local layer adds and narrows; whatever would widen is refused, and both lines are named."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.layers import _RANK, Above, Supplement, laid_over, problems_of
from catalog.load import Catalog, load, read
from catalog.model import Entry, Mask, Share
from catalog.places import Places
from ledger import editions
from records.database import connect, migrate, writing
from tests.catalog.altered import SHIPPED, alter, copied, problems

CITY = "local/330100/supplements/administrative_licence_legal.yml"
LICENCE = "entries/03_administrative_acts/administrative_licence_legal.yml"
SOUND: dict[str, Any] = {
    "basis": [{"instrument": "city_credit_regulation", "article": "art. 12"}], "editions": ["city_2025"], "in_force_from": "2025-03-01"}
NEW = {"title": {"zh": "本地字段", "en": "Local field"}, "type": "text", "length": 20, "sensitivity": "open", "share": "unconditional",
       "publish": False}
LOCAL = {"basis": SOUND["basis"], "fields": {"local_field": "open"}}


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load()


def test_the_shipped_layers_add_a_field_of_the_province_and_narrow_a_grant_in_the_city(shipped: Catalog) -> None:
    assert shipped.entries["credit_commitment"].grants["national_platform"].fields["accepting_procedure"] is Mask.OPEN
    assert "XK_FRDB" not in shipped.entries["administrative_licence_legal"].grants["credit_china"].fields


def test_a_supplement_holds_from_its_first_day_on(shipped: Catalog) -> None:
    before, on = shipped.as_of(date(2025, 2, 28)), shipped.as_of(date(2025, 3, 1))
    assert "XK_FRDB" in before.entries["administrative_licence_legal"].grants["credit_china"].fields
    assert "XK_FRDB" not in on.entries["administrative_licence_legal"].grants["credit_china"].fields
    windows = [(entry.in_force_from, entry.in_force_to) for entry in shipped.versions["administrative_licence_legal"]]
    assert windows == [(date(2021, 12, 16), date(2025, 2, 28)), (date(2025, 3, 1), None)]


WIDENING: dict[str, tuple[dict[str, Any], str, str]] = {
    "a national field rewritten": ({"fields": {"XK_NR": NEW}}, "fields.XK_NR", "does not rewrite one"),
    "a share class no stricter": ({"share": {"XK_NR": "unconditional"}}, "share.XK_NR", "unconditional is not stricter than unconditional"),
    "a share class wider": ({"share": {"XK_FRDB": "unconditional"}}, "share.XK_FRDB", "unconditional is not stricter than conditional"),
    "a mask dropped": ({"masks": {"credit_china": {"XK_FRDB": "open"}}}, "masks.credit_china.XK_FRDB", "open is not stricter than name"),
    "a mask exchanged": ({"masks": {"credit_china": {"XK_FRDB": "address"}}}, "masks.credit_china.XK_FRDB", "address is not stricter"),
    "a mask on what is not granted": ({"masks": {"gsxt": {"XK_FRDB": "token"}}}, "masks.gsxt.XK_FRDB", "is not granted this field"),
    "a recipient of its own": ({"fields": {"local_field": NEW}, "grants": {"public_resources": LOCAL}}, "grants.public_resources",
                               "access that the layer above does not give"),
    "a national field granted": ({"grants": {"gsxt": LOCAL | {"fields": {"XK_FRDB": "name"}}}}, "grants.gsxt.fields.XK_FRDB",
                                 "is no field of this supplement"),
    "a condition over another": ({"fields": {"local_field": NEW}, "grants": {"national_platform": LOCAL | {"condition": {
        "purpose": {"zh": "用途", "en": "use"}, "application": "1", "approved_on": "2025-01-01", "until": "2040-01-01"}}}},
        "grants.national_platform.condition", "the grant has its condition"),
    "a field withheld that is not granted": ({"withhold": {"gsxt": ["XK_FRDB"]}}, "withhold.gsxt", "is not granted to gsxt"),
    "a key field withheld alone": ({"withhold": {"gsxt": ["XK_WSH"]}}, "withhold.gsxt", "withhold all"),
    "a field nobody knows": ({"share": {"XK_NRR": "conditional"}}, "share.XK_NRR", "not a field of the entry; did you mean XK_NR?"),
}


@pytest.mark.parametrize(("said", "key", "words"), WIDENING.values(), ids=WIDENING)
def test_d5_what_widens_is_refused_with_both_lines(tmp_path: Path, said: dict[str, Any], key: str, words: str) -> None:
    root = copied(tmp_path, local=True)
    (root / CITY).write_text(yaml.safe_dump(SOUND | said, allow_unicode=True, sort_keys=False), "utf-8")
    (told,) = [problem for problem in problems(root) if problem.startswith(CITY)]
    file, line, rest = told.split(":", 2)
    assert file == CITY and rest.strip().startswith(f"{key}: ") and words in rest
    text = (root / CITY).read_text("utf-8").splitlines()[int(line) - 1]
    assert key.rpartition(".")[2] in text or key.split(".")[1] in text
    above = rest.rpartition(f"{LICENCE}:")[2]
    assert int(above) > 1


UNSOUND: dict[str, tuple[dict[str, Any], str]] = {
    "publication opened": ({"publish": {"BZ": True}}, "publish.BZ"),
    "thresholds loosened": ({"thresholds": {"max_quarantined": 1, "min_sample": 1, "min_kept": 0}}, "unknown key"),
    "a rule removed": ({"rules": []}, "unknown key"),
    "a longer period": ({"publicity_end": "XK_YXQZI"}, "unknown key"),
    "a regulation of another region": ({"basis": [{"instrument": "zhuhai_regulation", "article": "art. 1"}]}, "zhuhai_regulation"),
    "a lower basis": ({"basis": [{"instrument": "double_publicity_2018_424", "article": "annex"}]}, "rests on no"),
    "an edition of another place": ({"editions": ["national_2025"]}, "is not an edition of 330100"),
    "an edition announced later": ({"in_force_from": "2024-01-01"}, "a proposal changes nothing"),
    "a personal field without scope": ({"fields": {"local_field": NEW | {"sensitivity": "personal", "share": "conditional"}},
                                        "grants": {"national_platform": LOCAL}}, "scope"),
    "a prohibited attribute": ({"fields": {"religion": NEW | {"title": {"zh": "宗教信仰", "en": "Religion"}}},
                                "grants": {"national_platform": LOCAL | {"fields": {"religion": "open"}}}}, "which no catalogue of credit information may hold"),
}


@pytest.mark.parametrize(("said", "words"), UNSOUND.values(), ids=UNSOUND)
def test_d5_a_supplement_has_no_way_to_weaken_what_stands_above(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    root = copied(tmp_path, local=True)
    (root / CITY).write_text(yaml.safe_dump(SOUND | said, allow_unicode=True, sort_keys=False), "utf-8")
    assert any(words in problem for problem in problems(root))


def test_d5_a_layer_enacts_local_regulations_of_its_own_region_only(tmp_path: Path) -> None:
    root = copied(tmp_path, local=True)
    alter(root, "local/330100/instruments/city_credit_regulation.yml", {"region": "440400"})
    assert any("440400 is not 330100" in problem for problem in problems(root))


def test_d27_layers_that_do_not_lie_one_in_the_other_are_no_catalogue(tmp_path: Path) -> None:
    root = copied(tmp_path, local=True)
    (root / "local" / "330100").rename(root / "local" / "440400")
    assert any("local/440400: does not lie within local/330000" in problem for problem in problems(root))


def test_a_supplement_to_nothing_is_told(tmp_path: Path) -> None:
    root = copied(tmp_path, local=True)
    (root / CITY).rename((root / CITY).with_name("administrative_license_legal.yml"))
    assert any("did you mean administrative_licence_legal?" in problem for problem in problems(root))


def test_i12_an_archived_edition_comes_back_with_its_layers(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'state.db'}")
    found, engine = read(copied(tmp_path, local=True)), connect(f"sqlite:///{tmp_path / 'state.db'}")
    from datetime import UTC, datetime

    with writing(engine) as connection:
        editions.keep(connection, found, datetime.now(UTC))
        again = editions.restore(connection, found.edition, tmp_path / "again")
    assert again.edition == found.edition and again.versions == found.versions and again.supplements == found.supplements
    engine.dispose()


ENTRIES = sorted(read(SHIPPED).versions)
DAYS = st.dates(date(2021, 1, 1), date(2030, 1, 1))


@st.composite
def supplements(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Narrowings and widenings at random over a shipped entry."""
    key = draw(st.sampled_from(ENTRIES))
    entry = read_national(key)[-1]
    field, recipient = st.sampled_from(sorted(entry.fields)), st.sampled_from(sorted(entry.grants))
    said: dict[str, Any] = SOUND | {"in_force_from": str(draw(DAYS))}
    if draw(st.booleans()):
        said["in_force_to"] = str(max(draw(DAYS), date.fromisoformat(said["in_force_from"])))
    said["share"] = draw(st.dictionaries(field, st.sampled_from([str(share) for share in Share]), max_size=2))
    said["publish"] = draw(st.dictionaries(field, st.just(False), max_size=2))
    said["masks"] = draw(st.dictionaries(recipient, st.dictionaries(field, st.sampled_from([str(mask) for mask in Mask]), max_size=2), max_size=2))
    said["withhold"] = draw(st.dictionaries(recipient, st.one_of(st.just("all"), st.lists(field, max_size=2)), max_size=2))
    if draw(st.booleans()):
        said["fields"] = {"local_field": NEW}
        said["grants"] = draw(st.dictionaries(recipient, st.just(LOCAL), max_size=2))
    return key, said


def read_national(key: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in read(SHIPPED).versions[key])


@settings(deadline=None, max_examples=150)
@given(supplements(), DAYS)
def test_i1_a_supplement_is_refused_or_gives_nobody_more_on_any_day(made: tuple[str, dict[str, Any]], day: date) -> None:
    key, said = made
    versions, places = read_national(key), Places(SHIPPED)
    file = read(SHIPPED).files["entries", key]
    try:
        supplement = Supplement.model_validate(said)
    except ValidationError:
        return
    if any(list(problems_of(CITY, supplement, Above(entry, file, places))) for entry in versions):
        return
    merged = laid_over(versions, supplement)
    before, after = ([entry for entry in known if entry.is_in_force(day)] for known in (versions, merged))
    assert len(before) == len(after), "on every day as many versions as before: no gap, no overlap"
    for national, local in zip(before, after, strict=True):
        assert set(local.grants) <= set(national.grants)
        for name, grant in local.grants.items():
            own = {code: mask for code, mask in grant.fields.items() if code in national.fields}
            assert set(own) <= set(national.grants[name].fields)
            assert all(_RANK[mask] >= _RANK[national.grants[name].fields[code]] for code, mask in own.items())
            assert all(grant.fields[code] for code in local.natural_key)
