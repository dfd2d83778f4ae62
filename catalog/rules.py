"""Rules over the fields of one record, beyond what a field's own type checks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field as Key

from catalog.base import Closed, FieldCode, FieldType, Words


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


class ExcludedWhen(Closed):
    """A record never enters where `field` contains one of the words: decisions by summary procedure and secret ones are
    exempt from recording (Baoji notice on 双公示). `because` becomes the reason code."""

    kind: Literal["excluded_when"]
    field: FieldCode
    contains: tuple[Words, ...] = Key(min_length=1)
    because: Literal["summary-procedure", "secret-decision"]
    severity: Literal[Severity.CRITICAL]


Rule = Annotated[
    NotBefore | RequiredWhen | CategoryMatchesCode | AmountAgreesWithText | NotInFuture | ValidWhen
    | ExcludedWhen,
    Key(discriminator="kind"),
]
