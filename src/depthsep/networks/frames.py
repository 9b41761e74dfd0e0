"""Depth-2 networks for the cone 1 - ||x|| whose directions are the rows of random orthonormal frames.

    N(x) = 1 - eps - c sum over the d K rows u of K frames of |<u, x>|,      1/c = K sqrt(d) scale

One unit per row, |z| = 2 relu(z) - z, and one unit for the sum of all -z, which is linear on the unit ball. The frames
are drawn when they are first needed: frame after frame, numpy's PCG64 with the given seed fills a d x d matrix with
standard normals, whose QR factorisation with a positive diagonal of R gives Q, the frame. In exact arithmetic Q is a
Haar matrix. The same seed gives the same bits with the same numpy and LAPACK; other builds may round differently.

Distance from ideal frames. Let F = ||Q Q^T - I|| (Frobenius) for a stored Q. Its singular values s have |s^2 - 1| <= F,
so |s - 1| <= F, and the orthogonal factor P of its polar decomposition, an exact frame, has ||Q - P|| <= F: every row
is within F of a row of P. This moves sum |<u, x>| over all rows by at most d K F on the ball.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.directions import BLOCK, Directions, ExplicitDirections
from depthsep.networks.layers import DenseLayers, Network, printed_bound
from depthsep.networks.profile import Array
from depthsep.networks.ridge import AffineUnit, RidgeGroup, ShallowNetwork
from depthsep.networks.rounding import UNDERFLOW, UNIT, gamma, sqrt_upper

__all__ = ["DRAW_LIMIT_BYTES", "DrawnDirections", "DrawnNetwork", "FrameDirections", "RandomFrames"]

DRAW_LIMIT_BYTES = 2**30
MAX_SEED = 2**64 - 1


class DrawnDirections(Directions):
    """Vectors drawn from a seed, kept as one array once they are needed."""

    @property
    @abstractmethod
    def matrix(self) -> Array:
        """All vectors, shape (count, dim)."""

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


@dataclass(frozen=True)
class FrameDirections(DrawnDirections):
    """The rows of `frames` orthonormal frames of R^dim, drawn from a seed.

    Args:
        dim: The dimension, at least 2.
        frames: The number of frames.
        seed: Names the draw, 0 to 2^64 - 1.

    Example:
        >>> rows = FrameDirections(3, 2, seed=7).matrix
        >>> rows.shape, bool(abs(rows[3:] @ rows[3:].T - np.eye(3)).max() < 1e-14)
        ((6, 3), True)
    """

    dim: int
    frames: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        if self.dim < 2 or self.frames < 1 or not 0 <= self.seed <= MAX_SEED:
            raise BadInput(
                f"{self.frames} frames of dimension {self.dim} drawn with seed {self.seed}",
                needed="dim >= 2, at least one frame, and a seed from 0 to 2^64 - 1",
            )

    @property
    def count(self) -> int:
        """The number of rows."""
        return self.dim * self.frames

    @cached_property
    def matrix(self) -> Array:
        """All rows, frame after frame; shape (count, dim).

        Raises:
            OutOfReach: They take more than a gigabyte.
        """
        needed = 8 * self.count * self.dim
        if needed > DRAW_LIMIT_BYTES:
            raise OutOfReach(
                f"draw {self.frames} frames of dimension {self.dim}",
                found=f"they take {needed} bytes",
                needed=f"at most {DRAW_LIMIT_BYTES} bytes",
                do="a larger eps needs fewer frames; the document is about their law and needs no draw",
                reached={"bytes": needed},
            )
        rng = np.random.Generator(np.random.PCG64(self.seed))
        matrix = np.concatenate([self._frame(rng) for _ in range(self.frames)])
        matrix.setflags(write=False)
        return matrix

    def _frame(self, rng: np.random.Generator) -> Array:
        q, r = np.linalg.qr(rng.standard_normal((self.dim, self.dim)))
        return np.asarray(q * np.where(np.diagonal(r) < 0, -1.0, 1.0))

    @cached_property
    def defect_upper(self) -> Fraction:
        """Proved: every stored row is this close to a row of an exactly orthonormal frame; see the module's text.

        Every computed entry of Q Q^T is right to e = gamma(dim) max ||u||^2 and underflow, so ||Q Q^T - I|| is at most
        the computed norm, itself right to gamma(dim^2 + 2), and dim e, with a unit roundoff for subtracting I.
        """
        largest = 0.0
        for start in range(0, self.count, self.dim):
            frame = self.matrix[start : start + self.dim]
            largest = max(largest, float(np.square(frame @ frame.T - np.eye(self.dim)).sum()))
        computed = sqrt_upper(Fraction(largest) / (1 - gamma(self.dim**2 + 2)) + self.dim**2 * UNDERFLOW)
        entry = gamma(self.dim) * self.norm_squared + self.dim * UNDERFLOW
        return computed * (1 + 2 * UNIT) + self.dim * entry


class DrawnNetwork(Network):
    """One draw of a random network. Counting its units draws nothing; its weights are those of the flat network."""

    depth: ClassVar[int] = 2

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


@dataclass(frozen=True)
class RandomFrames(DrawnNetwork):
    """One draw of the network of the module's text. Counting its units draws nothing.

    Args:
        dim: The dimension of x, at least 2.
        frames: The number K of frames.
        eps: The bias is 1 - eps.
        scale: The mean of sqrt(dim) |<u, x>| is divided by it.
        seed: Names the draw.

    Example:
        >>> cone = RandomFrames(3, 2, Fraction(1, 3), Fraction(9, 10), seed=7)
        >>> cone.widths, round(cone([[0.0, 0.0, 0.0]]).item(), 12)
        ((7,), 0.666666666667)
    """

    kind: ClassVar[str] = "random-frames"

    dim: int
    frames: int
    eps: Fraction
    scale: Fraction
    seed: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        self.directions  # noqa: B018 - its own rules
        if self.scale <= 0 or not 0 < self.eps < Fraction(1, 2):
            asked = f"random frames with scale {self.scale} and eps = {self.eps}"
            raise BadInput(asked, needed="a positive scale and 0 < eps < 1/2")

    @cached_property
    def directions(self) -> FrameDirections:
        """The rows of the frames."""
        return FrameDirections(self.dim, self.frames, self.seed)

    @property
    def widths(self) -> tuple[int, ...]:
        """One unit per row, one for the linear part."""
        return (self.directions.count + 1,)

    @cached_property
    def drawn(self) -> ShallowNetwork:
        """The flat network of this draw, in float64: what is evaluated and exported."""
        weight = -1.0 / (self.frames * math.sqrt(self.dim) * float(self.scale))
        sums = self._column_sums
        direction = tuple(-weight * entry for entry in sums)
        offset = math.hypot(*direction) * (1 + 1e-9)
        group = RidgeGroup(self.directions, (0.0,), (weight,))
        return ShallowNetwork(self.dim, float(1 - self.eps) - offset, (group,), AffineUnit(direction, offset, 1.0))

    @cached_property
    def _column_sums(self) -> list[float]:
        return [math.fsum(column) for column in self.directions.matrix.T.tolist()]

    @cached_property
    def ideal_distance_upper(self) -> Fraction:
        """Proved: on the unit ball the stored network is this close to that of some exactly orthonormal frames.

        Four parts: the constant; the rows, c d K times their distance; the rounded weight D, since
        | |D| - c | <= |D^2 - c^2| / |D|, times the sum of the |u|; and what is left of the linear part, each sum of a
        column being right to one unit roundoff.
        """
        unit = self.drawn.affine
        weight = Fraction(self.drawn.groups[0].weights[0])
        if unit is None or Fraction(unit.offset) < unit.norm_upper:
            raise BadInput("compare with ideal frames", found="an affine unit that is not linear on the unit ball")
        constant = abs(Fraction(self.drawn.bias) + Fraction(unit.offset) - (1 - self.eps))
        ideal_squared = 1 / (self.frames**2 * self.dim * self.scale**2)
        rows = sqrt_upper(ideal_squared) * self.directions.count * self.directions.defect_upper
        rounded = abs(weight**2 - ideal_squared) / abs(weight) * self.directions.total_norm_upper
        left = Fraction(0)
        for entry, total in zip(unit.direction, self._column_sums, strict=True):
            slack = abs(weight * Fraction(total)) * 2 * UNIT + UNDERFLOW
            left += abs(Fraction(entry) + weight * Fraction(total)) + slack
        return printed_bound(constant + rows + rounded + left)
