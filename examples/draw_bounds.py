"""Draw the two pictures of docs/lower-bounds.md; nothing in them is fitted or sampled, every point has its proof.

python examples/draw_bounds.py [FOLDER] [--quick]

floors.png: the error that no depth-2 network undercuts, against its width, for the step in the Eldan-Shamir measure.
crossover.png: the width that depth 2 needs for a fast wave, and the network of depth 3 that is built. --quick draws
only a few points of both.
"""

import math
import sys
from pathlib import Path

from depthsep.crossover import rows, source_width
from depthsep.lower_bounds import LowerBound
from depthsep.lower_bounds.tubes import tubes_floor
from depthsep.reports import figures

RADII = {5: "3.5", 10: "6.5", 20: "11.75", 50: "27.25"}  # about where the measure starts
OMEGA, WEIGHTS, EPS = "pi*d^3", "2^d", "0.35"


def floor_curve(dim: int, log2_widths: list[int]) -> list[tuple[float, float]]:
    """The points (log2 of the width, the floor), as far as there is one."""
    found = [(power, tubes_floor(f"indicator(s <= {RADII[dim]})", dim, 2**power)) for power in log2_widths]
    return [(float(power), float(floor.eps)) for power, floor in found if isinstance(floor, LowerBound)]


def draw_floors(dims: list[int], log2_widths: list[int]) -> figures.Figure:
    curves = [(f"d = {dim}", floor_curve(dim, log2_widths)) for dim in dims]
    return figures.draw_floors(curves, "step at the edge of the Eldan-Shamir measure, L2, any activation and weights")


def draw_crossover(last_dim: int) -> figures.Figure:
    both = list(rows(OMEGA, WEIGHTS, EPS, last_dim))
    shallow = [(float(row.dim), row.shallow.log2_width_lower) for row in both if isinstance(row.shallow, LowerBound)]
    deep = [(float(row.dim), math.log2(sum(row.deep.widths))) for row in both if row.deep is not None]
    source = [(float(row.dim), math.log2(source_width(OMEGA, row.dim, EPS))) for row in both]
    title = "sin(π d³ ⟨x, x′⟩) within 0.35 in L2, all weights at most 2^d"
    return figures.draw_crossover(shallow, deep, source, title)


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    folder = Path(next((word for word in arguments if word != "--quick"), "."))
    step = 12 if quick else 2
    pictures = {
        "floors.png": draw_floors([5, 20] if quick else list(RADII), list(range(0, 49, step))),
        "crossover.png": draw_crossover(5 if quick else 10),
    }
    for name, figure in pictures.items():
        (folder / name).write_bytes(figures.to_png(figure))
        print(folder / name)


if __name__ == "__main__":
    main(sys.argv[1:])
