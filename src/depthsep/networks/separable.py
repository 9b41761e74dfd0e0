"""Depth-3 networks psi(q(x)) with a separable inner function: one profile per coordinate, then one profile of the sum.

    q(x) = sum over i and thresholds t_k of
               a_k (relu(x_i - t_k) + relu(-x_i - t_k))   where t_k > 0,   2 a_0 relu(x_i)   where t_0 = 0
           + relu(-a_0 (x_1 + ... + x_dim) + affine_offset)   (one extra unit, exactly when t_0 = 0)
    N(x) = bias + sum_j w_j relu(q - z_j)  ("right")  or  w_j relu(z_j - q)  ("left")

The code looks |x_i| up in G(t) = sum_k a_k max(0, |t| - t_k), sums, adds the extra part l + relu(affine_offset - l),
l = a_0 sum x_i (equal to it, as 2 a_0 relu(t) = a_0 |t| + a_0 t), and looks the result up in the piecewise linear psi.

Rounding. The lookups of G err by e each (no projection error: |x_i| is exact), the sum of dim values by gamma(dim - 1)
times the sum of |G(x_i)|, which is at most ||x||^2 + dim max(G - t^2) + 2 dim max(0, -min G), and one more sum follows.
With L = |a_0| sqrt(dim) >= |l| the extra part costs gamma(dim) L for l, gamma(3) (2 L + |affine_offset|) for the three
operations after it and gamma(1) for joining it: gamma(dim + 4) (2 L + |affine_offset|) in all. Then psi multiplies the
error of q by its steepest slope and adds the error of its own lookup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from depthsep.errors import BadInput
from depthsep.networks.layers import DenseLayers, Network, printed_bound
from depthsep.networks.profile import Array, PiecewiseLinear, even_profile, hinge_profile
from depthsep.networks.ridge import check_finite, check_thresholds
from depthsep.networks.rounding import LARGEST_SAFE, UNDERFLOW, gamma, round_up, sqrt_upper

__all__ = ["SeparableNetwork"]


@dataclass(frozen=True)
class SeparableNetwork(Network):
    """A network with two hidden layers; see the module's text.

    Args:
        dim: The dimension of x.
        thresholds: 0 <= t_0 < t_1 < ..., shared by all coordinates.
        weights: a_0, a_1, ...
        affine_offset: The bias of the extra unit when t_0 = 0, else None.
        bias: Added last.
        second_thresholds: z_0, z_1, ..., in any order.
        sides: "right" for relu(q - z_j), "left" for relu(z_j - q).
        second_weights: w_0, w_1, ...

    Example:
        >>> net = SeparableNetwork(2, (0.0,), (1.0,), 2.0, 1.0, (2.0,), ("right",), (-1.0,))  # 1 - |x_1| - |x_2|
        >>> net.widths, net([[0.25, -0.5]]).tolist()
        ((3, 1), [0.25])
    """

    depth: ClassVar[int] = 3
    kind: ClassVar[str] = "separable"

    dim: int
    thresholds: tuple[float, ...]
    weights: tuple[float, ...]
    affine_offset: float | None
    bias: float
    second_thresholds: tuple[float, ...]
    sides: tuple[str, ...]
    second_weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"a separable network of dimension {self.dim}"
        check_thresholds(asked, self.thresholds, self.weights)
        check_finite(asked, self.bias, self.affine_offset or 0.0, *self.second_thresholds, *self.second_weights)
        if self.dim < 1:
            raise BadInput(asked, needed="a dimension of at least 1")
        if self._has_extra != (self.affine_offset is not None):
            raise BadInput(asked, needed="an affine offset exactly when the first threshold is 0")
        lengths = {len(self.second_thresholds), len(self.sides), len(self.second_weights)}
        if len(lengths) != 1 or not set(self.sides) <= {"left", "right"}:
            raise BadInput(asked, needed='second layer lists of one length, with sides "left" or "right"')

    @property
    def _has_extra(self) -> bool:
        return bool(self.thresholds) and self.thresholds[0] == 0

    @property
    def odd_weight(self) -> float:
        """a_0 if t_0 = 0, else 0."""
        return self.weights[0] if self._has_extra else 0.0

    @cached_property
    def inner(self) -> PiecewiseLinear:
        """The profile G of one coordinate, as a function of |x_i|."""
        return even_profile(self.thresholds, self.weights)

    @cached_property
    def outer(self) -> PiecewiseLinear:
        """The profile psi of q."""
        return hinge_profile(self.bias, self.second_thresholds, self.sides, self.second_weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of both hidden layers."""
        per_coordinate = sum(2 if place > 0 else 1 for place in self.thresholds)
        return self.dim * per_coordinate + self._has_extra, len(self.second_weights)

    def _coordinate_rows(self) -> list[tuple[float, float, float]]:
        """List (sign, bias, coefficient in q) of the units of one coordinate, in canonical order."""
        rows: list[tuple[float, float, float]] = []
        for place, weight in zip(self.thresholds, self.weights, strict=True):
            rows += [(1.0, -place, weight), (-1.0, -place, weight)] if place > 0 else [(1.0, 0.0, 2.0 * weight)]
        return rows

    @cached_property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact."""
        first = [size for _, bias, outer in self._coordinate_rows() for size in (1.0, abs(bias))]
        extra = [abs(self.odd_weight), abs(self.affine_offset or 0.0), 1.0 if self.sides else 0.0]
        second = [abs(outer) for _, _, outer in self._coordinate_rows()] if self.sides else []
        last = map(abs, (self.bias, *self.second_thresholds, *self.second_weights))
        return max(first + second + (extra if self._has_extra else []) + list(last))

    @cached_property
    def path_norm(self) -> float:
        """Sum over all paths of |w_j| |coefficient| ||inner vector||; rounded up."""
        rows = sum((abs(Fraction(outer)) for _, _, outer in self._coordinate_rows()), Fraction(0))
        extra = abs(Fraction(self.odd_weight)) * sqrt_upper(Fraction(self.dim))
        return round_up(self._outer_mass * (self.dim * rows + extra))

    @property
    def _outer_mass(self) -> Fraction:
        return sum((abs(Fraction(weight)) for weight in self.second_weights), Fraction(0))

    @cached_property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        rows = self._coordinate_rows()
        first = self.dim * sum(1 + (bias != 0) for _, bias, _ in rows)
        per_unit = self.dim * sum(outer != 0 for _, _, outer in rows)
        if self._has_extra:
            first += self.dim * (self.odd_weight != 0) + (self.affine_offset != 0)
            per_unit += 1
        last = sum(entry != 0 for entry in (self.bias, *self.second_thresholds, *self.second_weights))
        return first + per_unit * len(self.second_weights) + last

    @property
    def _points_at_once(self) -> int:
        return max(1, 2**20 // self.dim)

    def _values(self, points: Array) -> Array:
        q = self.inner(np.abs(points)).sum(axis=1)
        if self.affine_offset is not None:
            linear = self.odd_weight * points.sum(axis=1)
            q = q + (linear + np.maximum(self.affine_offset - linear, 0.0))
        return self.outer(q)

    @cached_property
    def _inner_extent(self) -> tuple[Fraction, Fraction, Fraction]:
        """Bound q from below and above on the unit ball, and the sum of |G(x_i)|."""
        below = self.dim * min(Fraction(0), self.inner.extent(Fraction(0), Fraction(1))[0])
        above = 1 + self.dim * self.inner.excess_over_square()
        slack = abs(Fraction(self.affine_offset or 0.0)) + 2 * self._linear_bound
        return below - slack, above + slack, above - 2 * below

    @property
    def _linear_bound(self) -> Fraction:
        """An upper bound of |a_0 (x_1 + ... + x_dim)| on the unit ball."""
        return abs(Fraction(self.odd_weight)) * sqrt_upper(Fraction(self.dim))

    @cached_property
    def rounding_error_upper(self) -> Fraction:
        """Proved bound for the structured evaluation; see the module's text."""
        low, high, mass = self._inner_extent
        lookup = self.dim * self.inner.rounding_error(Fraction(0), Fraction(1))
        extra = 2 * self._linear_bound + abs(Fraction(self.affine_offset or 0.0))
        error = lookup + gamma(self.dim + 1) * (mass + lookup) + gamma(self.dim + 4) * extra + 2 * UNDERFLOW
        low, high = low - error, high + error
        total = self.outer.steepest(low, high) * error + self.outer.rounding_error(low, high)
        return self._safe(total)

    @cached_property
    def flat_rounding_error_upper(self) -> Fraction:
        """Proved bound for the flat layers, sums in any order; layer by layer as for one hidden layer."""
        low, high, _ = self._inner_extent
        linear, offset = self._linear_bound, abs(Fraction(self.affine_offset or 0.0))
        absolute = even_profile(self.thresholds, [abs(weight) for weight in self.weights])
        coefficients = sum((abs(Fraction(outer)) for _, _, outer in self._coordinate_rows()), Fraction(0))
        largest = 1 + Fraction(max(self.thresholds, default=0.0))
        first_error = self.dim * coefficients * (gamma(2) * largest + 2 * UNDERFLOW)
        first_error += gamma(self.dim + 1) * (linear + offset) + (self.dim + 1) * UNDERFLOW
        first_size = 2 * (1 + self.dim * absolute.excess_over_square()) + linear + offset + first_error
        before, after = self.widths
        error = gamma(after + 1) * abs(Fraction(self.bias)) + after * UNDERFLOW
        for threshold, weight in zip(self.second_thresholds, self.second_weights, strict=True):
            place = Fraction(threshold)
            unit_error = first_error + gamma(before + 1) * (first_size + abs(place)) + before * UNDERFLOW
            unit_size = max(abs(high - place), abs(low - place)) + unit_error
            error += abs(Fraction(weight)) * (unit_error + gamma(after + 1) * unit_size)
        return self._safe(error)

    def _safe(self, error: Fraction) -> Fraction:
        mass = self._outer_mass * (self._inner_extent[1] - self._inner_extent[0]) + abs(Fraction(self.bias))
        if mass + error > LARGEST_SAFE:
            raise BadInput("bound the rounding error", found="weights near the overflow threshold of float64")
        return printed_bound(error)

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in exact rationals: slow, and right everywhere."""
        zero = Fraction(0)
        rows = [tuple(map(Fraction, row)) for row in self._coordinate_rows()]
        q = sum((outer * max(sign * x + bias, zero) for x in point for sign, bias, outer in rows), zero)
        if self.affine_offset is not None:
            q += max(Fraction(self.affine_offset) - Fraction(self.odd_weight) * sum(point, zero), zero)
        second = zip(map(Fraction, self.second_thresholds), self.sides, map(Fraction, self.second_weights), strict=True)
        hinges = (weight * max(q - place if side == "right" else place - q, zero) for place, side, weight in second)
        return Fraction(self.bias) + sum(hinges, zero)

    def _expand(self) -> DenseLayers:
        rows = np.array(self._coordinate_rows()).reshape(-1, 3)
        first = np.kron(np.eye(self.dim), rows[:, :1])
        biases = np.tile(rows[:, 1], self.dim)
        coefficients = np.tile(rows[:, 2], self.dim)
        if self.affine_offset is not None:
            first = np.vstack((first, np.full((1, self.dim), -self.odd_weight)))
            biases = np.append(biases, self.affine_offset)
            coefficients = np.append(coefficients, 1.0)
        signs = np.array([1.0 if side == "right" else -1.0 for side in self.sides])
        second = np.outer(signs, coefficients)
        return [
            (first + 0.0, biases + 0.0),
            (second + 0.0, -signs * np.array(self.second_thresholds) + 0.0),
            (np.array([self.second_weights], dtype=np.float64), np.array([self.bias])),
        ]

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "activation": "relu",
            "dim": self.dim,
            "first": {
                "thresholds": [place.hex() for place in self.thresholds],
                "weights": [weight.hex() for weight in self.weights],
                "affine_offset": None if self.affine_offset is None else self.affine_offset.hex(),
            },
            "second": {
                "bias": self.bias.hex(),
                "thresholds": [place.hex() for place in self.second_thresholds],
                "sides": list(self.sides),
                "weights": [weight.hex() for weight in self.second_weights],
            },
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any]) -> SeparableNetwork:
        """Read the NETWORK object of a document that was checked."""
        first, second = obj["first"], obj["second"]
        offset = first["affine_offset"]
        lists = [
            tuple(map(float.fromhex, entries))
            for entries in (first["thresholds"], first["weights"], second["thresholds"], second["weights"])
        ]
        return cls(
            dim=obj["dim"],
            thresholds=lists[0],
            weights=lists[1],
            affine_offset=None if offset is None else float.fromhex(offset),
            bias=float.fromhex(second["bias"]),
            second_thresholds=lists[2],
            sides=tuple(second["sides"]),
            second_weights=lists[3],
        )
