"""The frozen hidden layer, and its features, computed once and centred.

    phi_i(x) = sigma(<w_i, c x> + b_i),   ||w_i|| = s,   b_i uniform on [-B, B],   sigma the logistic function,

where the input scale c brings the median norm of x to sqrt(d). Only what follows the hidden layer is trained, so the
features of all points are computed once, and every training step is a product with their matrix.

The features are centred: a constant mean direction has most of their energy, and a step that is stable there is too
small for what is to be learnt (d = 20, width 400: the largest eigenvalue is 121 instead of 1.3). Centring changes the
path of gradient descent, not the networks that can be reached: <v, phi - mu> + v0 = <v, phi> + (v0 - <v, mu>).

    iid          independent neurons, w uniform on the sphere
    orthogonal   blocks of d neurons with orthogonal w and one common bias: a block sees ||x||^2 without noise
    antithetic   such blocks in pairs (w, b), (-w, b): even functions of x can be matched without odd remainders
                 ((-w, -b) would be of no use, as sigma(-z) = 1 - sigma(z))

Source: the model is that of Safran and Lee (2022) as we read it. The laws of w and b, s = 1/2 and B = 2 are our
choices; orthogonal and antithetic layers leave the paper's assumption of independent neurons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from depthsep.errors import BadInput
from depthsep.learning.laws import RadialLaw

__all__ = ["HIDDEN_KINDS", "CenteredFeatures", "HiddenLayer"]

Matrix = NDArray[np.float32]

HIDDEN_KINDS = ("iid", "orthogonal", "antithetic")

_ROLE = 1  # keeps the draws of the layer apart from data drawn with the same seed
_BLOCK_BYTES = 1 << 19  # a block of features stays in the cache between its two products
_SATURATED = 100.0  # in float32, sigma is 0 or 1 beyond
_FLOAT32_ROUNDING = 2.0**-24


@dataclass(frozen=True)
class HiddenLayer:
    """A random hidden layer that is never trained; it is drawn again from its seed rather than stored.

    Args:
        dim: The dimension d of the points, at least 1.
        width: The number of neurons, at least 1.
        kind: "iid", "orthogonal" or "antithetic", see the module; the last block may be incomplete.
        scale: s, the norm of the weights, positive.
        bias_range: B, the biases being uniform on [-B, B]; positive.
        seed: Determines the layer, not negative.
        input_scale: The factor c on the points; `RadialLaw.scale` brings the median norm to sqrt(d).

    Raises:
        BadInput: The kind is not known, or a number is out of its range.

    Example:
        >>> hidden = HiddenLayer(dim=3, width=5, seed=1)
        >>> hidden.weights.shape, hidden.biases.shape, hidden.features([[0, 0, 1]]).dtype
        ((5, 3), (5,), dtype('float32'))
        >>> HiddenLayer(dim=3, width=5, kind="ortogonal")
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: a hidden layer of kind 'ortogonal'
          needed: one of iid, orthogonal, antithetic
    """

    dim: int
    width: int
    kind: str = "iid"
    scale: float = 0.5
    bias_range: float = 2.0
    seed: int = 0
    input_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if self.kind not in HIDDEN_KINDS:
            raise BadInput(f"a hidden layer of kind {self.kind!r}", needed=f"one of {', '.join(HIDDEN_KINDS)}")
        for name, least in (("dim", 1), ("width", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise BadInput(f"a hidden layer with {name} = {getattr(self, name)}", needed=f"{name} >= {least}")
        for name in ("scale", "bias_range", "input_scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise BadInput(f"a hidden layer with {name} = {getattr(self, name):g}", needed="a positive number")

    @classmethod
    def for_law(cls, law: RadialLaw, width: int, **options: Any) -> HiddenLayer:
        """Draw a layer for the points of a law, with its dimension and its input scale.

        Args:
            law: The law of the points.
            width: The number of neurons.
            options: `kind`, `scale`, `bias_range`, `seed`, as in the class.
        """
        return cls(law.dim, width, input_scale=law.scale, **options)

    @property
    def weights(self) -> Matrix:
        """The weights w, one row for each neuron, of shape (width, dim); for points times the input scale."""
        return self._neurons[0]

    @property
    def biases(self) -> Matrix:
        """The biases b, of shape (width,)."""
        return self._neurons[1]

    @cached_property
    def _neurons(self) -> tuple[Matrix, Matrix]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_ROLE,)))
        draw = _independent if self.kind == "iid" else _orthogonal
        signs = (1.0, -1.0) if self.kind == "antithetic" else (1.0,)
        directions, unit_biases = draw(self.dim, self.width, signs, rng)
        weights, biases = self.scale * directions, self.bias_range * unit_biases
        return weights.astype(np.float32), biases.astype(np.float32)

    def features(self, points: ArrayLike) -> Matrix:
        """Compute sigma(<w, c x> + b), block by block; the products are float64, so heavy tails do no harm.

        Shapes:
            points (n, dim); returns (n, width), float32.

        Raises:
            BadInput: The points have another dimension, or a coordinate that is not finite.
        """
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.dim:
            raise BadInput(f"features of points of shape {array.shape}", needed=f"shape (n, {self.dim})")
        if not np.isfinite(array).all():
            raise BadInput("features of points", found="a coordinate that is not finite", needed="finite coordinates")
        weights = self.input_scale * self.weights.T.astype(np.float64)
        result = np.empty((len(array), self.width), dtype=np.float32)
        for rows in _blocks(len(array), self.width):
            z = np.clip(array[rows] @ weights + self.biases, -_SATURATED, _SATURATED)
            expit(z.astype(np.float32), out=result[rows])
        return result

    def centered_features(self, points: ArrayLike, mean: ArrayLike | None = None) -> CenteredFeatures:
        """Compute the features and take their mean away.

        Args:
            points: Of shape (n, dim), n >= 1.
            mean: The mean to take away, of shape (width,); by default that of these points. Test points get the mean
                of the training points.

        Raises:
            BadInput: As for `features`; no points; a mean of another shape.
        """
        matrix = self.features(points)
        if len(matrix) == 0:
            raise BadInput("centred features", found="no points", needed="at least one point")
        center = _mean(matrix) if mean is None else np.asarray(mean, dtype=np.float32)
        if center.shape != (self.width,):
            raise BadInput(f"a mean of shape {center.shape}", needed=f"one number for each of {self.width} neurons")
        matrix -= center
        return CenteredFeatures(matrix, center)


@dataclass(frozen=True, eq=False)
class CenteredFeatures:
    """The features of a set of points, minus a mean.

    Args:
        matrix: phi - mu, of shape (n, width), float32.
        mean: mu, of shape (width,), float32.
    """

    matrix: Matrix
    mean: Matrix

    def __len__(self) -> int:
        """The number of points."""
        return len(self.matrix)

    @property
    def width(self) -> int:
        """The number of features of a point."""
        return int(self.matrix.shape[1])

    def blocks(self) -> Iterator[slice]:
        """Cut the points into runs whose features fit into the cache."""
        return _blocks(len(self.matrix), self.width)

    @cached_property
    def energies_upper(self) -> tuple[float, float]:
        """Bounds (a, b) with: mean over the points of (<v, phi - mu> + v0)^2 <= a ||v||^2 + b v0^2 for all v and v0.

        They are true upper bounds: to the largest eigenvalue of the Gram matrix, the worst case of the rounding errors
        of its entries is added, and the mean that rounding left in the features. A loss of one example with second
        derivatives at most k has a mean loss that is k a-smooth in v and k b-smooth in v0, both together.
        """
        n, width = self.matrix.shape
        gram = np.zeros((width, width))
        longest = 0
        for rows in self.blocks():
            block = self.matrix[rows]
            longest = max(longest, len(block))
            gram += block.T @ block
        gram /= n
        rounding = 2 * longest * _FLOAT32_ROUNDING * float(np.trace(gram))
        mixed = float(np.linalg.norm(self.matrix.mean(axis=0, dtype=np.float64)))
        return float(np.linalg.eigvalsh(gram)[-1]) + rounding + mixed, 1 + mixed


def _blocks(n: int, width: int) -> Iterator[slice]:
    """Cut n rows of `width` float32 numbers into blocks that fit into the cache."""
    height = max(_BLOCK_BYTES // (4 * width), 64)
    return (slice(start, min(start + height, n)) for start in range(0, n, height))


def _mean(matrix: Matrix) -> Matrix:
    return np.asarray(matrix.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _independent(
    dim: int, width: int, _signs: tuple[float, ...], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    directions = rng.standard_normal((width, dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions, rng.uniform(-1, 1, width)


def _orthogonal(
    dim: int, width: int, signs: tuple[float, ...], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Uniform orthogonal blocks; each with one bias, and once with every sign."""
    parts: list[NDArray[np.float64]] = []
    biases: list[float] = []
    while len(parts) * dim < width:
        basis, triangle = np.linalg.qr(rng.standard_normal((dim, dim)))
        basis *= np.sign(np.diag(triangle))  # without it the law of the basis would not be uniform
        parts += [sign * basis.T for sign in signs]
        biases += [rng.uniform(-1, 1)] * len(signs)
    return np.concatenate(parts)[:width], np.repeat(biases, dim)[:width]
