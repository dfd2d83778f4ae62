"""Rules of credit repair by date: how long a decision is public, and the clocks of an application (D39, D44)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field as Key

from catalog.base import Closed, Evidence, FieldCode, Title, Words
from catalog.law import Basis


class Grade(StrEnum):
    """How grave the conduct is: 轻微, 一般, 严重 (Order 36 of 2025)."""

    SLIGHT = "slight"
    GENERAL = "general"
    SERIOUS = "serious"


class Period(Closed):
    """How long a decision of a grade is public, in months from the date of its document; `publish: false` is not at all."""

    publish: bool
    min_months: int = Key(ge=0)
    max_months: int = Key(ge=0)


class RepairRule(Closed):
    """One rule of credit repair, for decisions dated within its window; no window open to one side overlaps another.

    `grades` maps a code of the penalty classes to a grade, `large_fine` is the fine in 10,000 yuan from which a decision
    is serious, `sectors` gives the minimum of months in some sectors. Days are working days. `recalled` names the keys
    that were not checked against the original text.
    """

    title: Title
    basis: Basis
    decided_from: date | None = None
    decided_to: date | None = None
    grades: dict[Words, Grade] = Key(min_length=1)
    large_fine: Decimal | None = None
    periods: dict[Grade, Period] = Key(min_length=3, max_length=3)
    sectors: dict[Words, int] = Key(default_factory=dict)
    accept_days: int = Key(gt=0)
    feedback_days: int = Key(gt=0)
    evidence: Evidence
    recalled: tuple[Words, ...] = ()


class Clock(Closed):
    """Which fields of an entry tell the publicity clock what was decided: the classes, the fines and the sector."""

    classes: FieldCode
    fines: tuple[FieldCode, ...] = ()
    sector: FieldCode | None = None


class Repair(Closed):
    """Whether a subject that has corrected its conduct may apply, and who decides (D37, D38: who determined it decides).

    Repairable by default; `forbidden_by` cites the provision that says otherwise.
    """

    authority: Title
    forbidden_by: Basis | None = None
