"""Our proof of a depth-3 network against Marabou on questions that are easier than what we prove.

The built network comes with a proof of |N(x) - (1 - ||x||)| <= eps on the whole unit ball, which `depthsep_check`
replays. A verifier of piecewise linear networks takes linear constraints: it cannot be told the norm or the ball. Two
consequences of our claim on the cube inscribed in the ball can be asked, c = 1/sqrt(d):

    maximum   N(x) <= 1 + eps
    ray       N(x) + c (x_1 + ... + x_d) <= 1 + eps     which follows since c (x_1 + ... + x_d) <= ||x||

Both are one-sided, on a part of the ball, and about one number or one direction only.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import tempfile
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import depthsep as ds
from benchmarks.measure import ratio, seconds, skip_line, table, timed
from depthsep.certificates.document import CertifiedNetwork

FORMULA = "1 - r"
QUESTIONS = ("maximum", "ray")
_WALL_FACTOR = 5  # other work may slow the clock down; the limit that counts is on CPU seconds


def run(cases: list[tuple[int, str]], limit_s: float) -> dict[str, Any]:
    """Measure; see the module's text."""
    skipped = skip_line(["maraboupy", "onnx"], "pip install maraboupy onnx (maraboupy has wheels up to Python 3.11)")
    result: dict[str, Any] = {"function": FORMULA, "limit_s": limit_s, "cases": []}
    if skipped:
        result["skipped"] = skipped
    ds.build(FORMULA, dim=2, eps="0.3", depth=3)  # imports and first-use costs are not part of the comparison
    for dim, eps in cases:
        build = timed(partial(ds.build, FORMULA, dim=dim, eps=eps, depth=3))
        network = build.result
        check = timed(partial(ds.check, network.document_text), 7)
        row = {"dim": dim, "eps": eps, "widths": list(network.widths), "verdict": check.result.status.name}
        row |= {"build": build.cost(), "check": check.cost()}
        if not skipped:
            row["marabou"] = _ask_all(network, limit_s)
        print(f"  d = {dim}, eps = {eps}: done", flush=True)
        result["cases"].append(row)
    return result


def _ask_all(network: CertifiedNetwork, limit_s: float) -> dict[str, Any]:
    """Ask the questions, and first one that the origin answers with no: it tells whether the question arrives well."""
    from depthsep.exports import onnx

    half_width = inscribed_half_width(network.dim)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "network.onnx"
        onnx.write(network, model)
        common = {"model": str(model), "half_width": half_width, "limit_s": limit_s, "slope": half_width}
        origin = float(network([[0.0] * network.dim])[0])
        if _ask({**common, "bound": origin - float(network.eps) / 10})["outcome"] != "sat":
            raise RuntimeError("Marabou did not find that the network exceeds a number below its value at the origin")
        answers = {}
        for question in QUESTIONS:
            slope = half_width if question == "ray" else 0.0
            answer = _ask({**common, "slope": slope, "bound": float(1 + network.eps)})
            if "point" in answer:
                answer["exact_value"] = float(_exact_value(network, answer.pop("point"), slope))
            answers[question] = answer
    return answers


def inscribed_half_width(dim: int) -> float:
    """Give the largest float64 h with h sqrt(dim) <= 1: the cube [-h, h]^dim lies in the unit ball.

    >>> inscribed_half_width(4)
    0.5
    """
    half = 1 / math.sqrt(dim)
    while Fraction(half) ** 2 * dim > 1:
        half = math.nextafter(half, 0.0)
    return half


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.marabou_query"]
    limit = question["limit_s"]
    try:
        done = subprocess.run(
            command, input=json.dumps(question), capture_output=True, text=True, timeout=_WALL_FACTOR * limit + 60
        )
    except subprocess.TimeoutExpired:
        return {"outcome": "timeout"}
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"outcome": "timeout"}
    if done.returncode != 0:
        raise RuntimeError(f"Marabou failed: {done.stderr[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _exact_value(network: CertifiedNetwork, point: list[float], slope: float) -> Fraction:
    """Evaluate the left side at the point that is said to violate the question, in rationals."""
    exact = [Fraction(entry) for entry in point]
    return network.network.evaluate_exact(exact) + Fraction(slope) * sum(exact, Fraction(0))


def tables(result: dict[str, Any]) -> str:
    """Print one row per network."""
    rows = []
    for case in result["cases"]:
        ours = case["check"]["cpu_s"]
        row = [str(case["dim"]), case["eps"], " + ".join(map(str, case["widths"]))]
        row += [seconds(case["build"]["cpu_s"]), seconds(ours)]
        for question in QUESTIONS if "marabou" in case else ():
            answer = case["marabou"][question]
            row += [_outcome(answer, 1 + float(case["eps"]), result["limit_s"])]
            row += [ratio(answer["cpu_s"], ours) if "cpu_s" in answer else f"> {ratio(result['limit_s'], ours)}"]
        rows.append(row)
    header = ["d", "eps", "widths", "our build", "our check: the whole claim"]
    if "skipped" not in result:
        header += ["Marabou: maximum", "ratio", "Marabou: ray", "ratio"]
    lines = [f"{result['function']}, depth 3; Marabou stops after {result['limit_s']:g} CPU seconds", ""]
    lines.append(table(header, rows))
    if "skipped" in result:
        lines.append("\nMarabou: " + result["skipped"])
    return "\n".join(lines)


def _outcome(answer: dict[str, Any], bound: float, limit_s: float) -> str:
    if answer["outcome"] == "timeout":
        return f"no answer in {limit_s:g} s"
    if answer["outcome"] != "sat":
        return f"{'holds' if answer['outcome'] == 'unsat' else answer['outcome']}, {seconds(answer['cpu_s'])}"
    truth = "**true**" if answer["exact_value"] > bound else "false alarm"
    return f"violated ({truth}: its point gives {answer['exact_value']:.4f}), {seconds(answer['cpu_s'])}"
