"""Depth-2 networks made of ridge groups: one even piecewise linear profile along many directions.

    N(x) = bias + sum over groups, directions u and thresholds T_i of
               D_i (relu(z - T_i) + relu(-z - T_i))   where T_i > 0,   2 D_0 relu(z)   where T_0 = 0,   z = <u, x>
           + weight * relu(<direction, x> + offset)   (the affine unit, if any)

The code projects each point once per direction and looks |z| up in the profile g(z) = sum_i D_i max(0, |z| - T_i), as
2 D_0 relu(z) = D_0 |z| + D_0 z.

Rounding. Let e bound the error of the computed projection and R >= |z|. Along one direction the error is at most
steepest(g) e + (rounding of the lookup on [0, R + e]) + the odd part's |D_0| e + gamma(1) |D_0| (R + e) + underflow,
and gamma(1) of the sum of both parts. A block of B directions is added in an unknown order (B - 1 sums), the blocks one
after the other, then the groups, the affine unit and the bias: no term passes more than B + blocks + groups + 2 sums;
the summation costs gamma of that number, times the sum of all |terms|.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from depthsep.errors import BadInput
from depthsep.networks.directions import Directions, directions_from_json
from depthsep.networks.layers import DenseLayers, Network, printed_bound
from depthsep.networks.profile import Array, PiecewiseLinear, even_profile
from depthsep.networks.rounding import LARGEST_SAFE, UNDERFLOW, gamma, round_up, sqrt_upper

__all__ = ["AffineUnit", "RidgeGroup", "ShallowNetwork"]


def check_finite(asked: str, *numbers: float) -> None:
    """Refuse infinities and NaN among the weights."""
    if not all(map(math.isfinite, numbers)):
        raise BadInput(asked, found="a weight that is not finite", needed="finite float64 numbers")


def check_thresholds(asked: str, thresholds: Sequence[float], weights: Sequence[float]) -> None:
    """Refuse thresholds that are not 0 <= T_0 < T_1 < ..., one per weight."""
    check_finite(asked, *thresholds, *weights)
    rising = all(a < b for a, b in pairwise(thresholds))
    if len(thresholds) != len(weights) or not rising or (thresholds and thresholds[0] < 0):
        raise BadInput(asked, needed="strictly increasing thresholds from 0 on, with one weight each")


@dataclass(frozen=True)
class RidgeGroup:
    """One profile along a set of directions.

    Args:
        directions: The directions u.
        thresholds: 0 <= T_0 < T_1 < ...
        weights: D_0, D_1, ...
    """

    directions: Directions
    thresholds: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        check_thresholds("a ridge group", self.thresholds, self.weights)

    @cached_property
    def profile(self) -> PiecewiseLinear:
        """The profile g of one direction, as a function of |z|."""
        return even_profile(self.thresholds, self.weights)

    @property
    def odd_weight(self) -> float:
        """D_0 if T_0 = 0, else 0: the group also adds D_0 <sum of the directions, x>."""
        return self.weights[0] if self.thresholds and self.thresholds[0] == 0 else 0.0

    @property
    def units_per_direction(self) -> int:
        """Two units for a positive threshold, one for the threshold 0."""
        return sum(2 if place > 0 else 1 for place in self.thresholds)

    @property
    def width(self) -> int:
        """The number of units."""
        return self.directions.count * self.units_per_direction

    def unit_rows(self) -> list[tuple[float, float, float]]:
        """List (sign, bias, outer weight) of the units of one direction, in canonical order."""
        rows: list[tuple[float, float, float]] = []
        for place, weight in zip(self.thresholds, self.weights, strict=True):
            rows += [(1.0, -place, weight), (-1.0, -place, weight)] if place > 0 else [(1.0, 0.0, 2.0 * weight)]
        return rows

    def values(self, points: Array) -> Array:
        """Sum g(|<u, x>|) + D_0 <u, x> over the directions."""
        total = np.zeros(len(points))
        for z in self.directions.blocks(points):
            terms = self.profile(np.abs(z))
            if self.odd_weight:
                terms += self.odd_weight * z
            total += terms.sum(axis=1)
        return total

    def term_bounds(self) -> tuple[Fraction, Fraction]:
        """Bound (error, size) of one direction's computed term, for ||x|| <= 1; see the module's text."""
        error = self.directions.projection_error
        zero, reach = Fraction(0), sqrt_upper(self.directions.norm_squared) + error
        odd = abs(Fraction(self.odd_weight))
        size = max(map(abs, self.profile.extent(zero, reach))) + odd * reach
        parts = (self.profile.steepest(zero, reach) + odd) * error + self.profile.rounding_error(zero, reach)
        parts += gamma(1) * odd * reach + UNDERFLOW
        total = parts + gamma(1) * (size + parts)
        return total, size + total

    def flat_bounds(self) -> tuple[Fraction, Fraction]:
        """Bound the sums over all units of |outer weight| * (error, size) of the computed unit, for flat layers."""
        reach, support = sqrt_upper(self.directions.norm_squared), self.directions.support
        error = size = Fraction(0)
        for _, bias, outer in self.unit_rows():
            place, weight = abs(Fraction(bias)), abs(Fraction(outer))
            unit_error = gamma(support + 1) * (reach + place) + (support + 1) * UNDERFLOW
            error += weight * unit_error
            size += weight * (max(reach - place, Fraction(0)) + unit_error)
        return self.directions.count * error, self.directions.count * size

    def to_json(self) -> dict[str, Any]:
        """Give the group's object of the document format."""
        return {
            "directions": self.directions.to_json(),
            "thresholds": [place.hex() for place in self.thresholds],
            "weights": [weight.hex() for weight in self.weights],
        }


@dataclass(frozen=True)
class AffineUnit:
    """The unit weight * relu(<direction, x> + offset).

    Args:
        direction: One entry per dimension.
        offset: The bias inside.
        weight: The outer weight.
    """

    direction: tuple[float, ...]
    offset: float
    weight: float

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        check_finite("an affine unit", *self.direction, self.offset, self.weight)

    @property
    def norm_upper(self) -> Fraction:
        """An upper bound of ||direction||."""
        return sqrt_upper(sum((Fraction(entry) ** 2 for entry in self.direction), Fraction(0)))

    def values(self, points: Array) -> Array:
        """Evaluate the unit, outer weight included."""
        inner = points @ np.array(self.direction) + self.offset
        return np.asarray(self.weight * np.maximum(inner, 0.0))

    def bounds(self) -> tuple[Fraction, Fraction]:
        """Bound (error, size) of the computed unit with its outer weight, for ||x|| <= 1."""
        size = abs(Fraction(self.weight)) * (self.norm_upper + abs(Fraction(self.offset)))
        underflow = (abs(Fraction(self.weight)) + 1) * (len(self.direction) + 1) * UNDERFLOW
        error = gamma(len(self.direction) + 2) * size + underflow
        return error, size + error

    def to_json(self) -> dict[str, Any]:
        """Give the unit's object of the document format."""
        return {
            "direction": [entry.hex() for entry in self.direction],
            "offset": self.offset.hex(),
            "weight": self.weight.hex(),
        }


@dataclass(frozen=True)
class ShallowNetwork(Network):
    """A network with one hidden layer; see the module's text.

    Args:
        dim: The dimension of x.
        bias: Added last.
        groups: The ridge groups.
        affine: The affine unit, or None.

    Example:
        >>> from depthsep.networks import Orbit
        >>> cone = ShallowNetwork(2, 1.0, (RidgeGroup(Orbit((1,), 2), (0.25,), (-1.0,)),))
        >>> cone.widths, cone([[0.5, 0.0]]).tolist()
        ((4,), [0.75])
    """

    depth: ClassVar[int] = 2
    kind: ClassVar[str] = "ridge-groups"

    dim: int
    bias: float
    groups: tuple[RidgeGroup, ...]
    affine: AffineUnit | None = None

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"a shallow network of dimension {self.dim}"
        check_finite(asked, self.bias)
        dims = {group.directions.dim for group in self.groups}
        if self.affine:
            dims.add(len(self.affine.direction))
        if self.dim < 1 or not dims <= {self.dim}:
            raise BadInput(asked, found=f"parts of dimensions {sorted(dims)}", needed="parts of that dimension")

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of the hidden layer."""
        return (sum(group.width for group in self.groups) + (self.affine is not None),)

    @cached_property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact."""
        sizes = [abs(self.bias)]
        for group in self.groups:
            for _, bias, outer in group.unit_rows():
                sizes += [group.directions.largest_entry, abs(bias), abs(outer)]
        if self.affine:
            sizes += map(abs, (*self.affine.direction, self.affine.offset, self.affine.weight))
        return max(sizes)

    @cached_property
    def path_norm(self) -> float:
        """Sum over the units of |outer weight| * ||inner vector||; rounded up."""
        total = Fraction(0)
        for group in self.groups:
            outer = sum((abs(Fraction(row[2])) for row in group.unit_rows()), Fraction(0))
            total += outer * group.directions.total_norm_upper
        if self.affine:
            total += abs(Fraction(self.affine.weight)) * self.affine.norm_upper
        return round_up(total)

    @cached_property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        total = int(self.bias != 0)
        for group in self.groups:
            rows = group.unit_rows()
            total += len(rows) * group.directions.nonzeros
            total += group.directions.count * sum((bias != 0) + (outer != 0) for _, bias, outer in rows)
        if self.affine:
            total += sum(entry != 0 for entry in (*self.affine.direction, self.affine.offset, self.affine.weight))
        return total

    @property
    def _points_at_once(self) -> int:
        return max(32, 2**19 // max([self.dim, *(group.directions.largest_block for group in self.groups)]))

    def _values(self, points: Array) -> Array:
        total = np.zeros(len(points))
        for group in self.groups:
            total += group.values(points)
        if self.affine:
            total += self.affine.values(points)
        return np.asarray(total + self.bias)

    @cached_property
    def rounding_error_upper(self) -> Fraction:
        """Proved bound for the structured evaluation; see the module's text."""
        error = size = Fraction(0)
        blocks = 0
        for group in self.groups:
            term_error, term_size = group.term_bounds()
            error += group.directions.count * term_error
            size += group.directions.count * term_size
            blocks += group.directions.block_count
        if self.affine:
            error += self.affine.bounds()[0]
            size += self.affine.bounds()[1]
        additions = max((group.directions.largest_block for group in self.groups), default=0)
        additions += blocks + len(self.groups) + 2
        return self._safe(error + gamma(additions) * size + gamma(1) * abs(Fraction(self.bias)), size)

    @cached_property
    def flat_rounding_error_upper(self) -> Fraction:
        """Proved bound for the flat layers, sums in any order: gamma(units + 1) times the sum of all |terms|."""
        bounds = [group.flat_bounds() for group in self.groups] + ([self.affine.bounds()] if self.affine else [])
        error = sum((bound[0] for bound in bounds), Fraction(0))
        size = sum((bound[1] for bound in bounds), abs(Fraction(self.bias)))
        units = self.widths[0]
        return self._safe(error + gamma(units + 1) * size + units * UNDERFLOW, size)

    def _safe(self, error: Fraction, size: Fraction) -> Fraction:
        if size + error > LARGEST_SAFE:
            raise BadInput("bound the rounding error", found="weights near the overflow threshold of float64")
        return printed_bound(error)

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in exact rationals: slow, and right everywhere."""
        total = Fraction(self.bias)
        for group in self.groups:
            rows = [tuple(map(Fraction, row)) for row in group.unit_rows()]
            for matrix in group.directions.matrix_blocks():
                for vector in matrix.tolist():
                    z = _dot(vector, point)
                    total += sum((outer * max(sign * z + bias, Fraction(0)) for sign, bias, outer in rows), Fraction(0))
        if self.affine:
            inner = _dot(self.affine.direction, point) + Fraction(self.affine.offset)
            total += Fraction(self.affine.weight) * max(inner, Fraction(0))
        return total

    def _expand(self) -> DenseLayers:
        inner, biases, outer = [np.zeros((0, self.dim))], [np.zeros(0)], [np.zeros(0)]
        for group in self.groups:
            rows = np.array(group.unit_rows()).reshape(-1, 3)
            for matrix in group.directions.matrix_blocks():
                inner.append((matrix[:, None, :] * rows[:, :1]).reshape(-1, self.dim))
                biases.append(np.tile(rows[:, 1], len(matrix)))
                outer.append(np.tile(rows[:, 2], len(matrix)))
        if self.affine:
            inner.append(np.array([self.affine.direction]))
            biases.append(np.array([self.affine.offset]))
            outer.append(np.array([self.affine.weight]))
        hidden = (np.concatenate(inner) + 0.0, np.concatenate(biases) + 0.0)
        return [hidden, (np.concatenate(outer)[None, :], np.array([self.bias]))]

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "activation": "relu",
            "dim": self.dim,
            "bias": self.bias.hex(),
            "groups": [group.to_json() for group in self.groups],
            "affine": self.affine.to_json() if self.affine else None,
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any]) -> ShallowNetwork:
        """Read the NETWORK object of a document that was checked."""
        groups = tuple(
            RidgeGroup(directions_from_json(group["directions"], obj["dim"]), *map(_floats, _lists(group)))
            for group in obj["groups"]
        )
        unit = obj["affine"]
        affine = unit and AffineUnit(_floats(unit["direction"]), *_floats([unit["offset"], unit["weight"]]))
        return cls(obj["dim"], float.fromhex(obj["bias"]), groups, affine)


def _lists(group: dict[str, Any]) -> tuple[list[str], list[str]]:
    return group["thresholds"], group["weights"]


def _floats(weights: Sequence[str]) -> tuple[float, ...]:
    return tuple(map(float.fromhex, weights))


def _dot(vector: Sequence[float], point: Sequence[Fraction]) -> Fraction:
    return sum((Fraction(a) * b for a, b in zip(vector, point, strict=True) if a), Fraction(0))
