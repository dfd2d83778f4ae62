"""The shipped catalogue, copied aside and altered in one place, as a slip of the pen would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import catalog
from catalog.load import CatalogError, load

SHIPPED = Path(catalog.__file__).parent
GONE = object()

LICENCE = "entries/03_administrative_acts/administrative_licence_legal.yml"
PENALTY = "entries/03_administrative_acts/administrative_penalty_legal.yml"
PERSON = "entries/03_administrative_acts/administrative_penalty_natural.yml"
REGISTER = "entries/01_registration/enterprise_registration.yml"
ABNORMAL = "entries/05_abnormal_operation/abnormal_operation.yml"
DEFAULTER = "entries/02_judgments/judgment_defaulter.yml"
ARREARS = "entries/10_compliance/tax_arrears.yml"
MARKET, ENFORCEMENT = "departments/market_regulation.yml", "departments/law_enforcement.yml"
REGULATION = "instruments/local_credit_regulation.yml"
SERIOUS = "entries/06_serious_listings/serious_violation.yml"
LIST, MEASURES = "lists/market_serious_violation.yml", "measures/national_2025.yml"
ORDER_36, ORDER_58 = "repair_rules/order_36_2025.yml", "repair_rules/order_58_2023.yml"
TAXATION, CREDIT_OFFICE = "departments/taxation.yml", "departments/credit_office.yml"


def copied(folder: Path, local: bool = False) -> Path:
    """The catalogue's own files, without the code beside them, and its local layers only where they are asked for."""
    root = folder / "catalogue"
    shutil.copytree(SHIPPED, root, ignore=shutil.ignore_patterns("*.py", "__pycache__", *([] if local else ["local"])))
    return root


def alter(root: Path, file: str, changes: dict[str, Any]) -> None:
    """Sets what stands at each dotted key of a YAML file; GONE removes it, numbers are places in a list."""
    content = yaml.load((root / file).read_text("utf-8"), yaml.CSafeLoader)
    for key, value in changes.items():
        *way, last = (int(part) if part.isdigit() else part for part in key.split("."))
        holder = content
        for part in way:
            holder = holder[part]
        if value is GONE:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value
    (root / file).write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), "utf-8")


def copy_file(root: Path, file: str, copy: str, changes: dict[str, Any]) -> None:
    """A second file of the same kind, altered."""
    (root / copy).write_bytes((root / file).read_bytes())
    alter(root, copy, changes)


def local_supplement(root: Path, region: str) -> None:
    """Tax arrears moved from the national catalogue to the supplement of city 330100, under a local regulation of `region`."""
    copy_file(root, "instruments/tax_collection_law.yml", REGULATION, {"level": "local_regulation", "region": region})
    copy_file(root, "editions/national_2025.yml", "editions/local_2021.yml",
              {"region": region, "announced_on": "2021-12-16", "in_force_from": "2021-12-16"})  # fmt: skip
    alter(root, ARREARS, {"basis": [{"instrument": "local_credit_regulation", "article": "art. 45"}],
                          "editions": ["local_2021"], "region": "330100"})  # fmt: skip


def problems(root: Path) -> list[str]:
    """What the loader says of a catalogue that it must not accept."""
    with pytest.raises(CatalogError) as refusal:
        load(root)
    assert all(problem in str(refusal.value) for problem in refusal.value.problems)
    return refusal.value.problems
