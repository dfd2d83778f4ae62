"""How a person is refused: always in Chinese and English, since compliance and clerks read it."""

from __future__ import annotations


class Refusal(Exception):
    """What was asked for is not done, and nothing has changed.

    `about` names it (a case, a record, a person), `zh` and `en` say why and what to do next; neither can be left out.
    """

    def __init__(self, about: str, zh: str, en: str) -> None:
        super().__init__(f"{about}: {zh} {en}")
