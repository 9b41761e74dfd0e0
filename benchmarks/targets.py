"""How many neurons the constructions take where a number is known from trials: `python -m benchmarks.targets`.

Every network is built from scratch and its document is checked once more. A row that takes more neurons than the trials
did is marked, and the exit code is then 1. The whole table takes a few minutes; options choose some of the rows.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

import depthsep as ds
from benchmarks.measure import seconds, table, timed
from depthsep_check import check


class Target(NamedTuple):
    """A request, and the neurons that the trials took; None where there is no number to keep."""

    depth: int
    function: str
    dim: int
    eps: str | None
    most: int | None


TARGETS = [
    Target(2, "1 - r", 2, "0.1", 4),
    Target(2, "1 - r", 2, "0.05", 6),
    Target(2, "1 - r", 2, "0.03", 8),
    Target(2, "1 - r", 3, "0.1", 16),
    Target(2, "1 - r", 3, "0.05", 24),
    Target(2, "1 - r", 3, "0.03", 45),
    Target(2, "1 - r", 10, "0.3", 20),
    Target(2, "1 - r", 10, "0.1", 1140),
    Target(2, "1 - r", 20, "0.1", 6080),
    Target(2, "1 - r", 100, "0.3", 400),
    Target(2, "1 - r", 100, "0.1", 210_000),
    Target(2, "1 - r", 100, "0.07", None),
    Target(2, "exp(-r^2)", 100, "0.05", 1600),
    Target(2, "abs(r - 1/2)", 10, "0.1", 11_600),
    Target(2, "sin(3*r)/3", 20, "0.1", 11_000),
    Target(3, "1 - r", 10, "0.01", 160 + 12),
    Target(3, "1 - r", 100, "0.01", 2420 + 12),
    Target(3, "1 - r", 1000, "0.01", 30_100 + 12),
    Target(3, "1 - r", 100, "0.001", 7450 + 55),
    Target(3, "exp(-r^2)", 100, "0.01", 1800 + 8),
    Target(3, "ball(1/2, 0.05)", 100, None, 610),
]
MAX_WIDTH = 10**9


class Row(NamedTuple):
    """A line of the table, and whether it keeps to its target."""

    cells: list[str]
    kept: bool


def measured(target: Target) -> Row:
    """Build and check one network."""
    built = timed(
        lambda: ds.build(target.function, dim=target.dim, eps=target.eps, depth=target.depth, max_width=MAX_WIDTH)
    )
    net = built.result
    replayed = timed(lambda: check(net.document_text), repeats=3)
    width = sum(net.widths)
    kept = replayed.result.ok and (target.most is None or width <= target.most)
    cells = [
        str(target.depth),
        target.function,
        str(target.dim),
        target.eps or "exact",
        "" if target.most is None else f"{target.most:,}",
        f"{width:,}" + ("" if kept else " (above)"),
        f"{float(net.sup_error_upper):.4g}",
        replayed.result.status.name,
        seconds(built.cpu_s),
        seconds(replayed.cpu_s),
    ]
    return Row(cells, kept)


def main() -> int:
    """Measure the rows that are asked for and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="FUNCTION", help="rows of these functions")
    parser.add_argument("--depth", type=int, choices=(2, 3), help="rows of this depth")
    arguments = parser.parse_args()
    rows = []
    for target in TARGETS:
        chosen = arguments.only is None or target.function in arguments.only
        if chosen and arguments.depth in (None, target.depth):
            print(f"{target.function}, dim {target.dim}, depth {target.depth}", file=sys.stderr, flush=True)
            rows.append(measured(target))
    header = ["depth", "function", "dim", "eps", "trials", "neurons", "proved error", "verdict", "build", "check"]
    print(table(header, (row.cells for row in rows)))
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
