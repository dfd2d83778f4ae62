"""Editions of the list of measures 失信惩戒措施清单 (clauses 9 and 10; D31–D36)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field as Key

from catalog.base import Closed, Evidence, Name, Region, Title, Words
from catalog.law import Basis
from catalog.repair import Grade


class MeasureClass(StrEnum):
    """A cuts rights or adds duties, B manages without cutting rights, C is advice to bodies that decide for themselves (D34)."""

    RIGHTS = "rights"
    MANAGEMENT = "management"
    ADVICE = "advice"


class Measure(Closed):
    """One measure: columns 惩戒措施, 惩戒内容, 惩戒对象, 法规政策依据, 实施主体 of the list.

    `conduct` are the entries whose records may carry it, `grades` how grave those must be, `max_months` how long it may last.
    """

    title: Title
    content: Title
    kind: MeasureClass
    subjects: tuple[Words, ...] = Key(min_length=1)
    basis: tuple[Basis, ...] = Key(min_length=1)
    implementer: Title
    conduct: tuple[Name, ...] = Key(min_length=1)
    grades: tuple[Grade, ...] = Key(min_length=1)
    max_months: int | None = Key(default=None, gt=0)


class MeasuresList(Closed):
    """One announced edition of the list, or of the local supplement of a `region` (D33). Without `announced_on` it is a
    proposal (D32)."""

    title: Title
    document: Words
    region: Region | None = None
    announced_on: date | None
    in_force_from: date
    in_force_to: date | None = None
    measures: dict[Words, Measure] = Key(min_length=1)
    evidence: Evidence
    recalled: tuple[Words, ...] = ()
