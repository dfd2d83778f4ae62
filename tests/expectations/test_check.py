"""Good and bad rows apart: what is accepted, what is quarantined and why, and when a batch is refused whole."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations import WrongContext, check
from records.stages import DAMAGE, LINE, RAW, REASONS, RECORD, Checked, Collected
from tests.expectations.penalty import FIELDS, TEXT, collected, context, credit_code, entry, row


def checked(*rows: Mapping[str, str | None], missing: tuple[str, ...] = ()) -> Checked:
    return check(collected(rows, missing), context())


def reasons(result: Checked) -> dict[int, list[str]]:
    lines, codes = result.quarantined[LINE].tolist(), result.quarantined[REASONS].tolist()
    return {line: str(joined).split(";") for line, joined in zip(lines, codes, strict=True)}


def failed(result: Checked, rule: str) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(each.field, each.severity, each.lines) for each in result.findings if each.rule == rule and each.failed]


def test_a_sound_row_is_accepted_in_normal_form_under_its_record_id() -> None:
    result = checked(row(1, decided_on="2025/3/1 0:00:00", fine="０.20", uscc=credit_code(1, "N1").lower(),
                         category="法人及非法人组织"))
    accepted = result.accepted
    assert list(accepted.columns) == [RECORD, LINE, *FIELDS]
    assert list(accepted.loc[0, ["decided_on", "fine", "uscc", "category", "classes"]]) == [
        "2025-03-01", "0.2", credit_code(1, "N1"), "1", "1;2"]
    assert accepted[LINE].tolist() == [2]
    assert accepted[RECORD].notna().all()
    assert accepted["facts"].dtype == accepted[RECORD].dtype == TEXT
    assert result.refused == ""
    assert len(result.quarantined) == 0


BAD: dict[str, tuple[dict[str, str | None], str, str]] = {
    "an empty must-fill field": ({"name": "暂无"}, "name", "required-empty"),
    "an empty key field": ({"number": None}, "number", "required-empty"),
    "a text over its length": ({"name": "长" * 41}, "name", "too-long"),
    "a credit code with a wrong check digit": ({"uscc": credit_code(1)[:17] + "?"}, "uscc", "uscc-invalid"),
    "an old registration number in the code column": ({"uscc": "330100123456789"}, "uscc", "old-registration-number"),
    "a citizen number with a wrong check digit":
        ({"id_number": "330102199002010011"}, "id_number", "id-number-invalid"),
    "a day that no calendar has": ({"decided_on": "2025-02-29"}, "decided_on", "date-invalid"),
    "a month instead of a date": ({"decided_on": "2014年12月"}, "decided_on", "date-incomplete"),
    "a month as spreadsheets write it": ({"decided_on": "Oct-17"}, "decided_on", "date-incomplete"),
    "an amount in words": ({"fine": "贰仟元", "content": None}, "fine", "amount-invalid"),
    "half a person": ({"employees": "1.5"}, "employees", "integer-invalid"),
    "a code outside the set": ({"category": "自然人"}, "category", "code-unknown"),
    "one of several codes outside the set": ({"classes": "警告、拘留"}, "classes", "code-unknown"),
    "a citizen number that only the kind of document tells from others":
        ({"document_type": "身份证", "document": "330102199002010011"}, "document", "id-number-invalid"),
    "an identifier that a spreadsheet took for a number": ({"document": "3.30E+14"}, "document", "scientific-number"),
    "a replacement character": ({"facts": "未按规\ufffd公示"}, "facts", "replacement-character"),
    "a direction mark": ({"name": "甲\u202e乙"}, "name", "control-character"),
    "a control character": ({"facts": "甲\x1f乙"}, "facts", "control-character"),
    "a line end inside an identifier": ({"number": "1\n2"}, "number", "control-character"),
    "a publicity end before the decision": ({"publicity_end": "2025-02-28"}, "publicity_end", "not-before"),
    "a decision in the future": ({"decided_on": "2026-11-24", "publicity_end": None}, "decided_on", "not-in-future"),
    "a sole trader's code under another category":
        ({"uscc": credit_code(1, "92")}, "category", "category-matches-code"),
    "a fine in yuan where ten thousands are meant": ({"fine": "2000"}, "fine", "amount-agrees-with-text"),
}


@pytest.fixture(scope="module")
def one_of_each() -> Checked:
    """One bad row of each kind, in order from line 2, and a sound one."""
    return checked(*(row(serial, **_planted(case, serial)) for serial, case in enumerate(BAD, start=1)), row(999))


@pytest.mark.parametrize("case", BAD)
def test_a_row_is_quarantined_as_it_came_for_its_own_reason(one_of_each: Checked, case: str) -> None:
    serial = list(BAD).index(case) + 1
    _, field, reason = BAD[case]
    assert reasons(one_of_each)[serial + 1] == [reason]
    assert any(serial + 1 in lines for name, severity, lines in failed(one_of_each, reason)
               if (name, severity) == (field, "critical"))
    as_it_came = one_of_each.quarantined.loc[serial - 1, list(FIELDS)].to_dict()
    assert {name: None if value is pd.NA else value for name, value in as_it_came.items()} == row(
        serial, **_planted(case, serial))


def test_the_sound_row_among_all_the_bad_ones_is_accepted(one_of_each: Checked) -> None:
    assert one_of_each.accepted[LINE].tolist() == [len(BAD) + 2]


planted = st.tuples(st.sampled_from([None, *BAD]), st.integers(1, 10**6))


@given(st.lists(planted, min_size=1, max_size=30, unique_by=lambda pair: pair[1]))
@settings(max_examples=12, deadline=None)
def test_every_planted_bad_row_ends_in_quarantine_and_every_sound_row_does_not(
    plan: list[tuple[str | None, int]]
) -> None:
    rows = [row(serial, **({} if case is None else _planted(case, serial))) for case, serial in plan]
    result = checked(*rows)
    expected = {line: [BAD[case][2]] for line, (case, _) in enumerate(plan, start=2) if case}
    assert reasons(result) == expected
    assert len(result.accepted) + len(result.quarantined) == result.collected == len(rows)


def _planted(case: str, serial: int) -> dict[str, str | None]:
    changed = dict(BAD[case][0])
    if case == "a sole trader's code under another category":
        changed["uscc"] = credit_code(serial, "92")
    return changed


ODD: list[dict[str, str | None]] = [
    {"facts": "\u0428类医疗器械"}, {"name": "某\ue000某有限公司"}, {"facts": "第一条\n第二条"},
    {"classes": "罚款", "fine": None, "content": None}, {"content": "警告，罚款人民币贰仟元"},
    {"content": "罚款500元；对负责人罚款1500元"}, {"content": "没收违法所得9元，罚款2,000元整"},
    {"publicity_end": "2099-01-31"}, {"uscc": credit_code(1, "92"), "category": "个体工商户"}, {"id_number": ""},
    {"document_type": "护照号", "document": "E12345678"}, {"document_type": "身份证", "document": "3301021990****001X"},
]


def test_a_warning_or_an_oddity_never_quarantines() -> None:
    result = checked(*(row(serial, **changed) for serial, changed in enumerate(ODD, start=1)))
    assert reasons(result) == {}
    assert len(result.accepted) == len(ODD)


def test_an_unusual_character_and_a_missing_fine_are_reported_as_warnings() -> None:
    result = checked(row(1, facts="\u0428类医疗器械"), row(2, fine=None))
    assert failed(result, "unusual-character") == [("facts", "warning", (2,))]
    assert failed(result, "required-when") == [("fine", "warning", (3,))]


def test_what_was_brought_into_normal_form_is_reported_by_line() -> None:
    result = checked(row(1), row(2, uscc=credit_code(2, "N1").lower(), facts="无"))
    assert failed(result, "letter-case") == [("uscc", "info", (3,))]
    assert failed(result, "sentinel") == [("facts", "info", (3,))]


def test_a_damaged_row_goes_straight_to_quarantine_with_the_row_as_it_came() -> None:
    damaged = {DAMAGE: "row-width", RAW: "甲,乙"}
    result = checked(row(1), damaged, row(2) | {DAMAGE: "undecodable", RAW: "x"})
    assert reasons(result) == {3: ["row-width"], 4: ["undecodable"]}
    assert result.quarantined[RAW].tolist() == ["甲,乙", "x"]
    assert result.quarantined[RECORD].isna().all()
    assert failed(result, "row-width") == [("", "critical", (3,))]


def test_columns_in_the_wrong_order_are_called_that_whatever_their_width() -> None:
    moved = row(1, uscc="浙江省试样市试样路1号", decided_on=credit_code(1), publicity_end="试样市", fine=None)
    also = row(2, uscc="2025-03-01", facts=credit_code(2))
    result = checked(moved, also, row(3, name="试样\ufffd", decided_on=credit_code(3)))
    assert {line: codes[:2] for line, codes in reasons(result).items()} == {
        2: ["columns-shifted", "uscc-invalid"], 3: ["columns-shifted", "uscc-invalid"],
        4: ["replacement-character", "columns-shifted"]}
    assert result.quarantined[RECORD].isna().all()


def test_a_single_wrong_value_does_not_make_shifted_columns() -> None:
    stray = row(3, facts=credit_code(9), decided_on="x")
    result = checked(row(1, publicity_end="长期有效"), row(2, uscc="无证"), stray)
    assert [codes for codes in reasons(result).values()] == [["date-invalid"], ["uscc-invalid"], ["date-invalid"]]


def test_an_equal_row_counts_once_even_if_it_was_written_otherwise() -> None:
    result = checked(row(1), row(2), row(1, decided_on="2025年3月1日"), row(1))
    assert reasons(result) == {4: ["duplicate-row"], 5: ["duplicate-row"]}
    assert result.accepted[LINE].tolist() == [2, 3]


def test_rows_that_contradict_each_other_about_one_record_are_none_of_them_believed() -> None:
    result = checked(row(1), row(2), row(1, facts="另有事实"), row(1))
    assert reasons(result) == {2: ["conflicting-record"], 4: ["conflicting-record"], 5: ["conflicting-record"]}
    assert result.quarantined[RECORD].nunique() == 1


def test_brackets_of_another_shape_name_the_same_record() -> None:
    result = checked(row(1, number="试罚〔2025〕1号"), row(1, number="试罚[2025]1号"))
    assert list(reasons(result).values()) == [["conflicting-record"], ["conflicting-record"]]


def test_a_header_without_a_must_fill_field_refuses_the_batch() -> None:
    result = checked(row(1), {DAMAGE: "row-width", RAW: "x"}, missing=("decided_on",))
    assert result.refused == "missing-column"
    assert len(result.accepted) == 0
    assert list(result.accepted.columns) == [RECORD, LINE, *FIELDS]
    assert reasons(result) == {2: ["missing-column"], 3: ["row-width", "missing-column"]}
    assert failed(result, "missing-column") == [("decided_on", "critical", (2, 3))]


def test_a_header_without_an_optional_field_is_no_harm() -> None:
    result = checked(row(1), missing=("facts",))
    assert result.refused == ""
    assert result.accepted["facts"].isna().all()


def test_too_large_a_share_of_bad_rows_refuses_the_batch_and_keeps_their_own_reasons_first() -> None:
    rows = [row(n, decided_on="Oct-17" if n <= 51 else "2025-03-01") for n in range(1, 101)]
    result = checked(*rows)
    assert result.refused == "too-many-quarantined"
    assert len(result.quarantined) == 100
    assert reasons(result)[2] == ["date-incomplete", "too-many-quarantined"]
    assert reasons(result)[101] == ["too-many-quarantined"]
    assert failed(result, "date-incomplete") == [("decided_on", "critical", tuple(range(2, 22)))]
    assert checked(*rows[1:]).refused == ""  # 99 rows are too small a sample to say so
    assert checked(*rows[1:], row(101)).refused == ""  # 50 of 100 is not more than half


def test_an_empty_batch_is_accepted_as_empty() -> None:
    result = checked()
    assert (result.collected, len(result.accepted), len(result.quarantined), result.refused) == (0, 0, 0, "")
    assert list(result.accepted.columns) == [RECORD, LINE, *FIELDS]


def test_a_batch_in_which_no_row_can_be_read_is_all_quarantine() -> None:
    result = checked(*[{DAMAGE: "row-width", RAW: "x"}] * 3)
    assert list(reasons(result).values()) == [["row-width"]] * 3


def test_every_rule_is_on_record_with_what_it_was_asked_of_even_where_nothing_failed() -> None:
    result = checked(row(1), row(2, publicity_end=None))
    tested = {(each.field, each.rule): (each.tested, each.failed) for each in result.findings}
    assert tested["publicity_end", "date-invalid"] == (1, 0)
    assert tested["name", "required-empty"] == (2, 0)
    assert len(tested) == len(result.findings)


def test_two_rules_on_one_field_make_one_finding() -> None:
    twice = {"kind": "not_before", "field": "publicity_end", "other": "decided_on", "severity": "critical"}
    result = check(collected([row(1, publicity_end="2025-01-01")]), context(of=entry(rules=[twice, twice])))
    assert failed(result, "not-before") == [("publicity_end", "critical", (2,))]


def test_a_batch_of_another_entry_is_not_judged_at_all() -> None:
    batch = collected([row(1)])
    stray = Collected(batch.feed, "licence", batch.partition, batch.rows, (), (), "")
    with pytest.raises(WrongContext, match=r"law_enforcement\.penalty.*licence"):
        check(stray, context())


def test_a_code_set_that_the_catalogue_lacks_is_named() -> None:
    unknown = entry(fields=FIELDS | {"category": FIELDS["category"] | {"codes": "colours"}})
    with pytest.raises(WrongContext, match="colours"):
        check(collected([row(1)]), context(of=unknown))


def test_rows_from_staging_with_arrow_line_numbers_are_judged_the_same() -> None:
    batch = collected([row(1), row(2, fine="x")])
    batch.rows[LINE] = batch.rows[LINE].astype("int64[pyarrow]")
    result = check(batch, context())
    assert reasons(result) == {3: ["amount-invalid"]}
    assert result.accepted[LINE].dtype == "int64"
