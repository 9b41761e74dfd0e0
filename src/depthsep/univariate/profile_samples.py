"""Values of a continuous profile on a grid of radii fine enough for its steepest parts, and what they say about ranges.

Floating point, for searches only: what is found with a sample is proved elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

__all__ = ["ProfileSamples"]

_COARSEST = 2**14
_FINEST = 2**19
_SMALLEST_RADIUS = 1e-12


@dataclass(frozen=True)
class ProfileSamples:
    """A profile at increasing radii from 0 to 1.

    Args:
        profile: the profile itself, on arrays of radii.
        radii: the grid.
        values: the profile on the grid.
    """

    profile: Callable[[Floats], Floats]
    radii: Floats
    values: Floats

    @classmethod
    def of(cls, profile: Callable[[Floats], Floats], step: float) -> ProfileSamples:
        """Sample until neighbouring values differ by at most `step`, as far as a bounded grid allows."""
        graded = np.geomspace(_SMALLEST_RADIUS, 1.0 / _COARSEST, 256)
        radii = np.unique(np.concatenate((np.linspace(0.0, 1.0, _COARSEST + 1), graded, 1.0 - graded)))
        values = profile(radii)
        while len(radii) < _FINEST:
            steep = np.flatnonzero((np.abs(np.diff(values)) > step) & (np.diff(radii) > _SMALLEST_RADIUS))
            if not len(steep):
                break
            middle = (radii[steep] + radii[steep + 1]) / 2
            radii = np.insert(radii, steep + 1, middle)
            values = np.insert(values, steep + 1, profile(middle))
        return cls(profile, radii, values)

    @property
    def variation(self) -> float:
        """The total variation of the profile, as far as the grid sees it."""
        return float(np.abs(np.diff(self.values)).sum())

    def ranges(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """The least and the greatest value on each interval [low_i, high_i] of radii."""
        ends = self.profile(low), self.profile(high)
        first = np.searchsorted(self.radii, low)
        count = np.searchsorted(self.radii, high, side="right") - first
        least, greatest = np.minimum(*ends), np.maximum(*ends)
        lows, highs, size = self.values, self.values, 1
        while (count > 0).any():
            # lows and highs hold the extremes of runs of `size` values; two runs cover between size and 2 size.
            now = np.flatnonzero((count >= size) & (count < 2 * size))
            a, b = first[now], first[now] + count[now] - size
            least[now] = np.minimum(least[now], np.minimum(lows[a], lows[b]))
            greatest[now] = np.maximum(greatest[now], np.maximum(highs[a], highs[b]))
            if not (count >= 2 * size).any():
                break
            lows, highs = np.minimum(lows[:-size], lows[size:]), np.maximum(highs[:-size], highs[size:])
            size *= 2
        return least, greatest

    def reach(self, first: Indices, width: float) -> Floats:
        """For each radii[first_i], the radius where the profile has varied by `width` since; inf when it never does."""
        return np.array([self._reach(int(i), width) for i in first])

    def _reach(self, first: int, width: float) -> float:
        least = greatest = self.values[first]
        start, step = first, 64
        while start < len(self.values):
            part = self.values[start : start + step]
            highs = np.maximum(np.maximum.accumulate(part), greatest)
            lows = np.minimum(np.minimum.accumulate(part), least)
            beyond = np.flatnonzero(highs - lows > width)
            if len(beyond):
                k = int(beyond[0])
                before = highs[k - 1] - lows[k - 1] if k else greatest - least
                fraction = (width - before) / (highs[k] - lows[k] - before)
                a, b = self.radii[start + k - 1], self.radii[start + k]
                return float(a + fraction * (b - a))
            least, greatest = lows[-1], highs[-1]
            start, step = start + step, 2 * step
        return np.inf
