"""Run the benchmarks and keep their results: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import coefficients, evaluation, learning, small_weights, training, verifier
from benchmarks.measure import environment

RESULTS = Path(__file__).parent / "results"

_TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "training": training.tables,
    "verifier": verifier.tables,
    "evaluation": evaluation.tables,
    "coefficients": coefficients.tables,
    "small_weights": small_weights.tables,
    "learning": learning.tables,
}


def _case(text: str) -> tuple[int, str]:
    dim, _, eps = text.partition(":")
    return int(dim), eps or "0.1"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(_TABLES), default=list(_TABLES), help="what to measure")
    parser.add_argument("--show", action="store_true", help="print the stored results again and measure nothing")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the result files")
    parser.add_argument("--dim", type=int, default=10, help="training: the dimension")
    parser.add_argument("--eps", default="0.1", help="training: the accuracy")
    parser.add_argument("--steps", type=int, default=3000, help="training: optimiser steps per width")
    parser.add_argument("--max-width", type=int, default=4096, help="training: the largest width tried")
    parser.add_argument("--seeds", type=int, default=3, help="training: networks trained per width")
    cases = [*((dim, "0.1") for dim in (2, 3, 5, 10, 20, 50)), *((dim, "0.01") for dim in (2, 3, 5, 10))]
    parser.add_argument("--cases", type=_case, nargs="+", default=cases, metavar="DIM:EPS", help="verifier: networks")
    parser.add_argument("--limit-s", type=float, default=60.0, help="verifier: CPU seconds for one question")
    parser.add_argument("--points", type=int, default=10_000, help="evaluation: the number of points")
    parser.add_argument("--descent-steps", type=int, default=300, help="learning: the steps of every run")
    parser.add_argument("--rounds", type=int, default=5, help="learning: how often each side is measured, in turns")
    return parser.parse_args()


def _measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    if name == "training":
        return training.run(arguments.dim, arguments.eps, arguments.steps, arguments.max_width, arguments.seeds)
    if name == "verifier":
        return verifier.run(arguments.cases, arguments.limit_s)
    if name == "coefficients":
        return coefficients.run()
    if name == "small_weights":
        return small_weights.run()
    if name == "learning":
        return learning.run(arguments.descent_steps, arguments.rounds)
    return evaluation.run(arguments.points)


def main() -> None:
    """Measure what is asked for, write the result files, print the tables."""
    arguments = _arguments()
    for name in arguments.only:
        path = arguments.results / f"{name}.json"
        if not arguments.show:
            print(f"{name}:", flush=True)
            surroundings = environment()
            result = {"environment": surroundings, **_measure(name, arguments)}
            arguments.results.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result, indent=1) + "\n")
        print(f"\n{_TABLES[name](json.loads(path.read_text()))}\n")


if __name__ == "__main__":
    main()
