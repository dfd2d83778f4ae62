"""Codes in Chinese and English: what a clerk reads in place of `publicity-ended`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

# What comes from outside (column names, file names, a recipient's reason) is shown only as far as it cannot be a person's
# number: citizen, card and mobile numbers (I8).
_NUMBER = re.compile(r"(?<!\d)(?:\d{15,}[Xx]?|(?:86)?1[3-9]\d{9})(?!\d)")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wording:
    """What a code means (`zh`, `en`) and what to do about it (`next_zh`, `next_en`, empty where nothing is to be done).
    `waits` is true of what mends itself; everything else needs a person."""

    zh: str
    en: str = ""
    next_zh: str = ""
    next_en: str = ""
    waits: bool = False


@cache
def _known() -> dict[str, Wording]:
    text = (Path(__file__).parent / "words.yml").read_text(encoding="utf-8")
    return {code: Wording(**words) for code, words in yaml.safe_load(text).items()}


def wording(code: str) -> Wording:
    """The wording of a code; a code nobody has worded stands for itself."""
    return _known().get(code) or Wording(outside(code))


def both(code: str) -> str:
    """The wording of a code in one line, Chinese first."""
    known = wording(code)
    return f"{known.zh} {known.en}".strip()


def outside(text: object) -> str:
    """A text that came from outside, fit to be shown: numbers of persons blotted out, at most 200 characters."""
    blotted = _NUMBER.sub("…", str(text))
    return blotted if len(blotted) <= _LONGEST else blotted[:_LONGEST] + "…"
