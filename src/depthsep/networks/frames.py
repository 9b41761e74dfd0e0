"""Depth-2 networks for a cone alpha + beta ||x|| whose directions are the rows of random orthonormal frames.

    N(x) = alpha + sign(beta) eps + beta c sum over the d K rows u of K frames of |<u, x>|,      1/c = K sqrt(d) scale

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
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np

from depthsep.errors import BadInput
from depthsep.networks.drawn import DrawnDirections, DrawnNetwork
from depthsep.networks.layers import printed_bound
from depthsep.networks.profile import Array
from depthsep.networks.ridge import RidgeGroup, ShallowNetwork
from depthsep.networks.rounding import UNDERFLOW, UNIT, gamma, sqrt_upper

__all__ = ["FrameDirections", "RandomFrames"]


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

    noun: ClassVar[str] = "frame"

    dim: int
    frames: int
    seed: int

    @property
    def draws(self) -> int:
        """The number of frames."""
        return self.frames

    @property
    def count(self) -> int:
        """The number of rows."""
        return self.dim * self.frames

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.concatenate([self._frame(rng) for _ in range(self.frames)])

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


@dataclass(frozen=True)
class RandomFrames(DrawnNetwork):
    """One draw of the network of the module's text. Counting its units draws nothing.

    Args:
        dim: The dimension of x, at least 2.
        frames: The number K of frames.
        eps: The value at 0 is alpha + eps or alpha - eps, by the sign of beta.
        scale: The mean of sqrt(dim) |<u, x>| is divided by it.
        seed: Names the draw.
        alpha: The value of the cone at 0.
        beta: The slope of the cone, not 0.

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
    alpha: Fraction = Fraction(1)
    beta: Fraction = Fraction(-1)

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        self.directions  # noqa: B018 - its own rules
        if self.scale <= 0 or not 0 < self.eps < abs(self.beta) / 2:
            asked = f"random frames with scale {self.scale} and eps = {self.eps}"
            raise BadInput(asked, needed=f"a positive scale and 0 < eps < {abs(self.beta) / 2}")

    @property
    def centre(self) -> Fraction:
        """The value at 0."""
        return self.alpha + (self.eps if self.beta > 0 else -self.eps)

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
        weight = float(self.beta) / (self.frames * math.sqrt(self.dim) * float(self.scale))
        unit = self._cancelling_unit(weight)
        group = RidgeGroup(self.directions, (0.0,), (weight,))
        return ShallowNetwork(self.dim, float(self.centre) - unit.offset, (group,), unit)

    @cached_property
    def ideal_distance_upper(self) -> Fraction:
        """Proved: on the unit ball the stored network is this close to that of some exactly orthonormal frames.

        Three parts, c times |beta|: the rows, c d K times their distance; the rounded weight D, since
        | |D| - c | <= |D^2 - c^2| / |D|, times the sum of the |u|; constant and linear part.
        """
        weight = Fraction(self.drawn.groups[0].weights[0])
        ideal_squared = self.beta**2 / (self.frames**2 * self.dim * self.scale**2)
        rows = sqrt_upper(ideal_squared) * self.directions.count * self.directions.defect_upper
        rounded = abs(weight**2 - ideal_squared) / abs(weight) * self.directions.total_norm_upper
        return printed_bound(rows + rounded + self._affine_distance(self.centre))
