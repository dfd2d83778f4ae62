"""One record per entry in which every field holds a value of its own that stands nowhere else in the world."""

from __future__ import annotations

import csv
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import yaml

import catalog
from catalog.load import Catalog, load
from catalog.model import Entry, FieldType
from gateway.sample.codes import citizen_numbers, usccs

# What a site may show: a class that is published, listings that have not ended.
FIXED = {"CF_XDR_LB": "法人及非法人组织", "XK_XDR_LB": "法人及非法人组织", "CF_CFLB": "责令关闭", "CF_GSJZQ": "2099-12-31",
         "XK_YXQZI": "2099-12-31", "CF_NR_FK": "", "CF_NR_WFFF": "", "removed_on": ""}


def file_catalogue(root: Path) -> Catalog:
    """The shipped catalogue with every feed read from <entry>.csv of one drop folder."""
    shutil.copytree(Path(catalog.__file__).parent, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path in (root / "departments").glob("*.yml"):
        department = yaml.safe_load(path.read_text("utf-8"))
        department["feeds"] = [{"entry": feed["entry"], "method": "file", "connection": "market_regulation_drop",
                                "reading": "snapshot", "files": [f"{feed['entry']}.csv"]} for feed in department["feeds"]]
        path.write_text(yaml.safe_dump(department, allow_unicode=True), "utf-8")
    return load(root)


def plant(made: Catalog, folder: Path) -> dict[tuple[str, str], str]:
    """Writes a file for every entry into `folder` and returns the canary of each (entry, field), the uncatalogued too."""
    numbers, planted = count(1), {}
    for code, entry in made.entries.items():
        row = {name: _value(entry, name, next(numbers)) for name in entry.fields}
        planted |= {(code, name): value for name, value in row.items() if _is_unique(entry, name, value)}
        planted[code, "internal_note"] = row["internal_note"] = f"canary-{next(numbers):05d}-note"
        with (folder / f"{code}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(row)
    return planted


def _value(entry: Entry, name: str, n: int) -> str:
    field = entry.fields[name]
    if name in FIXED:
        return FIXED[name] if "natural" not in entry.title.en or not name.endswith("_XDR_LB") else "自然人"
    if name == entry.subject.id_number and name != entry.subject.uscc:
        return str(citizen_numbers(["330122"], [f"1970{n % 12 + 1:02d}{n % 28 + 1:02d}"])[0])
    if field.type is FieldType.USCC or name == entry.subject.uscc:
        return str(usccs(["91"], ["330100"], np.array([n]))[0])
    match field.type:
        case FieldType.DATE:
            return "2026-01-05"
        case FieldType.AMOUNT:
            return f"{n}.25"
        case FieldType.INTEGER:
            return "2025"
        case FieldType.CODE | FieldType.CODES:
            return {"party_type": "1", "identity_document": "身份证", "licence_state": "1", "licence_class": "普通",
                    "performance": "部分履行", "commitment_type": "主动型", "commitment_status": "履行中",
                    "procedure": "02", "document_state": "in_effect", "sector": "other", "body_level": "city", "objection": "none",
                    # a mark of leniency or a measure would hold the record back from some
                    "leniency": "", "measure": ""}[str(field.codes)]
    # identifiers come out in upper case; everything else as it went in
    text = f"CANARY{n:05d}" if field.type is FieldType.IDENTIFIER else f"canary-{n:05d}-鸟"
    return text[: field.length]


def _is_unique(entry: Entry, name: str, value: str) -> bool:
    kind = entry.fields[name].type
    return bool(value) and name not in FIXED and kind in (FieldType.TEXT, FieldType.IDENTIFIER, FieldType.USCC, FieldType.ID_NUMBER)
