"""What a recipient may have of the accepted records, and what keeps the rest back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Entry, Mask, SubjectKind
from records.stages import DIGEST, HANDLE, RECORD, Permitted
from release import Terms, Unpublishable, decision_fields, permit
from tests.release import world
from tests.release.world import NOBODY, ON, TEXT

GROWN_UP, CHILD, PASSPORT = "339999199003072314", "339999201506120021", "E00000000"
FIELDS = {
    "number": ("text", "open"), "name": ("text", "personal"), "category": ("text", "open"), "uscc": ("uscc", "open"),
    "id_number": ("id_number", "sensitive_personal"), "facts": ("text", "open"), "phone": ("text", "personal"),
    "publicity_end": ("date", "open"),
}  # fmt: skip
BOTH = ["legal_person", "natural_person"]
NOTHING = pd.Series([], index=NOBODY, dtype=TEXT)


def entry(**changes: object) -> Entry:
    basis = [{"instrument": "an_order", "article": "1"}]

    def grant(**fields: str) -> dict[str, object]:
        return {"basis": basis, "subjects": BOTH, "fields": {"number": "open", **fields}}

    sample = {
        "title": {"zh": "例", "en": "sample"}, "category": 3, "nature": "adverse", "basis": basis,
        "in_force_from": "2020-01-01", "editions": ["an_edition"], "natural_key": ["number"], "publicity_end": "publicity_end",
        "subject": {"name": "name", "uscc": "uscc", "id_number": "id_number", "category": "category",
                    "natural_person_when": "自然人"},
        "fields": {
            code: {"title": {"zh": code, "en": code}, "type": kind, "sensitivity": sensitivity,
                   "share": "unconditional", "publish": sensitivity != "sensitive_personal"}
            for code, (kind, sensitivity) in FIELDS.items()
        },
        "thresholds": {"max_quarantined": 0.1, "min_sample": 10, "min_kept": 0.5},
        "grants": {"a_site": grant(name="name", facts="open"), "an_office": grant(name="open", id_number="token")},
    }  # fmt: skip
    return Entry.model_validate(sample | changes)


def terms(recipient: str = "an_office", of: Entry | None = None, on: date = ON) -> Terms:
    return world.terms(world.catalogue(of or entry()), recipient, on)


def accepted(*rows: Mapping[str, str | None]) -> pd.DataFrame:
    person = {"number": "甲1", "name": "张试", "category": "自然人", "uscc": None, "id_number": GROWN_UP, "facts": "属实",
              "phone": "13900000000", "publicity_end": "2027-01-01"}  # fmt: skip
    numbered = [{RECORD: f"r{n}", **person, **row} for n, row in enumerate(rows)]
    return pd.DataFrame(numbered, columns=[RECORD, *FIELDS]).astype(TEXT)


def decide(frame: pd.DataFrame, on: Terms, held: pd.Series = NOTHING, withdrawn: pd.Index = NOBODY) -> Permitted:
    return permit(frame, on, held, withdrawn)


def reasons(permitted: Permitted) -> dict[str, str]:
    return dict(permitted.withheld.itertuples(index=False, name=None))


def test_i1_a_recipient_gets_the_granted_fields_and_no_other() -> None:
    permitted = decide(accepted({}), terms("a_site"))
    assert list(permitted.rows.columns) == [RECORD, HANDLE, DIGEST, "number", "name", "facts"]
    assert permitted.masks == {"number": "open", "name": "name", "facts": "open"}


@given(st.sets(st.sampled_from(sorted(set(FIELDS) - {"number"}))))
def test_i1_columns_out_are_the_grant_whatever_it_says(codes: set[str]) -> None:
    grant = entry().grants["an_office"].model_copy(update={"fields": dict.fromkeys(["number", *codes], Mask.OPEN)})
    of = entry().model_copy(update={"grants": {"an_office": grant}})
    assert set(decide(accepted({}), terms(of=of)).rows.columns) == {RECORD, HANDLE, DIGEST, "number", *codes}


def test_i1_a_recipient_without_a_grant_gets_nothing_and_it_is_counted() -> None:
    permitted = decide(accepted({}, {}), terms("another_office"))
    assert reasons(permitted) == {"r0": "no-grant", "r1": "no-grant"}
    assert permitted.rows.empty and permitted.considered == 2


@pytest.mark.parametrize("on", [date(2019, 12, 31), date(2026, 1, 2)])
def test_i1_an_entry_out_of_force_gives_nothing(on: date) -> None:
    of = entry(in_force_to="2026-01-01")
    assert reasons(decide(accepted({}), terms(of=of, on=on))) == {"r0": "entry-not-in-force"}
    assert len(decide(accepted({}), terms(of=of, on=date(2026, 1, 1))).rows) == 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a_site", "an_office"]), st.data())
def test_i3_a_field_that_is_not_granted_changes_no_byte(recipient: str, data: st.DataObject) -> None:
    rows: list[dict[str, str | None]] = [
        {"number": f"甲{n}", "id_number": data.draw(st.sampled_from([GROWN_UP, CHILD, PASSPORT]))} for n in range(4)
    ]
    on = terms(recipient)
    free = sorted(set(FIELDS) - set(on.masks) - decision_fields(on.entry))
    other = [row | {code: data.draw(st.none() | st.text(max_size=5)) for code in free} for row in rows]
    one, two = decide(accepted(*rows), on), decide(accepted(*other), on)
    assert pa.Table.from_pandas(one.rows).equals(pa.Table.from_pandas(two.rows))
    assert one.withheld.equals(two.withheld) and one.masks == two.masks


def test_i3_a_deciding_field_that_is_not_granted_decides_whole_records_only() -> None:
    on = terms("a_site")
    assert decision_fields(on.entry) == {"category", "uscc", "id_number", "publicity_end"}
    one = decide(accepted({"id_number": GROWN_UP, "publicity_end": "2027-01-01"}), on)
    two = decide(accepted({"id_number": "339999198506120029", "publicity_end": None, "uscc": "9133"}), on)
    assert one.rows.equals(two.rows)


@given(st.permutations([{"number": f"甲{n}"} for n in range(5)]))
def test_i3_the_order_of_the_source_is_not_seen(rows: list[dict[str, str | None]]) -> None:
    frame = accepted(*rows).assign(**{RECORD: lambda made: "record " + made["number"]}).astype(TEXT)
    ordered = decide(frame, terms()).rows
    assert ordered[HANDLE].is_monotonic_increasing
    assert ordered.equals(decide(frame[::-1], terms()).rows)


def test_two_recipients_know_a_record_under_two_handles() -> None:
    site, office = (decide(accepted({}), terms(recipient)).rows for recipient in ("a_site", "an_office"))
    assert site[HANDLE][0] != office[HANDLE][0] and site[DIGEST][0] != office[DIGEST][0]


def test_i4_what_a_recipient_holds_is_not_sent_again() -> None:
    rows = accepted({"number": "甲1"}, {"number": "甲2"})
    first = decide(rows, terms()).rows
    held = pd.Series(first[DIGEST].array, index=pd.Index(first[RECORD].array))
    again = decide(rows, terms(), held)
    assert (len(again.rows), again.unchanged) == (0, 2)
    changed = decide(accepted({"number": "甲1"}, {"number": "甲2", "name": "李试"}), terms(), held)
    assert changed.rows[RECORD].tolist() == ["r1"] and changed.unchanged == 1


def test_new_terms_or_another_recipe_send_the_same_record_anew() -> None:
    first = decide(accepted({}), terms()).rows
    held = pd.Series(first[DIGEST].array, index=pd.Index(first[RECORD].array))
    assert len(decide(accepted({}), replace(terms(), terms_digest="edition 2"), held).rows) == 1
    grant = entry().grants["an_office"]
    masked = grant.model_copy(update={"fields": grant.fields | {"name": Mask.NAME}})
    of = entry().model_copy(update={"grants": {"an_office": masked}})
    assert len(decide(accepted({}), terms(of=Entry.model_validate(of.model_dump())), held).rows) == 1


def test_the_order_of_a_grant_changes_nothing() -> None:
    grant = entry().grants["an_office"]
    turned = grant.model_copy(update={"fields": dict(reversed(list(grant.fields.items())))})
    of = entry().model_copy(update={"grants": {"an_office": turned}})
    assert decide(accepted({}), terms(of=of)).rows.equals(decide(accepted({}), terms()).rows)


@pytest.mark.parametrize("recipient", ["a_site", "an_office"])
def test_i6_what_is_withdrawn_goes_to_nobody_and_says_so_first(recipient: str) -> None:
    withdrawn = pd.Index(["r0", "of another record"], dtype=TEXT)
    permitted = decide(accepted({"id_number": CHILD}, {}), terms(recipient), withdrawn=withdrawn)
    assert reasons(permitted) == {"r0": "withdrawn"} and permitted.rows[RECORD].tolist() == ["r1"]


@pytest.mark.parametrize("recipient", ["a_site", "an_office"])
def test_a_minor_goes_to_nobody(recipient: str) -> None:
    assert reasons(decide(accepted({"id_number": CHILD}), terms(recipient))) == {"r0": "minor"}


@pytest.mark.parametrize("number", [PASSPORT, None, "3399992015****0021X"])
def test_a_site_gets_no_person_whose_age_cannot_be_read(number: str | None) -> None:
    rows = accepted({"id_number": number})
    assert reasons(decide(rows, terms("a_site"))) == {"r0": "age-unknown"}
    assert len(decide(rows, terms("an_office")).rows) == 1


def test_an_organisation_has_no_age() -> None:
    rows = accepted({"category": "法人及非法人组织", "id_number": CHILD}, {"category": "个体工商户", "id_number": None})
    assert len(decide(rows, terms("a_site")).rows) == 2


def legal_only(of: Entry) -> Entry:
    grants = {
        code: grant.model_copy(update={"subjects": (SubjectKind.LEGAL_PERSON,)}) for code, grant in of.grants.items()
    }
    return Entry.model_validate(of.model_copy(update={"grants": grants}).model_dump())


def test_a_kind_of_subject_that_is_not_granted_is_withheld() -> None:
    rows = accepted({}, {"category": "个体工商户"}, {"category": None, "uscc": "9133"}, {"category": None})
    permitted = decide(rows, terms(of=legal_only(entry())))
    assert reasons(permitted) == {"r0": "subject-kind", "r3": "subject-kind"}


def test_a_subject_of_unknown_kind_passes_only_where_any_kind_may() -> None:
    rows = accepted({"category": None, "id_number": None})
    assert len(decide(rows, terms()).rows) == 1
    assert reasons(decide(rows, terms(of=legal_only(entry())))) == {"r0": "subject-kind"}


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ({"uscc": "uscc"}, None),
        ({"id_number": "id_number"}, "subject-kind"),
        ({"uscc": "id_number", "id_number": "id_number"}, "subject-kind"),
        ({}, "subject-kind"),
    ],
)
def test_without_a_category_the_subject_s_number_tells_its_kind(subject: dict[str, str], reason: str | None) -> None:
    of = legal_only(entry(subject={"name": "name", **subject}))
    assert reasons(decide(accepted({}), terms(of=of))) == ({"r0": reason} if reason else {})


@pytest.mark.parametrize(
    ("end", "is_over"), [("2026-11-22", True), ("2026-11-23", False), (None, False), ("2026/12/31", True)]
)
def test_i9_a_record_past_its_publicity_end_leaves_the_sites_only(end: str | None, is_over: bool) -> None:
    rows = accepted({"publicity_end": end})
    assert reasons(decide(rows, terms("a_site"))) == ({"r0": "publicity-ended"} if is_over else {})
    assert len(decide(rows, terms("an_office")).rows) == 1


def test_i2_considered_is_sent_plus_unchanged_plus_withheld() -> None:
    rows = accepted({}, {"number": "甲2"}, {"id_number": CHILD}, {"publicity_end": "2020-01-01"})
    first = decide(rows, terms("a_site")).rows
    held = pd.Series(first[DIGEST].array[:1], index=pd.Index(first[RECORD].array[:1]))
    permitted = decide(rows, terms("a_site"), held)
    figures = permitted.considered, len(permitted.rows), permitted.unchanged, len(permitted.withheld)
    assert figures == (4, 1, 1, 2)


def test_nothing_accepted_permits_nothing() -> None:
    permitted = decide(accepted(), terms("a_site"))
    assert permitted.considered == 0 and list(permitted.rows.columns)[:3] == [RECORD, HANDLE, DIGEST]


def test_a_grant_of_an_unpublishable_field_to_a_site_is_refused() -> None:
    grant = entry().grants["a_site"]
    of = entry().model_copy(
        update={
            "grants": {
                "a_site": grant.model_copy(update={"fields": {"number": Mask.OPEN, "id_number": Mask.ID_NUMBER}})
            }
        }
    )
    with pytest.raises(Unpublishable, match="entry sample, field id_number.*a_site"):
        terms("a_site", of=of)


def test_permit_leaves_its_input_alone() -> None:
    rows = accepted({}, {"id_number": CHILD})
    before = rows.copy(deep=True)
    decide(rows, terms("a_site"))
    assert rows.equals(before)
