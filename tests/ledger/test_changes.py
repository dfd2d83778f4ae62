"""What need not be decided again is told by the database: it is what a decision of everything would come to, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.preparing import conditions
from ledger.disclosed import pack
from ledger.holdings import TEXT
from records.consents import valid
from records.database import writing
from records.schema import consents, holdings, outbox, terms, withheld
from tests.ledger.deciding import ENTRY, SITE, Deciding, decided, house, noted, outcome

RECORDS = ("1-a", "1-b", "1-c", "1-d")
# Under 18 until 23, 25 and 29 November 2026; one who was born in a leap year's day; one who is grown up.
BIRTHS = ("20081123", "20081125", "20081129", "20080229", "19900101")
DAYS = ("2026-11-22", "2026-11-23", "2026-11-24", "2026-11-30", "2027-10-12")


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deciding]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}" if request.param == "sqlite" else request.getfixturevalue("empty_postgresql_url")
    made = house(tmp_path, url)
    yield made
    made.close()


def person(birth: str, end: str, state: str = "in_effect") -> dict[str, str | None]:
    return {"CF_XDR_ZJHM": f"110101{birth}123X", "CF_GSJZQ": end, "CF_ZT": state}


CONTENT = st.builds(person, st.sampled_from(BIRTHS), st.sampled_from(DAYS), st.sampled_from(["in_effect", "objection"]))
STEPS = st.lists(st.one_of(
    st.tuples(st.just("store"), st.dictionaries(st.sampled_from(RECORDS), CONTENT, min_size=1, max_size=4)),
    st.tuples(st.just("send"), st.dictionaries(st.sampled_from(RECORDS), CONTENT, min_size=1, max_size=4)),
    st.tuples(st.just("day"), st.integers(-3, 8)),
    st.tuples(st.sampled_from(["suppress", "lift", "lose", "unmark", "erase"]), st.sampled_from(RECORDS)),
    st.tuples(st.sampled_from(["catalogue", "decide"]), st.none())), min_size=2, max_size=9)


def take(at: Deciding, step: str, value: object) -> None:
    match step, value:
        case "store" | "send", dict():
            run = at.store(value)
            if step == "send":  # a night: what was just stored goes out from staging
                table = at.desk(run)
                at.settle(table, table.prepare(at.frame(value)))
        case "day", int():
            at.day[0] += timedelta(days=value)
        case "suppress" | "lift", str():
            at.suppress(value, lifted=step == "lift")
        case "lose", str():
            at.lose(value)
        case "unmark", str():
            with writing(at.gateway.engine) as state:
                state.execute(sa.update(holdings).where(holdings.c.record == value).values(digest=""))
        case "erase", str():
            with writing(at.gateway.engine) as state:
                at.gateway.store.erase(state, ENTRY, [value])
        case "catalogue", _:
            at.is_other = not at.is_other
    if step == "decide":
        decide(at)


def decide(at: Deciding) -> None:
    table = at.desk()
    for ready, is_stored in decided(table):
        if is_stored:
            at.settle(table, ready)
            table.remember(ready)


def both(at: Deciding) -> tuple[dict[str, str], dict[str, str]]:
    """What each stored record comes to: as the database notes it or else decided, and all of them decided."""
    table, whole = at.desk(), at.desk(everything=True)
    short = noted(table)
    for ready, is_stored in decided(table):
        if is_stored:
            assert not set(short) & set(outcome(ready)), "nothing is both noted and decided"
            short |= outcome(ready)
    return short, {record: what for ready, is_stored in decided(whole) if is_stored for record, what in outcome(ready).items()}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_what_is_noted_is_what_a_decision_of_everything_comes_to(at: Deciding, steps: list[tuple[str, object]]) -> None:
    at.wipe()
    for step, value in steps:
        take(at, step, value)
        short, full = both(at)
        assert short == full


def test_only_what_moved_is_decided_again(at: Deciding) -> None:
    at.store({record: person("19900101", "2027-10-12") for record in RECORDS[:3]} | {"1-d": person("20081125", "2027-10-12")})
    decide(at)
    assert noted(at.desk()) == {"1-a": "held", "1-b": "held", "1-c": "held", "1-d": "minor"}
    at.store({"1-a": person("19900101", "2027-10-11")})
    at.lose("1-b")
    assert set(noted(at.desk())) == {"1-c", "1-d"}, "changed content and a lost record are decided"
    decide(at)
    at.day[0] = date(2026, 11, 25)
    assert set(noted(at.desk())) == {"1-a", "1-b", "1-c"}, "who is of age today is decided"
    decide(at)
    assert noted(at.desk()) == dict.fromkeys(RECORDS, "held")


def test_i9_a_record_is_decided_on_the_day_after_its_publicity_ends(at: Deciding) -> None:
    at.store({"1-a": person("19900101", "2026-11-24")})
    decide(at)
    at.day[0] = date(2026, 11, 24)
    assert noted(at.desk()) == {"1-a": "held"}
    at.day[0] = date(2026, 11, 25)
    assert noted(at.desk()) == {} and both(at)[0] == {"1-a": "publicity-ended"}


def test_i6_what_stands_on_the_suppression_list_is_always_decided(at: Deciding) -> None:
    at.store({"1-a": person("19900101", "2027-10-12")})
    decide(at)
    at.suppress("1-a", lifted=False)
    assert both(at)[0] == {"1-a": "withdrawn"}
    decide(at)
    assert noted(at.desk()) == {}
    at.suppress("1-a", lifted=True)
    assert both(at)[0]["1-a"].startswith("bring ")


def test_a_night_notes_what_it_brought_as_of_the_content_it_stored_itself(at: Deciding) -> None:
    rows = {"1-a": person("19900101", "2027-10-12")}
    run = at.store(rows)
    table = at.desk(run)
    at.settle(table, table.prepare(at.frame(rows)))
    assert noted(at.desk()) == {"1-a": "held"}
    at.lose("1-a")
    table = at.desk("another-run")
    at.settle(table, table.prepare(at.frame(rows)))
    assert noted(at.desk()) == {}, "another run cannot tell which version it has at hand"


def test_a_withheld_record_that_may_have_arrived_without_a_receipt_is_decided(at: Deciding) -> None:
    at.store({"1-a": person("20081129", "2027-10-12")})
    decide(at)
    assert noted(at.desk()) == {"1-a": "minor"}
    with writing(at.gateway.engine) as state:
        state.execute(sa.insert(outbox).values(
            batch="b", run="r", recipient=SITE, entry=ENTRY, feed="f", records=1, state="intended", reason="", changed_at="2026",
            handles=pack(pd.Series(["1-h"], dtype=TEXT))))
    assert noted(at.desk()) == {}


def test_what_is_held_with_a_mark_or_with_content_that_is_not_known_is_decided(at: Deciding) -> None:
    for changed in ({"state": "marked"}, {"digest": ""}):
        at.wipe()
        at.store({"1-a": person("19900101", "2027-10-12")})
        decide(at)
        assert noted(at.desk()) == {"1-a": "held"}
        with writing(at.gateway.engine) as state:
            state.execute(sa.update(holdings).values(**changed))
        assert noted(at.desk()) == {}


def test_i1_other_terms_are_decided_and_the_same_again_are_not(at: Deciding) -> None:
    at.store({"1-a": person("19900101", "2027-10-12")})
    decide(at)
    at.is_other = True
    assert noted(at.desk()) == {} and both(at)[0]["1-a"].startswith("bring ")
    decide(at)
    assert noted(at.desk()) == {"1-a": "held"}


def test_a_day_that_the_catalogue_writes_makes_other_terms(at: Deciding) -> None:
    table = at.desk()
    until = at.gateway.catalog.entries[ENTRY].grants["national_platform"].condition
    assert until is not None
    known = conditions(table.way).digest
    for day, is_same in ((until.until, False), (date(2026, 11, 24), True)):
        on = replace(table.way, terms=replace(table.way.terms, on=day))
        assert (conditions(on).digest == known) is is_same, day


def test_what_the_store_can_read_no_more_is_told_apart_from_what_it_holds(at: Deciding) -> None:
    at.store({record: person("19900101", "2027-10-12") for record in RECORDS[:2]})
    decide(at)
    with writing(at.gateway.engine) as state:
        at.gateway.store.erase(state, ENTRY, ["1-a"])
    assert noted(at.desk()) == {"1-b": "held"}
    assert [(is_stored, list(ready.accepted["_record"])) for ready, is_stored in decided(at.desk())] == [(False, ["1-a"])]


def test_what_the_catalogue_says_of_others_makes_no_other_terms_and_what_it_says_of_all_does(at: Deciding) -> None:
    way = at.desk().way
    known, here = conditions(way).digest, way.terms.catalog
    for part, stem, is_same in (("entries", "tax_arrears", True), ("recipients", "gsxt", True), ("instruments", "penalty_law", False),
                                ("entries", ENTRY, False), ("recipients", SITE, False)):
        one = getattr(here, part)[stem]
        title = one.title.model_copy(update={"en": "reworded"})
        changed = replace(here, **{part: {**getattr(here, part), stem: one.model_copy(update={"title": title})}})
        other = conditions(replace(way, terms=replace(way.terms, catalog=changed)))
        assert (other.digest == known) is is_same, (part, stem)


def test_a_consent_that_moves_makes_other_terms(at: Deciding) -> None:
    table = at.desk()
    with writing(at.gateway.engine) as state:
        state.execute(sa.insert(consents).values(subject="s", purpose="p", issued_on="2026-01-01", expires_on="2027-01-01",
                                                 scope="", method="", document=""))
    with at.gateway.engine.connect() as state:
        given = valid(state, "p", at.day[0])
    other = replace(table.way, terms=replace(table.way.terms, consents=given))
    assert conditions(other).digest != conditions(table.way).digest


def test_a_clock_that_went_back_is_not_relied_on(at: Deciding) -> None:
    at.store({"1-a": person("20081123", "2027-10-12")})
    decide(at)
    assert noted(at.desk()) == {"1-a": "held"}
    at.day[0] = date(2026, 11, 22)
    assert both(at)[0] == {"1-a": "minor"}


def test_i11_a_holding_says_its_fields_edition_and_keys(at: Deciding) -> None:
    at.store({"1-a": person("19900101", "2027-10-12")})
    decide(at)
    with at.gateway.engine.connect() as state:
        row = state.execute(sa.select(terms, holdings.c.ends_on).join(holdings, holdings.c.terms == terms.c.id)).mappings().one()
    assert row["edition"] == at.gateway.catalog.edition and "CF_XDR_MC:" in row["fields"] and len(row["key_versions"].split()) == 3
    assert row["ends_on"] == "2027-10-12"


def test_i11_what_holds_tokens_is_brought_anew_once_their_key_is_another(at: Deciding) -> None:
    at.take_keys(token=1)
    at.store({"1-a": person("19900101", "2027-10-12")})
    decide(at)
    assert both(at)[0] == {"1-a": "held"}
    at.take_keys(token=2)
    assert both(at)[0]["1-a"].startswith("bring ")
    decide(at)
    assert both(at)[0] == {"1-a": "held"}


def test_a_reason_is_forgotten_once_the_record_may_leave(at: Deciding) -> None:
    at.store({"1-a": person("20081125", "2027-10-12")})
    decide(at)
    at.day[0] = date(2026, 11, 25)
    decide(at)
    with at.gateway.engine.connect() as state:
        assert state.execute(sa.select(sa.func.count()).select_from(withheld)).scalar_one() == 0
