"""Where depth 2 needs more neurons than depth 3 takes, under one and the same bound of the weights.

The function is sin(omega t), t = <x, x'>, for two points of the unit sphere of R^d.

* Depth 2 (Daniely 2017; `lower_bounds.degrees`): every ReLU network within eps in L2 whose weights are at most B has at
  least `width_lower` neurons.
* Depth 3: y = (x + x')/2 lies in the unit ball and t = 2 ||y||^2 - 1, so the network that `deep_radial` builds for
  sin(omega (2 r^2 - 1)) is within eps of the function at every pair, hence in L2. Its weights obey the same B after two
  exact changes: a ReLU layer is positively homogeneous, so the layers are multiplied by powers of two a and b/a and
  the output by 1/b; and a neuron whose output weight is too large is split in a power of two equal ones.

Both numbers are for one class of weights and one accuracy. The depth-3 class is the smaller one: its biases obey B too,
which the lower bound does not ask for. The checker replays the lower bound and the network for sin(omega (2 r^2 - 1));
the steps from that network to one in x and x' with small weights are the exact ones above, taken here and not replayed.

Source: the separation is Daniely's; the constants, and that it starts at d = 4, are found here.
"""

from __future__ import annotations

import math
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
from depthsep.networks import SeparableNetwork
from depthsep.progress import Progress, silent

__all__ = ["Row", "crossover", "depth_two_bound", "rows", "source_width"]

FIRST_DIM = 3  # the degrees theorem needs it
_INNER = 0.5  # the first-layer entries on x and x'


@dataclass(frozen=True)
class Row:
    """Both sides at one dimension.

    Args:
        dim: The dimension d.
        weights: B, the bound of all weights.
        shallow: What depth 2 needs, or why nothing is known.
        deep: The depth-3 network for sin(omega (2 r^2 - 1)), before its weights are made small.
        deep_widths: The widths once they are; None where no scaling does it.
    """

    dim: int
    weights: Fraction
    shallow: LowerBound | NoBound
    deep: CertifiedNetwork
    deep_widths: tuple[int, int] | None

    @property
    def separated(self) -> bool:
        """Whether depth 2 certainly needs more neurons than depth 3 takes in all."""
        if self.deep_widths is None or not isinstance(self.shallow, LowerBound):
            return False
        return self.shallow.width_lower > sum(self.deep_widths)


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
        OutOfReach: The depth-3 network is beyond the search.
    """
    parse_accuracy(eps)
    for dim in range(FIRST_DIM, last_dim + 1):
        progress(f"dimension {dim}", (dim - FIRST_DIM) / (last_dim - FIRST_DIM + 1))
        bound = parse_weight_bound(weights, dim)
        if bound is None:
            raise BadInput("a crossover", needed="a bound of the weights, such as 2^d")
        shallow = depth_two_bound(omega, bound, eps, dim)
        deep = build(f"sin(({omega})*(2*r^2 - 1))", dim=dim, eps=eps, depth=3)
        yield Row(dim, bound, shallow, deep, _widths_with_small_weights(deep.network, bound))


def depth_two_bound(omega: str, weights: str | Fraction, eps: Accuracy, dim: int) -> LowerBound | NoBound:
    """What depth 2 needs for sin(omega t) at one dimension."""
    return lower_bound(f"sin(({omega})*t)", domain="spheres", dim=dim, eps=eps, weights=weights, theorem="degrees")


def crossover(
    omega: str, weights: str, eps: Accuracy, last_dim: int = 6, progress: Progress = silent
) -> tuple[int | None, list[Row]]:
    """Find the smallest dimension with a certified separation.

    Returns:
        That dimension, or None if there is none up to `last_dim`; and the rows up to there.
    """
    found: list[Row] = []
    try:
        for row in rows(omega, weights, eps, last_dim, progress):
            found.append(row)
            if row.separated:
                return row.dim, found
    except OutOfReach as error:
        if not found:
            raise
        progress(error.found, None)
    return None, found


def _widths_with_small_weights(network: object, bound: Fraction) -> tuple[int, int] | None:
    """The widths of an equal network all of whose weights and biases are at most `bound`; None if there is none.

    With the first layer times a, the second times b/a (its biases times b) and the output over b, the conditions are
    a m_1 <= B, (b/a) m_2 <= B, b z <= B; output weights above b B are split in a power of two.
    """
    if not isinstance(network, SeparableNetwork):
        raise TypeError("not a depth-3 network")
    inner = max(map(abs, (_INNER, *network.thresholds, network.affine_offset or 0.0, *network.weights[:1])))
    outer = max(map(abs, network.weights), default=0.0)
    outer = max(2 * outer if network.thresholds[:1] == (0.0,) else outer, float(network.affine_offset is not None))
    shift = max(map(abs, network.second_thresholds), default=0.0)
    last = max(map(abs, network.second_weights), default=0.0)
    if Fraction(abs(network.bias)) > bound:
        return None
    if not (outer and shift and last):
        return (0, 0)  # a constant
    first = _power_of_two_below(bound / Fraction(inner))
    second = _power_of_two_below(min(bound * first / Fraction(outer), bound / Fraction(shift)))
    excess = Fraction(last) / (bound * second)
    copies = 1 if excess <= 1 else 2 ** math.ceil(math.log2(excess))
    if Fraction(last) / copies > bound * second:
        copies *= 2
    return network.widths[0], network.widths[1] * copies


def source_width(omega: str, dim: int, eps: Accuracy) -> float:
    """Daniely's width for depth 3, 16 d^2 L / eps with L = omega; an estimate, for pictures."""
    frequency = float(parse_profile(omega, dim, variables=()).ball(arb(0), dim).mid())
    return 16 * dim**2 * frequency / float(parse_accuracy(eps))


def _power_of_two_below(value: Fraction) -> Fraction:
    """The largest power of two that is at most a positive value."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    power = Fraction(2) ** exponent
    return power if power <= value else power / 2
