"""What every catalogue model is made of: closed and frozen, with words that are not empty."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
FieldCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Region = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
Evidence = Literal["confirmed", "recalled"]


class Closed(BaseModel):
    """A misspelt key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Closed):
    """A name as clerks read it and as engineers read it."""

    zh: Words
    en: Words


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


def is_within(region: str, upper: str) -> bool:
    """Whether a region of GB/T 2260 is `upper` or lies in it: 330000 holds 330100, which holds 330106."""
    return region[: (length := _digits(upper))] == upper[:length]


def _digits(region: str) -> int:
    """How many digits of a region's code tell it from the regions beside it."""
    return 2 if region.endswith("0000") else 4 if region.endswith("00") else 6
