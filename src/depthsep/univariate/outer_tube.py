"""What the second layer has to do: the exact tube for psi, and the fewest hinges inside it.

Let zlo(s) <= q(x) <= zhi(s) for ||x||^2 = s, and let S(z) be the squared radii s with zlo(s) <= z <= zhi(s).
psi(q(x)) is within eps of phi(||x||) for all x whenever

    max phi(sqrt(s)) - eps  <=  psi(z)  <=  min phi(sqrt(s)) + eps        over s in S(z), for every z,

no Lipschitz constant involved. A path with a horizontal first or last link needs one hinge per vertex between links;
any other path can be preceded by a horizontal link of length 0 at the cost of the one unit that its first slope needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthsep.univariate.profile_samples import ProfileSamples
from depthsep.univariate.tube_path import min_link_path

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bound = Callable[[Floats], Floats]

__all__ = ["Hinges", "OuterTube"]

_LONGEST_BLOCK = 2**8
_GATE_TOLERANCE = 2e-5  # in units of eps


@dataclass(frozen=True)
class Hinges:
    """psi(z) = bias + sum_j weights_j relu(+-(z - thresholds_j)), all hinges on one side.

    Args:
        bias: the value where no hinge acts.
        thresholds: the places of the hinges.
        side: "right" for relu(z - threshold), "left" for relu(threshold - z).
        weights: the changes of slope.
    """

    bias: float
    thresholds: tuple[float, ...]
    side: Literal["left", "right"]
    weights: tuple[float, ...]

    @classmethod
    def from_path(cls, knots: Floats, values: Floats, side: Literal["left", "right"]) -> Hinges:
        """Store a path whose first ("right") or last ("left") link is horizontal."""
        # The horizontal link may have length 0.
        lengths = np.diff(knots)
        bends = np.diff(np.divide(np.diff(values), lengths, out=np.zeros_like(lengths), where=lengths > 0))
        bias = values[0] if side == "right" else values[-1]
        return cls(float(bias), tuple(map(float, knots[1:-1])), side, tuple(map(float, bends)))

    def __call__(self, z: Floats) -> Floats:
        """Evaluate in float64."""
        sign = 1.0 if self.side == "right" else -1.0
        order = np.argsort(sign * np.array(self.thresholds))
        places = sign * np.array(self.thresholds)[order]
        weights = np.array(self.weights)[order]
        acting = np.searchsorted(places, sign * z)
        slopes, moments = (np.append(0.0, np.cumsum(entries)) for entries in (weights, weights * places))
        return np.asarray(self.bias + slopes[acting] * (sign * z) - moments[acting])


@dataclass(frozen=True)
class OuterTube:
    """The gates for psi at increasing z: it must lie within eps of [least_i, greatest_i], on both sides.

    Args:
        samples: the profile.
        radii: increasing radii from 0 to 1.
        low: zlo at these radii, nondecreasing.
        high: zhi at these radii, nondecreasing.
        z: the abscissae.
        least: min phi over S(z).
        greatest: max phi over S(z).
        gates: indices of the abscissae that matter for paths; between them least and greatest are almost linear.
    """

    samples: ProfileSamples
    radii: Floats
    low: Floats
    high: Floats
    z: Floats
    least: Floats
    greatest: Floats
    gates: Indices

    @classmethod
    def of(cls, samples: ProfileSamples, lower: Bound, upper: Bound, eps: float) -> OuterTube:
        """Find the tube from the profile and the bounds of q, functions of s; eps sets how much detail is kept."""
        radii = samples.radii
        low = np.minimum.accumulate(lower(radii**2)[::-1])[::-1]
        high = np.maximum.accumulate(upper(radii**2))
        z = np.unique(np.concatenate((low, high)))
        every = np.arange(len(z))
        least, greatest = cls(samples, radii, low, high, z, z, z, every).demands(z)
        gates = _bends(z, np.stack((least, greatest)), _GATE_TOLERANCE * eps)
        return cls(samples, radii, low, high, z, least, greatest, gates)

    def demands(self, z: Floats) -> tuple[Floats, Floats]:
        """The least and the greatest value of phi over S(z)."""
        first = np.interp(z, self.high, self.radii)
        # On a flat part of zlo its last radius counts, which np.interp does not promise.
        after = np.clip(np.searchsorted(self.low, z, side="right"), 1, len(self.low) - 1)
        rise = self.low[after] - self.low[after - 1]
        share = np.divide(z - self.low[after - 1], rise, out=np.ones_like(z), where=rise > 0)
        step = self.radii[after] - self.radii[after - 1]
        last = self.radii[after - 1] + np.clip(share, 0.0, 1.0) * step
        return self.samples.ranges(np.minimum(first, last), last)

    @property
    def least_eps(self) -> float:
        """No psi gets below this error."""
        return float((self.greatest - self.least).max()) / 2

    def fewest_hinges(self, eps: float) -> Hinges:
        """The psi with the fewest hinges among those of error eps, for eps above `least_eps`."""
        z, low, high = self.z[self.gates], self.greatest[self.gates] - eps, self.least[self.gates] + eps
        right = Hinges.from_path(*min_link_path(z, low, high, start="flat"), side="right")
        knots, values = min_link_path(-z[::-1], low[::-1], high[::-1], start="flat")
        left = Hinges.from_path(-knots[::-1], values[::-1], side="left")
        return min(right, left, key=lambda hinges: len(hinges.thresholds))

    def error_of(self, psi: Hinges) -> float:
        """The error of psi at all abscissae and at its own knots; floating point."""
        inside = np.array([z for z in psi.thresholds if self.z[0] < z < self.z[-1]])
        worst = 0.0
        for z, least, greatest in ((self.z, self.least, self.greatest), (inside, *self.demands(inside))):
            values = psi(z)
            worst = max(worst, float(np.maximum(greatest - values, values - least).max(initial=0.0)))
        return worst


def _bends(x: Floats, curves: Floats, tolerance: float) -> Indices:
    """Indices, both ends included, between which every curve stays within the tolerance of its chord."""
    last = len(x) - 1
    kept = [np.array([0, last])]
    starts = np.arange(0, last, _LONGEST_BLOCK)
    size = _LONGEST_BLOCK
    while len(starts):
        kept.append(starts)
        inside = np.minimum(starts[:, None] + np.arange(size + 1), last)
        a, b = x[inside[:, :1]], x[inside[:, -1:]]
        share = (x[inside] - a) / (b - a)
        block = curves[:, inside]
        chords = block[:, :, :1] + share * (block[:, :, -1:] - block[:, :, :1])
        bent = (np.abs(block - chords) > tolerance).any(axis=(0, 2))
        size //= 2
        halves = np.concatenate((starts[bent], starts[bent] + size))
        starts = halves[halves < last]
    return np.unique(np.concatenate(kept))
