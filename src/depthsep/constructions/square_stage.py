"""The first hidden layers of a folded network: sums of squares to within a constant tolerance.

**Knots** (one hidden layer; Lemma 1 of `deep_radial`'s notes). If |G(t) + c - t^2| <= alpha + lambda t^2 for |t| <= 1,
then, summed over D coordinates with squared norm s <= 1, the error is at most D alpha + lambda. The fewest knots in the
tube t^2 -+ (alpha + lambda t^2), from a horizontal start at height alpha, come from a greedy recursion in closed form,
since both sides are convex: every link touches the upper side, at tau, and ends on the lower one,

    tau = t + sqrt(2 (lambda t^2 + alpha) / (1 + lambda)),     next t = 2 (1 + lambda) / (1 - lambda) tau - t,

first t_1 = sqrt(2 alpha / (1 - lambda)). Their number is about asinh(sqrt(lambda / alpha)) / sqrt(2 lambda); the split
of the tolerance between alpha and lambda is searched.

**Folds** (Telgarsky 2015; Yarotsky 2017, here with any radices M_1, ..., M_a). With u = tri_M(v), the triangle wave of
M monotone pieces on [0, 1], v^2 = I_M(v) - (u - u^2)/M^2, I_M the interpolant of the square at j/M. Iterated, the last
remainder is between 0 and 1/(4 P), P the product of all M_l^2; over D coordinates the sum is within D/(8 P) after
recentring.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["SquareKnots", "fewest_knots", "fold_product"]

_SPLITS = 64
_NEAR_SPLITS = 9
_BISECTIONS = 30
_LOOSEST = 0.25  # keeps lambda well below 1, and one knot at least
MOST_KNOTS = 200_000


@dataclass(frozen=True)
class SquareKnots:
    """G(t) = sum of weights max(0, |t| - threshold), close to t^2 - height.

    Args:
        thresholds: 0 < t_1 < t_2 < ... < 1.
        weights: The changes of slope.
        height: alpha, which G lacks at 0.
        slope: lambda; the line that touches both sides has this slope in t^2.
    """

    thresholds: tuple[float, ...]
    weights: tuple[float, ...]
    height: float
    slope: float


def fewest_knots(tolerance: float, coordinates: int) -> SquareKnots | None:
    """Find the fewest knots, and for them about the smallest tolerance.

    Args:
        tolerance: How far the sum of G over all coordinates, recentred, may be from the squared norm s, s <= 1.
        coordinates: D.

    Returns:
        The knots; None where there are more of them than a document holds.
    """
    tolerance = min(tolerance, _LOOSEST)
    shares = (np.arange(_SPLITS) + 0.5) / _SPLITS
    estimates = np.arcsinh(np.sqrt(coordinates * shares / (1 - shares))) / np.sqrt(2 * tolerance * shares)
    best = int(np.argmin(estimates))
    if estimates[best] > MOST_KNOTS:
        return None
    near = shares[max(0, best - _NEAR_SPLITS) : best + _NEAR_SPLITS + 1]
    counts = [_count(tolerance, float(share), coordinates) for share in near]
    share = float(near[int(np.argmin(counts))])
    good, bad = tolerance, tolerance / 2
    for _ in range(_BISECTIONS):
        middle = (good + bad) / 2
        if _count(middle, share, coordinates) <= min(counts):
            good = middle
        else:
            bad = middle
    return _knots(*_tube(good, share, coordinates)) if min(counts) <= MOST_KNOTS else None


def _tube(tolerance: float, share: float, coordinates: int) -> tuple[float, float]:
    """alpha and lambda when this share of the tolerance belongs to the slope."""
    return (1 - share) * tolerance / coordinates, share * tolerance


def _vertices(height: float, slope: float) -> Iterator[float]:
    """The abscissae of the greedy path's vertices on (0, 1)."""
    t = math.sqrt(2 * height / (1 - slope))
    growth, reach = 2 * (1 + slope) / (1 - slope), 2 / (1 + slope)
    while t < 1:
        yield t
        t = growth * (t + math.sqrt(reach * (slope * t * t + height))) - t


def _count(tolerance: float, share: float, coordinates: int) -> int:
    return sum(1 for _ in _vertices(*_tube(tolerance, share, coordinates)))


def _knots(height: float, slope: float) -> SquareKnots:
    """The path through the vertices on the lower side, from the flat start at `height`."""
    places = list(_vertices(height, slope))
    growth, reach = 2 * (1 + slope) / (1 - slope), 2 / (1 + slope)
    last = places[-1] if places else 1.0
    beyond = growth * (last + math.sqrt(reach * (slope * last * last + height))) - last
    t = np.array([*places, beyond])
    slopes = np.diff((1 - slope) * t**2) / np.diff(t)
    weights = np.diff(slopes, prepend=0.0)
    return SquareKnots(tuple(places), tuple(map(float, weights)), height, slope)


def fold_product(tolerance: float, coordinates: int) -> int:
    """The least product of radices whose folds are within the tolerance of s: D/(8 product^2) <= tolerance."""
    return max(1, math.ceil(math.sqrt(coordinates / (8 * tolerance))))
