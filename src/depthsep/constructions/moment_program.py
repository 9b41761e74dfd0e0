"""What the linear programs behind moment sandwiches share, whatever their profiles are made of.

Unknowns that all of them have: polynomials above and below the profile of each group in each cell, bounds of their
averages, a bias and a gap. Conditions that do not look at the profiles: (C2), the averages are bounded for every
monomial, and (C3), the bounds stay within eps of phi (see `depthsep_check.moment_sandwich`). Floating point, trusted
by nobody: only the check of the rounded result counts.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from depthsep.constructions.direction_families import Family

__all__ = ["Floats", "Layout", "MomentProgram", "Rows", "Solved", "knot_grid", "local_minima", "minimised"]

Floats = NDArray[np.float64]

RADII = 14  # samples of r in a cell to begin with
SPARSE_DESIGN = 0.996
RADIUS_SLACK = 5e-4  # violation of C3 that is left to the margin between design and claim, relative to eps
_INFEASIBLE = 2  # the status that SciPy gives


def knot_grid(dim: float, count: int) -> Floats:
    """Abscissae in [0, 1), 0 first: even up to three standard deviations of a coordinate, geometric beyond."""
    edge = math.sqrt(dim)
    if edge <= 3:
        return np.arange(count) / count
    half = count // 2
    return np.concatenate([np.linspace(0, 3, half + 1), np.geomspace(3, edge, count - half + 1)[1:-1]]) / edge


def local_minima(places: Floats, margin: Floats) -> Floats:
    """Where a margin has a negative local minimum."""
    padded = np.concatenate([[np.inf], margin, [np.inf]])
    return places[(margin < 0) & (padded[:-2] >= margin) & (margin <= padded[2:])]


class Rows:
    """A sparse matrix in the making, with right-hand sides."""

    def __init__(self) -> None:
        """Start without rows."""
        self._parts: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats]] = []
        self._sides: list[Floats] = []
        self.count = 0

    def add(self, columns: NDArray[np.intp], values: Floats, sides: Floats) -> None:
        """Add rows: columns and values of shape (rows, entries), right-hand sides of shape (rows,)."""
        rows = np.repeat(np.arange(self.count, self.count + len(sides)), columns.shape[1])
        self._parts.append((rows, columns.ravel(), np.broadcast_to(values, columns.shape).ravel()))
        self._close(sides)

    def add_blocks(self, blocks: Sequence[tuple[int, Floats]]) -> None:
        """Add rows of right-hand side 0, given as dense blocks (first column, matrix) of equally many rows."""
        for first, block in blocks:
            row, column = np.nonzero(block)
            self._parts.append((row + self.count, column + first, block[row, column]))
        self._close(np.zeros(len(blocks[0][1])))

    def _close(self, sides: Floats) -> None:
        self._sides.append(sides)
        self.count += len(sides)

    def matrix(self, width: int) -> csr_matrix:
        """The matrix so far, with so many columns."""
        if not self._parts:
            return csr_matrix((0, width))
        rows, columns, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return csr_matrix((values, (rows, columns)), shape=(self.count, width))

    def sides(self) -> Floats:
        """The right-hand sides so far."""
        return np.concatenate(self._sides) if self._sides else np.zeros(0)


class Layout(Protocol):
    """Where the shared unknowns stand in the vector of unknowns."""

    bias: int

    def polynomial(self, cell: int, group: int, side: int) -> NDArray[np.intp]:
        """The coefficients of the polynomial above (side 0) or below (1) a profile in a cell."""
        ...

    def bound(self, cell: int, side: int) -> NDArray[np.intp]:
        """The moment bounds P_j of a cell."""
        ...


class Solved(Protocol):
    """A solution, as far as the shared conditions look at it."""

    @property
    def bias(self) -> float:
        """The constant."""
        ...

    @property
    def polynomials(self) -> Floats:
        """Array (cells, groups, 2, k + 1): upper and lower coefficients of t^(2j) / c_j."""
        ...


def minimised(
    objective: Floats, below: Rows, equal: Rows, bounds: Floats, solvers: Sequence[tuple[str, int]]
) -> Floats | None:
    """Solve by the first method (name, most iterations) that gets to an end; None without a solution."""
    size = len(objective)
    for method, iterations in solvers:
        result = linprog(
            objective,
            A_ub=below.matrix(size),
            b_ub=below.sides(),
            A_eq=equal.matrix(size),
            b_eq=equal.sides(),
            bounds=bounds,
            method=method,
            options={"maxiter": iterations},
        )
        if result.status == 0:
            return np.asarray(result.x)
        if result.status == _INFEASIBLE:
            return None
    return None


class MomentProgram(ABC):
    """A program for one family, one profile and one accuracy.

    Args:
        family: The directions.
        profile: phi on arrays of radii.
        eps: The sup-norm error to stay under.
        cells: Right ends of the cells of radii, increasing, the last one 1.
    """

    def __init__(self, family: Family, profile: Callable[[Floats], Floats], eps: float, cells: Floats) -> None:
        """Choose the first radii."""
        self.family, self.profile, self.eps, self.cells = family, profile, eps, cells
        self.terms = family.degree + 1
        self.groups = len(family.groups)
        self.sizes = np.full((self.groups, self.terms), 1e-9)  # the largest ratio of the moments of every degree
        for j, ratios in family.moment_rows:
            self.sizes[:, j] = np.maximum(self.sizes[:, j], np.abs(ratios))
        values = profile(np.linspace(0, 1, 1001))
        self.scale = float(np.ptp(values)) or 1.0
        self._center = float(values.min()) + self.scale / 2
        self._starts = np.concatenate([[0.0], cells[:-1]])
        nodes = (1 - np.cos(np.pi * np.arange(RADII) / (RADII - 1))) / 2
        self._radii = [low + (high - low) * nodes for low, high in zip(self._starts, cells, strict=True)]

    def basis(self, t: Floats) -> Floats:
        """The functions t^(2j) / c_j, shape (len(t), k + 1); t may be relative to the end of a cell."""
        return np.asarray(t[:, None] ** (2 * np.arange(self.terms)) / self.family.sphere_moments)

    def moment_bounds(self, solution: Solved, cell: int) -> Floats:
        """The moment bounds P_j^+ and P_j^- of a cell, shape (2, k + 1)."""
        result: Floats = np.full((2, self.terms), -np.inf)
        for side, sign in ((0, 1.0), (1, -1.0)):
            for j, ratios in self.family.moment_rows:
                moment = sign * float(ratios @ solution.polynomials[cell, :, side, j])
                result[side, j] = max(result[side, j], moment)
        result[1] *= -1
        return result

    def error(self, solution: Solved) -> float:
        """Estimate the largest distance of the averaged polynomials from phi."""
        return max(float(self._errors(solution, cell)[1].max()) for cell in range(len(self.cells)))

    @abstractmethod
    def _errors(self, solution: Solved, cell: int) -> tuple[Floats, Floats]:
        """Radii of a cell and the errors there."""

    def _errors_at(self, solution: Solved, cell: int, radii: Floats) -> Floats:
        powers = radii[:, None] ** (2 * np.arange(self.terms))
        upper, lower = self.moment_bounds(solution, cell) @ powers.T + solution.bias
        target = self.profile(radii)
        return np.asarray(np.maximum(upper - target, target - lower))

    def _unscaled(self, x: Floats, first: int) -> Floats:
        """The polynomials of a vector of unknowns, which start at `first` there."""
        shape = (len(self.cells), self.groups, 2, self.terms)
        scales = self.cells[:, None, None, None] ** (2 * np.arange(self.terms))
        return np.asarray(x[first : first + math.prod(shape)].reshape(shape) / scales)

    def _moment_rows(self, rows: Rows, layout: Layout, cell: int) -> None:
        """C2: P_j bounds the average of the polynomials' terms for every monomial."""
        for j, ratios in self.family.moment_rows:
            scale = max(1.0, float(np.abs(ratios).max()))
            for side, sign in ((0, 1.0), (1, -1.0)):
                columns = [layout.polynomial(cell, group, side)[j] for group in range(self.groups)]
                bound = layout.bound(cell, side)[j]
                rows.add(np.array([[*columns, bound]]), sign * np.array([[*ratios, -1.0]]) / scale, np.zeros(1))

    def _radius_rows(self, rows: Rows, layout: Layout, cell: int, sparse: bool) -> None:
        """C3: the averages stay within eps of the profile."""
        # Sparse solutions have no gap: aiming a little lower leaves them one.
        eps = SPARSE_DESIGN * self.eps if sparse else self.eps
        radii = self._radii[cell]
        target = self.profile(radii)
        relative = radii[:, None] / self.cells[cell]
        powers = np.column_stack([relative ** (2 * np.arange(self.terms)), np.ones(len(radii))])
        for side, sign in ((0, 1.0), (1, -1.0)):
            columns = np.append(layout.bound(cell, side), layout.bias) + np.zeros((len(radii), 1), dtype=np.intp)
            rows.add(columns, sign * powers, (sign * (target - self._center) + eps) / self.scale)
