"""Depth-2 networks with one profile along independent directions, uniform on the sphere.

    N(x) = c + M^-1 sum_i g(<u_i, x>),      g(z) = sum_j D_j max(0, |z| - T_j)

Two units for a direction and a threshold T > 0; one for T = 0, and then one in all for the linear rest. The directions
are drawn when they are first needed: numpy's PCG64 with the given seed fills an M x d matrix with standard normals,
row after row, and every row is divided by its length.

Distance from ideal directions. A stored row of length l is within |l - 1| <= |l^2 - 1| of a unit vector, which moves
g(<u, x>) by at most max |g'| times that on the ball.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np

from depthsep.networks.drawn import DrawnDirections, DrawnNetwork
from depthsep.networks.layers import printed_bound
from depthsep.networks.profile import Array
from depthsep.networks.ridge import RidgeGroup, ShallowNetwork
from depthsep.networks.rounding import UNDERFLOW, gamma, sqrt_upper

__all__ = ["EvenProfile", "RandomRidges", "SphereDirections"]


@dataclass(frozen=True)
class SphereDirections(DrawnDirections):
    """Independent uniform unit vectors, drawn from a seed.

    Args:
        dim: The dimension, at least 2.
        number: How many.
        seed: Names the draw, 0 to 2^64 - 1.

    Example:
        >>> rows = SphereDirections(3, 4, seed=7).matrix
        >>> rows.shape, bool(abs((rows**2).sum(axis=1) - 1).max() < 1e-14)
        ((4, 3), True)
    """

    noun: ClassVar[str] = "direction"

    dim: int
    number: int
    seed: int

    @property
    def draws(self) -> int:
        """The number of directions."""
        return self.number

    @property
    def count(self) -> int:
        """The number of vectors."""
        return self.number

    def _draw(self, rng: np.random.Generator) -> Array:
        matrix = rng.standard_normal((self.count, self.dim))
        matrix /= np.sqrt(np.einsum("ij,ij->i", matrix, matrix))[:, None]
        return matrix

    @cached_property
    def defect_upper(self) -> Fraction:
        """Proved: every stored vector is this close to a unit vector; computed squares are right to gamma(dim)."""
        squares = np.einsum("ij,ij->i", self.matrix, self.matrix)
        ends = (Fraction(float(squares.min())), Fraction(float(squares.max())))
        computed = max(abs(end - 1) for end in ends)
        return computed + gamma(self.dim) * self.norm_squared + self.dim * UNDERFLOW


@dataclass(frozen=True)
class EvenProfile:
    """c and g of the module's text.

    Args:
        bias: c.
        thresholds: 0 <= T_0 < T_1 < ... < 1.
        weights: D_0, D_1, ...
    """

    bias: Fraction
    thresholds: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    @property
    def has_kink_at_zero(self) -> bool:
        """Whether T_0 = 0."""
        return bool(self.thresholds) and self.thresholds[0] == 0

    @property
    def units(self) -> int:
        """The number of units of one direction."""
        return 2 * len(self.thresholds) - self.has_kink_at_zero

    @property
    def steepest(self) -> Fraction:
        """The largest |g'|."""
        slopes = [sum(self.weights[: index + 1], Fraction(0)) for index in range(len(self.weights))]
        return max(map(abs, slopes), default=Fraction(0))


@dataclass(frozen=True)
class RandomRidges(DrawnNetwork):
    """One draw of the network of the module's text.

    Args:
        dim: The dimension of x, at least 2.
        count: The number M of directions.
        profile: c and g.
        seed: Names the draw.

    Example:
        >>> profile = EvenProfile(Fraction(1), (Fraction(1, 4),), (Fraction(-1),))
        >>> network = RandomRidges(3, 50, profile, seed=7)
        >>> network.widths, network([[0.0, 0.0, 0.0]]).tolist()
        ((100,), [1.0])
    """

    kind: ClassVar[str] = "random-directions"

    dim: int
    count: int
    profile: EvenProfile
    seed: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        self.directions  # noqa: B018 - its own rules

    @cached_property
    def directions(self) -> SphereDirections:
        """The directions."""
        return SphereDirections(self.dim, self.count, self.seed)

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of all directions, and the one for the linear rest of kinks at 0."""
        return (self.count * self.profile.units + self.profile.has_kink_at_zero,)

    @cached_property
    def drawn(self) -> ShallowNetwork:
        """The flat network of this draw, in float64: what is evaluated and exported."""
        weights = tuple(float(weight / self.count) for weight in self.profile.weights)
        group = RidgeGroup(self.directions, tuple(map(float, self.profile.thresholds)), weights)
        bias, affine = float(self.profile.bias), None
        if self.profile.has_kink_at_zero:
            affine = self._cancelling_unit(weights[0])
            bias -= affine.offset
        return ShallowNetwork(self.dim, bias, (group,), affine)

    @cached_property
    def ideal_distance_upper(self) -> Fraction:
        """Proved: on the unit ball the stored network is this close to one with unit vectors and exact weights.

        The directions, then the rounded weights, then the rounded thresholds, then constant and linear part.
        """
        group, longest = self.drawn.groups[0], sqrt_upper(self.directions.norm_squared)
        total = self.profile.steepest * self.directions.defect_upper
        for exact, weight in zip(self.profile.weights, group.weights, strict=True):
            total += abs(exact - Fraction(weight) * self.count) * longest
        for exact, place, weight in zip(self.profile.thresholds, group.thresholds, group.weights, strict=True):
            total += abs(exact - Fraction(place)) * abs(Fraction(weight)) * self.count
        return printed_bound(total + self._affine_distance(self.profile.bias))
