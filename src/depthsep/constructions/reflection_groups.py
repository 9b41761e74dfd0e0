"""Depth-2 networks for a cone alpha + beta ||x|| in the directions of a reflection group.

Theorem (ours): with signed weights c_o for orbits o of the symmetric group S_(d+1), acting on R^d as the reflection
group A_d (Humphreys, Reflection Groups and Coxeter Groups, 1990), let S(x) = sum_o c_o sum_{u in o} |<u, x>|. If
1 - 2 eps/|beta| <= S <= 1 on the unit sphere, then alpha + sign(beta) eps + beta S(x) is within eps of
alpha + beta ||x|| on the unit ball. So a cone costs what 1 - ||x|| costs at eps/|beta|.

What is built here: the weights, by a linear program over points of the sphere that makes the quotient of the least and
the largest S as large as possible, and the family with the fewest neurons that reaches eps. The proof is
`depthsep_check.chamber_cells`: S is invariant, so a Weyl chamber decides. Hypotheses: 2 <= d <= 10.

    (1)          the d + 1 vertices of a simplex            (1, -1)        the roots
    (1, 1), ...  the centres of its edges and faces         (2, 1), ...    further arrangements of a few integers

Differences from Safran, Eldan & Shamir (2019, Theorem 1), and from `shallow_radial`: the bare |t| is the only profile,
no polynomial is in between, and S is compared with ||x|| itself; one neuron a direction. |t| = 2 relu(t) - t leaves
a linear part, which is 0 for orbits that do not contain their negatives, and for others when their signs can be
balanced; where they cannot, one more neuron cancels it.

Cost: linear programs of milliseconds; the proof grows about twentyfold with each dimension, 40 s at d = 9.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.direction_families import sum_of
from depthsep.constructions.prospects import Prospect
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import AffineUnit, ExplicitDirections, RidgeGroup, ShallowNetwork
from depthsep.progress import Progress, silent
from depthsep_check.chamber_cells import MAX_DIM, MAX_DIRECTIONS, orbit, orbit_size

__all__ = ["predicted_cone", "reflection_cone"]

Floats = NDArray[np.float64]
Generators = tuple[tuple[int, ...], ...]

_MIXED = ((1, -1), (2, 1), (2, -1), (2, 1, 1), (2, 2, 1), (1, 1, -1), (1, 1, -1, -1))
_ORBITS = 3  # at most so many in one family
_ROUNDS = 8  # linear program, then points where S is extreme, and again
_SAMPLES = 300
_CLIMBERS = 30
_CLIMB = 50
_SLACK = 1.01  # the error claimed, over the one that the program sees, in small dimensions;
_CHEAP_DIM = 6  # proofs with so little room become long in larger ones, and eps itself is claimed
_TRIED = 4  # families whose proof is tried,
_TRIED_LONG = 2  # and from this dimension on, where a proof that does not close takes minutes:
_LONG_DIM = 9
_BALANCINGS = 30
_ROOM = 1e-9  # for rounding
_LINEAR_NOISE = 1e-13  # a linear part below this share is rounding and is charged to the error


def reflection_cone(function: Radial, eps: Fraction, progress: Progress = silent) -> CertifiedNetwork:
    """Find a small depth-2 ReLU network within eps of a cone on the unit ball, with a checked proof.

    Args:
        function: A profile alpha + beta r with rational alpha and beta != 0, in dimension 2 to 10.
        eps: The accuracy, positive and below |beta|/2.
        progress: Called with a short text at every stage.

    Raises:
        BadInput: The function is no cone, or eps is not positive or so large that a constant is enough.
        OutOfReach: No family of orbits reaches eps, or the proof would be too long.

    >>> reflection_cone(Radial("1 - r", dim=4), Fraction(99, 2000)).widths
    (20,)
    >>> reflection_cone(Radial("d + 2*r", dim=4), Fraction(99, 1000)).widths
    (20,)
    """
    dim = function.dim
    asked = f"a network for {function.text} in directions of the reflection group A_{dim} within {eps}"
    cone = _cone(function, eps, asked)
    relative = eps / abs(cone[1])
    if not 2 <= dim <= MAX_DIM:
        raise OutOfReach(asked, found=f"dimension {dim}", needed=f"a dimension from 2 to {MAX_DIM}")
    least, tried = math.inf, 0
    for family in _families(dim):
        progress(f"trying {family.name}", None)
        solution = family.solve(float(relative))
        least = min(least, solution.error)
        if solution.error < float(relative):
            progress(f"proving {family.size:,} neurons", None)
            certified = _proved(function, cone, family, solution, eps)
            tried += 1
            if certified is not None:
                return certified
            if tried == (_TRIED if dim < _LONG_DIM else _TRIED_LONG):
                break
    raise _out_of_reach(asked, least * float(eps / relative), tried)


def predicted_cone(function: Radial, eps: Fraction) -> Prospect | None:
    """The family that `reflection_cone` proves first; None where none reaches the accuracy, by its linear program.

    Raises:
        BadInput: The function is no cone, or eps is not positive or so large that a constant is enough.
    """
    cone = _cone(function, eps, f"a plan for {function.text} within {eps}")
    relative = float(eps / abs(cone[1]))
    for family in _families(function.dim) if 2 <= function.dim <= MAX_DIM else ():
        if family.solve(relative).error < relative:
            return Prospect("reflection group", family.name, family.size, family.size)
    return None


def _cone(function: Radial, eps: Fraction, asked: str) -> tuple[Fraction, Fraction]:
    """alpha and beta, with 0 < 2 eps < |beta|."""
    if function.cone is None:
        raise BadInput(
            asked,
            found="a profile other than alpha + beta*r",
            needed="rational alpha and beta != 0: the theorem needs S(x) homogeneous",
            do="build the network with a moment sandwich",
        )
    half = abs(function.cone[1]) / 2
    if not 0 < eps < half:
        raise BadInput(asked, found=f"eps = {eps}", needed=f"0 < eps < {half}, half of the slope")
    return function.cone


def _out_of_reach(asked: str, least: float, tried: int) -> OutOfReach:
    if tried:
        found = f"{tried} families seem to reach it, but no proof closed"
    else:
        found = f"about eps = {least:.3g} with at most {MAX_DIRECTIONS:,} directions (an estimate)"
    return OutOfReach(
        asked,
        found=found,
        needed="weights of the orbits with 1 - 2 eps/|beta| <= S <= 1 on the sphere, proved on a Weyl chamber",
        do="ask for a larger eps, or build the network with a moment sandwich",
        reached={"reachable_eps": None if tried else f"{least:.3g}"},
    )


@dataclass(frozen=True)
class _Solution:
    """Weights with S between 1 - 2 error and 1, as far as points tell."""

    weights: Floats
    error: float


def _families(dim: int) -> Iterator[_Family]:
    """All families of a few orbits, the ones with the fewest directions first."""
    places = dim + 1
    subsets = [(1,) * size for size in range(1, places // 2 + 1)]
    generators = [g for g in (*subsets, *_MIXED) if len(g) <= places]
    sizes = {g: orbit_size(g, places) for g in generators}
    chosen = [f for count in range(1, _ORBITS + 1) for f in combinations(generators, count)]
    small = [f for f in chosen if sum(sizes[g] for g in f) <= MAX_DIRECTIONS]
    for generators_of in sorted(small, key=lambda f: sum(sizes[g] for g in f)):
        yield _Family(places, generators_of)


@dataclass(frozen=True)
class _Family:
    """Orbits of S_n, n = places, acting on the vectors of n places with the sum 0."""

    places: int
    generators: Generators

    @property
    def name(self) -> str:
        """How it is shown."""
        return " + ".join(str(generator).replace(" ", "") for generator in self.generators)

    @cached_property
    def size(self) -> int:
        """The number of directions."""
        return sum(map(len, self.orbits))

    @cached_property
    def orbits(self) -> list[Floats]:
        """The directions, as vectors of n places."""
        return [np.array(orbit(g, self.places), dtype=np.float64) / self.places for g in self.generators]

    def sums(self, points: Floats) -> Floats:
        """The sum of |<u, x>| over each orbit: one row a point, one column an orbit."""
        return np.stack([np.abs(points @ lines.T).sum(axis=1) for lines in self.orbits], axis=1)

    def solve(self, wanted: float) -> _Solution:
        """The weights of the least error; a rough one suffices when it is above what is wanted."""
        rng = np.random.default_rng(0)
        points = np.vstack([_corners(self.places), _unit(rng.standard_normal((_SAMPLES, self.places)))])
        for _ in range(_ROUNDS):
            weights, least = _program(self.sums(points))
            if (1 - least) / 2 >= wanted:
                return _Solution(weights, (1 - least) / 2)
            low, high = (self._climb(points, sign * weights, rng) for sign in (-1, 1))
            found = self.sums(np.vstack([low, high])) @ weights
            bottom, top = min(float(found.min()), least), max(float(found.max()), 1.0)
            points = np.vstack([points, low, high])
            if bottom > least - 1e-4 and top < 1 + 1e-4:
                break
        return _Solution(weights / top, (1 - bottom / top) / 2)

    def _climb(self, points: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
        """Points of the sphere where the weighted sum is large."""
        value = self.sums(points) @ weights
        start = points[np.argsort(-value)[:_CLIMBERS]]
        at = np.vstack([start, _unit(rng.standard_normal((_CLIMBERS, self.places)))])
        value, step = self.sums(at) @ weights, np.full(len(at), 0.3)
        for _ in range(_CLIMB):
            slope = sum(c * np.sign(at @ u.T) @ u for c, u in zip(weights, self.orbits, strict=True))
            slope -= (slope * at).sum(axis=1, keepdims=True) * at
            slope /= np.linalg.norm(slope, axis=1, keepdims=True) + 1e-9
            noise = _unit(rng.standard_normal(at.shape))
            moved = _unit(at + step[:, None] * (slope + 0.3 * noise))
            new = self.sums(moved) @ weights
            better = new > value
            at[better], value[better] = moved[better], new[better]
            step = np.where(better, 1.2 * step, 0.7 * step)
        return np.asarray(at[np.argsort(-value)[:_CLIMBERS]])


def _corners(places: int) -> Floats:
    """Unit vectors along the projections of a ones, b minus ones and zeros."""
    rows = [[1] * a + [0] * (places - a - b) + [-1] * b for a in range(1, places) for b in range(places - a + 1)]
    return _unit(np.array(rows, dtype=np.float64))


def _unit(points: Floats) -> Floats:
    """The points projected onto the vectors with the sum 0, then onto the unit sphere."""
    centred = points - points.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


def _program(sums: Floats) -> tuple[Floats, float]:
    """Weights c with least <= sums @ c <= 1 and the largest `least`."""
    rows, count = sums.shape
    scale = np.abs(sums).max(axis=0)
    scaled, ones = sums / scale, np.ones((rows, 1))
    constraints = np.block([[scaled, 0 * ones], [-scaled, ones]])
    right = np.concatenate([np.ones(rows), np.zeros(rows)])
    cost = np.zeros(count + 1)
    cost[-1] = -1
    result = linprog(cost, A_ub=constraints, b_ub=right, bounds=[(None, None)] * (count + 1), method="highs")
    return result.x[:-1] / scale, float(result.x[-1])


def _proved(
    function: Radial, cone: tuple[Fraction, Fraction], family: _Family, solution: _Solution, eps: Fraction
) -> CertifiedNetwork | None:
    """Scale the weights into the middle of what the claim leaves free, and have it checked."""
    alpha, beta = map(float, cone)
    relative = float(eps) / abs(beta)
    error = min(_SLACK * solution.error, relative) if function.dim <= _CHEAP_DIM else relative
    weights = beta * solution.weights * math.sqrt((1 - 2 * error) / (1 - 2 * solution.error))
    groups = [
        RidgeGroup(_directions(generator, family.places), (0.0,), (float(weight),))
        for generator, weight in zip(family.generators, weights, strict=True)
    ]
    affine = _affine_unit(groups)
    bias = alpha + (1 - _ROOM) * error * beta - (affine.offset if affine else 0.0)
    network = ShallowNetwork(function.dim, bias, tuple(groups), affine)
    witness: dict[str, Any] = {"kind": "chamber-cells", "orbits": [list(g) for g in family.generators]}
    return first_proved(function, network, witness, [(1 + _ROOM) * error * abs(beta)], eps)


def _directions(generator: tuple[int, ...], places: int) -> ExplicitDirections:
    """The orbit in the coordinates (y_1 + ... + y_i - i y_(i+1)) / sqrt(i (i + 1)), its signs balanced."""
    lines = np.array(orbit(generator, places), dtype=np.int64)
    lines *= _balancing_signs(lines)[:, None]
    i = np.arange(1, places)
    vectors = (np.cumsum(lines, axis=1)[:, :-1] - i * lines[:, 1:]) / (places * np.sqrt(i * (i + 1.0)))
    return ExplicitDirections(tuple(map(tuple, vectors.tolist())))


def _balancing_signs(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """Signs that make the sum of the lines small, and 0 in most cases where they can."""
    best = np.ones(len(lines), dtype=np.int64)
    rng = np.random.default_rng(0)
    for _ in range(_BALANCINGS):
        if not best @ lines @ (best @ lines):
            break
        signs = _settled(lines, rng.choice([-1, 1], size=len(lines)))
        best = min(best, signs, key=lambda s: int(((s @ lines) ** 2).sum()))
    return best


def _settled(lines: NDArray[np.int64], signs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn single lines and pairs over as long as that makes the sum shorter."""
    while True:
        total, signed = signs @ lines, signs[:, None] * lines
        # The change of |total|^2 / 4 when i, and when i and j, are turned over.
        single = (signed * signed).sum(axis=1) - signed @ total
        pair = single[:, None] + single[None, :] + 2 * signed @ signed.T
        np.fill_diagonal(pair, single)
        i, j = np.unravel_index(int(np.argmin(pair)), pair.shape)
        if pair[i, j] >= 0:
            return signs
        signs = signs.copy()
        signs[[i, j]] *= -1


def _affine_unit(groups: list[RidgeGroup]) -> AffineUnit | None:
    """The neuron that cancels the linear part, or None where it is rounding."""
    linear = np.zeros(groups[0].directions.dim)
    for group in groups:
        linear -= group.odd_weight * sum_of(group.directions)
    length = math.hypot(*linear.tolist())
    size = sum(abs(group.odd_weight) * group.directions.count for group in groups)
    if length <= _LINEAR_NOISE * size:
        return None
    return AffineUnit(tuple(linear.tolist()), length * (1 + 1e-9), 1.0)
