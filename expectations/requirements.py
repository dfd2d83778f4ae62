"""An entry of the catalogue → what its rows must meet, said without naming the engine that judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.model import Entry, ExcludedWhen, Field, FieldType, Rule, Severity, ValidWhen
from expectations.codes import CodeSet


class NotJudged(Exception):
    """There is no verdict on a requirement, so no row may pass: a defect of the gateway, not of the data."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition (conditions.py) over some fields of every row.

    With `across` it is asked once of the fields together and the first of them answers for it; otherwise of each field
    alone, with that field's own argument. `rule` is the reason code of a row that fails.
    """

    rule: str
    condition: str
    severity: Severity
    fields: tuple[str, ...]
    arguments: Mapping[str, Any]
    across: bool = False


# Field type → the condition on its values and the reason code where it fails. Text has no form.
_FORMS = {
    FieldType.USCC: ("uscc", "uscc-invalid"),
    FieldType.ID_NUMBER: ("citizen_number", "id-number-invalid"),
    FieldType.IDENTIFIER: ("unspoilt", "scientific-number"),
    FieldType.DATE: ("calendar_date", "date-invalid"),
    FieldType.AMOUNT: ("amount", "amount-invalid"),
    FieldType.INTEGER: ("integer", "integer-invalid"),
    FieldType.CODE: ("code", "code-unknown"),
    FieldType.CODES: ("codes", "code-unknown"),
}


def requirements(entry: Entry, codes: Mapping[str, CodeSet], today: date) -> tuple[Requirement, ...]:
    """What rows of an entry must meet: no odd characters, must-fill fields, lengths, field types, and its rules.

    Fields of one kind share a requirement, since the engine's cost is by requirement and not by field.
    """
    fields = entry.fields
    return (
        *_kind("odd-character", "ordinary", {code: field.type is FieldType.TEXT for code, field in fields.items()}),
        *_kind("required-empty", "filled", dict.fromkeys(_must_fill(entry))),
        *_kind("too-long", "short", {code: field.length for code, field in fields.items() if field.length}),
        *_by_type(entry, codes, today),
        *_by_rule(entry, today),
    )


def _kind(rule: str, condition: str, arguments: Mapping[str, Any]) -> tuple[Requirement, ...]:
    return (Requirement(rule, condition, Severity.CRITICAL, tuple(arguments), arguments),) if arguments else ()


def _must_fill(entry: Entry) -> list[str]:
    # Without its key a record has no id, so the key must be filled whatever else the entry says.
    return [code for code, field in entry.fields.items() if field.required or code in entry.natural_key]


def _by_type(entry: Entry, codes: Mapping[str, CodeSet], today: date) -> list[Requirement]:
    found: list[Requirement] = []
    for kind, (condition, rule) in _FORMS.items():
        arguments = {code: _argument(field, codes, today) for code, field in entry.fields.items() if field.type is kind}
        found += _kind(rule, condition, arguments)
    return found


def _argument(field: Field, codes: Mapping[str, CodeSet], today: date) -> Any:
    match field.type:
        case FieldType.ID_NUMBER:
            return today.isoformat()
        case FieldType.AMOUNT:
            return field.unit
        case FieldType.CODE | FieldType.CODES:
            return sorted(codes[field.codes].codes) if field.codes else []
    return None


def _by_rule(entry: Entry, today: date) -> list[Requirement]:
    found = []
    for rule in entry.rules:
        said = rule.model_dump(mode="json")
        fields = tuple(dict.fromkeys(said[name] for name in ("field", "other") if name in said))
        extra = {"today": today.isoformat(), "unit": entry.fields[rule.field].unit}
        code = _reason(rule)
        found.append(Requirement(code, rule.kind, rule.severity, fields, said | extra, across=True))
    return found


def _reason(rule: Rule) -> str:
    match rule:
        case ValidWhen():
            return _FORMS[rule.form][1]
        case ExcludedWhen():
            return rule.because
        case _:
            return rule.kind.replace("_", "-")
