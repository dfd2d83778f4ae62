"""Who hands in and who receives: departments with their feeds, and recipients with their doors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field as Key

from catalog.base import Closed, FieldCode, Name, Region, Title, Words


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
    region: Region
    level: Literal["province", "city", "county"]
    contact: Words
    feeds: tuple[Feed, ...] = Key(min_length=1)


class RecipientKind(StrEnum):
    SHARING_PLATFORM = "sharing_platform"
    PUBLICITY_SITE = "publicity_site"
    DEPARTMENT = "department"


class Body(StrEnum):
    """What kind of body a recipient is: only an authority may be told to act, all others decide for themselves (D34, D54)."""

    AUTHORITY = "authority"
    FINANCIAL_INSTITUTION = "financial_institution"
    CREDIT_SERVICE = "credit_service"
    ASSOCIATION = "association"
    MEDIA = "media"


class PublicPages(Closed):
    """Where a public site shows a record ({entry}, {handle}) and searches ({entry}, {text}): paths on its connection's address."""

    record: Annotated[str, Key(pattern=r"^/[^{}]*(\{(entry|handle)\}[^{}]*)*\{handle\}[^{}]*$")]
    search: Annotated[str, Key(pattern=r"^/[^{}]*(\{(entry|text)\}[^{}]*)*\{text\}[^{}]*$")]


class Recipient(Closed):
    """A recipient 接收方: how it is reached and how long its receipt may take. `batch_size` in records, `deadline` in seconds,
    `rate` in batches a minute at most.

    `contact` answers there for repair and takedown (D43). `public` are the pages that are read after it confirmed a takedown.
    `format` is that of the data in a file package: JSON lines for programs, CSV or XLSX for clerks.
    """

    title: Title
    kind: RecipientKind
    body: Body = Body.AUTHORITY
    contact: Words
    method: Literal["rest", "package", "frontend"]
    connection: Name
    batch_size: int = Key(ge=1, le=200_000)
    deadline: int = Key(ge=1, le=3600)
    rate: int | None = Key(default=None, ge=1, le=6000)
    format: Literal["jsonl", "csv", "xlsx"] = "jsonl"
    public: PublicPages | None = None
