"""The leak gate: whose data would still be seen in a masked record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.model import Entry, Mask
from keys.keyring import Keyring
from masking import MaskContext, mask
from masking.citizen import check_digit, is_citizen_number
from masking.gate import leaks
from records.stages import DIGEST, HANDLE, RECORD, Masked, Permitted

PERSON, OTHER = "339999199003072314", "339999198506120029"
CASES = json.loads((Path(__file__).parents[1] / "vectors" / "gate.json").read_text("utf-8"))["cases"]
TYPES = {
    "name": "text", "id_number": "id_number", "uscc": "uscc", "representative": "text", "facts": "text",
    "number": "identifier", "decided_on": "date", "fine": "amount", "phone": "text",
}  # fmt: skip


def entry() -> Entry:
    def field(code: str, kind: str) -> dict[str, object]:
        return {"title": {"zh": code, "en": code}, "type": kind, "sensitivity": "open", "publish": True}

    basis = [{"instrument": "an_order", "article": "1"}]
    return Entry.model_validate(
        {
            "title": {"zh": "例", "en": "sample"}, "category": 3, "nature": "adverse", "basis": basis,
            "in_force_from": "2020-01-01", "subject": {"name": "name", "uscc": "uscc", "id_number": "id_number"},
            "fields": {code: field(code, kind) for code, kind in TYPES.items()}, "natural_key": ["number"],
            "thresholds": {"max_quarantined": 0.1, "min_sample": 10, "min_kept": 0.5},
            "grants": {"a_site": {"basis": basis, "subjects": ["natural_person"], "fields": {"number": "open"}}},
        }
    )  # fmt: skip


def frame(rows: Sequence[Mapping[str, str | None]]) -> pd.DataFrame:
    texts = pd.ArrowDtype(pa.string())
    numbered = [{RECORD: f"r{n}", HANDLE: f"h{n}", DIGEST: f"d{n}", **row} for n, row in enumerate(rows)]
    return pd.DataFrame(numbered).astype(texts)


def masking(*rows: Mapping[str, str | None], is_publicity: bool = False, **masks: str) -> Masked:
    plain = frame(list(rows))
    recipes = {field: masks.get(field, "open") for field in rows[0]}
    permitted = Permitted("sample", "a_recipient", len(plain), plain, recipes, frame([])[[]], 0)
    return mask(permitted, MaskContext(Keyring.for_tests().derive("token", "a_recipient"), is_publicity, entry()))


def reasons(masked: Masked) -> list[str]:
    return masked.withheld["_reason"].tolist()


@pytest.mark.parametrize("case", CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_text_passes_or_stops_as_its_vectors_say(case: dict[str, object]) -> None:
    for place, is_publicity in (("site", True), ("department", False)):
        masked = masking({"number": "甲1", "facts": str(case["text"])}, is_publicity=is_publicity)
        assert (len(masked.rows) == 1) is case[place]
        assert reasons(masked) == ([] if case[place] else ["personal-data-in-text"])


def test_i2_every_permitted_record_is_masked_or_withheld_with_a_reason() -> None:
    masked = masking({"facts": "无事"}, {"facts": f"身份证{PERSON}"}, {"facts": None}, is_publicity=True)
    assert masked.rows[RECORD].tolist() == ["r0", "r2"]
    assert masked.withheld.values.tolist() == [["r1", "personal-data-in-text"]]


def test_only_handle_and_granted_fields_leave() -> None:
    masked = masking({"name": "张试", "id_number": PERSON}, name="name", id_number="token")
    assert list(masked.payload().columns) == [HANDLE, "name", "id_number"]
    assert masked.payload()["name"].tolist() == ["张*"]


def test_a_site_never_sees_a_citizen_number_even_if_it_is_granted_open() -> None:
    assert reasons(masking({"id_number": PERSON}, is_publicity=True)) == ["personal-data-in-text"]
    assert len(masking({"id_number": PERSON}, is_publicity=False).rows) == 1


def test_a_department_may_read_in_the_text_only_the_number_it_has_openly() -> None:
    own = masking(
        {"id_number": PERSON, "facts": f"当事人{PERSON}"}, {"id_number": PERSON.lower(), "facts": "旧号339999900307231"}
    )
    assert len(own.rows) == 2
    assert reasons(masking({"id_number": PERSON, "facts": f"同案人{OTHER}"})) == ["personal-data-in-text"]
    assert reasons(masking({"id_number": PERSON, "facts": f"当事人{PERSON}"}, id_number="token")) == [
        "personal-data-in-text"
    ]


def test_a_text_that_repeats_a_hidden_name_is_withheld() -> None:
    masked = masking(
        {"name": "张试例", "facts": "经查，张试例于当日"}, {"name": "张试例", "facts": "经查，属实"}, name="name"
    )
    assert masked.rows[RECORD].tolist() == ["r1"]
    assert reasons(masked) == ["personal-data-in-text"]


def test_the_open_name_of_a_stall_may_bear_its_owner_and_be_repeated() -> None:
    stall = {"name": "张试例小吃店", "representative": "张试例", "facts": "张试例小吃店超范围经营"}
    assert len(masking(stall, representative="name").rows) == 1
    told = stall | {"facts": "张试例小吃店经营者张试例"}
    assert reasons(masking(told, representative="name")) == ["personal-data-in-text"]


def test_what_the_source_starred_out_is_no_leak() -> None:
    masked = masking({"name": "******", "facts": "经营范围：******"}, name="name")
    assert len(masked.rows) == 1


def test_a_value_that_came_out_as_it_went_in_is_withheld() -> None:
    plain = frame([{"name": "张试"}, {"name": None}, {"name": "张*"}])
    found = leaks(plain, plain, {"name": "name"}, entry(), False)
    assert found.isna().tolist() == [False, True, True] and found[0] == "not-masked"


def test_a_field_without_a_recipe_stops_everything() -> None:
    permitted = Permitted("sample", "a_recipient", 1, frame([{"name": "张试"}]), {}, frame([])[[]], 0)
    context = MaskContext(Keyring.for_tests().derive("token", "a_recipient"), True, entry())
    with pytest.raises(ValueError, match="entry sample, field name: no recipe") as raised:
        mask(permitted, context)
    assert "张试" not in str(raised.value)


def test_a_credit_code_in_its_field_is_not_taken_for_a_person() -> None:
    code = next(code for code in all_digit_codes() if is_citizen_number(code))
    assert len(masking({"uscc": code}, is_publicity=True).rows) == 1
    assert reasons(masking({"facts": code}, is_publicity=True)) == ["personal-data-in-text"]


def all_digit_codes() -> list[str]:
    from masking.citizen import is_credit_code

    bodies = [f"12339919{n:09d}" for n in range(900101001, 900101900)]
    return [body + check_digit(body) for body in bodies if is_credit_code(body + check_digit(body))]


def test_an_old_register_number_passes_in_an_identifier_only() -> None:
    number = next(
        f"339999600123{n:03d}" for n in range(1000) if masking({"number": f"339999600123{n:03d}"}).rows.shape[0]
    )
    assert reasons(masking({"facts": number})) == ["personal-data-in-text"]


def test_sums_and_dates_are_not_taken_for_telephone_numbers() -> None:
    masked = masking({"fine": "13900000000", "decided_on": "2026-01-01"}, is_publicity=True)
    assert len(masked.rows) == 1


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from([PERSON, OTHER]))
def test_no_text_hides_a_citizen_number_from_the_gate(before: str, after: str, number: str) -> None:
    masked = masking({"facts": before + number + after}, is_publicity=True)
    assert not len(masked.rows)


def test_t22_no_canary_leaves_under_any_hiding_recipe() -> None:
    canaries = {"name": "甄丝雀", "id_number": PERSON, "phone": "13900000000", "representative": "金丝雀"}
    for recipe in set(Mask) - {Mask.OPEN}:
        masked = masking(canaries, is_publicity=True, **dict.fromkeys(canaries, recipe.value))
        assert not [value for value in canaries.values() if value in masked.payload().to_json(force_ascii=False)]
