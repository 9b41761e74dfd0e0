"""Squares of a folded network in its own numbers: q close to a rate times what the network reads, and how close.

What is read, sigma: the squared norm s of y = x; s of y = (x + x')/2; s+ - s- of (x + x')/2 and (x - x')/2. Knots that
stand for t^2 - height are off by height in every coordinate, which cancels between the two signs; folds overestimate
every square by at most 1/(4 P), P the product of the squared radices. So z = q - centre is within `deviation` of
rate * sigma.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from depthsep.constructions.square_stage import SquareKnots, fold_product
from depthsep.networks.folded import Folds, Knots

__all__ = [
    "ScaledSquares",
    "accumulators",
    "coordinates",
    "narrowest_factors",
    "narrowest_folds",
    "scaled_folds",
    "scaled_knots",
]

_FLOAT_BITS = 53
_GAIN = 1 - 2.0**-20  # keeps gain |y_i| below 1 where norms are off by a little
_FINENESS = 4096  # the scale of folds is off by at most about the slack over this
_WIDEST = 2**62


@dataclass(frozen=True)
class ScaledSquares:
    """The squares of a network.

    Args:
        squares: Their structure.
        centre: What q exceeds rate * sigma by, in the middle.
        deviation: How far from the middle it may be.
        witness: The WITNESS object that shows it.
    """

    squares: Knots | Folds
    centre: float
    deviation: float
    witness: dict[str, Any]


def coordinates(reads: str, dim: int) -> int:
    """D: how many squares are summed."""
    return 2 * dim if reads == "ball-pair" else dim


def accumulators(reads: str) -> int:
    """How many units carry the sum so far through a layer of folds."""
    return 2 if reads == "ball-pair" else 1


def scaled_knots(knots: SquareKnots, rate: float, reads: str, dim: int) -> ScaledSquares:
    """Knots times the rate."""
    weights = tuple(rate * weight for weight in knots.weights)
    centre = 0.0 if reads == "ball-pair" else -rate * dim * knots.height
    deviation = rate * (coordinates(reads, dim) * knots.height + knots.slope)
    return ScaledSquares(Knots(knots.thresholds, weights), centre, deviation, _witness(rate, [rate * knots.slope]))


def scaled_folds(radices: tuple[int, ...], rate: float, reads: str, dim: int, slack: float) -> ScaledSquares:
    """Folds with a scale of few bits, so that its products with the radices are float64 numbers where that is possible.

    Args:
        radices: M_1, M_2, ...
        rate: The rate.
        reads: What the network reads.
        dim: The dimension.
        slack: How far q may be off; the scale is much more exact than that.
    """
    product = math.prod(radix**2 for radix in radices)
    needed = math.ceil(math.log2(max(2.0, _FINENESS * rate / slack))) + 1
    exact = _FLOAT_BITS - (4 * product // radices[0] ** 2).bit_length()
    gain = Fraction(_GAIN) ** 2
    scale = _with_bits(Fraction(rate) / product / gain, min(_FLOAT_BITS, max(needed, exact)))
    off = abs(float(Fraction(scale) * product * gain - Fraction(rate)))
    half = scale * coordinates(reads, dim) / 8
    centre = 0.0 if reads == "ball-pair" else half
    return ScaledSquares(Folds(_GAIN, radices, scale), centre, half + off, _witness(1.0, []))


def _with_bits(value: Fraction, bits: int) -> float:
    """The value rounded to so many bits."""
    mantissa, exponent = math.frexp(float(value))
    return math.ldexp(round(mantissa * 2.0**bits), exponent - bits)


def _witness(factor: float, slopes: list[float]) -> dict[str, Any]:
    listed = [slope.hex() for slope in slopes]
    return {"kind": "support-lines", "factor": factor.hex(), "upper_slopes": listed, "lower_slopes": listed}


def narrowest_folds(tolerance: float, reads: str, dim: int, layers: int) -> tuple[int, ...] | None:
    """The radices of the narrowest layers of folds that are within a tolerance of sigma; None if they are too wide."""
    squares = coordinates(reads, dim)
    product = fold_product(tolerance * (1 - 2.0**-10), squares)

    def largest(width: int) -> tuple[int, ...]:
        later = (width - accumulators(reads)) // squares
        return (width // (2 * squares), *(later,) * (layers - 1))

    return narrowest_factors(product, (1, *(2,) * (layers - 1)), largest)


def narrowest_factors(
    product: int, least: tuple[int, ...], largest: Callable[[int], tuple[int, ...]]
) -> tuple[int, ...] | None:
    """The factors, at least `least` and at most `largest(width)`, of at least this product, for the least width.

    None where the width would be astronomical. Of the factors that fit, the first ones are then made smaller.
    """

    def enough(width: int) -> bool:
        factors = largest(width)
        return all(a >= b for a, b in zip(factors, least, strict=True)) and math.prod(factors) >= product

    bad, good = 0, 1
    while not enough(good):
        bad, good = good, 2 * good
        if good > _WIDEST:
            return None
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if enough(middle) else (middle, good)
    factors = list(largest(good))
    for i, fewest in enumerate(least):
        others = math.prod(factors) // factors[i]
        factors[i] = max(fewest, -(-product // others))
    return tuple(factors)
