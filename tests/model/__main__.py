"""`python -m tests.model`: the gateway beside its reference, in examples that Hypothesis makes up."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

import tests.small.haste  # noqa: F401
from tests.model.machine import Stage, machine_on


def main() -> int:
    """Returns 0 if the gateway and its reference agree in all examples; else an example is printed in which they do not."""
    asked = _parser().parse_args()
    logging.disable(logging.CRITICAL)
    stage, began = Stage(), time.monotonic()
    machine = machine_on(stage)
    machine.TestCase.settings = settings(
        max_examples=asked.examples, stateful_step_count=asked.steps, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.normal, print_blob=False, report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if asked.shrink else [])])
    try:
        run_state_machine_as_test(seed(asked.seed)(machine), settings=machine.TestCase.settings)
    finally:
        stage.close()
        print(json.dumps({"examples": stage.examples, "steps": stage.steps.total(), "by_step": dict(stage.steps.most_common()),
                          "seconds": round(time.monotonic() - began, 1)}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=10, help="steps an example has at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shrink", action="store_true", help="look for the shortest example of what is wrong, which takes minutes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
