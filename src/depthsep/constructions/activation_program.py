"""The linear program behind depth-2 networks with any activation: a dictionary of units and the polynomials together.

A unit pair s(b (z - t)) + s(b (-z - t)) is an even function of z = <u, x>, whatever the activation s. For a finite
dictionary of pairs everything in Theorem A' (see `depthsep_check.moment_sandwich`) is linear in the outer weights of
the pairs, the coefficients of the polynomials around the profiles, the moment bounds and the bias. As in
`sandwich_program`, of which this is the counterpart for profiles that are no longer piecewise linear, two objectives
are asked for: `sparse`, least weighted sum of |outer weights|, and `widest`, the largest gap between profiles and
polynomials. Weights are capped: two units nearly alike could otherwise imitate any derivative of s with huge weights.

The conditions hold for all z and r, the program has samples; violations in between become samples (Hettich &
Kortanek 1993). Units of the module: t = |<u, x>| / |u| in [0, 1], profiles of whole groups; a pair is scaled to the
range 1 on [0, 1] and vanishes at 0. Floating point, trusted by nobody: only the check of the rounded result counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

__all__ = ["ActivationProgram", "Pairs", "Solution"]

_POINTS = 24  # samples of t over [0, 1], and as many over the first cell, to begin with
_DENSE = 1200  # places in [0, 1] where violations are looked for
_EXCHANGES = 12
_FEW, _CLOSE = 60, 1e-10  # kinks of so many pairs become samples, so close on both sides
_CAP = 1e3  # the largest outer weight of one unit, in units of the range of phi
_SOLVERS = (("highs-ipm", 300), ("highs-ds", 4000))
_LEAST_GAP = 1e-6
_SLACK = 2e-3  # violation between samples that sparse solutions may keep, relative to eps


@dataclass(frozen=True)
class Pairs:
    """Unit pairs s(slope (z - centre)) + s(slope (-z - centre)) for the directions of one group, z = <u, x>."""

    slopes: Floats
    centres: Floats

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.slopes)

    def take(self, keep: NDArray[np.bool_]) -> Pairs:
        """The pairs that are marked."""
        return Pairs(self.slopes[keep], self.centres[keep])

    def values(self, activation: Callable[[Floats], Floats], z: Floats) -> Floats:
        """The pairs as functions of z, shape (len(z), pairs)."""
        column, shifts = z[:, None] * self.slopes, self.slopes * self.centres
        return activation(column - shifts) + activation(-column - shifts)


@dataclass(frozen=True)
class Solution:
    """Outer weights and polynomials, in the units of the module.

    Args:
        pairs: Per group the unit pairs.
        weights: Per group the outer weights of the scaled pairs.
        outer: Per group the outer weights of the pairs themselves, for all directions of the group together.
        bias: The constant, for profiles that vanish at 0.
        polynomials: Array (cells, groups, 2, k + 1): upper and lower coefficients of t^(2j) / c_j.
        gap: The scaled distance kept between profiles and polynomials.
    """

    pairs: list[Pairs]
    weights: list[Floats]
    outer: list[Floats]
    bias: float
    polynomials: Floats
    gap: float

    def active(self, threshold: float = 1e-6) -> list[NDArray[np.bool_]]:
        """Which pairs carry weight."""
        largest = max((float(np.abs(w).max()) for w in self.weights if len(w)), default=0.0)
        return [np.abs(w) > threshold * largest for w in self.weights]


class ActivationProgram(MomentProgram):
    """The program for one family, one activation, one profile and one accuracy.

    Args:
        family: The directions.
        activation: The activation on arrays.
        profile: phi on arrays of radii.
        eps: The sup-norm error to stay under.
        cells: Right ends of the cells of radii, increasing, the last one 1.
        breaks: Where the activation has a kink or a jump.
    """

    def __init__(
        self,
        family: Family,
        activation: Callable[[Floats], Floats],
        profile: Callable[[Floats], Floats],
        eps: float,
        cells: Floats,
        breaks: Sequence[float] = (),
    ) -> None:
        """Choose the first samples."""
        super().__init__(family, profile, eps, cells)
        self.activation, self.breaks = activation, breaks
        grid = np.concatenate([knot_grid(family.dim, _POINTS), np.linspace(0, 1, _POINTS // 2), cells])
        self._points = [np.unique(np.concatenate([grid, grid * cells[0]])) for _ in family.groups]

    def atoms(self, pairs: Pairs, group: int, t: Floats) -> tuple[Floats, Floats]:
        """The scaled pairs at t, and the ranges that they were divided by."""
        length = float(self.family.lengths[group])
        grid = np.concatenate([[0.0], knot_grid(self.family.dim, 80), np.linspace(0, 1, 81)])
        known = pairs.values(self.activation, length * grid)
        ranges = np.maximum(np.ptp(known, axis=0), 1e-300)
        return (pairs.values(self.activation, length * t) - known[0]) / ranges, ranges

    def sparse(self, pairs: Sequence[Pairs], costs: Sequence[Floats]) -> Solution | None:
        """Minimise the weighted sum of |scaled outer weights|; None when the accuracy is out of reach."""
        self._sample_breaks(pairs)
        solution = self._solve(pairs, costs)
        if solution is not None:
            self._exchange(solution, _SLACK * self.eps)
        return solution

    def widest(self, pairs: Sequence[Pairs], strict: bool = False, once: bool = False) -> Solution | None:
        """Maximise the gap between profiles and polynomials; None when there is none.

        Args:
            pairs: Per group the unit pairs.
            strict: Go on until no violation is left between samples.
            once: Solve one program and give its solution, which may violate conditions and have a negative gap.
        """
        self._sample_breaks(pairs)
        if once:
            return self._solve(pairs, None)
        for _ in range(_EXCHANGES * (1 + strict)):
            solution = self._solve(pairs, None)
            if solution is None or solution.gap < _LEAST_GAP * self.scale:
                return None
            if not self._exchange(solution, 0.0 if strict else solution.gap / 2):
                return solution
        return None

    def _sample_breaks(self, pairs: Sequence[Pairs]) -> None:
        """Kinks and jumps of the profiles become samples, from both sides."""
        for group, p in enumerate(pairs):
            kinks = [p.centres + place / p.slopes for place in self.breaks] if len(p) <= _FEW else []
            found = np.abs(np.concatenate([*kinks, np.zeros(0)])) / self.family.lengths[group]
            found = np.concatenate([found * (1 - _CLOSE), found * (1 + _CLOSE)])
            self._points[group] = np.unique(np.concatenate([self._points[group], found[found <= 1]]))

    def _exchange(self, solution: Solution, tolerance: float) -> bool:
        """Add the places where the solution violates a condition between samples; whether there were any."""
        violated = False
        places = np.unique(np.concatenate([np.linspace(0, 1, _DENSE), knot_grid(self.family.dim, _DENSE // 2)]))
        for group, pairs in enumerate(solution.pairs):
            values = self.atoms(pairs, group, places)[0] @ solution.weights[group] if len(pairs) else 0 * places
            for cell, end in enumerate(self.cells):
                t, profile = places[places <= end], values[places <= end]
                size = self.basis(t / end) @ (1 / self.sizes[group])
                upper, lower = solution.polynomials[cell, group] @ self.basis(t).T
                margin = np.minimum(upper - profile, profile - lower) / size
                violated |= _sample_more(self._points, group, t, margin + tolerance)
        for cell in range(len(self.cells)):
            radii, errors = self._errors(solution, cell)
            violated |= _sample_more(self._radii, cell, radii, 1 - errors / self.eps + RADIUS_SLACK)
        return violated

    def _errors(self, solution: Solved, cell: int) -> tuple[Floats, Floats]:
        """Radii of a cell and the errors there."""
        radii = np.linspace(self._starts[cell], self.cells[cell], 2000)
        return radii, self._errors_at(solution, cell, radii)

    def _solve(self, pairs: Sequence[Pairs], costs: Sequence[Floats] | None) -> Solution | None:
        layout = _Layout([len(p) for p in pairs], [len(t) for t in self._points], len(self.cells), self.terms)
        equal, below = Rows(), Rows()
        ranges = [self._define_profile(equal, layout, p, group) for group, p in enumerate(pairs)]
        caps = [_CAP * count * r for count, r in zip(self.family.counts, ranges, strict=True)]
        for cell in range(len(self.cells)):
            for group in range(len(pairs)):
                self._sandwich_rows(below, layout, cell, group)
            self._moment_rows(below, layout, cell)
            self._radius_rows(below, layout, cell, sparse=costs is not None)
        x = minimised(layout.objective(costs), below, equal, layout.bounds(costs is None, caps), _SOLVERS)
        return None if x is None else self._solution(layout, pairs, ranges, x * self.scale)

    def _solution(self, layout: _Layout, pairs: Sequence[Pairs], ranges: list[Floats], x: Floats) -> Solution:
        weights = [x[a : a + n] - x[a + n : a + 2 * n] for a, n in zip(layout.weights, layout.pairs, strict=True)]
        polynomials = self._unscaled(x, layout.first_polynomial)
        outer = [w / r for w, r in zip(weights, ranges, strict=True)]
        bias = self._center + float(x[layout.bias])
        return Solution(list(pairs), weights, outer, bias, polynomials, float(x[layout.gap]))

    def _define_profile(self, rows: Rows, layout: _Layout, pairs: Pairs, group: int) -> Floats:
        """The values of a profile at the samples are sums over its pairs."""
        atoms, ranges = self.atoms(pairs, group, self._points[group])
        values = -np.eye(len(self._points[group]))
        rows.add_blocks([(layout.weights[group], np.hstack([atoms, -atoms])), (layout.values[group], values)])
        return ranges

    def _sandwich_rows(self, rows: Rows, layout: _Layout, cell: int, group: int) -> None:
        """C1: polynomials above and below the profile, with the gap."""
        end, points = self.cells[cell], self._points[group]
        t = points[points <= end]
        powers = self.basis(t / end)
        size = powers @ (1 / self.sizes[group])
        for side, sign in ((0, 1.0), (1, -1.0)):
            parts = [
                (layout.values[group], sign * np.eye(len(t)) / size[:, None]),
                (int(layout.polynomial(cell, group, side)[0]), -sign * powers / size[:, None]),
                (layout.gap, np.ones((len(t), 1))),
            ]
            rows.add_blocks(parts)


def _sample_more(samples: list[Floats], index: int, places: Floats, margin: Floats) -> bool:
    """Add the local minima of a margin that are negative; whether there were any."""
    lowest = local_minima(places, margin)
    samples[index] = np.unique(np.concatenate([samples[index], lowest]))
    return len(lowest) > 0


class _Layout:
    """Where each unknown stands: outer weights, profile values, polynomials, moment bounds, bias, gap."""

    def __init__(self, pairs: list[int], points: list[int], cells: int, terms: int) -> None:
        self.pairs, self._groups, self._terms = pairs, len(pairs), terms
        starts: list[int] = np.cumsum([0, *(2 * n for n in pairs), *points]).tolist()
        self.weights, self.values = starts[: len(pairs)], starts[len(pairs) : -1]
        self._first_value = starts[len(pairs)]
        self.first_polynomial = starts[-1]
        self._bounds = self.first_polynomial + cells * len(pairs) * 2 * terms
        self.bias = self._bounds + cells * 2 * terms
        self.gap = self.bias + 1
        self.size = self.gap + 1

    def polynomial(self, cell: int, group: int, side: int) -> NDArray[np.intp]:
        start = self.first_polynomial + ((cell * self._groups + group) * 2 + side) * self._terms
        return np.arange(start, start + self._terms)

    def bound(self, cell: int, side: int) -> NDArray[np.intp]:
        start = self._bounds + (cell * 2 + side) * self._terms
        return np.arange(start, start + self._terms)

    def objective(self, costs: Sequence[Floats] | None) -> Floats:
        result = np.zeros(self.size)
        if costs is None:
            result[self.gap] = -1
        else:
            for start, cost in zip(self.weights, costs, strict=True):
                result[start : start + 2 * len(cost)] = np.tile(cost, 2)
        return result

    def bounds(self, free_gap: bool, caps: Sequence[Floats]) -> Floats:
        lower, upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        lower[: self._first_value] = 0
        upper[: self._first_value] = np.concatenate([np.zeros(0), *(np.tile(cap, 2) for cap in caps)])
        lower[self.gap], upper[self.gap] = (-1, 1) if free_gap else (0, 0)
        return np.column_stack([lower, upper])
