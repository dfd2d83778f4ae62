"""A gateway whose store knows some penalties and whose register knows who handles cases; nobody holds anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import yaml

from gateway.cases.desk import Application
from gateway.cases.papers import Paper, PaperKind
from gateway.settings import Gateway, set_up
from records.database import writing
from records.identity import TEXT
from records.stages import RECORD
from records.store import Origin

ENTRY = "administrative_penalty_legal"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)  # Monday the 23rd, 10:00 in Shanghai
ON = date(2026, 11, 23)
UNIT, WINDOW = "试样市综合行政执法局", "信用中国试样窗口"
DECIDER, CLERK, STRANGER = "甲某", "乙某", "丙某"
PENALTY = {"CF_XDR_MC": "试样公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": "91330105WW01385009", "CF_CFLB": "罚款",
           "CF_NR_FK": "2", "CF_JDRQ": "2026-05-04", "CF_CFJG": UNIT, "CF_CFJGDM": "11330100WW0000001A"}
PAPERS = tuple(Paper(kind, f"{kind}.pdf", b"of the applicant") for kind in PaperKind)


def gateway_at(home: Path, records: dict[str, dict[str, str]]) -> Gateway:
    """A set-up gateway; records: what each penalty says besides PENALTY, by record id."""
    made = Gateway(home, f"sqlite:///{home / 'gateway.db'}", clock=lambda: NOW)
    set_up(made)
    if records:
        hold(made, records)
    people = {DECIDER: {"role": "repair", "unit": UNIT}, CLERK: {"role": "repair", "unit": WINDOW}, STRANGER: "clerk"}
    (home / "secrets" / "people.yml").write_text(yaml.safe_dump(people, allow_unicode=True), "utf-8")
    return made


def hold(gateway: Gateway, records: dict[str, dict[str, str]], entry: str = ENTRY) -> None:
    """Has the store keep records."""
    # Each is an act of its own: the same number would make them names of one.
    rows = [{RECORD: record, **(PENALTY | {"CF_WSH": f"试罚〔2026〕{record[-6:]}号"} if entry == ENTRY else {}), **said}
            for record, said in records.items()]
    with writing(gateway.engine) as connection:
        gateway.store.put(connection, Origin(entry, "run", gateway.catalog.edition), pd.DataFrame(rows, dtype=TEXT), gateway.clock())


def application(record: str, papers: Sequence[Paper] = PAPERS, by: str = CLERK, received_on: date = ON) -> Application:
    return Application(record, by, received_on, papers)
