"""Creates the sample world's data: what each department hands in, and the account of the dirt in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from gateway.sample import acts, handover, lists, registers, subjects
from gateway.sample.handover import Part

# The day 国办发〔2020〕49号 was issued.
SEED = 20201207


class NoWorld(Exception):
    """There is no sample world here, or one of before its making was noted. `python -m gateway.sample create --force` makes one."""


@dataclass(frozen=True, slots=True)
class Making:
    """The day, seed and scale that a world was made with; they give its content again."""

    on: date
    seed: int
    scale: float

    @classmethod
    def of(cls, home: Path) -> Making:
        """How the world below home/sample was made. Raises NoWorld."""
        path = home / "sample" / "making.json"
        if not path.exists():
            raise NoWorld(f"{home / 'sample'}: no sample world; `python -m gateway.sample create --force` makes one")
        noted = json.loads(path.read_text(encoding="utf-8"))
        return cls(date.fromisoformat(noted["on"]), noted["seed"], noted["scale"])

    def note(self, home: Path) -> None:
        noted = {"on": self.on.isoformat(), "seed": self.seed, "scale": self.scale}
        (home / "sample" / "making.json").write_text(json.dumps(noted) + "\n", encoding="utf-8")


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
    Making(on, seed, scale).note(home)
    (root / "second_day.json").unlink(missing_ok=True)
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
