"""What the catalogue may say of an entry: closed, frozen models; a key that is not here cannot be written in YAML."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field as Key

from catalog.base import Closed, FieldCode, FieldType, Name, Region, Title, Words
from catalog.law import Allowance, Article, Basis, Edition, Instrument, Level
from catalog.listing import Listing, SeriousList
from catalog.measures import Measure, MeasuresList
from catalog.parties import (
    Body,
    DatabaseFeed,
    Department,
    Feed,
    FileFeed,
    Recipient,
    RecipientKind,
    ServiceFeed,
)
from catalog.repair import Clock, Grade, Repair, RepairRule
from catalog.rules import ExcludedWhen, Rule, Severity, ValidWhen

__all__ = [
    "Allowance", "Article", "Basis", "Body", "Clock", "Collection", "Condition", "Consent", "DatabaseFeed", "Department",
    "Document", "DocumentKind", "Edition", "Entry", "ExcludedWhen", "Feed", "Field", "FieldType", "FileFeed", "Grade",
    "Grant", "Instrument", "Legacy", "Level", "Listing", "Mask", "Measure", "MeasuresList", "Recipient", "RecipientKind",
    "Repair", "RepairRule", "Rule", "Sensitivity", "SeriousList", "ServiceFeed", "Severity", "Share", "Subject",
    "SubjectKind", "Thresholds", "Title", "ValidWhen",
]


class Sensitivity(StrEnum):
    """Who would be hurt by a leak of the field."""

    OPEN = "open"
    PERSONAL = "personal"
    SENSITIVE_PERSONAL = "sensitive_personal"
    BUSINESS_SECRET = "business_secret"

    @property
    def is_personal(self) -> bool:
        return self in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE_PERSONAL)


class Share(StrEnum):
    """Share class 共享属性 of a field: to whoever is granted it, under a condition of the grant, or to nobody (D10)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class Field(Closed):
    """One field 数据项 of an entry: what it is, how far it is shared, and whether a site may ever show it (D13).

    `length` is in characters. `codes` names a file of catalog/codes. An `amount` is kept in `unit`.
    """

    title: Title
    type: FieldType
    length: int | None = Key(default=None, gt=0)
    required: bool = False
    codes: Name | None = None
    unit: Literal["yuan", "10k_yuan", "yuan_or_foreign"] | None = None
    sensitivity: Sensitivity
    share: Share = Share.NOT_SHARED
    publish: bool


class SubjectKind(StrEnum):
    LEGAL_PERSON = "legal_person"
    NATURAL_PERSON = "natural_person"


class Subject(Closed):
    """Which fields say who the record is about.

    `category` is the field that tells legal and natural persons apart where an entry holds both.
    """

    name: FieldCode
    uscc: FieldCode | None = None
    id_number: FieldCode | None = None
    category: FieldCode | None = None
    natural_person_when: Words | None = None


class DocumentKind(StrEnum):
    """Legally effective documents on which conduct may be found (clause 2; D8). `other` cites the provision that accepts it."""

    JUDGMENT = "judgment"
    ARBITRAL_AWARD = "arbitral_award"
    PENALTY_DECISION = "penalty_decision"
    ADMINISTRATIVE_RULING = "administrative_ruling"
    ADMINISTRATIVE_DECISION = "administrative_decision"
    OTHER = "other"


class Document(Closed):
    """Which fields show the document on which an adverse record hangs (D7).

    `state` is the field that says whether it is in effect, `in_effect` the codes that say yes; an empty state is in effect,
    since the department vouches for what it hands in. Where the standard of a list knows no number or no code of the
    authority, `unnumbered` cites the provision that says what a listing decision holds instead.
    """

    kind: DocumentKind
    date: FieldCode
    authority: FieldCode
    number: FieldCode | None = None
    authority_code: FieldCode | None = None
    unnumbered: Basis | None = None
    accepted_by: Basis | None = None
    state: FieldCode | None = None
    in_effect: tuple[Words, ...] = ()
    held: tuple[Words, ...] = ()


class Collection(Closed):
    """Why and how personal data is collected, and of each personal field how far (clause 14; D51)."""

    purpose: Title
    method: Title
    scope: dict[FieldCode, Words] = Key(default_factory=dict)


class Legacy(Closed):
    """The review by which records decided before the first edition may still be recorded (D65)."""

    reviewed_on: date
    document: Words


class Mask(StrEnum):
    """Named recipes of masking/recipes.py; `open` is a recipe too, so that giving a value plain is a written decision."""

    OPEN = "open"
    NAME = "name"
    ID_NUMBER = "id_number"
    MOBILE = "mobile"
    ADDRESS = "address"
    ACCOUNT = "account"
    TOKEN = "token"


class Condition(Closed):
    """Under which approved application a recipient has conditional fields, for what, and until when (D10)."""

    purpose: Title
    application: Words
    approved_on: date
    until: date


class Consent(Closed):
    """The grant rests on each subject's consent for this purpose, given for at most `max_days` (D51, D52)."""

    purpose: Name
    scope: Title
    method: Title
    max_days: int = Key(gt=0, le=1096)


class Grant(Closed):
    """What one recipient may have of an entry, field by field, and on which basis (D10, D13). Absent means no (I1)."""

    basis: tuple[Basis, ...] = Key(min_length=1)
    subjects: tuple[SubjectKind, ...] = Key(min_length=1)
    condition: Condition | None = None
    consent: Consent | None = None
    fields: dict[FieldCode, Mask] = Key(min_length=1)


class Thresholds(Closed):
    """When a batch is refused whole: more than `max_quarantined` (share, 0..1) of at least `min_sample` rows fail, or
    fewer than `min_kept` (share) of the records of the last run are left (I7)."""

    max_quarantined: float = Key(gt=0, le=1)
    min_sample: int = Key(gt=0)
    min_kept: float = Key(ge=0, le=1)


class Entry(Closed):
    """One version of a catalogue entry 目录事项: what may be recorded, shared and published, and why.

    `editions` are the editions that hold it; with none announced it is a proposal and nothing flows (D4). `region` makes
    it an entry of a local supplement (D5). `natural_key` identifies a record together with the entry; every grant must
    hold it, so that no field a recipient may not have shapes the reference it gets (I3). `decided_on` is the record's
    decision date, by which the version that may record it is chosen; `legacy` lets in what was decided before the first.
    `publicity_end` names the field that holds the end of publicity 公示截止期 (D19, I9), `clock` what it is reckoned from,
    `publicity_max_months` a shorter maximum than the rule's by grade;
    `ended_on` the field that holds the day a listing ended, after which no site shows it (D40). `grade` is how grave every
    record is where no clock tells. `leniency` holds the marks of D57, `measures` the measures attached (D31).
    """

    title: Title
    category: int = Key(ge=1, le=12)
    nature: Literal["adverse", "neutral", "favourable"]
    editions: tuple[Name, ...] = ()
    region: Region | None = None
    basis: tuple[Basis, ...] = Key(min_length=1)
    in_force_from: date
    in_force_to: date | None = None
    legacy: Legacy | None = None
    subject: Subject
    fields: dict[FieldCode, Field] = Key(min_length=1)
    natural_key: tuple[FieldCode, ...] = Key(min_length=1)
    decided_on: FieldCode | None = None
    document: Document | None = None
    collection: Collection | None = None
    publicity_end: FieldCode | None = None
    clock: Clock | None = None
    publicity_max_months: dict[Grade, int] = Key(default_factory=dict)
    ended_on: FieldCode | None = None
    grade: Grade | None = None
    leniency: FieldCode | None = None
    listing: Listing | None = None
    measures: FieldCode | None = None
    repair: Repair | None = None
    rules: tuple[Rule, ...] = ()
    thresholds: Thresholds
    grants: dict[Name, Grant] = Key(min_length=1)

    def is_in_force(self, on: date) -> bool:
        return self.in_force_from <= on and (self.in_force_to is None or on <= self.in_force_to)
