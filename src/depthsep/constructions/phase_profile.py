"""The last hidden layer of a folded network: few hinges for a cosine of a phase that is known up to a slack.

A folded network brings its phase z to w in [0, 1], the distance to the nearest even integer, and the true phase has
the distance v with |w - v| <= delta. psi(w) is within e of cos(pi v) for all such pairs exactly when

    cos(pi max(0, w - delta)) - e  <=  psi(w)  <=  cos(pi min(1, w + delta)) + e        for 0 <= w <= 1,

a tube that is empty for delta > arcsin(e)/pi. The fewest hinges are a minimum-link path in it, horizontal at both ends
where psi is repeated (`univariate.tube_path`). Breaks and slopes are then rounded to grids on which the sum of the
weights is 0 exactly and thresholds stay float64 numbers after an integer is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from depthsep.univariate.tube_path import min_link_path

Floats = NDArray[np.float64]

__all__ = ["PhaseProfile", "largest_slack", "profiles_by_slack", "shortest_profile"]

_GATES = 600
_GATES_PER_LINK = 60
_FAR = 1e7  # a link that ends this far out is horizontal for every purpose here
_SLOPE_BITS = 36
_PLACE_BITS = 45
_SHARES = (*np.linspace(0.05, 0.9, 18), *np.linspace(0.91, 0.99, 9))
_TIGHTENING_STEPS = 9
_NEXT_COUNT = 1.05


@dataclass(frozen=True)
class PhaseProfile:
    """psi(w) = bias + sum of weights relu(w - thresholds), an approximation of cos(pi w) on [0, 1].

    Args:
        bias: The value at 0.
        thresholds: 0 < z_1 < z_2 < ... < 1.
        weights: The changes of slope.
        slack: delta, how far w may be from v.
        error: e.
        place_bits: The thresholds are multiples of 2^-place_bits.
    """

    bias: float
    thresholds: tuple[float, ...]
    weights: tuple[float, ...]
    slack: float
    error: float
    place_bits: int

    @property
    def hinges(self) -> int:
        """How many."""
        return len(self.thresholds)

    def __call__(self, w: Floats) -> Floats:
        """Evaluate in float64."""
        rises = np.maximum(np.asarray(w)[..., None] - np.array(self.thresholds), 0.0)
        return np.asarray(self.bias + rises @ np.array(self.weights))

    def measured_error(self) -> float:
        """The error for this slack on a fine grid and at the breaks; floating point."""
        w = np.unique(np.concatenate((np.linspace(0.0, 1.0, 20 * _GATES + 1), self.thresholds)))
        values = self(w)
        below = np.cos(np.pi * np.maximum(0.0, w - self.slack)) - values
        return float(max(below.max(), (values - np.cos(np.pi * np.minimum(1.0, w + self.slack))).max()))

    def scaled(self, mean: float, amplitude: float) -> tuple[float, tuple[float, ...]]:
        """The bias and the weights of mean + amplitude psi; the sum of the weights stays 0 where it was."""
        unit = 2.0 ** (math.frexp(amplitude)[1] - _SLOPE_BITS)
        slopes = np.round(np.cumsum((0.0, *self.weights)) * amplitude / unit) * unit
        return mean + amplitude * self.bias, tuple(map(float, np.diff(slopes)))


def largest_slack(error: float) -> float:
    """No profile bears a larger one, for an error below 1."""
    return math.asin(error) / math.pi


def shortest_profile(slack: float, error: float, repeated: bool, place_bits: int = _PLACE_BITS) -> PhaseProfile:
    """Find a profile with the fewest hinges.

    Args:
        slack: delta, below `largest_slack(error)`.
        error: e, below 1.
        repeated: Whether psi has to be horizontal at 1 as well.
        place_bits: The thresholds are multiples of 2^-place_bits.
    """
    gates = _GATES + int(_GATES_PER_LINK / math.sqrt(error - math.sin(math.pi * slack) + 1e-6))
    w = np.linspace(0.0, 1.0, gates)
    low = np.cos(np.pi * np.maximum(0.0, w - slack)) - error
    high = np.cos(np.pi * np.minimum(1.0, w + slack)) + error
    if repeated:
        w, low, high = np.append(w, _FAR), np.append(low, low[-1]), np.append(high, high[-1])
    knots, values = min_link_path(w, low, high, start="flat")
    return _rounded(knots, values, slack, error, repeated, place_bits)


def _rounded(
    knots: Floats, values: Floats, slack: float, error: float, repeated: bool, place_bits: int
) -> PhaseProfile:
    """Put a path with a horizontal first link, and last link where it is repeated, on the grids."""
    grid = 2.0**-place_bits
    places = np.clip(np.round(knots[1:-1] / grid) * grid, grid, 1.0 - grid)
    ends = np.append(places, 1.0) if not repeated else places
    heights = values[1:] if not repeated else values[1:-1]
    lengths = np.diff(ends)
    slopes = np.divide(np.diff(heights), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    steps = np.round(np.concatenate(([0.0], slopes, [0.0] if repeated else [])) * 2.0**_SLOPE_BITS)
    weights = np.diff(steps) / 2.0**_SLOPE_BITS
    return PhaseProfile(
        float(values[0]), tuple(map(float, places)), tuple(map(float, weights)), slack, error, place_bits
    )


@lru_cache(maxsize=64)
def profiles_by_slack(error: float, repeated: bool, place_bits: int = _PLACE_BITS) -> tuple[PhaseProfile, ...]:
    """Profiles with ever more hinges, by some percent at least, each with about the largest slack that they bear."""
    best: dict[int, PhaseProfile] = {}
    for share in _SHARES:
        found = shortest_profile(float(share) * largest_slack(error), error, repeated, place_bits)
        best[found.hinges] = found
    kept: list[int] = []
    for hinges in sorted(best):
        if not kept or hinges >= _NEXT_COUNT * kept[-1]:
            kept.append(hinges)
    return tuple(_tightened(best[hinges], repeated, place_bits) for hinges in kept)


def _tightened(profile: PhaseProfile, repeated: bool, place_bits: int) -> PhaseProfile:
    """The same number of hinges with more slack, by bisection."""
    good, bad = profile.slack, min(largest_slack(profile.error), profile.slack * 1.25)
    for _ in range(_TIGHTENING_STEPS):
        middle = (good + bad) / 2
        trial = shortest_profile(middle, profile.error, repeated, place_bits)
        if trial.hinges <= profile.hinges:
            profile, good = trial, middle
        else:
            bad = middle
    return profile
