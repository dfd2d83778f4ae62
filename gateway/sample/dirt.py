"""Plants the dirt of real feeds and keeps an account of where it lies, so that a check can be measured against it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.random import Generator

Change = Callable[[str], str]


class Outcome(StrEnum):
    """What a sound gateway does with a row that has this dirt and no other."""

    FAULTY = "faulty"  # the row must be quarantined
    HARMLESS = "harmless"  # the row must be accepted, in normal form
    BY_CATALOGUE = "catalogue"  # the severity of a catalogue rule decides
    WITHHELD = "withheld"  # the row must be accepted, and the law keeps it from some recipients for the reason it is named by


DIRT = {
    "row-width": Outcome.FAULTY,  # a thousands comma written unquoted: one cell too many
    "replacement-character": Outcome.FAULTY,  # U+FFFD: read once in the wrong encoding, beyond repair
    "columns-shifted": Outcome.FAULTY,  # the address in the code column, the code in the date column
    "old-registration-number": Outcome.FAULTY,  # 13 or 15 digits in the code column
    "wrong-check-digit": Outcome.FAULTY,
    "no-code": Outcome.FAULTY,  # a word for "none" in the code column
    "duplicate-row": Outcome.FAULTY,  # the second of two identical rows
    "duplicate-code": Outcome.FAULTY,  # two rows with one key and different content
    "no-day": Outcome.FAULTY,  # a month without a day, also as Excel writes it
    "scientific-number": Outcome.BY_CATALOGUE,  # 3.30E+14: Excel took an identifier for a number
    "excel-fraction": Outcome.BY_CATALOGUE,  # 1/2000 in a document number
    "fine-in-yuan": Outcome.BY_CATALOGUE,  # ten thousand times too much; the text names the right amount
    "wrong-category": Outcome.BY_CATALOGUE,  # a sole trader's code filed as another kind of subject
    "no-publicity-end": Outcome.BY_CATALOGUE,  # 1900-1-1 0:00:00 or empty where publicity must end
    "foreign-document": Outcome.BY_CATALOGUE,  # a passport number where most people have a citizen number
    "epoch-date": Outcome.BY_CATALOGUE,  # seconds since 1970 beside written dates
    "summary-procedure": Outcome.FAULTY,  # decided on the spot: never recorded
    "secret-decision": Outcome.FAULTY,
    "document-not-in-effect": Outcome.WITHHELD,  # a penalty that was revoked
    "document-held": Outcome.WITHHELD,  # a penalty under objection
    "lenient": Outcome.WITHHELD,
    "measure-not-in-list": Outcome.WITHHELD,  # a measure that the list does not know for this kind of subject
    "measure-too-heavy": Outcome.WITHHELD,  # a measure for serious conduct on a general one
    "objection-open": Outcome.WITHHELD,
    "subject-not-told": Outcome.WITHHELD,
    "decided-below-level": Outcome.WITHHELD,
    "decision-incomplete": Outcome.WITHHELD,
    "full-width": Outcome.HARMLESS,
    "lower-case-code": Outcome.HARMLESS,
    "ascii-brackets": Outcome.HARMLESS,
    "full-width-brackets": Outcome.HARMLESS,
    "sentinel": Outcome.HARMLESS,  # a way of writing "no value" in an optional field
    "mixed-date-form": Outcome.HARMLESS,
    "trailing-stars": Outcome.HARMLESS,
}

_WIDE = str.maketrans({chr(point): chr(point + 0xFEE0) for point in range(0x21, 0x7F)})


class Planter:
    """Dirties one frame of text. A row gets at most one kind of dirt that could get it quarantined."""

    def __init__(self, frame: pd.DataFrame, rng: Generator) -> None:
        self.frame, self._rng = frame.astype(object).reset_index(drop=True), rng
        self._positions: dict[str, list[int]] = {}
        self._sound = list(rng.permutation(len(frame)))
        self._copied: set[int] = set()

    def plant(self, dirt: str, share: float, column: str, change: Change) -> None:
        """Changes a cell of `column` in about `share` of the rows, but in two at least."""
        for position in self.choose(dirt, share):
            self.put(position, column, change(str(self.frame.at[position, column])))

    def put(self, position: int, column: str, text: str) -> None:
        """Writes one cell, of a row that `choose` set aside."""
        self.frame.at[position, column] = text

    def choose(self, dirt: str, share: float, among: pd.Series | None = None) -> list[int]:
        """Sets rows aside for this dirt and returns their positions; `among` says which rows qualify."""
        size = max(2, round(share * len(self.frame)))
        fitting = [position for position in self._sound if among is None or among[position]]
        if DIRT[dirt] is Outcome.HARMLESS:
            self._rng.shuffle(fitting)
        chosen = sorted(int(position) for position in fitting[:size])
        if DIRT[dirt] is not Outcome.HARMLESS:
            taken = set(chosen)
            self._sound = [position for position in self._sound if position not in taken]
        self._positions.setdefault(dirt, []).extend(chosen)
        return chosen

    def repeat(self, share: float) -> None:
        """Appends exact copies of sound rows. Plant this last: a copy of a row takes its dirt along."""
        chosen = [int(position) for position in self._sound[: max(2, round(share * len(self.frame)))]]
        self._copied.update(chosen)
        self._positions["duplicate-row"] = self.append(self.frame.loc[chosen])

    def append(self, rows: pd.DataFrame) -> list[int]:
        """Adds rows below the others and returns their positions."""
        start = len(self.frame)
        self.frame = pd.concat([self.frame, rows], ignore_index=True)
        return list(range(start, len(self.frame)))

    def spare(self, size: int, among: pd.Series | None = None) -> list[int]:
        """Sets aside so many rows with nothing planted in them that could keep them back, and of which no copy was made."""
        fitting = [int(place) for place in self._sound if place not in self._copied and (among is None or among[place])]
        taken = set(fitting[:size])
        self._sound = [place for place in self._sound if place not in taken]
        return sorted(taken)

    def positions(self, dirt: str) -> frozenset[int]:
        """Where this dirt lies, counted from 0."""
        return frozenset(self._positions.get(dirt, ()))

    def account(self, first: int) -> dict[str, list[int]]:
        """Row numbers by dirt, when the first row bears the number `first`."""
        return {dirt: sorted({position + first for position in rows}) for dirt, rows in sorted(self._positions.items())}


def full_width(text: str) -> str:
    """Every ASCII sign in its full-width form."""
    return text.translate(_WIDE)


def mangled(text: str) -> str:
    """Text that was read once in the wrong encoding: lost characters, and stray ones that look sound."""
    return (
        "".join("\ufffd" if index % 2 else "Ա" if index % 6 == 4 else sign for index, sign in enumerate(text))
        + "\ufffd"
    )


def always(*values: str) -> Change:
    """Replaces any text, by each of the values in turn."""
    turn = iter(range(1_000_000_000))
    return lambda _: values[next(turn) % len(values)]


def loose_date(text: str) -> str:
    """YYYY-MM-DD or YYYY/MM/DD in one of the other forms that departments use."""
    year, month, day = text.replace("/", "-").split("-")
    forms = (
        f"{year}-{int(month)}-{int(day)} 0:00:00",
        f"{year}{month}{day}",
        f"{year}-{int(month)}-{int(day)}",
        f"{year}/{int(month)}/{int(day)}",
        f"{year}年{month}月{day}日",
    )
    return forms[(int(day) + int(month)) % len(forms)]


def without_day(text: str) -> str:
    """A date of which only the month is left, as a clerk or as Excel writes it."""
    year, month, day = text.replace("/", "-").split("-")
    names = np.array(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
    return f"{year}年{int(month)}月" if int(day) % 2 else f"{names[int(month) - 1]}-{year[2:]}"
