"""Lists of seriously dishonest entities 严重失信主体名单: their standards, and what a listing must show (clauses 6–8)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field as Key

from catalog.base import Closed, FieldCode, Name, Region, Title, Words
from catalog.law import Basis


class Harm(StrEnum):
    """The fields in which such a list may exist (clause 6, 国发〔2016〕33号; D21)."""

    HEALTH_AND_LIFE = "health_and_life"
    FAIR_COMPETITION = "fair_competition"
    REFUSED_OBLIGATIONS = "refused_obligations"
    NATIONAL_DEFENCE = "national_defence"
    OTHER = "other"


class Standard(Closed):
    """The published standard of a list (clause 7; D22–D25)."""

    basis: Basis
    comment_from: date
    comment_to: date
    on_credit_china: date
    on_department_site: date
    removal_conditions: Title
    removal_procedure: Title
    relief: Title


class Assessment(Closed):
    """When a third party last assessed the list's effect, and every how many months it must (D26)."""

    by: Title
    every_months: int = Key(gt=0)
    last_on: date


class SeriousList(Closed):
    """A registered list. `region` makes it a local one (D27). `level` is the lowest level of a body that may decide, unless
    `other_body` cites the rule that says otherwise (D30). `renewed_on` is when the standard was brought into line with the
    opinions, before `transition_to` (D66). `objection_days` are working days."""

    title: Title
    harm: Harm
    basis: tuple[Basis, ...] = Key(min_length=1)
    region: Region | None = None
    standard: Standard
    level: Literal["county", "city", "province"] = "county"
    other_body: Basis | None = None
    objection_days: int = Key(gt=0)
    assessment: Assessment
    transition_to: date | None = None
    renewed_on: date | None = None


class Listing(Closed):
    """Which fields of an entry show that a listing was decided properly (D28, D29). `settled` are the words in `objection`
    that let it go out: none was raised, or it was rejected; any other holds the record."""

    list: Name
    decided_on: FieldCode
    level: FieldCode
    notified_on: FieldCode
    objection: FieldCode
    settled: tuple[Words, ...] = Key(min_length=1)
    stated: tuple[FieldCode, ...] = Key(min_length=1)
