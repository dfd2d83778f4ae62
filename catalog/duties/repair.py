"""The duties on rules of credit repair: each day of decision has one, and it grades every class of penalty (D39, D44, D55)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import TYPE_CHECKING

from catalog.duties.authority import RULES
from catalog.duties.fields import codes_of
from catalog.duties.versions import each_version
from catalog.duties.windows import Window, first_uncovered, overlaps
from catalog.nearest import hint
from catalog.repair import RepairRule

if TYPE_CHECKING:
    from catalog.load import Catalog


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Every problem of the rules of repair, each with its file and key."""
    classes, sectors = set[str](), set[str]()
    for _, entry in each_version(catalog):
        if entry.clock is not None:
            classes |= set(codes_of(catalog, entry, entry.clock.classes))
            sectors |= set(codes_of(catalog, entry, entry.clock.sector))
    for name, rule in catalog.repair_rules.items():
        file = catalog.files["repair_rules", name]
        for problem in (*_basis(catalog, rule), *_graded(rule, classes), *_periods(rule, sectors)):
            yield f"{file}: {problem}"
    yield from _days(catalog)


def _basis(catalog: Catalog, rule: RepairRule) -> Iterator[str]:
    instrument = catalog.instruments.get(rule.basis.instrument)
    if instrument is None:
        return
    if instrument.level not in RULES:
        yield f"basis: a {instrument.level.replace('_', ' ')} sets no rule of repair (D39); cite a departmental rule or above"
    if rule.decided_from is not None and rule.decided_from < instrument.in_force_from:
        yield f"decided_from: lies before {instrument.in_force_from}, when what it cites came into force (D55); begin it then"


def _graded(rule: RepairRule, classes: Collection[str]) -> Iterator[str]:
    for code in classes:
        if code not in rule.grades:
            yield f"grades: {code} has no grade (D39); a decision of that class would have no period: write slight, general or serious"
    for code in rule.grades:
        if code not in classes:
            yield f"grades.{code}: is no class that a clock reads{hint(code, classes)}; mend or remove it"


def _periods(rule: RepairRule, sectors: Collection[str]) -> Iterator[str]:
    for grade, period in rule.periods.items():
        if period.min_months > period.max_months:
            yield f"periods.{grade}.min_months: is above max_months (D39); nothing could be repaired before it ends"
        if period.publish and not period.max_months:
            yield f"periods.{grade}.max_months: is 0 though the grade is published (D39); write how long, or publish: false"
    longest = max(period.max_months for period in rule.periods.values())
    for sector, months in rule.sectors.items():
        if sector not in sectors:
            yield f"sectors.{sector}: is no sector that a clock reads{hint(sector, sectors)}; mend or remove it"
        if not 0 <= months <= longest:
            yield f"sectors.{sector}: its minimum is not between 0 and {longest}, the longest period (D39); mend it"


def _days(catalog: Catalog) -> Iterator[str]:
    windows = {name: _window(rule) for name, rule in catalog.repair_rules.items()}
    for later, earlier in overlaps(windows):
        yield f"{catalog.files['repair_rules', later]}: decided_from: {earlier} still holds then (D39); each day of decision has one rule"
    last = max(windows, key=lambda name: windows[name])
    if day := first_uncovered((date.min, date.max), windows.values()):
        file = catalog.files["repair_rules", last]
        yield f"{file}: decided_from: no rule holds for what was decided on {day} (D39); each day of decision has one"


def _window(rule: RepairRule) -> Window:
    return rule.decided_from or date.min, rule.decided_to or date.max
