"""Where depth 2 needs more neurons than depth 3 takes, under one and the same bound of the weights.

The function is sin(omega t), t = <x, x'>, for two points of the unit sphere of R^d.

* Depth 2 (Daniely 2017; `lower_bounds.degrees`): every ReLU network within eps in L2 whose weights are at most B has at
  least `width_lower` neurons.
* Depth 3 (`constructions.inner_products`): a network whose weights and biases are at most B and that is within eps at
  every pair, hence in L2.

Both numbers are for one class of weights and one accuracy, and the checker replays both. The depth-3 class is the
smaller one: its biases obey B too, which the lower bound does not ask for.

Source: the separation is Daniely's; the constants, and that it starts at d = 4, are found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.api import build
from depthsep.bounding import lower_bound, parse_weight_bound
from depthsep.certificates.document import CertifiedNetwork
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import parse_profile
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep.progress import Progress, silent

__all__ = ["Row", "crossover", "depth_two_bound", "rows", "source_width"]

FIRST_DIM = 3  # the degrees theorem needs it


@dataclass(frozen=True)
class Row:
    """Both sides at one dimension.

    Args:
        dim: The dimension d.
        weights: B, the bound of all weights.
        shallow: What depth 2 needs, or why nothing is known.
        deep: The depth-3 network, all of whose weights and biases are at most B; None where none is found.
        deep_failure: Why not; empty where there is one.
    """

    dim: int
    weights: Fraction
    shallow: LowerBound | NoBound
    deep: CertifiedNetwork | None
    deep_failure: str = ""

    @property
    def separated(self) -> bool:
        """Whether depth 2 certainly needs more neurons than depth 3 takes in all."""
        if self.deep is None or not isinstance(self.shallow, LowerBound):
            return False
        return self.shallow.width_lower > sum(self.deep.widths)


def rows(omega: str, weights: str, eps: Accuracy, last_dim: int, progress: Progress = silent) -> Iterator[Row]:
    """Work out both sides from dimension 3 on.

    Args:
        omega: The frequency, a formula in d such as "pi*d^3".
        weights: The bound of the weights, such as "2^d".
        eps: The accuracy, exact.
        last_dim: The last dimension.
        progress: Told which dimension is worked on.

    Raises:
        BadInput: A formula makes no sense.
    """
    parse_accuracy(eps)
    for dim in range(FIRST_DIM, last_dim + 1):
        progress(f"dimension {dim}", (dim - FIRST_DIM) / (last_dim - FIRST_DIM + 1))
        bound = parse_weight_bound(weights, dim)
        if bound is None:
            raise BadInput("a crossover", needed="a bound of the weights, such as 2^d")
        shallow = depth_two_bound(omega, bound, eps, dim)
        try:
            deep = build(_wave(omega), dim=dim, eps=eps, depth=3, domain="spheres", weights=bound)
            yield Row(dim, bound, shallow, deep)
        except OutOfReach as error:
            yield Row(dim, bound, shallow, None, error.found)


def depth_two_bound(omega: str, weights: str | Fraction, eps: Accuracy, dim: int) -> LowerBound | NoBound:
    """What depth 2 needs for sin(omega t) at one dimension."""
    return lower_bound(_wave(omega), domain="spheres", dim=dim, eps=eps, weights=weights, theorem="degrees")


def _wave(omega: str) -> str:
    return f"sin(({omega})*t)"


def crossover(
    omega: str, weights: str, eps: Accuracy, last_dim: int = 6, progress: Progress = silent
) -> tuple[int | None, list[Row]]:
    """Find the smallest dimension with a certified separation.

    Returns:
        That dimension, or None if there is none up to `last_dim`; and the rows up to there.
    """
    found: list[Row] = []
    for row in rows(omega, weights, eps, last_dim, progress):
        found.append(row)
        if row.separated:
            return row.dim, found
    return None, found


def source_width(omega: str, dim: int, eps: Accuracy) -> float:
    """Daniely's width for depth 3, 16 d^2 L / eps with L = omega; an estimate, for pictures."""
    frequency = float(parse_profile(omega, dim, variables=()).ball(arb(0), dim).mid())
    return 16 * dim**2 * frequency / float(parse_accuracy(eps))
