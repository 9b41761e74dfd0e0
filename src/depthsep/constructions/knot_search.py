"""Few knots for the profiles of a moment sandwich: an untrusted search over linear programs.

Four moves, each keeping the best knots found so far:

    start     least weighted sum of |kinks| on a fixed grid, reweighted (Candes, Wakin & Boyd 2008)
    refine    the same on a grid around the present knots
    repath    open the widest tube for the present knots, take the minimum-link path in it
    thin out  drop a knot, or merge two neighbours, as long as the program stays feasible

The cost of a set of knots is the number of neurons: for every direction two a knot, one for a knot at 0. A move is a
linear program of a few hundred unknowns, 10 to 100 ms; all counts are bounded, so the same request always gives the
same network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthsep.constructions.direction_families import Family
from depthsep.constructions.moment_program import knot_grid
from depthsep.constructions.sandwich_program import Knots, SandwichProgram, Solution
from depthsep.univariate.tube_path import min_link_path

__all__ = ["Found", "improve", "start", "thin_out", "units"]

Floats = NDArray[np.float64]

_REFINEMENTS = (0.5, 0.3, 0.15)  # how far a new grid reaches towards the neighbouring knots
_APART = 1e-6  # knots closer than this are one: the slopes between them would swamp the program
_TUBE_POINTS = 3000
_TUBE_MARGIN = 1e-3  # the tube is narrowed by this share, so that rounding does not leave it
_THINNING_TRIES = 8


@dataclass(frozen=True)
class Found:
    """Knots with which the program is feasible, and what they cost; the widest solution where it is known."""

    units: int
    knots: Knots
    widest: Solution | None = None


def units(family: Family, knots: Knots) -> int:
    """The number of neurons: two for a direction and positive knot, one for a knot at 0, one that cancels the rest."""
    at_zero = [len(k) > 0 and k[0] == 0 for k in knots]
    each = [2 * len(k) - zero for k, zero in zip(knots, at_zero, strict=True)]
    remainder = any(zero and not cancels for zero, cancels in zip(at_zero, family.cancelling, strict=True))
    return sum(group.count * number for group, number in zip(family.groups, each, strict=True)) + remainder


def start(program: SandwichProgram, points: int, rounds: int, flat: bool = False) -> Found | None:
    """Find sparse kinks on a grid of `points` abscissae, without 0 if `flat`; None when eps is out of reach."""
    grid = knot_grid(program.family.dim, points)
    return _sparsest(program, [grid[int(flat) :] for _ in program.family.groups], rounds)


def _sparsest(program: SandwichProgram, grid: Knots, rounds: int) -> Found | None:
    family, best = program.family, None
    costs = [np.where(k == 0, 1.0, 2.0) * m / family.counts.sum() for k, m in zip(grid, family.counts, strict=True)]
    weights = costs
    for _ in range(rounds):
        solution = program.sparse(grid, weights)
        if solution is None:
            break
        knots = solution.active()
        if best is None or units(family, knots) < best.units:
            best = Found(units(family, knots), knots)
        largest = max(float(np.abs(k).max(initial=0.0)) for k in solution.kinks) or 1.0
        weights = [c / (np.abs(k) / largest + 2e-3) for c, k in zip(costs, solution.kinks, strict=True)]
    return best


def _accepted(program: SandwichProgram, knots: Knots) -> Found | None:
    """The knots and their cost, if the program is feasible with them everywhere."""
    solution = program.widest(knots)
    return None if solution is None else Found(units(program.family, knots), knots, solution)


def improve(program: SandwichProgram, found: Found) -> Found | None:
    """Move the knots where that saves neurons; None when the program accepts none of them."""
    moved = found
    for reach in _REFINEMENTS:
        refined = _sparsest(program, [_around(knots, reach) for knots in moved.knots], 2)
        if refined is not None and refined.units <= moved.units:
            moved = refined
    denser = [_around(knots, _REFINEMENTS[0]) for knots in found.knots]
    tried = (_accepted(program, knots) for knots in (moved.knots, found.knots, denser))
    accepted = next(filter(None, tried), None)
    return None if accepted is None else _repathed(program, accepted)


def _around(knots: Floats, reach: float) -> Floats:
    """The knots and two points on either side of each, up to `reach` of the way to its neighbours."""
    if not len(knots):
        return knots
    ends = np.concatenate([[0.0], knots, [1.0]])
    shares = reach * np.array([0.5, 1.0])
    left = knots[:, None] - shares * (knots - ends[:-2])[:, None]
    right = knots[:, None] + shares * (ends[2:] - knots)[:, None]
    points = np.unique(np.concatenate([knots, right.ravel(), left.ravel()]))
    apart = np.diff(points, prepend=-1) > _APART
    return points[apart & (points < 0.9999)]


def _repathed(program: SandwichProgram, found: Found) -> Found:
    """Replace the knots by those of minimum-link paths, where that is cheaper and feasible."""
    if found.widest is None:
        return found
    paths = [_path(*_tube(program, found.widest, group)) for group in range(len(found.knots))]
    knots = [path if path is not None else old for path, old in zip(paths, found.knots, strict=True)]
    if units(program.family, knots) < found.units:
        return _accepted(program, knots) or found
    return found


def _tube(program: SandwichProgram, solution: Solution, group: int) -> tuple[Floats, Floats, Floats]:
    """Abscissae and the range left for one profile by the polynomials of all cells."""
    half = _TUBE_POINTS // 2
    t = np.unique(np.concatenate([np.linspace(0, 1, half), np.geomspace(1e-3, 1, half)]))
    powers = program.basis(t)
    low, high = np.full(len(t), -np.inf), np.full(len(t), np.inf)
    for end, (upper, lower) in zip(program.cells, solution.polynomials[:, group], strict=True):
        inside = t <= end + 1e-12
        high[inside] = np.minimum(high[inside], powers[inside] @ upper)
        low[inside] = np.maximum(low[inside], powers[inside] @ lower)
    margin = _TUBE_MARGIN * (high - low)
    return t, low + margin, high - margin


def _path(t: Floats, low: Floats, high: Floats) -> Floats | None:
    """The cheaper of the paths with a flat and with a free first link."""
    if (low > high).any():
        return None
    flat, free = (min_link_path(t, low, high, start=kind)[0][:-1] for kind in ("flat", "free"))
    return flat[1:] if 2 * (len(flat) - 1) <= 2 * len(free) - 1 else free


def thin_out(program: SandwichProgram, found: Found) -> Found:
    """Drop or merge knots, the dearest group first."""
    tries, solution = _THINNING_TRIES, found.widest
    while solution is not None and tries > 0:
        thinner = None
        for knots in _fewer(program.family, solution):
            tries -= 1
            thinner = program.widest(knots)
            if thinner is not None or tries == 0:
                break
        if thinner is None:
            break
        solution = thinner
        found = Found(units(program.family, solution.knots), solution.knots, solution)
    return found


def _fewer(family: Family, solution: Solution) -> Iterator[Knots]:
    """Sets of knots with one less: the dearest groups first, in each the least conspicuous changes first."""
    for group in np.argsort(-family.counts):
        knots, kinks = solution.knots[group], solution.kinks[group]
        changes = [(abs(kink), np.delete(knots, i)) for i, kink in enumerate(kinks)]
        for i in range(len(knots) - 1):
            a, b = kinks[i], kinks[i + 1]
            if a * b > 0:
                merged = (a * knots[i] + b * knots[i + 1]) / (a + b)
                gap = (knots[i + 1] - knots[i]) / knots[i + 1]
                changes.append((gap * min(abs(a), abs(b)), np.concatenate([knots[:i], [merged], knots[i + 2 :]])))
        if len(knots) > 1 and knots[0] == 0:  # a flat beginning instead of a kink at 0 and the next
            changes += [(0.0, np.concatenate([[share * knots[1]], knots[2:]])) for share in (0.5, 0.7, 0.3)]
        for _, changed in sorted(changes, key=lambda change: change[0]):
            yield [changed if g == group else k for g, k in enumerate(solution.knots)]
