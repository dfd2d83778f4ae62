"""Creates the sample world's data: what each department hands in, and the account of the dirt in it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np

from gateway.sample import acts, handover, lists, registers, subjects
from gateway.sample.handover import Part

# The day 国办发〔2020〕49号 was issued.
SEED = 20201207


def create(home: Path, on: date, seed: int = SEED, scale: float = 1.0, force: bool = False) -> bool:
    """Writes the departments' files and databases of the day `on` below home/sample and says whether it did.

    A world that is there already stays as it is; with `force` it is made anew and its recipients forget what they hold.
    Equal seed, day and scale give equal content. home/sample/planted.json is the account, shaped by handover.account.
    """
    root = home / "sample"
    account = root / "planted.json"
    if account.exists() and not force:
        return False
    account.unlink(missing_ok=True)
    for folder in (root / "departments", *([root / "recipients"] if force else [])):
        shutil.rmtree(folder, ignore_errors=True)
    parts = invent(on, seed, scale)
    for part in parts:
        handover.write(part, root / "departments" / part.feed.partition(".")[0])
    handover.write_account(parts, account)
    return True


def invent(on: date, seed: int = SEED, scale: float = 1.0) -> list[Part]:
    """Everything the departments have on that day, dirt included, not yet written."""
    rng = np.random.default_rng(seed)
    everyone = subjects.invent(rng, on, scale)
    return [
        *registers.registration(rng, everyone.firms),
        registers.listing(rng, everyone.firms, "abnormal_operation", (on, scale)),
        registers.listing(rng, everyone.firms, "serious_violation", (on, scale)),
        *acts.licences(rng, everyone, on, scale),
        *acts.penalties(rng, everyone, on, scale),
        *lists.tax_arrears(rng, everyone.firms, on, scale),
        lists.class_a(rng, everyone.firms, on, scale),
        lists.defaulters(rng, everyone, on, scale),
        lists.commitments(rng, everyone, on, scale),
    ]
