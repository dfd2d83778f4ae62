"""Who handles cases in the flow tests: a window that takes in, and the units that determined the records."""

from __future__ import annotations

from datetime import date

import yaml

from gateway.cases.about import about
from gateway.cases.desk import Application
from gateway.cases.papers import Paper, PaperKind
from gateway.settings import Gateway
from tests.flow.held_content import ON

CLERK, DECIDER, WINDOW = "乙某", "甲某", "信用中国试样窗口"
SECRET = "申请人张三的身份证号"
PAPERS = tuple(Paper(kind, f"张三-{kind}.pdf", SECRET.encode()) for kind in PaperKind)


def register_people(gateway: Gateway, record: str) -> None:
    """Registers the window's clerk, and a decider of the unit that determined a record."""
    with gateway.engine.connect() as connection:
        unit = about(gateway, connection, record).determined_by
    people = {CLERK: {"role": "repair", "unit": WINDOW}, DECIDER: {"role": "repair", "unit": unit}, "李某": "compliance"}
    (gateway.home / "secrets" / "people.yml").write_text(yaml.safe_dump(people, allow_unicode=True), "utf-8")


def application(record: str, by: str = CLERK, received_on: date = ON) -> Application:
    return Application(record, by, received_on, PAPERS)
