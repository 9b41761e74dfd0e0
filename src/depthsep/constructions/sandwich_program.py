"""The linear program behind the depth-2 construction: profiles and polynomials together.

For fixed knots everything in Theorem A' (see `depthsep_check.moment_sandwich`) is linear: the values of the profiles
at the knots, in every cell of radii the coefficients of the polynomials above and below each profile, the moment
bounds P_j, the bias. Two objectives are asked for:

    sparse     least sum of |kinks|, weighted: few neurons, by reweighting (Candes, Wakin & Boyd 2008)
    widest     the largest gap between profiles and polynomials: room for other knots, and for rounding

The conditions hold for all t and r; the program has samples. `widest` looks for violations in between and adds them
to the samples (the exchange method for semi-infinite programs: Hettich & Kortanek 1993) until there are none.

Units. Radii r in [0, 1]; t = |<u, x>| / |u| in [0, 1]; profiles of a whole group (summed over its directions). In the
cell that ends at R the unknown coefficients are those of (t/R)^(2j) / c_j, where c_j = E u_1^(2j) on the sphere falls
like d^-j, and rows are divided by the size of what they bound: without both scalings the solver returns noise.
Everything here is floating point and trusted by nobody; only the exact check of its rounded result counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthsep.constructions.direction_families import Family
from depthsep.constructions.moment_program import (
    RADIUS_SLACK,
    Floats,
    MomentProgram,
    Rows,
    Solved,
    knot_grid,
    local_minima,
    minimised,
)

__all__ = ["Knots", "SandwichProgram", "Solution"]

Knots = list[Floats]

_POINTS = 36  # samples of t in a cell to begin with
_DENSE = 500  # places in a cell where violations are looked for
_ZOOM = 80  # places between two of those neighbours of a local maximum
_EXCHANGES = 8
# The interior-point method takes about 40 iterations, or fails soon and leaves the rest to a simplex method that may
# take very long. The dual simplex method is then the better one; alone, it is several times slower.
_SOLVERS = (("highs-ipm", 400), ("highs-ds", 2500))
_PATIENT_SOLVERS = (("highs-ds", 10**6),)
_LEAST_GAP = 1e-5
_SPARSE_SLACK = 2e-3  # violation of C1 by sparse solutions that needs no more samples, relative to eps


@dataclass(frozen=True)
class Solution:
    """Profiles and polynomials for given knots, in the units of the module.

    Args:
        knots: Per group the abscissae of its kinks in t.
        kinks: Per group the change of slope at each, in units of the mean size of a coordinate.
        slopes: The same in t.
        bias: The constant.
        polynomials: Array (cells, groups, 2, k + 1): upper and lower coefficients of t^(2j) / c_j.
        gap: The scaled distance kept between profiles and polynomials.
    """

    knots: Knots
    kinks: list[Floats]
    slopes: list[Floats]
    bias: float
    polynomials: Floats
    gap: float

    def profiles(self) -> Iterator[Callable[[Floats], Floats]]:
        """The profiles of the groups as functions of t."""
        for knots, slopes in zip(self.knots, self.slopes, strict=True):
            yield lambda t, k=knots, s=slopes: np.maximum(t[:, None] - k, 0) @ s  # type: ignore[misc]

    def spread(self, weights: Sequence[float]) -> Solution:
        """Several groups instead of the only one, each with the given share of its profile."""
        shares = np.array(weights)
        return Solution(
            self.knots * len(shares),
            [share * self.kinks[0] for share in shares],
            [share * self.slopes[0] for share in shares],
            self.bias,
            self.polynomials * shares[:, None, None],
            self.gap,
        )

    def active(self, threshold: float = 1e-7) -> Knots:
        """The knots that carry a kink."""
        largest = max((float(np.abs(k).max()) for k in self.kinks if len(k)), default=0.0)
        return [t[np.abs(k) > threshold * largest] for t, k in zip(self.knots, self.kinks, strict=True)]


class SandwichProgram(MomentProgram):
    """The program for one family, one profile and one accuracy.

    Args:
        family: The directions.
        profile: phi on arrays of radii.
        eps: The sup-norm error to stay under.
        cells: Right ends of the cells of radii, increasing, the last one 1.
        patient: Solve by the simplex method, which is slower but gets to the end of ill-conditioned programs.
    """

    def __init__(
        self,
        family: Family,
        profile: Callable[[Floats], Floats],
        eps: float,
        cells: Floats,
        patient: bool = False,
    ) -> None:
        """Choose the first samples."""
        super().__init__(family, profile, eps, cells)
        self.patient = patient
        samples = [end * np.append(knot_grid(family.dim * end**2, _POINTS), 1.0) for end in cells.tolist()]
        self._points = [[points] * len(family.groups) for points in samples]

    def sparse(self, knots: Knots, weights: Sequence[Floats]) -> Solution | None:
        """Minimise the weighted sum of |kinks|; None when the accuracy is out of reach with these knots.

        Where the solution violates a condition between samples, the next call, for a similar set of knots, has more.
        """
        solution = self._solve(knots, weights)
        if solution is not None:
            self._exchange(solution, _SPARSE_SLACK * self.eps)
        return solution

    def widest(self, knots: Knots, strict: bool = False) -> Solution | None:
        """Maximise the gap between profiles and polynomials; None when there is none.

        Args:
            knots: Per group the abscissae of its kinks.
            strict: Insist that no condition is violated between the samples; otherwise half of the gap may be.
        """
        for _ in range(_EXCHANGES * (1 + 2 * strict)):
            solution = self._solve(knots, None)
            if solution is None or solution.gap < _LEAST_GAP * self.scale:
                return None
            if not self._exchange(solution, 0.0 if strict else solution.gap / 2):
                return solution
        return None

    def _exchange(self, solution: Solution, tolerance: float) -> bool:
        """Add the places where the solution violates a condition between samples; whether there were any."""
        violated = False
        for cell, end in enumerate(self.cells):
            for group, profile in enumerate(solution.profiles()):
                t = np.unique(np.concatenate([np.linspace(0, end, _DENSE), solution.knots[group]]))
                t = t[t <= end]
                size = self.basis(t / end) @ (1 / self.sizes[group])
                upper, lower = solution.polynomials[cell, group] @ self.basis(t).T
                worst = np.minimum(upper - profile(t), profile(t) - lower) / size
                violated |= self._sample_more(self._points[cell], group, t, worst + tolerance)
            radii, errors = self._errors(solution, cell)
            violated |= self._sample_more(self._radii, cell, radii, 1 - errors / self.eps + RADIUS_SLACK)
        return violated

    def _errors(self, solution: Solved, cell: int) -> tuple[Floats, Floats]:
        """Radii of a cell and the errors there; close to the local maxima, which may be at kinks, the grid is finer."""
        radii = np.linspace(self._starts[cell], self.cells[cell], _DENSE)
        coarse = self._errors_at(solution, cell, radii)
        peaks = 1 + np.flatnonzero((coarse[1:-1] >= coarse[:-2]) & (coarse[1:-1] >= coarse[2:]))
        radii = np.unique(np.concatenate([radii, *np.linspace(radii[peaks - 1], radii[peaks + 1], _ZOOM, axis=1)]))
        return radii, self._errors_at(solution, cell, radii)

    def _sample_more(self, samples: list[Floats], index: int, places: Floats, margin: Floats) -> bool:
        """Add the local minima of a margin that are negative, and places halfway to the samples around them."""
        lowest = local_minima(places, margin)
        around = np.searchsorted(samples[index], lowest)
        left = samples[index][np.maximum(around - 1, 0)]
        right = samples[index][np.minimum(around, len(samples[index]) - 1)]
        samples[index] = np.unique(np.concatenate([samples[index], lowest, (left + lowest) / 2, (right + lowest) / 2]))
        return len(lowest) > 0

    def _solve(self, knots: Knots, weights: Sequence[Floats] | None) -> Solution | None:
        layout = _Layout(knots, len(self.cells), self.terms)
        equal, below = Rows(), Rows()
        for group in range(len(knots)):
            self._define_kinks(equal, layout, group)
        for cell in range(len(self.cells)):
            for group in range(len(knots)):
                self._sandwich_rows(below, layout, cell, group)
                below.add(np.array([[layout.gap, layout.gaps(cell, group)]]), np.array([[1.0, -1.0]]), np.zeros(1))
            self._moment_rows(below, layout, cell)
            self._radius_rows(below, layout, cell, sparse=weights is not None)
        solvers = _PATIENT_SOLVERS if self.patient else _SOLVERS
        x = minimised(layout.objective(weights), below, equal, layout.bounds(weights is None), solvers)
        return None if x is None else self._solution(layout, x * self.scale)

    def _solution(self, layout: _Layout, x: Floats) -> Solution:
        kinks = layout.kinks_of(x)
        slopes = [math.sqrt(self.family.dim) * k for k in kinks]
        polynomials, bias = self._unscaled(x, layout.first_polynomial), self._center + float(x[layout.bias])
        return Solution(layout.knots, kinks, slopes, bias, polynomials, float(x[layout.gap]))

    def _define_kinks(self, rows: Rows, layout: _Layout, group: int) -> None:
        """Kink = slope to the right - slope to the left, in units of the mean size of a coordinate."""
        points, first = layout.points[group], layout.values[group]
        scale = 1 / math.sqrt(self.family.dim)
        for index, knot in enumerate(layout.knots[group]):
            place = int(np.searchsorted(points, knot))
            after = scale / (points[place + 1] - points[place])
            columns, values = [first + place + 1, first + place], [after, -after]
            if place > 0:
                before = scale / (points[place] - points[place - 1])
                columns += [first + place, first + place - 1]
                values += [-before, before]
            kink = layout.kinks[group] + 2 * index
            rows.add(np.array([[*columns, kink, kink + 1]]), np.array([[*values, -1.0, 1.0]]), np.zeros(1))

    def _sandwich_rows(self, rows: Rows, layout: _Layout, cell: int, group: int) -> None:
        """C1: polynomials above and below the profile, with the gap."""
        points, end = layout.points[group], self.cells[cell]
        t = np.concatenate([points, (points[:-1] + points[1:]) / 2, self._points[cell][group]])
        t = np.unique(t[t <= end])
        place = np.clip(np.searchsorted(points, t, side="right") - 1, 0, len(points) - 2)
        share = (t - points[place]) / (points[place + 1] - points[place])
        powers = self.basis(t / end)
        size = powers @ (1 / self.sizes[group])
        profile_columns = layout.values[group] + np.column_stack([place, place + 1])
        profile = np.column_stack([1 - share, share])
        for side, sign in ((0, 1.0), (1, -1.0)):
            polynomial = layout.polynomial(cell, group, side) + np.zeros((len(t), 1), dtype=np.intp)
            columns = np.hstack([profile_columns, polynomial, np.full((len(t), 1), layout.gaps(cell, group))])
            values = np.hstack([sign * profile, -sign * powers, size[:, None]]) / size[:, None]
            rows.add(columns, values, np.zeros(len(t)))


class _Layout:
    """Where each unknown stands in the vector of unknowns."""

    def __init__(self, knots: Knots, cells: int, terms: int) -> None:
        self.knots, self.cells, self.terms = knots, cells, terms
        self.points = [np.unique(np.concatenate([[0.0], k, [1.0]])) for k in knots]
        self.values = list(np.cumsum([0, *map(len, self.points)])[:-1])
        start = sum(map(len, self.points))
        self.kinks = [start + 2 * sum(map(len, knots[:group])) for group in range(len(knots))]
        self.first_polynomial = start + 2 * sum(map(len, knots))
        self._bounds = self.first_polynomial + cells * len(knots) * 2 * terms
        self.bias = self._bounds + cells * 2 * terms
        self.gap = self.bias + 1
        self.size = self.gap + 1 + cells * len(knots)

    def polynomial(self, cell: int, group: int, side: int) -> NDArray[np.intp]:
        start = self.first_polynomial + ((cell * len(self.knots) + group) * 2 + side) * self.terms
        return np.arange(start, start + self.terms)

    def bound(self, cell: int, side: int) -> NDArray[np.intp]:
        start = self._bounds + (cell * 2 + side) * self.terms
        return np.arange(start, start + self.terms)

    def gaps(self, cell: int, group: int) -> int:
        """The gap of one cell and group; `gap` is the least of them."""
        return self.gap + 1 + cell * len(self.knots) + group

    def objective(self, weights: Sequence[Floats] | None) -> Floats:
        result = np.zeros(self.size)
        if weights is None:
            # The others count a little: where the least gap does not bind, the solution should keep its distance too.
            result[self.gap] = -1
            result[self.gap + 1 :] = -0.01 / max(1, self.size - self.gap - 1)
        else:
            for start, weight in zip(self.kinks, weights, strict=True):
                result[start : start + 2 * len(weight)] = np.repeat(weight, 2)
        return result

    def bounds(self, free_gap: bool) -> Floats:
        lower, upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        lower[self.kinks[0] if self.kinks else self.first_polynomial : self.first_polynomial] = 0
        for first, knots in zip(self.values, self.knots, strict=True):
            lower[first] = upper[first] = 0  # a profile's constant belongs to the bias
            if not (len(knots) and knots[0] == 0):
                lower[first + 1] = upper[first + 1] = 0  # no kink at 0: the first link is flat
        lower[self.gap :], upper[self.gap :] = (-1, 1) if free_gap else (0, 0)
        return np.column_stack([lower, upper])

    def kinks_of(self, x: Floats) -> list[Floats]:
        """The kinks of every group, which stand there as differences of nonnegative numbers."""
        pairs = [x[a : a + 2 * len(k)].reshape(-1, 2) for a, k in zip(self.kinks, self.knots, strict=True)]
        return [pair[:, 0] - pair[:, 1] for pair in pairs]
