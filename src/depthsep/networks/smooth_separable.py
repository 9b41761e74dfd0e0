"""Depth-3 networks of softplus, sigmoid or tanh units: a sum of squares by curvature, then a function of the sum.

    q(x) = weight (sum_i s(gain x_i + centre)) + linear_weight e(linear_gain (x_1 + ... + x_dim))
    N(x) = bias + sum_j weights_j s(gains_j q(x) + biases_j)

e(z) = s(z) - s(-z) = z for softplus (two units), e = s for sigmoid and tanh (one unit); the code uses e as it is
written. The proof is in `depthsep_check.approximations.smooth_squares`.

Rounding. No bound is proved, since the exp and tanh of NumPy have no proved error. `rounding_error_estimate` compares
with balls at random points; the loss is about the unit roundoff times the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from flint import arb, fmpq

from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput
from depthsep.networks.layers import DenseLayers, Network
from depthsep.networks.profile import Array
from depthsep.networks.ridge import check_finite
from depthsep.networks.rounding import round_up, sqrt_upper
from depthsep_check.numbers import precision

__all__ = ["SmoothSeparableNetwork"]

_BITS = 192
_SMOOTH = ("softplus", "sigmoid", "tanh")


@dataclass(frozen=True)
class SmoothSeparableNetwork(Network):
    """A network with two smooth hidden layers; see the module's text.

    Args:
        dim: The dimension of x.
        activation: "softplus", "sigmoid" or "tanh".
        gain: Of the coordinates.
        centre: The bias of their units.
        weight: Of their units in q.
        linear_gain: Of the sum of the coordinates.
        linear_weight: Of its unit or units in q.
        bias: Added last.
        gains: Of q, one for each unit of the second layer.
        biases: Theirs.
        weights: Theirs in the output.

    Example:
        >>> net = SmoothSeparableNetwork(3, "softplus", 0.25, 0.0, 128.0, 1.0, -16.0, 1.0, (1.0,), (0.0,), (0.0,))
        >>> net.widths, net([[0.5, 0.0, 0.0]]).tolist(), net.rounding_error_upper
        ((5, 1), [1.0], None)
    """

    depth: ClassVar[int] = 3
    kind: ClassVar[str] = "smooth-separable"
    claim_kind: ClassVar[str] = "smooth-error"

    dim: int
    activation: str
    gain: float
    centre: float
    weight: float
    linear_gain: float
    linear_weight: float
    bias: float
    gains: tuple[float, ...]
    biases: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"a smooth network of dimension {self.dim} with the activation {self.activation}"
        if self.activation not in _SMOOTH:
            raise BadInput(asked, needed=f"one of {', '.join(_SMOOTH)}")
        if self.dim < 1:
            raise BadInput(asked, needed="a dimension of at least 1")
        check_finite(asked, *self._inner, self.bias, *self.gains, *self.biases, *self.weights)
        if len({len(self.gains), len(self.biases), len(self.weights)}) != 1:
            raise BadInput(asked, needed="second layer lists of one length")

    @property
    def _inner(self) -> tuple[float, ...]:
        return self.gain, self.centre, self.weight, self.linear_gain, self.linear_weight

    @property
    def _signs(self) -> tuple[int, ...]:
        """The signs of the linear units."""
        return (1, -1) if self.activation == "softplus" else (1,)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of both hidden layers."""
        return self.dim + len(self._signs), len(self.weights)

    @cached_property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact up to one rounding up."""
        inner = max(abs(Fraction(self.weight)), abs(Fraction(self.linear_weight)))
        sizes = [abs(Fraction(gain)) * inner for gain in self.gains]
        others = (self.gain, self.centre, self.linear_gain, self.bias, *self.biases, *self.weights)
        return round_up(max(sizes + [abs(Fraction(number)) for number in others]))

    @cached_property
    def path_norm(self) -> float:
        """Sum over all paths of |products of weights|, first-layer rows by their length; rounded up."""
        first = self.dim * abs(Fraction(self.weight) * Fraction(self.gain))
        linear = abs(Fraction(self.linear_weight) * Fraction(self.linear_gain))
        first += len(self._signs) * linear * sqrt_upper(Fraction(self.dim))
        pairs = zip(self.gains, self.weights, strict=True)
        return round_up(first * sum((abs(Fraction(g) * Fraction(w)) for g, w in pairs), Fraction(0)))

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        extra = len(self._signs)
        first = self.dim * ((self.gain != 0) + (self.centre != 0) + extra * (self.linear_gain != 0))
        into = self.dim * (self.weight != 0) + extra * (self.linear_weight != 0)
        last = sum(number != 0 for number in (self.bias, *self.biases, *self.weights))
        return first + into * sum(gain != 0 for gain in self.gains) + last

    @cached_property
    def rounding_error_upper(self) -> Fraction | None:
        """None: no bound is proved for exp and tanh in float64."""
        return None

    @cached_property
    def flat_rounding_error_upper(self) -> Fraction | None:
        """None, for the same reason."""
        return None

    def rounding_error_estimate(self, points: Array) -> float:
        """The largest |computed - exact| at the given points; measured, not proved."""
        exact = [self.evaluate_exact([Fraction(x) for x in row]) for row in points.tolist()]
        differences = (abs(Fraction(got) - want) for got, want in zip(self(points).tolist(), exact, strict=True))
        return float(max(differences, default=Fraction(0)))

    @property
    def _points_at_once(self) -> int:
        return max(1, 2**18 // self.dim)

    def _values(self, points: Array) -> Array:
        function = ACTIVATIONS[self.activation].function
        linear = self.linear_gain * points.sum(axis=1)
        odd = linear if self.activation == "softplus" else function(linear)
        q = self.weight * function(self.gain * points + self.centre).sum(axis=1) + self.linear_weight * odd
        total = np.full(len(points), self.bias)
        for gain, bias, weight in zip(self.gains, self.biases, self.weights, strict=True):
            total += weight * function(gain * q + bias)
        return total

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in balls of 192 bits and give their middle, a rational."""
        with precision(_BITS):
            value = ACTIVATIONS[self.activation].judge.value
            inner, centre = _exact(self.gain), _exact(self.centre)
            units = (value(arb(inner * fmpq(x.numerator, x.denominator) + centre)) for x in point)
            q = _exact(self.weight) * sum(units, arb(0))
            total = sum(point, Fraction(0))
            linear = _exact(self.linear_gain) * fmpq(total.numerator, total.denominator)
            q += _exact(self.linear_weight) * (linear if self.activation == "softplus" else value(arb(linear)))
            result = arb(_exact(self.bias))
            for gain, bias, weight in zip(self.gains, self.biases, self.weights, strict=True):
                result += _exact(weight) * value(_exact(gain) * q + _exact(bias))
            middle = result.mid().fmpq()
        return Fraction(int(middle.p), int(middle.q))

    def _expand(self) -> DenseLayers:
        extra = len(self._signs)
        signs = np.array(self._signs, dtype=np.float64)
        first = np.vstack((self.gain * np.eye(self.dim), np.outer(self.linear_gain * signs, np.ones(self.dim))))
        biases = np.append(np.full(self.dim, self.centre), np.zeros(extra))
        coefficients = np.append(np.full(self.dim, self.weight), self.linear_weight * signs)
        for gain in self.gains:
            for number in (self.weight, self.linear_weight):
                if Fraction(gain) * Fraction(number) != Fraction(gain * number):
                    raise BadInput(
                        "the flat layers of a smooth network",
                        found=f"the weight {gain!r} * {number!r}, which no float64 equals",
                        needed="weights that are float64 numbers",
                        do="take gains that are powers of two",
                    )
        return [
            (first, biases),
            (np.outer(np.array(self.gains), coefficients), np.array(self.biases)),
            (np.array([self.weights], dtype=np.float64), np.array([self.bias])),
        ]

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        names = ("gain", "centre", "weight", "linear_gain", "linear_weight")
        lists = {"gains": self.gains, "biases": self.biases, "weights": self.weights}
        return {
            "kind": self.kind,
            "activation": self.activation,
            "dim": self.dim,
            "first": {name: number.hex() for name, number in zip(names, self._inner, strict=True)},
            "second": {"bias": self.bias.hex()}
            | {name: [entry.hex() for entry in entries] for name, entries in lists.items()},
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any]) -> SmoothSeparableNetwork:
        """Read the NETWORK object of a document that was checked."""
        first, second = obj["first"], obj["second"]
        return cls(
            dim=obj["dim"],
            activation=obj["activation"],
            gain=float.fromhex(first["gain"]),
            centre=float.fromhex(first["centre"]),
            weight=float.fromhex(first["weight"]),
            linear_gain=float.fromhex(first["linear_gain"]),
            linear_weight=float.fromhex(first["linear_weight"]),
            bias=float.fromhex(second["bias"]),
            gains=tuple(map(float.fromhex, second["gains"])),
            biases=tuple(map(float.fromhex, second["biases"])),
            weights=tuple(map(float.fromhex, second["weights"])),
        )


def _exact(number: float) -> fmpq:
    return fmpq(*number.as_integer_ratio())
