"""Networks all of whose weights are trained, several of one shape side by side, in numpy.

A network maps x to A_k a(... a(A_1 x)), each A_i affine, a the activation (ReLU or sigmoid); the output is linear. The
loss is the mean squared error E (N(x) - y)^2, no factor 1/2, and its gradient is the chain rule written out. At the
sizes used here that is faster than automatic differentiation.

Initial weights: Gaussian, of variance 2/k (ReLU, as in He et al. 2015) or 1/k (sigmoid, and the last layer) for layers
with k inputs; biases 0, or uniform in the first layer where a caller asks for it. A choice made here; so is float32.
Cost: one product of (batch, k) by (k, l) forward and two backward for each layer of k inputs and l outputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, RadialLaw

__all__ = ["Adam", "Examples", "Momentum", "NetShape", "Nets", "draw_examples", "example_batches", "initial_weights"]

Array = NDArray[Any]  # float32, or float64 where a caller asks for it
Examples = tuple[NDArray[np.float32], NDArray[np.float32]]

_ACTIVATIONS = {"relu": "ReLU", "sigmoid": "sigmoid"}
_BLOCK = 4096
_SQUARE_TAIL = 2.0


@dataclass(frozen=True)
class NetShape:
    """Hidden layers of the given widths, and a linear output.

    Args:
        widths: The units of each hidden layer, from the input on.
        activation: "relu" or "sigmoid".

    Raises:
        BadInput: No hidden layer, a layer without units, or another activation.

    Example:
        >>> shape = NetShape((100, 20))
        >>> shape.text, shape.depth, shape.parameters(100)
        ('ReLU 100-20', 3, 12141)
    """

    widths: tuple[int, ...]
    activation: str = "relu"

    def __post_init__(self) -> None:
        """Refuse what is no network."""
        if not self.widths or min(self.widths) < 1:
            raise BadInput(f"hidden layers of the widths {self.widths}", needed="at least one, each with a unit")
        if self.activation not in _ACTIVATIONS:
            raise BadInput(f"the activation {self.activation!r}", needed=f"one of {', '.join(_ACTIVATIONS)}")

    @property
    def depth(self) -> int:
        """The number of weight layers."""
        return len(self.widths) + 1

    @property
    def text(self) -> str:
        """The shape, for reports."""
        return f"{_ACTIVATIONS[self.activation]} {'-'.join(map(str, self.widths))}"

    def parameters(self, dim: int) -> int:
        """Count the weights and biases for inputs of dimension `dim`."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.layers(dim))

    def layers(self, dim: int) -> list[tuple[int, int]]:
        """The numbers of inputs and outputs of each layer."""
        return list(pairwise((dim, *self.widths, 1)))

    def infinite_risk(self, law: RadialLaw) -> str:
        """Say why the mean squared error is infinite under a law; "" where it is finite.

        A ReLU network with linear output is piecewise linear. Unless its slopes cancel, which no training arranges, it
        grows like ||x||, and E ||x||^2 is infinite where the tail index is at most 2.

        Example:
            >>> from depthsep.learning.laws import Bessel
            >>> print(NetShape((9,)).infinite_risk(Bessel(5)))
            a ReLU network with linear output grows like ||x||, and E ||x||^2 is infinite (tail index 1)
        """
        if self.activation != "relu" or law.tail_index > _SQUARE_TAIL:
            return ""
        growth = "a ReLU network with linear output grows like ||x||"
        return f"{growth}, and E ||x||^2 is infinite (tail index {law.tail_index:g})"


def initial_weights(shape: NetShape, dim: int, rng: np.random.Generator, bias_range: float = 0) -> NDArray[np.float64]:
    """Draw the initial parameters of one network: layer by layer the weights (inputs, outputs), then the biases.

    Args:
        shape: The layers.
        dim: The dimension of the inputs.
        rng: Where the randomness comes from.
        bias_range: B; the biases of the first layer are uniform on [-B, B], all others 0.

    Returns:
        Shape (shape.parameters(dim),).
    """
    parts = []
    for layer, (inputs, outputs) in enumerate(shape.layers(dim)):
        gain = 2 if shape.activation == "relu" and layer < len(shape.widths) else 1
        reach = 0 if layer else bias_range
        parts += [rng.standard_normal(inputs * outputs) * math.sqrt(gain / inputs), rng.uniform(-reach, reach, outputs)]
    return np.concatenate(parts)


class Nets:
    """Networks of one shape.

    Args:
        shape: Their shape.
        dim: The dimension of the inputs.
        parameters: One row for each network, as `initial_weights` lays them out: shape (runs, p). Kept and not copied:
            who changes it changes the networks.
    """

    def __init__(self, shape: NetShape, dim: int, parameters: Array) -> None:
        """See the class."""
        self.shape = shape
        self.dim = dim
        self.parameters = parameters
        self._gradient = np.empty_like(parameters)
        self._layers = self._views(parameters)
        self._slopes = self._views(self._gradient)

    def _views(self, flat: Array) -> list[tuple[Array, Array]]:
        """The weights (runs, inputs, outputs) and biases (runs, 1, outputs) of each layer."""
        views, at, runs = [], 0, len(flat)
        for inputs, outputs in self.shape.layers(self.dim):
            cut = at + inputs * outputs
            weights = flat[:, at:cut].reshape(runs, inputs, outputs)
            views.append((weights, flat[:, cut : cut + outputs].reshape(runs, 1, outputs)))
            at = cut + outputs
        return views

    def outputs(self, points: Array) -> Array:
        """Evaluate every network.

        Args:
            points: The same for all, shape (n, dim), or one set for each, shape (runs, n, dim).

        Returns:
            Shape (runs, n).
        """
        return self._forward(points)[-1][..., 0]

    def _forward(self, points: Array) -> list[Array]:
        """What enters each layer, and the output: shapes (runs, n, units)."""
        values = [points]
        for layer, (weights, biases) in enumerate(self._layers):
            value = values[-1] @ weights
            value += biases
            if layer < len(self._layers) - 1:
                _activate(value, self.shape.activation)
            values.append(value)
        return values

    def gradient(self, points: Array, labels: Array) -> Array:
        """The gradient of each network's mean squared error in its parameters.

        Args:
            points: As in `outputs`.
            labels: Shape (n,) or (runs, n).

        Returns:
            Shape (runs, p); overwritten by the next call.
        """
        values = self._forward(points)
        error = values[-1]
        error -= labels[..., np.newaxis]
        error *= 2 / error.shape[1]
        for layer in reversed(range(len(self._layers))):
            value, weights = values[layer], self._layers[layer][0]
            slope, bias_slope = self._slopes[layer]
            np.matmul(value.swapaxes(-1, -2), error, out=slope)
            np.sum(error, axis=1, keepdims=True, out=bias_slope)
            if layer:
                back = weights.swapaxes(-1, -2)
                error = error @ back if weights.shape[2] > 1 else error * back
                _times_slope(error, value, self.shape.activation)
        return self._gradient

    def mse(self, points: Array, labels: Array) -> NDArray[np.float64]:
        """The mean squared error of every network on common points.

        Args:
            points: Shape (n, dim), rescaled as in training.
            labels: Shape (n,).

        Returns:
            Shape (runs,); infinite or NaN for a network that diverged.
        """
        total = np.zeros(len(self.parameters))
        for start in range(0, len(points), _BLOCK):
            block = slice(start, start + _BLOCK)
            total += np.sum((self.outputs(points[block]) - labels[block]) ** 2, axis=1, dtype=np.float64)
        return total / len(points)

    def only(self, run: int) -> Nets:
        """Copy one of the networks out of the stack."""
        return Nets(self.shape, self.dim, self.parameters[run : run + 1].copy())


def _activate(value: Array, activation: str) -> None:
    """Apply the activation in place."""
    if activation == "relu":
        np.maximum(value, 0, out=value)
        return
    value *= 0.5
    np.tanh(value, out=value)
    value += 1
    value *= 0.5


def _times_slope(error: Array, value: Array, activation: str) -> None:
    """Multiply by the slope of the activation, which is known from its value."""
    if activation == "relu":
        error *= value > 0
    else:
        error *= value
        error *= 1 - value


class Adam:
    """Adam with the constants of Kingma and Ba (2015), on parameters of shape (runs, p), in place."""

    def __init__(self, parameters: Array) -> None:
        """Start with moments 0."""
        self._parameters = parameters
        self._first, self._second = np.zeros_like(parameters), np.zeros_like(parameters)
        self._scratch = np.empty_like(parameters)
        self._updates = 0

    def update(self, gradient: Array, rates: Array) -> None:
        """Take one step; `rates` has shape (runs, 1)."""
        self._updates += 1
        scratch = self._scratch
        self._first *= 0.9
        self._first += np.multiply(gradient, 0.1, out=scratch)
        self._second *= 0.999
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 0.001
        self._second += scratch
        correction = math.sqrt(1 - 0.999**self._updates)
        np.sqrt(self._second, out=scratch)
        scratch += 1e-8 * correction
        np.divide(self._first, scratch, out=scratch)
        scratch *= rates * (correction / (1 - 0.9**self._updates))
        self._parameters -= scratch


class Momentum:
    """Gradient descent with (heavy-ball) momentum, on parameters of shape (runs, p), in place."""

    def __init__(self, parameters: Array, momentum: float) -> None:
        """Start at rest."""
        self._parameters = parameters
        self._momentum = momentum
        self._velocity = np.zeros_like(parameters)
        self._scratch = np.empty_like(parameters)

    def update(self, gradient: Array, rate: float) -> None:
        """Take one step."""
        self._velocity *= self._momentum
        self._velocity += gradient
        self._parameters -= np.multiply(self._velocity, rate, out=self._scratch)


def draw_examples(target: BallTarget, n: int, rng: np.random.Generator) -> Examples:
    """Draw points, rescaled so that the median norm is sqrt(dim), and their labels.

    Returns:
        Points of shape (n, dim) and labels of shape (n,), in float32; the labels are decided in float64.
    """
    points = target.law.sample(n, rng)
    labels = target.label(points).astype(np.float32)
    points *= target.law.scale
    return points.astype(np.float32), labels


def example_batches(target: BallTarget, batch: int, steps: int, rng: np.random.Generator) -> Iterator[Examples]:
    """Draw `steps` batches of fresh examples, many at a time as that is faster."""
    together = max(1, _BLOCK // batch)
    for first in range(0, steps, together):
        count = min(together, steps - first)
        points, labels = draw_examples(target, count * batch, rng)
        yield from zip(_split(points, count), _split(labels, count), strict=True)


def _split(values: NDArray[np.float32], parts: int) -> Sequence[NDArray[np.float32]]:
    return np.split(values, parts)
