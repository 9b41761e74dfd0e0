"""Continuous piecewise linear functions of one variable: exact definition, fast lookup, proved rounding.

A `PiecewiseLinear` with breaks b_1 < ... < b_m has m + 1 pieces; piece k is value_k + slope_k (z - reference_k), where
the reference is the piece's left break (of the leftmost piece: 0 for a profile of |z|, else b_1). Values and slopes are
summed exactly from the stored weights and rounded to float64 once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.rounding import UNDERFLOW, gamma

__all__ = ["Array", "PiecewiseLinear", "even_profile", "hinge_profile"]

Array = NDArray[np.float64]

_FEW = 8
_CHUNK = 2**14  # so many points and their pieces stay in the cache


@dataclass(frozen=True)
class PiecewiseLinear:
    """A continuous piecewise linear function; see the module's text for the letters.

    Args:
        breaks: Strictly increasing places where the slope may change.
        references: One point per piece, exact.
        values: The function there, exact.
        slopes: The slope of each piece, exact.
    """

    breaks: tuple[Fraction, ...]
    references: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]

    @cached_property
    def _tables(self) -> tuple[Array, Array, Array, Array]:
        columns = (self.breaks, self.references, self.values, self.slopes)
        breaks, references, values, slopes = (np.array([float(entry) for entry in column]) for column in columns)
        return breaks, references, values, slopes

    def __call__(self, points: Array) -> Array:
        """Evaluate in float64; `rounding_error` bounds what that costs."""
        order: Literal["C", "F"] = "F" if points.flags.f_contiguous else "C"  # that of memory, to copy nothing
        flat = points.ravel(order=order)
        found = np.empty(flat.shape)
        for start in range(0, len(flat), _CHUNK):
            found[start : start + _CHUNK] = self._evaluate(flat[start : start + _CHUNK])
        return found.reshape(points.shape, order=order)

    def _evaluate(self, points: Array) -> Array:
        breaks, references, values, slopes = self._tables
        if not len(breaks):
            return np.asarray(values[0] + slopes[0] * (points - references[0]))
        piece = _pieces_of(breaks, points)
        found = points - references.take(piece)
        found *= slopes.take(piece)
        found += values.take(piece)
        return found

    def exact(self, point: Fraction) -> Fraction:
        """Evaluate exactly."""
        piece = bisect_right(self.breaks, point)
        return self.values[piece] + self.slopes[piece] * (point - self.references[piece])

    def corners(self, low: Fraction, high: Fraction) -> list[Fraction]:
        """List the ends of [low, high] and the breaks strictly between them."""
        return [low, *(place for place in self.breaks if low < place < high), high]

    def extent(self, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
        """Give the exact minimum and maximum on [low, high]."""
        values = [self.exact(place) for place in self.corners(low, high)]
        return min(values), max(values)

    def steepest(self, low: Fraction, high: Fraction) -> Fraction:
        """Give the largest |slope| of the pieces that meet [low, high]."""
        return max(abs(self.slopes[piece]) for piece, _, _ in self._pieces(low, high))

    def excess_over_square(self, factor: Fraction = Fraction(1), high: Fraction = Fraction(1)) -> Fraction:
        """Give the exact maximum of f(t) - factor t^2 on [0, high], for a positive factor.

        With slope 1 in Lemma 2 of the deep construction: sum f(|x_i|) <= ||x||^2 + dim * this, for every ||x|| <= 1.
        """
        best = self.exact(Fraction(0))
        for left, right in pairwise(self.corners(Fraction(0), high)):
            slope = (self.exact(right) - self.exact(left)) / (right - left)
            top = min(max(slope / (2 * factor), left), right)
            best = max(best, self.exact(top) - factor * top * top)
        return best

    def rounding_error(self, low: Fraction, high: Fraction) -> Fraction:
        """Bound |computed - exact| at every float64 point of [low, high].

        On a piece the code runs t = fl(fl(m fl(z - b)) + v) with m, v the rounded slope S and value V. In the model
        t = S w (1 + theta_4) + V (1 + theta_2) + etas, w = z - b, so |t - exact| <= gamma(4) |S w| + gamma(2) |V| plus
        the underflow of m (times w), of v and of the product.
        """
        return max(
            gamma(4) * abs(self.slopes[piece]) * reach + gamma(2) * abs(self.values[piece]) + UNDERFLOW * (reach + 2)
            for piece, left, right in self._pieces(low, high)
            for reach in [max(abs(left - self.references[piece]), abs(right - self.references[piece]))]
        )

    def _pieces(self, low: Fraction, high: Fraction) -> list[tuple[int, Fraction, Fraction]]:
        """List (piece, its part of [low, high]) for the pieces that meet [low, high]."""
        lefts = (low, *self.breaks)
        rights = (*self.breaks, high)
        return [
            (piece, max(left, low), min(right, high))
            for piece, (left, right) in enumerate(zip(lefts, rights, strict=True))
            if left <= high and right >= low
        ]


def _pieces_of(breaks: Array, points: Array) -> NDArray[np.intp]:
    """How many breaks are at most each point; for few breaks comparing with all is faster than bisection."""
    if len(breaks) > _FEW:
        return np.searchsorted(breaks, points, side="right")
    piece = np.zeros(points.shape, dtype=np.intp)
    for place in breaks:
        piece += points >= place
    return piece


def even_profile(thresholds: Sequence[float], weights: Sequence[float]) -> PiecewiseLinear:
    """Build z -> sum of weights[i] * max(0, z - thresholds[i]) for z >= 0 (thresholds increasing, from 0 on)."""
    places = [Fraction(0), *(Fraction(place) for place in thresholds if place > 0)]
    jumps = [Fraction(weight) for weight in weights]
    if not thresholds or thresholds[0] > 0:
        jumps.insert(0, Fraction(0))
    values, slopes = [Fraction(0)], [jumps[0]]
    for (left, right), jump in zip(pairwise(places), jumps[1:], strict=True):
        values.append(values[-1] + slopes[-1] * (right - left))
        slopes.append(slopes[-1] + jump)
    return PiecewiseLinear(tuple(places[1:]), tuple(places), tuple(values), tuple(slopes))


def hinge_profile(
    bias: float, thresholds: Sequence[float], sides: Sequence[str], weights: Sequence[float]
) -> PiecewiseLinear:
    """Build q -> bias + sum of weights[j] * relu(q - thresholds[j]) ("right") or relu(thresholds[j] - q) ("left")."""
    jumps: dict[Fraction, Fraction] = {}
    slope, start = Fraction(0), Fraction(bias)
    lowest = Fraction(min(thresholds, default=0.0))
    for place, side, weight in zip(map(Fraction, thresholds), sides, map(Fraction, weights), strict=True):
        jumps[place] = jumps.get(place, Fraction(0)) + weight
        if side == "left":
            slope -= weight
            start += weight * (place - lowest)
    breaks = sorted(jumps)
    references, values, slopes = [lowest], [start], [slope]
    for place in breaks:
        values.append(values[-1] + slopes[-1] * (place - references[-1]))
        references.append(place)
        slopes.append(slopes[-1] + jumps[place])
    return PiecewiseLinear(tuple(breaks), tuple(references), tuple(values), tuple(slopes))
