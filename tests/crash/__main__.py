"""`python -m tests.crash`: kills the journey at its crash points, and in pairs of them, and prints what came of it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import tests.small.haste  # noqa: F401
from tests.crash import journey
from tests.crash.programme import Outcome, Point, Programme

KINDS = ("lost", "duplicated", "brought back", "balance")


def main() -> int:
    """Returns how many tries did not end as the undisturbed journey did, as far as an exit code can tell."""
    asked = _parser().parse_args()
    logging.disable(logging.CRITICAL)
    programme, began = Programme(), time.monotonic()
    try:
        points = programme.points()[:: asked.every]
        singles = _run_all(programme, [(point,) for point in points], asked.jobs)
        left = {point: outcome.left for point, outcome in zip(points, singles, strict=True)}
        pairs = _run_all(programme, programme.pairs(left, asked.pairs, asked.seed), asked.jobs)
    finally:
        programme.close()
    effects = Counter(kind for kinds in programme.effects for kind in kinds)
    _report(singles, pairs, {
        "effects": dict(effects), "effects_by_step": dict(zip(journey.NAMES, map(len, programme.effects), strict=True)),
        "seconds": round(time.monotonic() - began, 1)})
    return min(sum(bool(outcome.found) for outcome in [*singles, *pairs]), 100)


def _run_all(programme: Programme, tries: Sequence[tuple[Point, ...]], jobs: int) -> list[Outcome]:
    outcomes = list[Outcome]()
    with ProcessPoolExecutor(jobs, get_context("fork")) as crew:
        for outcome in crew.map(partial(_run, programme), tries):
            outcomes.append(outcome)
            if len(outcomes) % 50 == 0:
                print(f"{len(outcomes)} of {len(tries)} tries of {len(tries[0])} kills", file=sys.stderr, flush=True)
    return outcomes


def _run(programme: Programme, points: tuple[Point, ...]) -> Outcome:
    outcome = programme.run(*points)
    if outcome.found:
        where = ", then ".join(f"{point.side} effect {point.effect} of {journey.NAMES[point.step]}" for point in points)
        print(f"killed {where} ({programme.kind(points[0])}): {'; '.join(outcome.found)}", flush=True)
    return outcome


def _report(singles: list[Outcome], pairs: list[Outcome], about: dict[str, object]) -> None:
    found = [words for outcome in [*singles, *pairs] for words in outcome.found]
    kinds = Counter(next((kind for kind in KINDS if words.startswith(kind)), "other") for words in found)
    print(json.dumps({
        "points": len(singles), "pairs": len(pairs), "killed": sum(outcome.killed for outcome in [*singles, *pairs]),
        **{kind: kinds[kind] for kind in (*KINDS, "other")}, "absorbed": sum(outcome.absorbed for outcome in [*singles, *pairs]), **about}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th crash point")
    parser.add_argument("--pairs", type=int, default=500, help="how many pairs of crash points are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many tries go on at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
