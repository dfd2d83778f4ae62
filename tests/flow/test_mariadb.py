"""The whole road with MariaDB at both ends: a department's table, and the front-end database of a recipient."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Engine

from gateway.night import run_night
from gateway.sample import World
from gateway.settings import Gateway
from gateway.store_journeys import reconcile_all, take_back_all
from gateway.takedown import Order, open_takedown
from records.stages import Notice
from tests.flow.held_content import ON
from tests.flow.test_story import ENTRY, FEED, held_by_all

RECIPIENT, SOURCE = "public_resources", "law_enforcement_db"
TABLE = f"share_{ENTRY}"


@pytest.fixture
def theirs(gateway: Gateway, world: World, mariadb_url: str) -> Engine:
    """MariaDB with the department's table, and the recipient's as docs/connections.md has it, which takes whatever comes."""
    connections = gateway.home / "secrets" / "connections.yml"
    known = yaml.safe_load(connections.read_text("utf-8"))
    here = sa.create_engine(mariadb_url, poolclass=sa.NullPool)
    rows = pd.read_sql_table("cf_legal", known[SOURCE]["url"])
    rows.to_sql("cf_legal", here, index=False, if_exists="replace", dtype=dict.fromkeys(rows.select_dtypes(exclude="number"), sa.Text))
    fields = ", ".join(f"{code} TEXT" for code in gateway.catalog.entries[ENTRY].grants[RECIPIENT].fields)
    with here.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
        connection.exec_driver_sql(
            f"CREATE TABLE {TABLE} (handle VARCHAR(80) CHARACTER SET ascii PRIMARY KEY, batch CHAR(64), pushed_at VARCHAR(40), "
            f"effect VARCHAR(20), notice VARCHAR(40), taken_flag INTEGER DEFAULT 1, taken_at DATETIME, failure_reason TEXT, {fields}) ENGINE=InnoDB")
    for name in (RECIPIENT, SOURCE):
        known[name]["url"] = mariadb_url
    connections.write_text(yaml.safe_dump(known, allow_unicode=True), "utf-8")
    return here


def rows_where(theirs: Engine, condition: str) -> int:
    with theirs.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {TABLE} WHERE {condition}").scalar_one())


def test_i4_what_a_night_brings_to_mariadb_is_taken_back_from_it_and_compared_with_it(gateway: Gateway, theirs: Engine) -> None:
    run_night(gateway, ON, [FEED], print)
    brought = rows_where(theirs, "effect IS NULL")
    record = held_by_all(gateway)
    open_takedown(gateway, [record], Order(Notice.REPAIR, "云信修〔2026〕7号", "李某"))
    told = take_back_all(gateway, [ENTRY], print)
    assert told[RECIPIENT]["withdrawn"] == 1
    assert (rows_where(theirs, "effect IS NULL"), rows_where(theirs, "notice = 'repair' AND CF_XDR_MC IS NULL")) == (brought - 1, 1)
    with theirs.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {TABLE} SET CF_NR = '改动' WHERE effect IS NULL LIMIT 3")
    found = reconcile_all(gateway, [ENTRY], print)[RECIPIENT]
    assert (found["held"], found["altered"], found["repaired"], found["missing"]) == (brought - 1, 3, 3, 0)
    assert rows_where(theirs, "CF_NR = '改动'") == 0
