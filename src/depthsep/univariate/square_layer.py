"""First layers q(x) = sum_i G(x_i) + B that stand for ||x||^2, and the supporting lines that bound them.

G is even and piecewise linear. With s = ||x||^2 and e(u) = G(sqrt(u)) - u, the concave envelope of e at s/d, times d,
bounds q - B - s from above (and is its maximum on the sphere, up to one coordinate); that of -e bounds it from below.
An envelope is the minimum of its contact lines, and a line is all that a proof needs: its slope is listed, its height
recomputed.

On a linear piece of G, -e is convex in u, so the envelope of -e is the hull of the knots and has finitely many contact
slopes; e is concave there, and its contact slopes are those of the hull of a sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from depthsep_check.numbers import from_float
from depthsep_check.support_lines import Line, Profile, lower_envelope, lower_lines, upper_envelope, upper_lines
from depthsep_check.verdict import Budget

Floats = NDArray[np.float64]

__all__ = ["Envelope", "SquareLayer", "float_of", "support_lines"]

_SAMPLES_PER_PIECE = 48
_SAMPLES_NEAR_ZERO = 64


def _offset(odd_weight: float, dim: int) -> float:
    """The smallest float64 of about |a_0| sqrt(dim) that keeps the extra unit linear on the unit ball, exactly."""
    offset = abs(odd_weight) * math.sqrt(dim)
    while Fraction(offset) ** 2 < Fraction(odd_weight) ** 2 * dim:
        offset = math.nextafter(offset, math.inf)
    return offset


@dataclass(frozen=True)
class Envelope:
    """A continuous piecewise-linear function of s on [0, 1]: constant + slope * s from each start on."""

    starts: Floats
    constants: Floats
    slopes: Floats

    @classmethod
    def of(cls, steps: list[tuple[fmpq, Line]]) -> Envelope:
        """Round the exact envelope of the checker."""
        starts, lines = zip(*steps, strict=True)
        columns = starts, [line.constant for line in lines], [line.slope for line in lines]
        return cls(*(np.array([float_of(value) for value in column]) for column in columns))

    def __call__(self, s: Floats) -> Floats:
        """Evaluate at points of [0, 1]."""
        i = np.maximum(np.searchsorted(self.starts, s, side="right") - 1, 0)
        return self.constants[i] + self.slopes[i] * s


@dataclass(frozen=True)
class SquareLayer:
    """The first layer of a separable network, made from the vertices of a path on [0, radius].

    Args:
        dim: the dimension.
        thresholds: 0 <= t_0 < t_1 < ...
        weights: a_0, a_1, ...
        affine_offset: the bias of the extra unit when t_0 = 0, else None.
    """

    dim: int
    thresholds: tuple[float, ...]
    weights: tuple[float, ...]
    affine_offset: float | None

    @classmethod
    def from_path(cls, dim: int, knots: Floats, values: Floats) -> SquareLayer:
        """Store the changes of slope of a path that starts at 0; its height at 0 is dropped."""
        if knots[1] == knots[0]:  # a horizontal first link of length 0
            knots, values = knots[1:], values[1:]
        slopes = np.diff(values) / np.diff(knots)
        thresholds, weights = list(knots[1:-1]), list(np.diff(slopes))
        if slopes[0] != 0:
            thresholds, weights = [0.0, *thresholds], [slopes[0], *weights]
        offset = _offset(float(slopes[0]), dim) if slopes[0] != 0 else None
        return cls(dim, tuple(map(float, thresholds)), tuple(map(float, weights)), offset)

    @property
    def width(self) -> int:
        """The number of units."""
        odd = self.affine_offset is not None
        return self.dim * (2 * len(self.thresholds) - odd) + odd

    def contact_slopes(self, radius: float = 1.0) -> tuple[list[float], list[float]]:
        """Slopes of the contact lines of both envelopes (lower, upper) on 0 <= s <= radius^2, for |x_i| <= radius."""
        knots = np.array([0.0, *(t for t in self.thresholds if 0 < t < radius), radius])
        near_zero = knots[1] * np.geomspace(1e-5, 1.0, _SAMPLES_NEAR_ZERO)
        between = np.linspace(knots[:-1], knots[1:], _SAMPLES_PER_PIECE, endpoint=False).ravel()
        sample = np.unique(np.concatenate((between, near_zero, [radius])))
        edge = radius**2 / self.dim
        return _hull_slopes(knots, -self._excess(knots), edge), _hull_slopes(sample, self._excess(sample), edge)

    def _excess(self, t: Floats) -> Floats:
        rises = np.maximum(t[:, None] - np.array(self.thresholds), 0.0) @ np.array(self.weights)
        return np.asarray(rises - t**2)

    def lines(
        self, lower_slopes: list[float], upper_slopes: list[float], radius: Fraction = Fraction(1)
    ) -> tuple[list[Line], list[Line]]:
        """The exact lines (lower, upper) that the checker finds for these slopes and |x_i| <= radius."""
        profile = Profile.of(_exact(self.thresholds), _exact(self.weights), fmpq(radius.numerator, radius.denominator))
        offset, budget = from_float(self.affine_offset or 0.0), Budget(10**9)
        lower = lower_lines(profile, _exact(lower_slopes), self.dim, offset, budget)
        return lower, upper_lines(profile, _exact(upper_slopes), self.dim, offset, budget)

    def envelopes(self, lower_slopes: list[float], upper_slopes: list[float]) -> tuple[Envelope, Envelope]:
        """The bounds of q as functions of s that these lines give on the unit ball, rounded."""
        lower, upper = self.lines(lower_slopes, upper_slopes)
        return Envelope.of(upper_envelope(lower)), Envelope.of(lower_envelope(upper))


def _exact(values: tuple[float, ...] | list[float]) -> list[fmpq]:
    return [from_float(value) for value in values]


def float_of(value: fmpq) -> float:
    """Round an exact rational to a float."""
    return int(value.p) / int(value.q)


def _hull_slopes(t: Floats, heights: Floats, edge: float) -> list[float]:
    """Slopes, at least 0, of the edges of the upper hull of the points (t^2, height) that start before t^2 = edge."""
    u = t**2
    hull: list[int] = []
    for i in range(len(u)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (heights[b] - heights[a]) * (u[i] - u[a]) > (heights[i] - heights[a]) * (u[b] - u[a]):
                break
            hull.pop()
        hull.append(i)
    starts = np.array([u[i] for i in hull[:-1]])
    slopes = np.diff(heights[hull]) / np.diff(u[hull])
    return sorted({max(0.0, float(slope)) for slope in slopes[starts <= edge]})


def support_lines(lower_slopes: list[float], upper_slopes: list[float]) -> dict[str, Any]:
    """The WITNESS object that lists these slopes."""
    return {
        "kind": "support-lines",
        "upper_slopes": [slope.hex() for slope in upper_slopes],
        "lower_slopes": [slope.hex() for slope in lower_slopes],
    }
