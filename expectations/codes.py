"""Values from a code set: a code or its Chinese name, one or several in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

# Between two values of one cell (双公示 annex and real data); the normal form has only the first.
_SEPARATORS = ";；、-，,|"


@dataclass(frozen=True)
class CodeSet:
    """A code set: its codes, and the other ways of writing them."""

    written: Mapping[str, str]

    @classmethod
    def of(cls, names: Mapping[str, str]) -> CodeSet:
        """From code → Chinese name; both are understood, the code is the normal form."""
        return cls({name: code for code, name in names.items()} | {code: code for code in names})

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(self.written.values())

    def one(self, text: str) -> str:
        """The code of a value; a value that is not in the set comes back unchanged."""
        return self.written.get(text, text)

    def several(self, text: str) -> str:
        """The codes of a cell that joins several values, joined by `;`; unchanged if one of them is not in the set.

        Names may hold a separator themselves (没收违法所得、没收非法财物), so the set says where one ends.
        """
        if not self._cell.fullmatch(text):
            return text
        found = [self.written[value[0]] for value in self._value.finditer(text)]
        return ";".join(dict.fromkeys(found))

    @cached_property
    def _alternatives(self) -> str:
        return "|".join(re.escape(name) for name in _longest_first(self.written))

    @cached_property
    def _value(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self._alternatives})(?=$|\s*[{re.escape(_SEPARATORS)}])")

    @cached_property
    def _cell(self) -> re.Pattern[str]:
        one = f"(?:{self._alternatives})"
        return re.compile(rf"{one}(?:\s*[{re.escape(_SEPARATORS)}]\s*{one})*")


def _longest_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=len, reverse=True)
