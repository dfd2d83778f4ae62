"""Where in its file a key stands, so that a refusal can name the line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml


class Places:
    """The lines of all keys below a catalogue folder; a file is read when its first line is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lines = cache(self._read)

    def line(self, file: str, key: str) -> int:
        """The line of a dotted key, or of the nearest key above it that the file has; counted from 1."""
        known, parts = self._lines(file), key.split(".")
        return next((known[place] for end in range(len(parts), 0, -1) if (place := ".".join(parts[:end])) in known), 1)

    def _read(self, file: str) -> dict[str, int]:
        lines: dict[str, int] = {}
        _walk(yaml.compose((self._root / file).read_text(encoding="utf-8"), yaml.CSafeLoader), "", lines)
        return lines


def _walk(node: yaml.Node | None, place: str, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{place}.{key.value}" if place else str(key.value)
            lines[below] = key.start_mark.line + 1
            _walk(value, below, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[f"{place}.{number}"] = value.start_mark.line + 1
            _walk(value, f"{place}.{number}", lines)
