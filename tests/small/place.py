"""Where a small world lies and what it is made of: a home, catalogues, a department's few penalties, recipients that show all."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gateway.sample.codes import usccs
from tests.catalog.altered import GONE, PENALTY, alter, copied

ON = date(2026, 11, 23)
FEED, ENTRY = "law_enforcement.administrative_penalty_legal", "administrative_penalty_legal"
REST, PACKAGE, FRONT_END = ("national_platform", "credit_china"), "gsxt", "public_resources"
ALL = (*REST, PACKAGE, FRONT_END)
BATCH = 2
# Whatever a recipient answers late on a busy machine is not what is tried here.
DEADLINE = 30
_NIGHT, _STARTED = datetime(2026, 11, 22, 18, 30, tzinfo=UTC), time.time()

# One change to the penalty entry each: a field less, a grant less, a field masked.
CATALOGUES: dict[str, dict[str, object]] = {
    "full": {},
    "narrowed": {"grants.credit_china.fields.CF_SY": GONE},
    "ended": {"grants.gsxt": GONE},
    "masked": {"grants.national_platform.fields.CF_FRDB": "name"},
    "narrowed and ended": {"grants.credit_china.fields.CF_SY": GONE, "grants.gsxt": GONE},
}


def clock() -> datetime:
    """Time as it goes by, on one night, in every process of a small world."""
    return _NIGHT + timedelta(seconds=time.time() - _STARTED)


def scratch() -> Path:
    """A new folder, in memory where there is one: a kill loses nothing that the system has been given."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="small-world-", dir=memory if os.access(memory, os.W_OK) else None))


def catalogues(folder: Path) -> dict[str, Path]:
    """The shipped catalogue with small batches, once for each of CATALOGUES."""
    found = {}
    for name, changes in CATALOGUES.items():
        root = found[name] = copied(folder / name.replace(" ", "-"))
        alter(root, PENALTY, changes)
        for recipient in ALL:
            alter(root, f"recipients/{recipient}.yml", {"batch_size": BATCH, "deadline": DEADLINE})
    return found


def document(number: int) -> str:
    """The document number of a penalty, by which a reader knows it at any recipient."""
    return f"澜综执罚法〔2026〕第{number:05}号"


def penalty(number: int, version: int) -> dict[str, str]:
    """A penalty as the department writes it; every version has other facts."""
    [code] = usccs(["91"], ["330102"], [number + 1])
    return {"CF_XDR_MC": f"澜州市第{number}试点建材有限公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": str(code), "CF_FRDB": "秦溯",
            "CF_WSH": document(number), "CF_WFXW": "占用城市道路堆放物料", "CF_SY": f"经查，当事人占用城市道路，第{version}次查明。",
            "CF_YJ": "《云岭省城市管理条例》第三十二条", "CF_CFLB": "罚款", "CF_NR": "罚款10000元", "CF_NR_FK": "1",
            "CF_JDRQ": "2026-08-12", "CF_YXQ": "2027-08-12", "CF_GSJZQ": "2027-08-12", "CF_CFJG": "澜州市综合行政执法局",
            "CF_CFJGDM": "11330102WW90000301", "CF_SJLY": "澜州市综合行政执法局", "CF_SJLYDM": "11330102WW90000301",
            "CF_AJCX": "普通程序", "CF_ZT": "有效", "CF_HYLY": "消防"}


def hand_in(home: Path, versions: dict[int, int]) -> None:
    """What the department has from now on: the version of each penalty by its number, and one that no check accepts."""
    rows = [penalty(number, version) for number, version in sorted(versions.items())]
    rows.append(penalty(999, 0) | {"CF_XDR_SHXYM": "9133010200000000XX"})
    path = home / "sample" / "departments" / "enforcement.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f'"{name}" TEXT' for name in rows[0])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE IF EXISTS cf_legal")
        database.execute(f"CREATE TABLE cf_legal (id INTEGER PRIMARY KEY, {columns})")
        database.executemany(f"INSERT INTO cf_legal VALUES (NULL, {', '.join('?' * len(rows[0]))})", [list(row.values()) for row in rows])
