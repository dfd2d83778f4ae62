"""The quality report of a night as one self-contained page, and the index of the reports there are."""

from __future__ import annotations

import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from console import cases, charts, departments, disclosure, facts, index, rules, stock, withdrawals
from console.facts import Facts
from console.words import outside, wording
from gateway import lookups
from gateway.settings import Gateway

SHANGHAI = ZoneInfo("Asia/Shanghai")
NAME = re.compile(r"\d{4}-\d{2}-\d{2}\.html")


def write_report(gateway: Gateway, night: str, folder: Path) -> Path:
    """Writes `<night>.html` and a fresh `index.html` into the folder and returns the report's path.

    The page is read from the ledger alone and holds no value of any record (I8). Writing it again replaces it; a reader
    never meets half a page. Raises NightUnknown if the ledger has no run of that night, YYYY-MM-DD.
    """
    found = facts.read(gateway, night)
    path = folder / f"{night}.html"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_whole(path, render("report.html", **_report(gateway, found)))
    reports = sorted((file.stem for file in folder.iterdir() if NAME.fullmatch(file.name)), reverse=True)
    _write_whole(folder / "index.html", render("index.html", nights=index.nights(gateway, reports), older=reports[index.RECENT:]))
    return path


def _report(gateway: Gateway, found: Facts) -> dict[str, Any]:
    now = gateway.clock().astimezone(SHANGHAI)
    history = departments.past_nights(gateway, found.night)
    return {
        "facts": found,
        "totals": found.figures["totals"],
        "to_serve": sum(row["accepted"] for row in found.figures["recipients"]),
        "editions": sorted(set(found.runs["edition"])),
        "troubles": facts.grouped(found.troubles),
        "departments": departments.departments(gateway, found, history),
        "trend": departments.trend(history, sorted(set(history["night"]))),
        "severities": rules.by_severity(found.findings),
        "by_department": rules.departments_by_severity(found.findings),
        "rules": rules.rules(gateway, found.findings),
        "most_rules": rules.MOST,
        "normalised": rules.normalised(found.findings),
        "worst": rules.worst(gateway, found),
        "recipients": disclosure.recipients(gateway, found),
        "withheld": disclosure.withheld(gateway, found),
        "grants": disclosure.grants(gateway, found),
        "again": withdrawals.again(gateway, found.night),
        "reconciled": withdrawals.reconciled(gateway, found.night),
        "overdue": withdrawals.overdue(gateway),
        "cleared": withdrawals.cleared(gateway),
        "look_ups": lookups.counts(gateway),
        "cases": cases.cases(gateway),
        "stock": stock.stock(gateway, now.date()),
        "earlier": list(found.earlier.itertuples()),
        "catalog": gateway.catalog,
        "written_at": now,
    }


def render(template: str, **values: Any) -> str:
    """A page of the console from its template."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = Environment(loader=PackageLoader("console"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"count": _count, "when": _when, "outside": outside}
    made.globals |= {"wording": wording, "percent": charts.percent, "bar": charts.bar, "sparkline": charts.sparkline,
                     "nights_chart": charts.nights_chart, "department_of": departments.department_of}
    return made


def _count(number: int) -> str:
    return f"{number:,}"


def _when(moment: str | datetime) -> str:
    told = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return told.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
