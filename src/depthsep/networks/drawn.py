"""What networks with directions drawn from a seed share: the draw, its flat network, its distance from an ideal one.

Nothing is drawn before it is needed, and nothing is proved about a draw but what rounding did to it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.directions import BLOCK, Directions, ExplicitDirections
from depthsep.networks.layers import DenseLayers, Network
from depthsep.networks.profile import Array
from depthsep.networks.ridge import AffineUnit, ShallowNetwork
from depthsep.networks.rounding import UNDERFLOW, UNIT, gamma, sqrt_upper

__all__ = ["DRAW_LIMIT_BYTES", "DrawnDirections", "DrawnNetwork"]

DRAW_LIMIT_BYTES = 2**30
MAX_SEED = 2**64 - 1


class DrawnDirections(Directions):
    """Vectors drawn from a seed, kept as one array once they are needed: numpy's PCG64 makes the draw.

    Frozen dataclasses with the fields `dim`, `seed` and the number of what is drawn.
    """

    noun: ClassVar[str]  # of what is drawn, for errors
    seed: int

    @property
    @abstractmethod
    def draws(self) -> int:
        """How many of them are drawn."""

    @abstractmethod
    def _draw(self, rng: np.random.Generator) -> Array:
        """Draw all vectors, shape (count, dim)."""

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        if self.dim < 2 or self.count < 1 or not 0 <= self.seed <= MAX_SEED:
            raise BadInput(
                f"{self.draws} {self.noun}s of dimension {self.dim} drawn with seed {self.seed}",
                needed=f"dim >= 2, at least one {self.noun}, and a seed from 0 to 2^64 - 1",
            )

    @cached_property
    def matrix(self) -> Array:
        """All vectors, shape (count, dim).

        Raises:
            OutOfReach: They take more than a gigabyte.
        """
        needed = 8 * self.count * self.dim
        if needed > DRAW_LIMIT_BYTES:
            raise OutOfReach(
                f"draw {self.draws} {self.noun}s of dimension {self.dim}",
                found=f"they take {needed} bytes",
                needed=f"at most {DRAW_LIMIT_BYTES} bytes",
                do=f"a larger eps needs fewer {self.noun}s; the document is about their law and needs no draw",
                reached={"bytes": needed},
            )
        matrix = self._draw(np.random.Generator(np.random.PCG64(self.seed)))
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def column_sums(self) -> list[float]:
        """The sum of all vectors, every entry right to one unit roundoff."""
        return [math.fsum(column) for column in self.matrix.T.tolist()]

    @cached_property
    def norm_squared(self) -> Fraction:
        """An upper bound of the largest ||u||^2: the computed sums of squares are right to gamma(dim)."""
        squares = np.einsum("ij,ij->i", self.matrix, self.matrix)
        return Fraction(float(squares.max())) / (1 - gamma(self.dim)) + self.dim * UNDERFLOW

    @property
    def total_norm_upper(self) -> Fraction:
        """An upper bound of the sum of all ||u||."""
        return self.count * sqrt_upper(self.norm_squared)

    @property
    def largest_entry(self) -> float:
        """The largest |u_i|."""
        return float(np.abs(self.matrix).max())

    @property
    def nonzeros(self) -> int:
        """The number of nonzero entries of all vectors together."""
        return int(np.count_nonzero(self.matrix))

    @property
    def support(self) -> int:
        """The largest number of nonzero entries of one vector."""
        return int(np.count_nonzero(self.matrix, axis=1).max())

    @property
    def projection_error(self) -> Fraction:
        """gamma(dim) ||u|| ||x|| (Cauchy-Schwarz), and the underflow of dim products."""
        return gamma(self.dim) * sqrt_upper(self.norm_squared) + self.dim * UNDERFLOW

    def blocks(self, points: Array) -> Iterator[Array]:
        """Project; see `Directions.blocks`."""
        for matrix in self.matrix_blocks(BLOCK):
            yield points @ matrix.T

    def matrix_blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Expand; see `Directions.matrix_blocks`."""
        for start in range(0, self.count, rows):
            yield self.matrix[start : start + rows]

    def explicit(self) -> ExplicitDirections:
        """The same vectors, written out."""
        return ExplicitDirections(tuple(map(tuple, self.matrix.tolist())))

    def to_json(self) -> dict[str, Any]:
        """Give the DIRECTIONS object of the document format, which lists the rows."""
        return self.explicit().to_json()


class DrawnNetwork(Network):
    """One draw of a random network. Counting its units draws nothing; its weights are those of the flat network."""

    depth: ClassVar[int] = 2

    @property
    @abstractmethod
    def directions(self) -> DrawnDirections:
        """What is drawn."""

    @property
    @abstractmethod
    def drawn(self) -> ShallowNetwork:
        """The flat network of this draw, in float64: what is evaluated and exported."""

    @property
    @abstractmethod
    def ideal_distance_upper(self) -> Fraction:
        """Proved: on the unit ball the stored network is this close to one with ideal directions and exact weights."""

    @property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact."""
        return self.drawn.max_weight

    @property
    def path_norm(self) -> float:
        """Sum over the units of |outer weight| * ||inner vector||; rounded up."""
        return self.drawn.path_norm

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        return self.drawn.nonzeros

    @property
    def rounding_error_upper(self) -> Fraction:
        """Proved bound of |computed - exact| for the stored weights; `ideal_distance_upper` comes on top."""
        return self.drawn.rounding_error_upper

    @property
    def flat_rounding_error_upper(self) -> Fraction:
        """The same for the flat layers, every sum taken in any order."""
        return self.drawn.flat_rounding_error_upper

    @property
    def _points_at_once(self) -> int:
        return self.drawn._points_at_once

    def _values(self, points: Array) -> Array:
        return self.drawn._values(points)

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the stored network in exact rationals: slow, and right everywhere."""
        return self.drawn.evaluate_exact(point)

    def _expand(self) -> DenseLayers:
        return self.drawn._expand()

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format, with all rows listed."""
        return self.drawn.to_json()

    def _cancelling_unit(self, weight: float) -> AffineUnit:
        """The unit, linear on the unit ball, that takes the sum of weight * <u, x> away again, up to its offset."""
        direction = tuple(-weight * entry for entry in self.directions.column_sums)
        return AffineUnit(direction, math.hypot(*direction) * (1 + 1e-9), 1.0)

    def _affine_distance(self, constant: Fraction) -> Fraction:
        """Proved: how far bias, affine unit and the linear parts of the kinks at 0 are from a constant on the ball."""
        unit, bias = self.drawn.affine, Fraction(self.drawn.bias)
        if unit is None:
            return abs(bias - constant)
        if Fraction(unit.offset) < unit.norm_upper:
            raise BadInput("compare with ideal directions", found="an affine unit that is not linear on the unit ball")
        distance = abs(bias + Fraction(unit.offset) - constant)
        weight = Fraction(self.drawn.groups[0].weights[0])
        for entry, total in zip(unit.direction, self.directions.column_sums, strict=True):
            slack = abs(weight * Fraction(total)) * 2 * UNIT + UNDERFLOW
            distance += abs(Fraction(entry) + weight * Fraction(total)) + slack
        return distance
