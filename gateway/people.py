"""Who may look a subject up and who handles cases: the persons that compliance registered in secrets/people.yml (D43, D46)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from gateway.settings import Gateway


@dataclass(frozen=True, slots=True)
class Person:
    """A name or staff number with its role, and the unit it belongs to as records name it; both "" for who is not registered."""

    name: str
    role: str = ""
    unit: str = ""


def register(gateway: Gateway) -> Path:
    """The file that says who is who: `name: role`, or `name: {role: …, unit: …}`."""
    return gateway.home / "secrets" / "people.yml"


def person(gateway: Gateway, name: str) -> Person:
    """What the register says of a person; without a register, or where it cannot be read, nobody has a role."""
    try:
        known = yaml.safe_load(register(gateway).read_text(encoding="utf-8"))
    except (FileNotFoundError, yaml.YAMLError):
        return Person(name)
    said = known.get(name, "") if isinstance(known, dict) else ""
    if isinstance(said, dict):
        return Person(name, str(said.get("role", "")), str(said.get("unit", "")))
    return Person(name, str(said))
