"""Legal instruments, the articles that are cited, and the announced editions of the catalogue (D2, D3)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field as Key

from catalog.base import Closed, Evidence, Name, Region, Title, Words


class Level(StrEnum):
    """Rank of a legal instrument. Clause (1) of 国办发〔2020〕49号 asks a national entry for one of the first four."""

    LAW = "law"
    ADMINISTRATIVE_REGULATION = "administrative_regulation"
    STATE_COUNCIL_DECISION = "state_council_decision"
    CENTRAL_POLICY = "central_policy"
    DEPARTMENTAL_RULE = "departmental_rule"
    LOCAL_REGULATION = "local_regulation"
    NORMATIVE_DOCUMENT = "normative_document"


class Allowance(StrEnum):
    """What an article must say expressly before the gateway does it."""

    PUBLISH_PEOPLE = "publish_people"  # D15
    SHARE_MINORS = "share_minors"  # D57
    OTHER_DOCUMENT = "other_document"  # D8, the third kind
    UNNUMBERED_DOCUMENT = "unnumbered_document"  # D7, a list whose standard knows no document number or authority code
    INTERIM_STANDARD = "interim_standard"  # D22, a departmental rule for the standard of a list
    OTHER_BODY = "other_body"  # D30, a listing decided below county level
    FORBID_REPAIR = "forbid_repair"  # D38
    CONSENT = "consent"  # D51


class Article(Closed):
    """What an article says in a few words, and what it expressly allows."""

    zh: Words
    en: Words
    allows: tuple[Allowance, ...] = ()


class Instrument(Closed):
    """A legal instrument that entries, grants, lists and measures cite (D2). `region` is that of a local regulation."""

    number: Words
    title: Title
    issuer: Words
    level: Level
    region: Region | None = None
    in_force_from: date
    in_force_to: date | None = None
    articles: dict[Words, Article] = Key(min_length=1)
    evidence: Evidence

    def is_in_force(self, on: date) -> bool:
        return self.in_force_from <= on and (self.in_force_to is None or on <= self.in_force_to)


class Basis(Closed):
    """A citation: one instrument and the article that carries the weight."""

    instrument: Name
    article: Words


class Edition(Closed):
    """One edition of the basic catalogue 公共信用信息基础目录, or of a local supplement, as it was announced (D3, D5).

    Without `announced_on` it is a proposal and has no effect on any flow (D4). `region` makes it one of a local supplement.
    `categories` numbers them; 12 stands for what entities volunteer. `recalled` names the keys whose content was not checked
    against the original text.
    """

    title: Title
    document: Words
    approved_by: Words
    region: Region | None = None
    announced_on: date | None
    in_force_from: date
    in_force_to: date | None = None
    categories: dict[int, Title] = Key(min_length=1)
    evidence: Evidence
    recalled: tuple[Words, ...] = ()
