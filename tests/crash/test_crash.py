"""A sample of the crash programme; `make crash` tries every point, both sides of it, and pairs of them (I2, I4, I5, I6)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EVERY, PAIRS = 60, 3


def test_i4_i6_what_is_killed_at_any_effect_and_runs_again_ends_like_what_was_not() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.crash", "--every", str(EVERY), "--pairs", str(PAIRS)], cwd=Path(__file__).parents[2],
                          check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["killed"] == said["points"] + 2 * said["pairs"] and said["pairs"] == PAIRS
    assert [said[kind] for kind in ("lost", "duplicated", "brought back", "balance", "other")] == [0] * 5
    assert set(said["effects"]) == {"commit", "request sent", "answer received", "rename", "sync", "remove"}
    assert sum(said["effects_by_step"].values()) > 100 and min(said["effects_by_step"].values()) > 0
