"""The acceptance story of the catalogue: one field narrowed, exactly that taken back overnight, and both days explained."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.explain import Inquiry, NotExplained, explain
from gateway.night import decide_all, run_night
from gateway.sample import World
from gateway.settings import Gateway
from records.schema import holdings
from records.stages import RECORD
from tests.catalog.altered import GONE, PENALTY, alter, copied
from tests.flow.held_content import ON, content

FEED, ENTRY, SITE = "law_enforcement.administrative_penalty_legal", "administrative_penalty_legal", "credit_china"
ALL = {"credit_china", "gsxt", "national_platform", "public_resources"}


def held_by_all(gateway: Gateway) -> str:
    """The id of a record that two departments and two sites hold."""
    with gateway.engine.connect() as connection:
        query = sa.select(holdings.c.record).where(holdings.c.entry == ENTRY).group_by(holdings.c.record)
        return str(connection.execute(query.having(sa.func.count() == len(ALL)).order_by(holdings.c.record).limit(1)).scalar_one())


def of_entry(gateway: Gateway) -> dict[tuple[str, str, str], dict[str, str]]:
    return {place: json.loads(fields) for place, fields in content(gateway.home).items()}


@pytest.fixture
def narrowed(gateway: Gateway, world: World, tmp_path: Path) -> Gateway:
    """Yesterday everybody was served; today's catalogue gives the site one field less, and the department is not asked."""
    run_night(gateway, ON, [FEED], print)
    root = copied(tmp_path, local=True)
    alter(root, PENALTY, {f"grants.{SITE}.fields.CF_SY": GONE})
    secrets = gateway.home / "secrets" / "connections.yml"
    secrets.write_text(secrets.read_text("utf-8").replace("law_enforcement_db:", "gone_db:"), "utf-8")
    return replace(gateway, catalog_root=root, clock=lambda: gateway.clock() + timedelta(days=1))


def test_i12_one_field_narrowed_is_taken_back_overnight_and_both_days_are_explained(gateway: Gateway, narrowed: Gateway) -> None:
    record, before = held_by_all(gateway), of_entry(gateway)
    told: list[str] = []
    decide_all(narrowed, [ENTRY], told.append)
    after = of_entry(gateway)
    assert told == [] and set(after) == set(before)
    for place, fields in before.items():
        expected = {name: value for name, value in fields.items() if place[0] != SITE or name != "CF_SY"}
        assert {name: value for name, value in after[place].items() if place[0] != SITE or name != "CF_SY"} == expected
        assert place[0] != SITE or after[place].get("CF_SY") is None
    yesterday = explain(narrowed, Inquiry(record, SITE, ON, "CF_SY"))
    today = explain(narrowed, Inquiry(record, SITE, ON + timedelta(days=1), "CF_SY"))
    assert yesterday["leaves"] and yesterday["fields"][0]["outcome"] == "permitted"
    assert today["leaves"] and today["fields"][0]["outcome"] == "gap"
    assert yesterday["edition"] == gateway.catalog.edition != today["edition"] == narrowed.catalog.edition
    assert [each["effect"] for each in yesterday["account"]] == ["bring"] and len(today["account"]) == 2
    assert yesterday["period"]["rule"] in ("order_58_2023", "order_36_2025") and yesterday["period"]["latest"] > yesterday["period"]["earliest"]
    assert "处罚法" in yesterday["basis_of_the_grant"][0]["title"]["zh"]


def is_day(value: str) -> bool:
    """The days of the document and of its publicity are no secret: they are what is explained."""
    return len(value) == 10 and value[4] == value[7] == "-"


def test_i8_an_explanation_holds_no_value_of_the_record(gateway: Gateway, narrowed: Gateway) -> None:
    record = held_by_all(gateway)
    words = json.dumps(explain(gateway, Inquiry(record, "national_platform", ON)), ensure_ascii=False)
    with gateway.engine.connect() as connection:
        row = gateway.store.at(connection, ENTRY, record, gateway.clock())
    values = {str(value) for name, value in row.iloc[0].items() if name != RECORD and isinstance(value, str) and len(value) > 6 and not is_day(value)}
    assert values and not [value for value in values if value in words]


def test_i12_a_withheld_record_is_explained_by_its_first_reason(gateway: Gateway, narrowed: Gateway) -> None:
    record = held_by_all(gateway)
    later = replace(gateway, clock=lambda: gateway.clock() + timedelta(days=365 * 20))
    told = explain(later, Inquiry(record, SITE, later.today))
    assert (told["leaves"], told["reason"]) == (False, "publicity-ended")
    assert {field["outcome"] for field in told["fields"]} <= {"withheld", "refused", "gap"}


@pytest.mark.parametrize("wrong", [{"record": "1-" + "0" * 32}, {"recipient": "nobody"}, {"field": "CF_XY"}, {"on": date(2020, 1, 1)}])
def test_a_question_that_leads_nowhere_is_told(gateway: Gateway, narrowed: Gateway, wrong: dict[str, object]) -> None:
    asked = {"record": held_by_all(gateway), "recipient": SITE, "on": ON, "field": None} | wrong
    with pytest.raises(NotExplained):
        explain(gateway, Inquiry(**asked))  # type: ignore[arg-type]
