"""Sums of units of any activation as networks of one input: N(t) = bias + sum_i weights_i s(scales_i t - offsets_i).

Rounding. For the activations that take sums, products and comparisons only (relu, leaky_relu, hard_tanh) a bound is
proved for t in the interval of the network, |t| <= T there: the argument of s is off by gamma(2) (|b| T + |c|) at most,
s is 1-Lipschitz with |s(y)| <= |y| and costs gamma(2) |s|, a weight gamma(1), and n + 1 summands gamma(n) of their
sizes; all of it besides underflow. For the others none is stated, see `activation_ridge`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from depthsep.activations import Activation
from depthsep.errors import BadInput
from depthsep.networks.activation_ridge import ARITHMETIC
from depthsep.networks.layers import DenseLayers, Network, printed_bound
from depthsep.networks.profile import Array
from depthsep.networks.rounding import LARGEST_SAFE, UNDERFLOW, gamma, round_up
from depthsep_check.numbers import precision

__all__ = ["UnitNetwork"]

_BITS = 128


@dataclass(frozen=True)
class UnitNetwork(Network):
    """A network with one input and one hidden layer; see the module's text.

    Args:
        unit: The activation s.
        interval: Where the rounding bounds hold.
        bias: Added last.
        scales: b_i.
        offsets: c_i.
        weights: D_i.

    Example:
        >>> from depthsep.activations import activation
        >>> hat = UnitNetwork(activation("relu"), (Fraction(-1), Fraction(1)), 1.0, (1.0,), (0.0,), (-1.0,))
        >>> hat.widths, hat([[-1.0], [0.5]]).tolist(), float(hat.rounding_error_upper) < 1e-14
        ((1,), [1.0, 0.5], True)
    """

    depth: ClassVar[int] = 2
    kind: ClassVar[str] = "units"

    unit: Activation
    interval: tuple[Fraction, Fraction]
    bias: float
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    weights: tuple[float, ...]
    dim: int = field(default=1, init=False)

    @property
    def activation(self) -> str:
        """The name of the activation."""
        return self.unit.name

    @property
    def domain(self) -> str:
        """Where the rounding bounds hold, in the words of a claim."""
        return "interval"

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units."""
        return (len(self.weights),)

    @property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases."""
        return max(abs(number) for number in self._numbers)

    @property
    def _numbers(self) -> tuple[float, ...]:
        return (self.bias, *self.scales, *self.offsets, *self.weights)

    @cached_property
    def path_norm(self) -> float:
        """The sum of |D_i b_i|, rounded up."""
        pairs = zip(self.weights, self.scales, strict=True)
        return round_up(sum((abs(Fraction(a) * Fraction(b)) for a, b in pairs), Fraction(0)))

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases."""
        return sum(number != 0 for number in self._numbers)

    @cached_property
    def rounding_error_upper(self) -> Fraction | None:
        """Proved bound of |computed - exact| on the interval, None where none is known; see the module's text."""
        if self.activation not in ARITHMETIC:
            return None
        reach = max(abs(end) for end in self.interval)
        error, size = Fraction(0), abs(Fraction(self.bias))
        for scale, offset, weight in zip(self.scales, self.offsets, self.weights, strict=True):
            b, c, w = (abs(Fraction(number)) for number in (scale, offset, weight))
            value = b * reach + c
            inner = gamma(2) * value + 2 * UNDERFLOW
            computed = inner + gamma(3) * (value + inner) + UNDERFLOW
            error += w * computed + UNDERFLOW
            size += w * (value + computed)
        if size + error > LARGEST_SAFE:
            raise BadInput("bound the rounding error", found="weights near the overflow threshold of float64")
        return printed_bound(error + gamma(len(self.weights) + 1) * size)

    @property
    def flat_rounding_error_upper(self) -> Fraction | None:
        """The same: the sums of the flat layers are those of the definition, in any order."""
        return self.rounding_error_upper

    @property
    def _points_at_once(self) -> int:
        return max(1, 2**20 // max(1, len(self.weights)))

    def _values(self, points: Array) -> Array:
        inner = points * np.array(self.scales) - np.array(self.offsets)
        return np.asarray(self.unit(inner) @ np.array(self.weights) + self.bias)

    def _outside(self, points: Array) -> NDArray[np.bool_]:
        low, high = self.interval
        first, last = float(low), float(high)
        if Fraction(first) < low:
            first = math.nextafter(first, math.inf)
        if Fraction(last) > high:
            last = math.nextafter(last, -math.inf)
        return np.asarray((points[:, 0] < first) | (points[:, 0] > last))

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in balls of 128 bits and give their middle, a rational."""
        (t,) = point
        with precision(_BITS):
            place, total = fmpq(t.numerator, t.denominator), arb(_exact(self.bias))
            for scale, offset, weight in zip(self.scales, self.offsets, self.weights, strict=True):
                total += _exact(weight) * self.unit.judge.value(arb(_exact(scale) * place - _exact(offset)))
            middle = total.mid().fmpq()
        return Fraction(int(middle.p), int(middle.q))

    def _expand(self) -> DenseLayers:
        hidden = (np.array(self.scales, dtype=np.float64)[:, None], 0.0 - np.array(self.offsets, dtype=np.float64))
        return [hidden, (np.array([self.weights], dtype=np.float64), np.array([self.bias]))]

    def to_json(self) -> dict[str, Any]:
        """Give the numbers as the claim of kind "univariate" has them."""
        lists = {"scales": self.scales, "offsets": self.offsets, "weights": self.weights}
        return {"bias": self.bias.hex()} | {key: [entry.hex() for entry in entries] for key, entries in lists.items()}


def _exact(number: float) -> fmpq:
    return fmpq(*number.as_integer_ratio())
