"""Depth-3 networks that are exactly 1 inside a ball and exactly 0 outside a slightly larger one.

N(x) = 1 - c relu(q(x) - z_A) + c relu(q(x) - z_B), c (z_B - z_A) = 1, q(x) = sum_i G(x_i) + B; G is even, piecewise
linear and does not decrease on [0, oo).

Source: Safran & Shamir 2017 (arXiv:1610.09887) separate depth 2 from depth 3 by indicators of balls, which a depth-3
network approximates in the mean; Eldan & Shamir 2016 by a relative of them.

What is proved here (Lemma 5). Let r0 = radius - margin, r1 = radius + margin. If q <= z_A wherever ||x|| <= r0 and
q >= z_B wherever ||x|| >= r1, then N is 1 on the first set and 0 on the second, exactly, in real arithmetic. With
supporting lines t^2 - A <= G + c <= rho t^2 on |t| <= r1, q + d c - B is at most rho r0^2 on the first set. On the
second, where x may be shrunk to the sphere of radius r1, it is at least r1^2 - d A; so d A < r1^2 - rho r0^2 is enough.
Two units suffice for the ramp, and a power of two for z_B - z_A makes it exact on stored floats.

Differences from the source: error 0 off the margin instead of a small error in the mean; the number of units does not
depend on an accuracy; knots on |t| <= r1 only; scaling and shifting q leaves one parameter, rho, which is searched.

Cost: the fewest knots of a path between t^2 - A and rho t^2 on [0, r1], for the best rho in (1, r1^2 / r0^2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq

from depthsep.certificates.document import CertifiedNetwork, certify
from depthsep.errors import NotProved
from depthsep.functions import BallIndicator
from depthsep.networks.separable import SeparableNetwork
from depthsep.progress import Progress, silent
from depthsep.univariate.square_layer import SquareLayer, float_of, support_lines
from depthsep_check.document import MAX_THRESHOLDS

__all__ = ["search"]

_RATIOS = 100
_SLACKS = 16
_LARGEST_SHARE = 1 - 2.0**-16


def search(function: BallIndicator, progress: Progress = silent) -> CertifiedNetwork:
    """Find a small depth-3 network that is 1 for ||x|| <= radius - margin and 0 for radius + margin <= ||x|| <= 1.

    Args:
        function: The ball: its radius, half the thickness of the shell between, and the dimension.
        progress: Called with a short text at every stage.

    Returns:
        The network, whose error is 0, with its proof.

    Raises:
        NotProved: The shell is too thin for float64.

    >>> search(BallIndicator(Fraction(1, 2), Fraction(1, 20), dim=2)).widths
    (4, 2)
    """
    progress("searching the first layer", None)
    shell = _Shell(float(function.inner) ** 2, float(function.outer) ** 2, function.dim)
    layer = shell.roomiest_layer()
    ramped = None if layer is None else _with_ramp(layer, function.inner, function.outer)
    if ramped is None:
        raise NotProved(
            f"a depth-3 network for {function.text} in dimension {function.dim}",
            found="weights rounded to float64 do not tell the two spheres apart",
            needed="a largest q inside below the least q outside (Lemma 5)",
            do="ask for a larger margin",
        )
    network, witness = ramped
    progress(f"proving {network.widths[0]:,} + {network.widths[1]} neurons", None)
    return certify(function, network, witness, error=Fraction(0), eps=Fraction(0))


@dataclass(frozen=True)
class _Shell:
    """The squared radii s0 < s1 to tell apart; q - B + d c is rho s0 at most inside and s1 - d A at least outside."""

    inner: float
    outer: float
    dim: int

    def roomiest_layer(self) -> SquareLayer | None:
        """Among the layers of least width, the one with the widest gap for the ramp; None if float64 sees no shell."""
        if not self.inner < self.outer:
            return None
        rhos = (self.outer / self.inner) ** ((np.arange(_RATIOS) + 0.5) / _RATIOS)
        choices = [(float(rho), odd) for rho in rhos for odd in (False, True)]
        widths = [self._layer(rho, _LARGEST_SHARE, odd).width for rho, odd in choices]
        best = [choice for choice, width in zip(choices, widths, strict=True) if width == min(widths)]
        shares = [self._least_share(rho, odd, min(widths)) for rho, odd in best]
        gaps = [(1 - share) * self._room(rho) for (rho, _), share in zip(best, shares, strict=True)]
        i = int(np.argmax(gaps))
        return self._layer(best[i][0], shares[i], best[i][1])

    def _room(self, rho: float) -> float:
        return self.outer - rho * self.inner

    def _layer(self, rho: float, share: float, odd: bool) -> SquareLayer:
        """G + c between t^2 - A and rho t^2, with d A a share of the room; from a flat start, or a knot at 0 (odd).

        Every link touches rho t^2, at tau, and ends on t^2 - A: the fewest knots, since both parabolas are convex.
        A path with more knots than a document holds is cut short, and fails its proof if no other is shorter.
        """
        depth, end = share * self._room(rho) / self.dim, math.sqrt(self.outer)
        knots, values = ([0.0], [-depth]) if odd else ([0.0, math.sqrt(depth)], [0.0, 0.0])
        while knots[-1] < end and len(knots) <= MAX_THRESHOLDS:
            t = knots[-1]
            tau = t + math.sqrt(((rho - 1) * t * t + depth) / rho)
            following = rho * tau + math.sqrt(rho * (rho - 1) * tau * tau + depth)
            knots.append(following)
            values.append(following * following - depth)
        return SquareLayer.from_path(self.dim, np.array(knots), np.array(values))

    def _least_share(self, rho: float, odd: bool, width: int) -> float:
        """About the smallest share that needs no more units."""
        bad, good = 0.0, _LARGEST_SHARE
        for _ in range(_SLACKS):
            middle = (bad + good) / 2
            if self._layer(rho, middle, odd).width <= width:
                good = middle
            else:
                bad = middle
        return good


def _with_ramp(layer: SquareLayer, inner: Fraction, outer: Fraction) -> tuple[SeparableNetwork, dict[str, Any]] | None:
    """Add the ramp between the largest q inside and the least q outside, by exact lines; None when there is no room."""
    slopes = layer.contact_slopes(float(outer))
    lower, upper = layer.lines(*slopes, radius=outer)
    # The checker adds the slope 1 to the lower list; it may be listed all the same.
    least, lower_slope = max(zip((line.at(_exact(outer**2)) for line in lower), [*slopes[0], 1.0], strict=True))
    largest, upper_slope = min(zip((line.at(_exact(inner**2)) for line in upper), slopes[1], strict=True))
    if not largest < least:
        return None
    ends, weight = _ramp(largest, least)
    inside = (layer.dim, layer.thresholds, layer.weights, layer.affine_offset)
    network = SeparableNetwork(*inside, 1.0, ends, ("right", "right"), (-weight, weight))
    return network, support_lines([lower_slope], [upper_slope])


def _ramp(largest: fmpq, least: fmpq) -> tuple[tuple[float, float], float]:
    """Float64 ends of a ramp inside [largest, least], a power of two apart, and the inverse of their distance."""
    length = Fraction(2) ** math.floor(math.log2(float_of(least - largest) * 16 / 17))
    grid = length / 16
    start = math.ceil(Fraction(int(largest.p), int(largest.q)) / grid) * grid
    return (float(start), float(start + length)), float(1 / length)


def _exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
