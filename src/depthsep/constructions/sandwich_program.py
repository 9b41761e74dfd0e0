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
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from depthsep.constructions.direction_families import Family

__all__ = ["SandwichProgram", "Solution", "knot_grid"]

Floats = NDArray[np.float64]
Knots = list[Floats]

_POINTS, _RADII = 36, 14  # samples of t and of r in a cell to begin with
_DENSE = 500  # places in a cell where violations are looked for
_ZOOM = 80  # places between two of those neighbours of a local maximum
_EXCHANGES = 8
# The interior-point method takes about 40 iterations, or fails soon and leaves the rest to a simplex method that may
# take very long. The dual simplex method is then the better one; alone, it is several times slower.
_SOLVERS = (("highs-ipm", 400), ("highs-ds", 2500))
_PATIENT_SOLVERS = (("highs-ds", 10**6),)
_INFEASIBLE = 2  # the status that SciPy gives
_SPARSE_DESIGN = 0.996
_LEAST_GAP = 1e-5
_SPARSE_SLACK = 2e-3  # violation of C1 by sparse solutions that needs no more samples, relative to eps
_RADIUS_SLACK = 5e-4  # violation of C3 that is left to the margin between design and claim, relative to eps


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

    def bounds(self, family: Family, cell: int) -> Floats:
        """The moment bounds P_j^+ and P_j^- of a cell, shape (2, k + 1)."""
        result: Floats = np.full((2, family.degree + 1), -np.inf)
        for side, sign in ((0, 1.0), (1, -1.0)):
            for j, ratios in family.moment_rows:
                result[side, j] = max(result[side, j], sign * float(ratios @ self.polynomials[cell, :, side, j]))
        result[1] *= -1
        return result

    def active(self, threshold: float = 1e-7) -> Knots:
        """The knots that carry a kink."""
        largest = max((float(np.abs(k).max()) for k in self.kinks if len(k)), default=0.0)
        return [t[np.abs(k) > threshold * largest] for t, k in zip(self.knots, self.kinks, strict=True)]


def knot_grid(dim: float, count: int) -> Floats:
    """Abscissae in [0, 1), 0 first: even up to three standard deviations of a coordinate, geometric beyond."""
    edge = math.sqrt(dim)
    if edge <= 3:
        return np.arange(count) / count
    half = count // 2
    return np.concatenate([np.linspace(0, 3, half + 1), np.geomspace(3, edge, count - half + 1)[1:-1]]) / edge


class _Rows:
    """A sparse matrix in the making, with right-hand sides."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats]] = []
        self._sides: list[Floats] = []
        self.count = 0

    def add(self, columns: NDArray[np.intp], values: Floats, sides: Floats) -> None:
        """Add rows: columns and values of shape (rows, entries), right-hand sides of shape (rows,)."""
        rows = np.repeat(np.arange(self.count, self.count + len(sides)), columns.shape[1])
        self._parts.append((rows, columns.ravel(), np.broadcast_to(values, columns.shape).ravel()))
        self._sides.append(sides)
        self.count += len(sides)

    def matrix(self, width: int) -> csr_matrix:
        if not self._parts:
            return csr_matrix((0, width))
        rows, columns, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return csr_matrix((values, (rows, columns)), shape=(self.count, width))

    def sides(self) -> Floats:
        return np.concatenate(self._sides) if self._sides else np.zeros(0)


class SandwichProgram:
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
        self.family, self.profile, self.eps, self.cells = family, profile, eps, cells
        self.patient = patient
        self.terms = family.degree + 1
        self.sizes = _moment_sizes(family)
        values = profile(np.linspace(0, 1, 1001))
        self.scale = float(np.ptp(values)) or 1.0
        self._center = float(values.min()) + self.scale / 2
        self._starts = np.concatenate([[0.0], cells[:-1]])
        nodes = (1 - np.cos(np.pi * np.arange(_RADII) / (_RADII - 1))) / 2
        self._radii = [low + (high - low) * nodes for low, high in zip(self._starts, cells, strict=True)]
        samples = [end * np.append(knot_grid(family.dim * end**2, _POINTS), 1.0) for end in cells.tolist()]
        self._points = [[points] * len(family.groups) for points in samples]

    def basis(self, t: Floats) -> Floats:
        """The functions t^(2j) / c_j, shape (len(t), k + 1); t may be relative to the end of a cell."""
        return t[:, None] ** (2 * np.arange(self.terms)) / self.family.sphere_moments

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
            violated |= self._sample_more(self._radii, cell, radii, 1 - errors / self.eps + _RADIUS_SLACK)
        return violated

    def error(self, solution: Solution) -> float:
        """Estimate the largest distance of the averaged polynomials from phi."""
        return max(float(self._errors(solution, cell)[1].max()) for cell in range(len(self.cells)))

    def _errors(self, solution: Solution, cell: int) -> tuple[Floats, Floats]:
        """Radii of a cell and the errors there; close to the local maxima, which may be at kinks, the grid is finer."""
        bounds = solution.bounds(self.family, cell)

        def errors(radii: Floats) -> Floats:
            upper, lower = bounds @ (radii[:, None] ** (2 * np.arange(self.terms))).T + solution.bias
            target = self.profile(radii)
            return np.asarray(np.maximum(upper - target, target - lower))

        radii = np.linspace(self._starts[cell], self.cells[cell], _DENSE)
        coarse = errors(radii)
        peaks = 1 + np.flatnonzero((coarse[1:-1] >= coarse[:-2]) & (coarse[1:-1] >= coarse[2:]))
        radii = np.unique(np.concatenate([radii, *np.linspace(radii[peaks - 1], radii[peaks + 1], _ZOOM, axis=1)]))
        return radii, errors(radii)

    def _sample_more(self, samples: list[Floats], index: int, places: Floats, margin: Floats) -> bool:
        """Add the local minima of a margin that are negative, and places halfway to the samples around them."""
        padded = np.concatenate([[np.inf], margin, [np.inf]])
        lowest = places[(margin < 0) & (padded[:-2] >= margin) & (margin <= padded[2:])]
        around = np.searchsorted(samples[index], lowest)
        left = samples[index][np.maximum(around - 1, 0)]
        right = samples[index][np.minimum(around, len(samples[index]) - 1)]
        samples[index] = np.unique(np.concatenate([samples[index], lowest, (left + lowest) / 2, (right + lowest) / 2]))
        return len(lowest) > 0

    def _solve(self, knots: Knots, weights: Sequence[Floats] | None) -> Solution | None:
        layout = _Layout(knots, len(self.cells), self.terms)
        equal, below = _Rows(), _Rows()
        for group in range(len(knots)):
            self._define_kinks(equal, layout, group)
        for cell in range(len(self.cells)):
            for group in range(len(knots)):
                self._sandwich_rows(below, layout, cell, group)
                below.add(np.array([[layout.gap, layout.gaps(cell, group)]]), np.array([[1.0, -1.0]]), np.zeros(1))
            self._moment_rows(below, layout, cell)
            # Sparse solutions have no gap: aiming a little lower leaves them one.
            self._radius_rows(below, layout, cell, self.eps if weights is None else _SPARSE_DESIGN * self.eps)
        lower, upper = layout.bounds(weights is None)
        for method, iterations in _PATIENT_SOLVERS if self.patient else _SOLVERS:
            result = linprog(
                layout.objective(weights),
                A_ub=below.matrix(layout.size),
                b_ub=below.sides(),
                A_eq=equal.matrix(layout.size),
                b_eq=equal.sides(),
                bounds=np.column_stack([lower, upper]),
                method=method,
                options={"maxiter": iterations},
            )
            if result.status == 0:
                return layout.solution(result.x * self.scale, self._center, self.cells, self.family.dim)
            if result.status == _INFEASIBLE:
                return None
        return None

    def _define_kinks(self, rows: _Rows, layout: _Layout, group: int) -> None:
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

    def _sandwich_rows(self, rows: _Rows, layout: _Layout, cell: int, group: int) -> None:
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

    def _moment_rows(self, rows: _Rows, layout: _Layout, cell: int) -> None:
        """C2: P_j bounds the average of the polynomials' terms for every monomial."""
        groups = range(len(layout.knots))
        for j, ratios in self.family.moment_rows:
            scale = max(1.0, float(np.abs(ratios).max()))
            for side, sign in ((0, 1.0), (1, -1.0)):
                columns = [layout.polynomial(cell, group, side)[j] for group in groups]
                bound = layout.bound(cell, side)[j]
                rows.add(np.array([[*columns, bound]]), sign * np.array([[*ratios, -1.0]]) / scale, np.zeros(1))

    def _radius_rows(self, rows: _Rows, layout: _Layout, cell: int, eps: float) -> None:
        """C3: the averages stay within eps of the profile."""
        radii = self._radii[cell]
        target = self.profile(radii)
        relative = radii[:, None] / self.cells[cell]
        powers = np.column_stack([relative ** (2 * np.arange(self.terms)), np.ones(len(radii))])
        for side, sign in ((0, 1.0), (1, -1.0)):
            columns = np.append(layout.bound(cell, side), layout.bias) + np.zeros((len(radii), 1), dtype=np.intp)
            rows.add(columns, sign * powers, (sign * (target - self._center) + eps) / self.scale)


def _moment_sizes(family: Family) -> list[Floats]:
    """Per group and degree the largest ratio of its moments."""
    sizes = np.full((len(family.groups), family.degree + 1), 1e-9)
    for j, ratios in family.moment_rows:
        sizes[:, j] = np.maximum(sizes[:, j], np.abs(ratios))
    return list(sizes)


class _Layout:
    """Where each unknown stands in the vector of unknowns."""

    def __init__(self, knots: Knots, cells: int, terms: int) -> None:
        self.knots, self.cells, self.terms = knots, cells, terms
        self.points = [np.unique(np.concatenate([[0.0], k, [1.0]])) for k in knots]
        self.values = list(np.cumsum([0, *map(len, self.points)])[:-1])
        start = sum(map(len, self.points))
        self.kinks = [start + 2 * sum(map(len, knots[:group])) for group in range(len(knots))]
        self._polynomials = start + 2 * sum(map(len, knots))
        self._bounds = self._polynomials + cells * len(knots) * 2 * terms
        self.bias = self._bounds + cells * 2 * terms
        self.gap = self.bias + 1
        self.size = self.gap + 1 + cells * len(knots)

    def polynomial(self, cell: int, group: int, side: int) -> NDArray[np.intp]:
        start = self._polynomials + ((cell * len(self.knots) + group) * 2 + side) * self.terms
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

    def bounds(self, free_gap: bool) -> tuple[Floats, Floats]:
        lower, upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        lower[self.kinks[0] if self.kinks else self._polynomials : self._polynomials] = 0
        for first, knots in zip(self.values, self.knots, strict=True):
            lower[first] = upper[first] = 0  # a profile's constant belongs to the bias
            if not (len(knots) and knots[0] == 0):
                lower[first + 1] = upper[first + 1] = 0  # no kink at 0: the first link is flat
        lower[self.gap :], upper[self.gap :] = (-1, 1) if free_gap else (0, 0)
        return lower, upper

    def solution(self, x: Floats, center: float, ends: Floats, dim: int) -> Solution:
        kinks = []
        for start, knots in zip(self.kinks, self.knots, strict=True):
            pairs = x[start : start + 2 * len(knots)].reshape(-1, 2)
            kinks.append(pairs[:, 0] - pairs[:, 1])
        shape = (self.cells, len(self.knots), 2, self.terms)
        scales = ends[:, None, None, None] ** (2 * np.arange(self.terms))
        polynomials = x[self._polynomials : self._bounds].reshape(shape) / scales
        slopes = [math.sqrt(dim) * k for k in kinks]
        return Solution(self.knots, kinks, slopes, center + float(x[self.bias]), polynomials, float(x[self.gap]))
