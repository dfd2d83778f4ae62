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
