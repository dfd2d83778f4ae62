"""The decision by column says what the reference says record by record, whatever catalogue, records and day (I1)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import event, given, settings
from hypothesis import strategies as st

from catalog.load import Catalog
from catalog.model import Entry
from records import consents
from records.stages import RECORD, SUBJECT
from release import Facts, Question, decide
from tests.release import world
from tests.release.reference import why_not
from tests.release.test_decide import CHILD, CONDITION, FIELDS, GOOD, GROWN_UP, STANDARD, catalog, entry

RECIPIENTS = ("a_site", "an_office", "another_office")
near = st.dates(date(2026, 11, 20), date(2026, 11, 27))


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Nearly always the usual, so that the later reasons are reached as often as the earlier ones."""
    return st.sampled_from([*[usual] * (14 * len(others)), *others])


def or_near(usual: date | None) -> st.SearchStrategy[date | None]:
    return st.integers(0, 19).flatmap(lambda n: near if n == 19 else st.just(usual))


rows = st.fixed_dictionaries({
    "category": st.sampled_from(["人", "人", "firm", None]), "uscc": st.sampled_from([None, "9133"]),
    "id_number": mostly(GROWN_UP, CHILD, None, "E1", "339999200811240011", "339999200811230015"), "state": mostly("有效", "撤销", "异议", None),
    "mark": mostly(None, "force_majeure"), "class": st.sampled_from(["罚款", "罚款", "警告", "警告;罚款", "责令关闭", "没听说过", None]),
    "fine": st.sampled_from(["1", None, "100", "99.99"]), "sector": st.sampled_from([None, "food"]),
    "decided": st.dates(date(2025, 11, 1), date(2026, 11, 27)).map(str) | st.sampled_from(["2026-06-01", "2020-12-31", "2026-02-30", None]),
    "end": st.sampled_from(["2027-01-01", "2099-12-31", None, "长期"]) | near.map(str), "told": mostly("2020-01-01", None, "2026-06-02"),
    "objection": mostly("none", "rejected", "open", None), "level": mostly("county", "city", "township", None), "why": mostly("依据", None),
    "ended": st.sampled_from([None, None, None, "2026-11-23", "2026-11-24", "暂无"]), "number": st.just("甲1"),
    "measures": st.sampled_from([None, None, "key_supervision", "office_ban", "firms_only", "elsewhere", "key_supervision;flogging",
                                 "office_ban;key_supervision", "lending"])})  # fmt: skip

instruments = st.builds(
    lambda level, allows, since, until: world.instrument(level, allows, in_force_from=since, in_force_to=until,
                                                         region="330000" if level == "local_regulation" else None),
    mostly("law", "administrative_regulation", "departmental_rule", "local_regulation", "normative_document"),
    st.sampled_from([("publish_people",), ("publish_people", "share_minors"), ()]), or_near(date(2015, 1, 1)), or_near(None))  # fmt: skip
grants = st.fixed_dictionaries({
    "basis": st.sampled_from([[world.BASIS], [{"instrument": "a_rule", "article": "1"}], [world.BASIS, {"instrument": "a_rule", "article": "2"}]]),
    "subjects": mostly(["legal_person", "natural_person"], ["natural_person"], ["legal_person"]),
    "condition": st.none() | st.builds(lambda since, until: CONDITION | {"approved_on": since, "until": until}, or_near(date(2026, 1, 1)), or_near(date(2026, 12, 31))),
    "consent": mostly(None, {"purpose": "loans", "scope": world.NAME, "method": world.NAME, "max_days": 366}),
    "fields": st.just({"number": "open", "end": "open", "measures": "open"})})  # fmt: skip
serious_lists = st.builds(
    lambda to, site, over, renewed, level, other: world.serious_list(
        standard=STANDARD.model_copy(update={"comment_to": to, "on_credit_china": site}), transition_to=over, renewed_on=renewed, level=level,
        other_body=other),
    mostly(date(2020, 2, 15), date(2020, 1, 30), date(2020, 1, 31)), or_near(date(2020, 3, 1)), st.none() | or_near(date(2021, 12, 31)),
    mostly(date(2021, 12, 31), None, date(2022, 1, 1)), mostly("county", "city"), mostly(None, world.BASIS))  # fmt: skip


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    given_to = {name: draw(grants) for name in draw(st.sampled_from([RECIPIENTS[:2], RECIPIENTS, RECIPIENTS[1:]]))}
    of = Entry.model_validate(entry().model_dump() | {
        "grants": given_to, "in_force_from": draw(or_near(date(2020, 1, 1))), "in_force_to": draw(or_near(None)),
        "region": draw(st.sampled_from([None, "330200"])), "editions": draw(mostly(["an_edition"], [], ["another"]))})  # fmt: skip
    return catalog(
        of, instruments={"an_order": draw(instruments), "a_rule": draw(instruments)},
        editions={"an_edition": world.edition(announced_on=draw(or_near(date(2015, 1, 1))), in_force_to=draw(or_near(None)))},
        lists=draw(st.just({}) if draw(st.integers(0, 15)) == 0 else serious_lists.map(lambda one: {"a_list": one})))  # fmt: skip


consented = st.lists(st.tuples(st.sampled_from(["s0", "s1"]), mostly("loans", "rent"), or_near(date(2026, 1, 1)), or_near(date(2026, 12, 31)),
                               or_near(None)), max_size=3)  # fmt: skip


def by_column(known: Catalog, to: str, on: date, many: list[dict[str, str | None]], given_ones: list[tuple[Any, ...]]) -> list[str | None]:
    table = pa.record_batch({name: pa.array([row[name] for row in many], pa.string()) for name in (RECORD, SUBJECT, *FIELDS)})
    frame = consents.frame([(who, purpose, *(each and each.isoformat() for each in days)) for who, purpose, *days in given_ones])
    told: list[str | None] = decide(Facts(table, known, "sample"), Question(known, "sample", to, on), pd.Index(["r9"], dtype=world.TEXT), frame).to_pylist()
    return told


def numbered(many: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    return [GOOD | row | {RECORD: f"r{n}" if n < 5 else "r9", SUBJECT: f"s{n % 2}"} for n, row in enumerate(many)]


@settings(max_examples=400)
@given(catalogs(), st.lists(rows, min_size=1, max_size=6), near, consented)
def test_i1_nothing_leaves_that_the_reference_does_not_permit_and_the_reasons_are_the_same(
        known: Catalog, many: list[dict[str, str | None]], on: date, given_ones: list[tuple[Any, ...]]) -> None:  # fmt: skip
    whole = numbered(many)
    for to in RECIPIENTS:
        expected = [why_not(row, known, to, on, {"r9"}, given_ones) for row in whole]
        assert by_column(known, to, on, whole, given_ones) == expected
        for reason, _ in Counter(expected).items():
            event(str(reason))


narrowings = st.sampled_from([
    lambda grant: grant | {"subjects": grant["subjects"][:1]},
    lambda grant: grant | {"basis": grant["basis"][:1]},
    lambda grant: grant | {"condition": CONDITION | {"until": "2026-11-23"}} if grant["condition"] is None else grant,
    lambda grant: grant | {"consent": {"purpose": "loans", "scope": world.NAME, "method": world.NAME, "max_days": 30}}
    if grant["consent"] is None else grant | {"consent": grant["consent"] | {"max_days": 30}},
])  # fmt: skip


@settings(max_examples=150)
@given(catalogs(), st.lists(rows, min_size=1, max_size=4), near, consented, narrowings)
def test_i1_narrowing_a_grant_never_starts_a_flow(known: Catalog, many: list[dict[str, str | None]], on: date, given_ones: list[tuple[Any, ...]],
                                                  narrow: Any) -> None:  # fmt: skip
    whole, of = numbered(many), known.entries["sample"].model_dump()
    narrower = catalog(Entry.model_validate(of | {"grants": {name: narrow(grant) for name, grant in of["grants"].items()}}),
                       instruments=known.instruments, editions=known.editions, lists=known.lists)  # fmt: skip
    for to in RECIPIENTS:
        before, after = by_column(known, to, on, whole, given_ones), by_column(narrower, to, on, whole, given_ones)
        assert not [1 for old, new in zip(before, after, strict=True) if new is None and old is not None]
