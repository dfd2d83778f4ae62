"""Repair costs nothing: no table, record, rule or command has a place where a fee could stand (D45)."""

from __future__ import annotations

import re
from dataclasses import fields

import typer

from catalog.model import Repair, RepairRule
from gateway.cases.book import Case
from gateway.cases.desk import Application
from gateway.cases.objection_cli import objection_app
from gateway.cases.papers import Paper, PaperKind
from gateway.cases.repair_cli import repair_app
from gateway.cases.states import Decision, Ground, State
from records.schema import METADATA

# Days of feedback are no fee.
FEE = re.compile(r"fee(?!dback)|pay|price|charge|cost|amount|money|费|付|款", re.IGNORECASE)


def names() -> list[str]:
    """Every name under which something can be said of a case."""
    columns = [column.name for name in ("cases", "case_steps", "case_papers") for column in METADATA.tables[name].columns]
    records = [field.name for kind in (Case, Application, Paper) for field in fields(kind)]
    rules = [*RepairRule.model_fields, *Repair.model_fields]
    return [*columns, *records, *rules, *map(str, (*State, *Decision, *Ground, *PaperKind)), *options()]


def options() -> list[str]:
    found = []
    for app in (repair_app, objection_app):
        # the group that typer makes, which knows its commands by name
        for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
            found += [name, *(option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))]
    return found


def test_d45_no_fee_has_a_place_in_a_case() -> None:
    assert len(names()) > 80 and "--statement" in names()
    # large_fine is the penalty's own, by which it is graded.
    assert [name for name in names() if FEE.search(name)] == []
