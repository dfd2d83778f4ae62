"""A modest number of examples of the whole beside its reference; `make model` tries more (I1, I2, I4, I6)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES, STEPS = 6, 8


def test_i1_i4_i6_whatever_the_order_of_steps_recipients_show_what_the_reference_says() -> None:
    asked = ["--examples", str(EXAMPLES), "--steps", str(STEPS)]
    done = subprocess.run([sys.executable, "-m", "tests.model", *asked], cwd=Path(__file__).parents[2], check=False, capture_output=True,
                          text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["examples"] >= EXAMPLES and said["steps"] > EXAMPLES * STEPS / 2
