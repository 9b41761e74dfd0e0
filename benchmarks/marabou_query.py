"""Ask Marabou one question, in a process that can be ended: JSON in on stdin, JSON out on the last line of stdout.

Asked: is network(x) + slope * (x_1 + ... + x_d) <= bound on the cube [-half_width, half_width]^d? Marabou looks for a
point that violates it: "unsat" means that it holds, as far as Marabou's floating-point arithmetic tells.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
import warnings
from typing import Any

_REPEATS = 7
_ENOUGH_S = 0.5  # questions that take longer are asked once


def main() -> None:
    """Answer the question on stdin."""
    question = json.load(sys.stdin)
    network, inputs = _network(question)
    # The limit is on CPU seconds: the kernel then ends the process, whatever it is doing.
    limit = int(time.process_time() + question["limit_s"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    print("\n" + json.dumps(_answer(network, inputs)))


def _network(question: dict[str, Any]) -> tuple[Any, list[int]]:
    """Read the model and add the constraints; give it with its input variables."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parsers of other formats
        from maraboupy import Marabou
    network = Marabou.read_onnx(question["model"])
    inputs = network.inputVars[0].flatten().tolist()
    (output,) = network.outputVars[0].flatten().tolist()
    for variable in inputs:
        network.setLowerBound(variable, -question["half_width"])
        network.setUpperBound(variable, question["half_width"])
    network.addInequality([output, *inputs], [-1.0] + [-question["slope"]] * len(inputs), -question["bound"])
    return network, inputs


def _answer(network: Any, inputs: list[int]) -> dict[str, Any]:
    """Solve, with the median of the times; Marabou works in this thread, whose clock is finer than the process's."""
    from maraboupy import Marabou

    options = Marabou.createOptions(verbosity=0, numWorkers=1)
    cpu: list[float] = []
    wall: list[float] = []
    while len(cpu) < _REPEATS and sum(cpu) < _ENOUGH_S:
        cpu_start, wall_start = time.thread_time(), time.perf_counter()
        outcome, values, _ = network.solve(verbose=False, options=options)
        cpu.append(time.thread_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    answer = {"outcome": outcome, "cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall)}
    return {**answer, "point": [values[variable] for variable in inputs]} if outcome == "sat" else answer


if __name__ == "__main__":
    main()
