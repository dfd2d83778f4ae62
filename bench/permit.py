"""The decision for 300,000 penalty records of 20 fields and 4 recipients on one core, beside the same decision record by record.

Run it with `make bench-permit` (`ROWS=30000 make bench-permit` for a quick look). The loop decides what the columns decide, in
plain Python, on a sample of the same records; both must give the same reasons.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.load import Catalog, load
from records import consents
from records.stages import RECORD
from release import Facts, Question, decide
from tests.release.reference_clock import clock

ROWS = int(os.environ.get("ROWS", "300000"))
SAMPLE = 3_000
ENTRY, ON = "administrative_penalty_legal", date(2026, 11, 23)
NOBODY = pd.Index([], dtype=pd.ArrowDtype(pa.string()))
Row = dict[str, str | None]


def main() -> None:
    """Prints records and recipients a second of both, and their ratio."""
    pa.set_cpu_count(1)
    catalog = load().as_of(ON)
    table, recipients = records(catalog), sorted(catalog.recipients)[:4]
    by_column = min(timed(lambda: decided(table, catalog, recipients)) for _ in range(3))
    few = table.slice(0, SAMPLE)
    rows = few.to_pylist()
    one_by_one = timed(lambda: [[loop(row, catalog, to) for row in rows] for to in recipients])
    if decided(few, catalog, recipients) != [[loop(row, catalog, to) for row in rows] for to in recipients]:
        raise SystemExit("the two do not decide alike; the comparison would be void")
    columns, loops = ROWS * len(recipients) / by_column, SAMPLE * len(recipients) / one_by_one
    print(f"{ROWS:,} records of {table.num_columns - 1} fields, {len(recipients)} recipients, one core: {by_column:.2f} s")
    print(f"  by column   {columns:>12,.0f} decisions/s")
    print(f"  one by one  {loops:>12,.0f} decisions/s   ratio {columns / loops:.0f}")


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def decided(table: pa.RecordBatch, catalog: Catalog, recipients: list[str]) -> list[list[str | None]] | None:
    """The reasons of every record for each recipient; what the records say is read once for all."""
    facts = Facts(table, catalog, ENTRY)
    found = [decide(facts, Question(catalog, ENTRY, to, ON), NOBODY, consents.frame([])) for to in recipients]
    return [each.to_pylist() for each in found] if len(table) <= SAMPLE else None


def records(catalog: Catalog) -> pa.RecordBatch:
    """Invented penalties of 20 fields: a year of days, five classes, a few marks, states and measures."""
    chance = np.random.default_rng(1)
    days = np.arange(np.datetime64("2025-01-01"), np.datetime64("2026-11-20")).astype(str)
    some: dict[str, Any] = {
        "CF_XDR_LB": ["法人及非法人组织"] * 9 + ["自然人"], "CF_CFLB": ["罚款", "警告", "责令关闭", "罚款;没收违法所得", "吊销许可证件"],
        "CF_NR_FK": [None, "0.5", "2.25", "99.99", "100", "250"], "CF_NR_WFFF": [None, None, "1.5"], "CF_HYLY": ["food", "other", None],
        "CF_CKQX": [None] * 19 + ["force_majeure"], "CF_ZT": [None] * 9 + ["in_effect"] * 9 + ["revoked", "objection"],
        "CF_CJCS": [None] * 8 + ["key_supervision", "bidding_ban", "no_honours;key_supervision"], "CF_JDRQ": days, "CF_GSJZQ": days}
    fields = list(some) + [code for code in catalog.entries[ENTRY].fields if code not in some]
    columns = {name: chance.choice(np.array(some[name], dtype=object), ROWS) if name in some else [f"{name}{n}" for n in range(ROWS)]
               for name in fields[:20]}
    columns["CF_XDR_SHXYM"] = [f"91330200{n:010}" for n in range(ROWS)]
    columns[RECORD] = [f"r{n}" for n in range(ROWS)]
    return pa.record_batch({name: pa.array(each, pa.string()) for name, each in columns.items()})


def loop(row: Row, catalog: Catalog, to: str) -> str | None:
    """The same decision for one record, as a plain loop takes it; entry, bases and conditions of this catalogue are in force."""
    entry = catalog.entries[ENTRY]
    grant, is_site = entry.grants.get(to), catalog.recipients[to].kind == "publicity_site"
    kind = "natural_person" if row["CF_XDR_LB"] == "自然人" else "legal_person"
    if grant is None or kind not in grant.subjects:
        return "no-grant" if grant is None else "subject-kind"
    if row["CF_ZT"] in ("revoked", "objection"):
        return "document-held" if row["CF_ZT"] == "objection" else "document-not-in-effect"
    if is_site and row["CF_CKQX"]:
        return "lenient"
    return of_law(row, catalog, is_site)


def of_law(row: Row, catalog: Catalog, is_site: bool) -> str | None:
    """Measures and publicity of a record of a legal person."""
    decided = date.fromisoformat(str(row["CF_JDRQ"]))
    fine = max(Decimal(row[name] or 0) for name in ("CF_NR_FK", "CF_NR_WFFF"))
    told = clock(decided, str(row["CF_CFLB"]).split(";"), fine, row["CF_HYLY"], bool(row["CF_CKQX"]), [*catalog.repair_rules.values()])
    held = [known.measures for known in catalog.measures.values() if known.in_force_from <= decided <= (known.in_force_to or date.max)]
    attached = row["CF_CJCS"].split(";") if row["CF_CJCS"] else []
    if any(not any(code in one and ENTRY in one[code].conduct and "企业" in one[code].subjects for one in held) for code in attached):
        return "measure-not-in-list"
    if any(told.grade not in one[code].grades for code in attached for one in held if code in one):
        return "measure-too-heavy"
    if is_site and not told.is_published:
        return "not-published"
    end = min(date.fromisoformat(str(row["CF_GSJZQ"])), told.latest or date.max)
    return "publicity-ended" if is_site and end < ON else None


if __name__ == "__main__":
    main()
