"""What the catalogue may say: closed, frozen models; a key that is not here cannot be written in YAML."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Key

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
FieldCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Closed(BaseModel):
    """A misspelt key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Closed):
    """A name as clerks read it and as engineers read it."""

    zh: Words
    en: Words


class Level(StrEnum):
    """Rank of a legal instrument; clause (1) of 国办发〔2020〕49号 asks for one of the first three."""

    LAW = "law"
    ADMINISTRATIVE_REGULATION = "administrative_regulation"
    CENTRAL_POLICY = "central_policy"
    DEPARTMENTAL_RULE = "departmental_rule"
    LOCAL_REGULATION = "local_regulation"
    NORMATIVE_DOCUMENT = "normative_document"


class Instrument(Closed):
    """A legal instrument that entries and grants cite (D2)."""

    number: Words
    title: Title
    issuer: Words
    level: Level
    in_force_from: date
    in_force_to: date | None = None
    evidence: Literal["confirmed", "recalled"]


class Basis(Closed):
    """A citation: one instrument and the article that carries the weight."""

    instrument: Name
    article: Words


class FieldType(StrEnum):
    """How a value is read and which checks it gets."""

    TEXT = "text"
    USCC = "uscc"
    ID_NUMBER = "id_number"
    IDENTIFIER = "identifier"
    DATE = "date"
    AMOUNT = "amount"
    INTEGER = "integer"
    CODE = "code"
    CODES = "codes"


class Sensitivity(StrEnum):
    """Who would be hurt by a leak of the field."""

    OPEN = "open"
    PERSONAL = "personal"
    SENSITIVE_PERSONAL = "sensitive_personal"
    BUSINESS_SECRET = "business_secret"

    @property
    def is_personal(self) -> bool:
        return self in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE_PERSONAL)


class Field(Closed):
    """One field 数据项 of an entry: what it is and whether a site may ever show it.

    `length` is in characters. `codes` names a file of catalog/codes. An `amount` is kept in `unit`.
    """

    title: Title
    type: FieldType
    length: int | None = Key(default=None, gt=0)
    required: bool = False
    codes: Name | None = None
    unit: Literal["yuan", "10k_yuan", "yuan_or_foreign"] | None = None
    sensitivity: Sensitivity
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


class Severity(StrEnum):
    """`critical` quarantines the row; `warning` lets it pass and shows it; `info` is counted."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class NotBefore(Closed):
    """`field` may not lie before `other` (both dates)."""

    kind: Literal["not_before"]
    field: FieldCode
    other: FieldCode
    severity: Severity


class RequiredWhen(Closed):
    """`field` must be filled where `other` contains the text `contains`."""

    kind: Literal["required_when"]
    field: FieldCode
    other: FieldCode
    contains: Words
    severity: Severity


class CategoryMatchesCode(Closed):
    """A code starting 92 is a sole trader 个体工商户, every other one is not (双公示 annex, Baoji notice)."""

    kind: Literal["category_matches_code"]
    field: FieldCode
    other: FieldCode
    sole_trader: Words
    severity: Severity


class AmountAgreesWithText(Closed):
    """An amount named in the text `other` (in yuan) equals `field`, which catches a fine handed in in the wrong unit."""

    kind: Literal["amount_agrees_with_text"]
    field: FieldCode
    other: FieldCode
    after: Words
    severity: Severity


class NotInFuture(Closed):
    """`field` may not lie after the day of the check."""

    kind: Literal["not_in_future"]
    field: FieldCode
    severity: Severity


class ValidWhen(Closed):
    """`field` is a valid number of the kind `form` where `other` is `equals`: a passport number stands in the same column
    as citizen ID numbers, and only the kind of document tells them apart."""

    kind: Literal["valid_when"]
    field: FieldCode
    other: FieldCode
    equals: Words
    form: Literal[FieldType.USCC, FieldType.ID_NUMBER]
    severity: Severity


Rule = Annotated[
    NotBefore | RequiredWhen | CategoryMatchesCode | AmountAgreesWithText | NotInFuture | ValidWhen,
    Key(discriminator="kind"),
]


class Mask(StrEnum):
    """Named recipes of masking/recipes.py; `open` is a recipe too, so that giving a value plain is a written decision."""

    OPEN = "open"
    NAME = "name"
    ID_NUMBER = "id_number"
    MOBILE = "mobile"
    ADDRESS = "address"
    ACCOUNT = "account"
    TOKEN = "token"


class Grant(Closed):
    """What one recipient may have of an entry, field by field, and on which basis (D10, D13). Absent means no (I1)."""

    basis: tuple[Basis, ...] = Key(min_length=1)
    subjects: tuple[SubjectKind, ...] = Key(min_length=1)
    fields: dict[FieldCode, Mask] = Key(min_length=1)


class Thresholds(Closed):
    """When a batch is refused whole: more than `max_quarantined` (share, 0..1) of at least `min_sample` rows fail, or
    fewer than `min_kept` (share) of the records of the last run are left (I7)."""

    max_quarantined: float = Key(gt=0, le=1)
    min_sample: int = Key(gt=0)
    min_kept: float = Key(ge=0, le=1)


class Entry(Closed):
    """One catalogue entry 目录事项: what may be recorded, shared and published, and why.

    `category` is the number 1..11 of the national basic catalogue. `natural_key` identifies a record together with
    the entry; every grant must hold it, so that no field a recipient may not have shapes the reference it gets (I3).
    `publicity_end` names the field that holds the end of publicity 公示截止期, where the entry has one (D19, I9).
    """

    title: Title
    category: int = Key(ge=1, le=11)
    nature: Literal["adverse", "neutral", "favourable"]
    basis: tuple[Basis, ...] = Key(min_length=1)
    in_force_from: date
    in_force_to: date | None = None
    subject: Subject
    fields: dict[FieldCode, Field] = Key(min_length=1)
    natural_key: tuple[FieldCode, ...] = Key(min_length=1)
    publicity_end: FieldCode | None = None
    rules: tuple[Rule, ...] = ()
    thresholds: Thresholds
    grants: dict[Name, Grant] = Key(min_length=1)


class _Feed(Closed):
    """What every exchange method has in common.

    `columns` maps a field to the names under which this department hands it in; a field's own code and its Chinese
    title are always understood. `reading` says whether each reading is the whole stock or only the changes of the
    window. `sentinels` are this department's ways of writing "no value".
    """

    entry: Name
    connection: Name
    reading: Literal["snapshot", "window"]
    columns: dict[FieldCode, tuple[Words, ...]] = Key(default_factory=dict)
    sentinels: tuple[Words, ...] = ()


class FileFeed(_Feed):
    """File exchange 文件方式: CSV or XLSX files that match `files` in the drop folder."""

    method: Literal["file"]
    files: tuple[Words, ...] = Key(min_length=1)
    encodings: tuple[Words, ...] = ("utf-8-sig", "gb18030")


class DatabaseFeed(_Feed):
    """Database exchange 数据库对接: one table or view; `window_column` bounds a reading of changes; `partitions` read it
    in parallel by ranges of the integer column `partition_column`."""

    method: Literal["database"]
    table: Words
    window_column: Words | None = None
    partition_column: Words | None = None
    partitions: int = Key(default=1, ge=1, le=64)


class ServiceFeed(_Feed):
    """Service exchange 服务方式: a paged JSON web service at `path` of the connection."""

    method: Literal["service"]
    path: Words
    page_size: int = Key(default=1000, ge=1, le=10000)


Feed = Annotated[FileFeed | DatabaseFeed | ServiceFeed, Key(discriminator="method")]


class Department(Closed):
    """A source department 信源单位 and the feeds it hands in. It answers for what it produces (谁产生、谁负责)."""

    title: Title
    region: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    level: Literal["province", "city", "county"]
    contact: Words
    feeds: tuple[Feed, ...] = Key(min_length=1)


class RecipientKind(StrEnum):
    SHARING_PLATFORM = "sharing_platform"
    PUBLICITY_SITE = "publicity_site"
    DEPARTMENT = "department"


class Recipient(Closed):
    """A recipient 接收方: how it is reached and how long its receipt may take. `batch_size` in records, `deadline` in seconds."""

    title: Title
    kind: RecipientKind
    method: Literal["rest", "package", "frontend"]
    connection: Name
    batch_size: int = Key(ge=1, le=200_000)
    deadline: int = Key(ge=1, le=3600)
