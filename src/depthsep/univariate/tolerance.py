"""The best concave tolerance for the square function, by one linear program.

Let h >= 0 be concave and nondecreasing on [0, oo). A layer q with |q - s| <= h(s), s = ||x||^2, tells two spheres of
squared radii s1 < s2 apart as soon as h(s1) + h(s2) <= s2 - s1. It has to for every pair between which the profile
varies by more than `width`; by concavity the nearest such s2 for each s1 is enough. These are linear conditions on h.

One coordinate has the tolerance C(u) = h(d u)/d at u = t^2 (Jensen), and needs two units per knot: close to

    integral of dt / sqrt(2 C(t^2)) over [0, 1]  =  integral of dy / sqrt(2 h(y^2)) over [0, sqrt(d)]  units,

convex in h. On s > 1 no sphere asks anything of h, so it continues there along a line, whose slope is one more unknown.
Everything is a linear program once 1/sqrt is replaced by the maximum of tangents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array, eye_array, hstack, vstack

from depthsep.errors import OutOfReach
from depthsep.univariate.profile_samples import ProfileSamples

Floats = NDArray[np.float64]

__all__ = ["Tolerance", "best_tolerance"]

_SMALLEST_RADIUS = 1e-5
_GRADED, _EVEN, _BEYOND = 28, 28, 14
_CONDITIONS = 120


@dataclass(frozen=True)
class Tolerance:
    """A concave nondecreasing function of s >= 0: linear between nodes on [0, 1], then with one slope.

    Args:
        nodes: increasing from 0 to 1.
        heights: the values there.
        slope: the slope on s >= 1.
        units: estimate of the number of units of one coordinate.
    """

    nodes: Floats
    heights: Floats
    slope: float
    units: float

    def __call__(self, s: Floats) -> Floats:
        """Evaluate at s >= 0."""
        return np.interp(s, self.nodes, self.heights) + self.slope * np.maximum(s - 1.0, 0.0)


def best_tolerance(samples: ProfileSamples, dim: int, width: float) -> Tolerance:
    """The tolerance with the fewest units that separates spheres between which phi varies by more than `width`.

    Args:
        samples: the profile.
        dim: the dimension.
        width: the variation that need not be resolved, smaller than that of the whole profile.

    Raises:
        OutOfReach: when float64 does not suffice for the linear program.
    """
    near, far = _pairs(samples, width)
    smallest = max(_SMALLEST_RADIUS, np.sqrt(far[0]) / 4)
    nodes = np.unique((*np.geomspace(smallest, 1.0, _GRADED), *np.linspace(0.0, 1.0, _EVEN))) ** 2
    beyond = np.geomspace(1.0, dim, _BEYOND + 1)[1:] if dim > 1 else np.empty(0)
    points = np.concatenate((nodes, beyond))
    # Unknowns: h at the nodes and its last slope, in units of the distances to tell apart there; then 1/sqrt(h).
    units = np.interp(nodes, near, far - near)
    units = np.append(units, units[-1])
    scale = diags_array(units)
    pairs = diags_array(1 / (far - near)) @ (_interpolation(nodes, near) + _interpolation(nodes, far))
    conditions = vstack((pairs, _concavity(nodes))) @ scale
    at_points = vstack((_interpolation(nodes, nodes), _line_beyond(len(nodes), beyond))) @ scale
    tangents, tangent_limits = _tangents(at_points, float(units.min()) / 30, float(units.max()) * dim)
    rows = vstack((hstack((conditions, csr_array((conditions.shape[0], len(points))))), tangents))
    limits = np.concatenate((np.ones(len(near)), np.zeros(len(nodes) - 1), tangent_limits))
    steps = np.diff(np.sqrt(points))
    weights = (np.append(steps, 0.0) + np.append(0.0, steps)) / 2
    answer = linprog(np.concatenate((np.zeros(len(units)), weights)), A_ub=rows, b_ub=limits, method="highs")
    if answer.status != 0:
        raise OutOfReach(
            f"a tolerance for the square function in dimension {dim}",
            found=f"no answer of the linear program ({answer.message})",
            do="ask for a larger eps",
        )
    *heights, slope = answer.x[: len(units)] * units
    return Tolerance(nodes, np.array(heights), float(slope), float(answer.fun) / np.sqrt(2.0))


def _tangents(at_points: csr_array, least: float, greatest: float) -> tuple[csr_array, Floats]:
    """Rows and limits that keep the last unknowns, one for each row of `at_points`, above tangents of 1/sqrt(h)."""
    count = at_points.shape[0]
    rows, limits = [], []
    for x in np.geomspace(least, greatest, 2 + int(np.log2(greatest / least))):
        # The tangent at x is (3 - h/x) / (2 sqrt(x)); its row is multiplied by sqrt(x).
        rows.append(hstack((at_points * (-0.5 / x), eye_array(count) * -np.sqrt(x))))
        limits.append(np.full(count, -1.5))
    return vstack(rows), np.concatenate(limits)


def _pairs(samples: ProfileSamples, width: float) -> tuple[Floats, Floats]:
    """Squared radii s1 and, for each, the nearest s2 > s1 between which the profile varies by more than `width`."""
    backwards = samples.values[::-1]
    varies = np.maximum.accumulate(backwards) - np.minimum.accumulate(backwards) > width
    last = len(varies) - 1 - int(np.argmax(varies))  # the last radius with a partner
    variation = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(samples.values)))))
    even_in_value = np.searchsorted(variation, np.linspace(0.0, variation[-1], _CONDITIONS))
    radii = np.concatenate((np.geomspace(_SMALLEST_RADIUS, 1.0, _CONDITIONS), np.linspace(0.0, 1.0, _CONDITIONS)))
    first = np.unique(np.minimum(np.concatenate((even_in_value, np.searchsorted(samples.radii, radii))), last))
    reach = samples.reach(first, width)
    return samples.radii[first] ** 2, reach**2


def _interpolation(nodes: Floats, points: Floats) -> csr_array:
    """Rows that give h at points of [0, 1], on the variables (heights, slope)."""
    n = len(nodes)
    k = np.clip(np.searchsorted(nodes, points, side="right") - 1, 0, n - 2)
    share = (points - nodes[k]) / (nodes[k + 1] - nodes[k])
    rows = np.tile(np.arange(len(points)), 2)
    entries = np.concatenate((1 - share, share))
    return csr_array((entries, (rows, np.concatenate((k, k + 1)))), shape=(len(points), n + 1))


def _line_beyond(n: int, points: Floats) -> csr_array:
    """Rows that give h at points s >= 1."""
    rows = np.tile(np.arange(len(points)), 2)
    columns = np.repeat([n - 1, n], len(points))
    entries = np.concatenate((np.ones(len(points)), points - 1.0))
    return csr_array((entries, (rows, columns)), shape=(len(points), n + 1))


def _concavity(nodes: Floats) -> csr_array:
    """Rows that are <= 0 when h is concave, the last one about the slope beyond 1."""
    steps, n = np.diff(nodes), len(nodes)
    rows = np.zeros((n - 1, n + 1))
    for k in range(n - 2):
        # Slope after minus slope before, times the harmonic sum of the steps: convex weights against the middle.
        share = steps[k] / (steps[k] + steps[k + 1])
        rows[k, k : k + 3] = 1 - share, -1.0, share
    rows[n - 2, n - 2 :] = 1.0, -1.0, steps[-1]
    return csr_array(rows)
