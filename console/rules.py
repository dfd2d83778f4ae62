"""Rules of the check as the report shows them: how many values each was asked of, how many failed, and where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from catalog.model import Severity, Title
from console.departments import department_of
from console.facts import Facts
from console.words import outside
from gateway.settings import Gateway
from records.schema import quarantine

WORST, SHOWN, MOST = 10, 8, 12  # rules with references, references each, rules by department
_KEY = ["feed", "rule", "field", "severity"]
RowPlace = tuple[str, str, int]  # run, partition, line


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something was tested and how often it failed."""

    tested: int
    failed: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule on one field of one feed; `code` is "" and `field` None for a rule over whole rows."""

    feed: str
    entry: Title
    rule: str
    code: str
    field: Title | None
    severity: str
    tested: int
    failed: int


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of one partition that failed a rule: line number and, where the row lies in quarantine, the item's id."""

    partition: str
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Worst:
    """A rule that failed often, with references to the first rows that failed it."""

    rule: RuleView
    places: tuple[Place, ...]

    @property
    def shown(self) -> int:
        return sum(len(place.rows) for place in self.places)


def by_severity(findings: pd.DataFrame) -> dict[str, Rate]:
    """All tests of each severity added up, the gravest first."""
    sums = findings.groupby("severity")[["tested", "failed"]].sum().to_dict("index")
    ordered = [level.value for level in Severity if level.value in sums]
    return {level: Rate(int(sums[level]["tested"]), int(sums[level]["failed"])) for level in ordered}


def departments_by_severity(findings: pd.DataFrame) -> dict[str, dict[str, Rate]]:
    """`by_severity` for each department."""
    return {code: by_severity(own) for code, own in findings.groupby(findings["feed"].map(department_of))}


def normalised(findings: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many values each kind of normalising touched: rule → department → values."""
    touched = findings[(findings["severity"] == Severity.INFO.value) & (findings["failed"] > 0)]
    found: dict[str, dict[str, int]] = {}
    for row in touched.groupby(["rule", "feed"], as_index=False)[["failed"]].sum().to_dict("records"):
        of_rule, code = found.setdefault(row["rule"], {}), department_of(row["feed"])
        of_rule[code] = of_rule.get(code, 0) + int(row["failed"])
    return found


def rules(gateway: Gateway, findings: pd.DataFrame) -> list[RuleView]:
    """Every rule that was asked, added up over partitions; the gravest and most frequent failures first."""
    sums = findings.groupby(_KEY, as_index=False)[["tested", "failed"]].sum()
    grave = {level.value: place for place, level in enumerate(Severity)}
    sums["grave"] = [grave.get(severity, len(grave)) for severity in sums["severity"]]
    ordered = sums.sort_values(["grave", "failed", *_KEY], ascending=[True, False, True, True, True, True])
    return [_view(gateway, tuple(str(row[name]) for name in _KEY), Rate(int(row["tested"]), int(row["failed"])))
            for row in ordered.to_dict("records")]


def worst(gateway: Gateway, facts: Facts) -> list[Worst]:
    """The rules whose failures weigh most, with the places of the first rows that failed; never what stood there (I8)."""
    failing = facts.findings[(facts.findings["failed"] > 0) & (facts.findings["severity"] != Severity.INFO.value)]
    chosen = rules(gateway, failing)[:WORST]
    places = [_first_rows(failing, view) for view in chosen]
    items = _items(gateway, [place for rows in places for place in rows])
    return [Worst(view, _by_partition(rows, items)) for view, rows in zip(chosen, places, strict=True)]


def _view(gateway: Gateway, key: tuple[str, ...], rate: Rate) -> RuleView:
    feed, rule, code, severity = key
    entry = gateway.catalog.entries[gateway.catalog.feeds[feed].entry]
    field = entry.fields[code].title if code in entry.fields else None
    return RuleView(feed, entry.title, rule, code, field, severity, rate.tested, rate.failed)


def _first_rows(failing: pd.DataFrame, view: RuleView) -> list[RowPlace]:
    own = failing[(failing[_KEY] == [view.feed, view.rule, view.code, view.severity]).all(axis=1)]
    rows = own.to_dict("records")
    return [(row["run"], row["partition"], int(line)) for row in rows for line in json.loads(row["lines"])][:SHOWN]


def _items(gateway: Gateway, places: Iterable[RowPlace]) -> dict[RowPlace, str]:
    """The quarantine item at each place, where there is one."""
    asked = set(places)
    where = quarantine.c.run.in_({run for run, _, _ in asked}) & quarantine.c.line.in_({line for _, _, line in asked})
    query = sa.select(quarantine.c.run, quarantine.c.partition, quarantine.c.line, quarantine.c.id).where(where)
    with gateway.engine.connect() as connection:
        return {(run, partition, line): item for run, partition, line, item in connection.execute(query)
                if (run, partition, line) in asked}


def _by_partition(rows: list[RowPlace], items: dict[RowPlace, str]) -> tuple[Place, ...]:
    grouped: dict[str, list[tuple[int, str]]] = {}
    for run, partition, line in rows:
        grouped.setdefault(outside(partition), []).append((line, items.get((run, partition, line), "")))
    return tuple(Place(partition, tuple(found)) for partition, found in grouped.items())
