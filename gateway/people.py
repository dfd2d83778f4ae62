"""Who may look up what of a subject and for what, by role, and who handles cases for which unit (clause 13; D43, D46)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from gateway.settings import Gateway


class Purpose(StrEnum):
    """For what somebody may look a subject or its records up. Anything else is refused."""

    SUBJECT_REQUEST = "subject-request"
    REPAIR = "repair"
    OBJECTION = "objection"
    CORRECTION = "correction"
    AUDIT = "audit"
    INCIDENT = "incident"
    FAULT = "fault"


PURPOSES = {Purpose.SUBJECT_REQUEST: "主体申请查询本人信息 the subject asks", Purpose.REPAIR: "办理信用修复 credit repair",
            Purpose.OBJECTION: "核查异议 an objection", Purpose.CORRECTION: "更正 a correction", Purpose.AUDIT: "监督检查 an audit",
            Purpose.INCIDENT: "安全事件处置 a security incident", Purpose.FAULT: "故障排查 looking for a fault"}
# Looking for a fault shows rules and reasons, never a value.
WITHOUT_VALUES = frozenset({Purpose.FAULT})
COMPLIANCE = "compliance"
# Who takes cases of repair and objection in hand.
CASE_ROLES = (COMPLIANCE, "repair")
# How many look-ups one person has a day, unless the register says otherwise (D46): whoever copies a register is stopped and noticed.
DAILY = 100
ROLES: dict[str, frozenset[Purpose]] = {
    COMPLIANCE: frozenset(Purpose) - WITHOUT_VALUES,
    "repair": frozenset({Purpose.SUBJECT_REQUEST, Purpose.REPAIR, Purpose.OBJECTION, Purpose.CORRECTION}),
    "auditor": frozenset({Purpose.AUDIT}),
    "engineer": frozenset({Purpose.FAULT, Purpose.INCIDENT}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """A name or staff number with its role, and the unit it belongs to as records name it; both "" for who is not registered.
    `daily`: how many look-ups the person has a day."""

    name: str
    role: str = ""
    unit: str = ""
    daily: int = DAILY


def register(gateway: Gateway) -> Path:
    """The file that says who is who: `name: role`, or `name: {role: …, unit: …, daily: …}`."""
    return gateway.home / "secrets" / "people.yml"


def person(gateway: Gateway, name: str) -> Person:
    """What the register says of a person; without a register, or where it cannot be read, nobody has a role. It is read anew each
    time, so that who left is out at once."""
    said = (_known(gateway) or {}).get(name, "") if name else ""
    if isinstance(said, dict):
        daily = str(said.get("daily", DAILY))
        a_day = int(daily) if re.fullmatch("[0-9]{1,9}", daily) else 0
        return Person(name, _word(said.get("role", "")), _word(said.get("unit", "")), a_day)
    return Person(name, _word(said))


def _word(said: Any) -> str:
    # Who belongs to no unit must not belong to one that is called so.
    return "" if said in ("null", "~") else str(said)


def unreadable(gateway: Gateway) -> tuple[str, str] | None:
    """What to do where the register is there and cannot be read, in Chinese and English; None where it can."""
    return None if _known(gateway) is not None else (
        f"名册无法读取（{register(gateway)}），在此之前任何人都没有角色；请按 docs/account.md 书写。",
        f"{register(gateway)} cannot be read, and until it can nobody has a role; write it as docs/account.md shows")


def _known(gateway: Gateway) -> dict[Any, Any] | None:
    """What the register says by name; None if it is there and says nothing that can be read."""
    try:
        # Every word as it is written: a staff number is a name, and so is one like a day or a truth value.
        known = yaml.load(register(gateway).read_text(encoding="utf-8"), yaml.BaseLoader) or {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError):  # ValueError: not UTF-8
        return None
    return known if isinstance(known, dict) else None


def allowed(role: str, shows_values: bool) -> frozenset[Purpose]:
    """The purposes for which a role may look up, with or without the values of the records."""
    return ROLES.get(role, frozenset()) - (WITHOUT_VALUES if shows_values else frozenset())


def refusal(role: str, purpose: str, shows_values: bool) -> str:
    """Why a role may not look up for a purpose, as a reason code; "" if it may."""
    if role not in ROLES:
        return "no-role"
    if not purpose.strip():
        return "no-purpose"
    if purpose not in list(Purpose):
        return "unknown-purpose"
    return "" if purpose in allowed(role, shows_values) else "not-for-this-role"
