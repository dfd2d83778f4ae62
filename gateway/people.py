"""Who may look up what of a subject, and for what: roles by person, purposes by role (clause 13; D46)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

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
ROLES: dict[str, frozenset[Purpose]] = {
    COMPLIANCE: frozenset(Purpose) - WITHOUT_VALUES,
    "repair": frozenset({Purpose.SUBJECT_REQUEST, Purpose.REPAIR, Purpose.OBJECTION, Purpose.CORRECTION}),
    "auditor": frozenset({Purpose.AUDIT}),
    "engineer": frozenset({Purpose.FAULT, Purpose.INCIDENT}),
}


def people(gateway: Gateway) -> Path:
    """The file that names each person's role: `name: role`, a line each."""
    return gateway.home / "secrets" / "people.yml"


def role_of(gateway: Gateway, person: str) -> str:
    """The role a person is registered with, "" if none; read anew each time, so that who left is out at once."""
    try:
        known = yaml.safe_load(people(gateway).read_text(encoding="utf-8"))
    except (FileNotFoundError, yaml.YAMLError):
        return ""
    return str(known.get(person, "")) if isinstance(known, dict) and person else ""


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
