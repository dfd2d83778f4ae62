"""Words that ought to be known: how names are compared, and what was probably meant by one that leads nowhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches


def hint(word: str, known: Iterable[str]) -> str:
    """"; did you mean …?" with the nearest known word, or "" if none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def unknown(word: str, known: Iterable[str]) -> str:
    """The words for a reference that leads nowhere."""
    return f"{word} is not in the catalogue{hint(word, known)}"


def normal_name(name: str) -> str:
    """A name in the form in which the header of a source is compared with it."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
