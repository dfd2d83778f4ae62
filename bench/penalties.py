"""The ground for the benchmark: a PostgreSQL department with clean penalty records, a PostgreSQL front-end recipient, and a
catalogue that grants it every field."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import yaml

import catalog
from catalog.load import load
from gateway.sample.codes import usccs
from keys import connection

ENTRY, RECIPIENT, DEPARTMENT = "administrative_penalty_legal", "public_resources", "law_enforcement"
FEED = f"{DEPARTMENT}.{ENTRY}"
PARTITIONS = 4


def prepare(home: Path, url: str, rows: int) -> int:
    """Makes catalogue, department, recipient and connections below `home`; returns the number of columns."""
    fields = catalogue(home / "catalog")
    frame = penalty_rows(fields, rows)
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as database:
        department(database, frame)
        frontend(database, fields)
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as database:
        # Neither side is to pay for the writing of the source table.
        database.execute("VACUUM ANALYZE cf_legal")
        database.execute("CHECKPOINT")
    connection.save(home / "gateway" / "secrets" / "connections.yml",
                    {"law_enforcement_db": {"url": url}, RECIPIENT: {"url": url}})
    return len(fields)


def catalogue(root: Path) -> list[str]:
    """The shipped catalogue, its penalties read in partitions and granted to the one recipient alone, every field open."""
    shutil.copytree(Path(catalog.__file__).parent, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = next(root.glob(f"entries/*/{ENTRY}.yml"))
    entry = read_yaml(path)
    granted = entry["grants"][RECIPIENT]
    granted["fields"] = dict.fromkeys(entry["fields"], "open")
    entry["grants"] = {RECIPIENT: granted}
    for field in entry["fields"].values():
        field |= {"sensitivity": "open", "share": "unconditional"}
    del entry["collection"]
    write_yaml(path, entry)
    in_partitions(root, PARTITIONS)
    recipient = root / "recipients" / f"{RECIPIENT}.yml"
    write_yaml(recipient, read_yaml(recipient) | {"batch_size": 50_000})
    return list(load(root).entries[ENTRY].fields)


def in_partitions(root: Path, partitions: int, **other: str) -> None:
    """The feed of the penalties read in so many partitions by serial number, and whatever `other` says of it."""
    path = root / "departments" / f"{DEPARTMENT}.yml"
    document = read_yaml(path)
    for feed in document["feeds"]:
        if feed["entry"] == ENTRY:
            feed |= {"partitions": partitions, "partition_column": "serial"} | other
    write_yaml(path, document)


def read_yaml(path: Path) -> dict[str, Any]:
    """A file of the catalogue."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def write_yaml(path: Path, document: dict[str, Any]) -> None:
    """The same, written."""
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def penalty_rows(fields: list[str], rows: int) -> pd.DataFrame:
    """Clean, invented penalty records, each with a document number and firm of its own."""
    serials = np.arange(rows)
    codes = usccs(["91"] * rows, ["330200"] * rows, serials)
    fines = [f"{serial % 40 + 1}" for serial in serials]
    columns: dict[str, Any] = {
        "CF_XDR_MC": [f"试样{serial}有限公司" for serial in serials], "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": codes,
        "CF_FRDB": "试某", "CF_WSH": [f"试罚〔2026〕第{serial}号" for serial in serials], "CF_WFXW": "未按规定公示信息",
        "CF_SY": [f"经查,第{serial}号当事人未按规定期限公示年度报告,事实清楚,证据充分。" for serial in serials],
        "CF_YJ": "依据有关条例第十条的规定", "CF_CFLB": "罚款", "CF_NR": [f"罚款{fine}万元" for fine in fines], "CF_NR_FK": fines,
        "CF_JDRQ": "2026/10/12", "CF_YXQ": "2029/10/12", "CF_GSJZQ": "2027/10/12",
        "CF_CFJG": "试样市综合行政执法局", "CF_CFJGDM": usccs(["11"], ["330200"], np.array([1]))[0],
        "CF_SJLY": "试样市综合行政执法局", "CF_SJLYDM": usccs(["11"], ["330200"], np.array([1]))[0]}
    frame = pd.DataFrame({name: columns.get(name, "") for name in fields}, index=range(rows))
    return frame.assign(serial=serials)


def department(database: psycopg.Connection[Any], frame: pd.DataFrame) -> None:
    """The department's table with its rows."""
    own = {"serial": "bigint", "updated_at": "timestamptz"}
    columns = ", ".join(f'"{name}" {own.get(name, "text")}' for name in frame.columns)
    database.execute(f"CREATE TABLE cf_legal ({columns})")
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False, header=False)
    with database.cursor().copy("COPY cf_legal FROM STDIN (FORMAT csv)") as copy:
        copy.write(buffer.getvalue())
    database.execute("CREATE INDEX ON cf_legal (serial)")


def frontend(database: psycopg.Connection[Any], fields: list[str]) -> None:
    """The recipient's table; its own trigger takes a row the moment it arrives."""
    columns = ", ".join(f'"{name}" text' for name in fields)
    database.execute(f"CREATE TABLE share_{ENTRY} (handle text PRIMARY KEY, batch text, pushed_at text, effect text, notice text, "
                     f"{columns}, taken_flag int, taken_at text, failure_reason text)")
    database.execute("CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS "
                     "'BEGIN NEW.taken_flag := 1; NEW.taken_at := now()::text; RETURN NEW; END'")
    database.execute(f"CREATE TRIGGER take BEFORE INSERT ON share_{ENTRY} FOR EACH ROW EXECUTE FUNCTION take()")
