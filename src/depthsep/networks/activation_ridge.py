"""Depth-2 networks of pairs of units with any activation, along many directions.

    N(x) = bias + sum over groups, directions u and pairs i of  D_i (s(b_i z - c_i) + s(-b_i z - c_i)),   z = <u, x>,

with slopes b_i > 0 and c_i = b_i t_i for centres t_i, a product that must be a float64 (the slopes that `build`
chooses are powers of two, or slopes and centres have few bits). The code projects each point once per direction.

Rounding. For the activations that take sums, products and comparisons only (relu, leaky_relu, hard_tanh) a bound is
proved: with an error e of the computed projection and |z| <= R, the argument of s is off by at most
b e + gamma(2) (b (R + e) + c) and underflow, s is 1-Lipschitz with |s(y)| <= |y|, and computing it costs gamma(2) |s|
(leaky_relu multiplies by a rounded 1/100). Sums cost what they cost in `ridge`. For the others no bound is stated:
NumPy, SciPy, torch and onnxruntime do not prove the error of their exp, tanh and erf, and at a jump no small error is
guaranteed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from depthsep.activations import ACTIVATIONS, Activation
from depthsep.errors import BadInput
from depthsep.networks.directions import Directions, directions_from_json
from depthsep.networks.layers import DenseLayers, Network, printed_bound
from depthsep.networks.profile import Array
from depthsep.networks.ridge import check_finite
from depthsep.networks.rounding import LARGEST_SAFE, UNDERFLOW, gamma, round_up, sqrt_upper
from depthsep_check.numbers import precision

__all__ = ["ARITHMETIC", "ActivationGroup", "ActivationNetwork"]

_BITS = 128
ARITHMETIC = ("relu", "leaky_relu", "hard_tanh")  # s(y) by sums, products and comparisons; 1-Lipschitz, s(0) = 0


@dataclass(frozen=True)
class ActivationGroup:
    """Pairs of units along a set of directions.

    Args:
        directions: The directions u.
        slopes: b_i > 0.
        centres: t_i.
        weights: D_i.
    """

    directions: Directions
    slopes: tuple[float, ...]
    centres: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        check_finite("a group of pairs of units", *self.slopes, *self.centres, *self.weights)
        lengths = {len(self.slopes), len(self.centres), len(self.weights)}
        if len(lengths) != 1 or not all(slope > 0 for slope in self.slopes):
            raise BadInput("a group of pairs of units", needed="positive slopes, with one centre and one weight each")

    @property
    def width(self) -> int:
        """The number of units."""
        return 2 * self.directions.count * len(self.slopes)

    @cached_property
    def shifts(self) -> tuple[float, ...]:
        """The products c_i = b_i t_i, minus which the units have as biases.

        Raises:
            BadInput: No float64 equals one of them.
        """
        found = tuple(slope * centre for slope, centre in zip(self.slopes, self.centres, strict=True))
        for slope, centre, shift in zip(self.slopes, self.centres, found, strict=True):
            if not math.isfinite(shift) or Fraction(slope) * Fraction(centre) != Fraction(shift):
                raise BadInput(
                    "the units of a group as flat layers",
                    found=f"the bias {slope!r} * {centre!r}, which no float64 equals",
                    needed="weights and biases that are float64 numbers",
                    do="take slopes that are powers of two",
                )
        return found

    def values(self, function: Callable[[Array], Array], points: Array) -> Array:
        """Sum the profile at <u, x> over the directions."""
        total = np.zeros(len(points))
        for z in self.directions.blocks(points):
            for slope, shift, weight in zip(self.slopes, self.shifts, self.weights, strict=True):
                inner = slope * z
                total += weight * (function(inner - shift) + function(-inner - shift)).sum(axis=1)
        return total

    def term_bounds(self, error: Fraction, additions: int) -> tuple[Fraction, Fraction]:
        """Bound, for one direction, the sums over units of (error, size) of the computed terms, for ||x|| <= 1.

        Args:
            error: Of the computed projection, where it is one; 0 when the slope is multiplied into the direction first.
            additions: Sums and products that the argument of the activation passes.
        """
        reach = sqrt_upper(self.directions.norm_squared)
        total = size = Fraction(0)
        for slope, shift, weight in zip(self.slopes, self.shifts, self.weights, strict=True):
            b, c, w = Fraction(slope), abs(Fraction(shift)), abs(Fraction(weight))
            inner = b * error + gamma(additions) * (b * (reach + error) + c) + (additions + b) * UNDERFLOW
            value = b * reach + c + inner
            computed = inner + gamma(3) * value + UNDERFLOW  # two for the activation, one for the weight
            total += 2 * (w * computed + UNDERFLOW)
            size += 2 * w * (value + computed)
        return total, size

    def to_json(self) -> dict[str, Any]:
        """Give the group's object of the document format."""
        parts = {"slopes": self.slopes, "centres": self.centres, "weights": self.weights}
        lists = {key: [entry.hex() for entry in entries] for key, entries in parts.items()}
        return {"directions": self.directions.to_json(), **lists}


@dataclass(frozen=True)
class ActivationNetwork(Network):
    """A network with one hidden layer of any activation; see the module's text.

    Args:
        dim: The dimension of x.
        activation: The name of the activation, a key of `depthsep.activations.ACTIVATIONS`.
        bias: Added last.
        groups: The groups.
        own: The activation itself, where it is a user's own.

    Example:
        >>> from depthsep.networks import Orbit
        >>> bump = ActivationNetwork(2, "gelu", 1.0, (ActivationGroup(Orbit((1,), 2), (1.0,), (0.0,), (-0.5,)),))
        >>> bump.widths, bump([[0.0, 0.0]]).tolist(), bump.rounding_error_upper
        ((4,), [1.0], None)
    """

    depth: ClassVar[int] = 2
    kind: ClassVar[str] = "activation-groups"

    dim: int
    activation: str
    bias: float
    groups: tuple[ActivationGroup, ...]
    own: Activation | None = None

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"a network of dimension {self.dim} with the activation {self.activation}"
        if self.own is None and self.activation not in ACTIVATIONS:
            raise BadInput(asked, needed=f"one of {', '.join(ACTIVATIONS)}")
        check_finite(asked, self.bias)
        dims = {group.directions.dim for group in self.groups}
        if self.dim < 1 or not dims <= {self.dim}:
            raise BadInput(asked, found=f"groups of dimensions {sorted(dims)}", needed="groups of that dimension")

    @property
    def unit(self) -> Activation:
        """The activation."""
        return ACTIVATIONS[self.activation] if self.own is None else self.own

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of the hidden layer."""
        return (sum(group.width for group in self.groups),)

    @cached_property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact up to one rounding up."""
        sizes = [Fraction(abs(self.bias))]
        for group in self.groups:
            entry = Fraction(group.directions.largest_entry)
            sizes += [Fraction(slope) * entry for slope in group.slopes]
            sizes += [abs(Fraction(number)) for number in (*group.shifts, *group.weights)]
        return round_up(max(sizes))

    @cached_property
    def path_norm(self) -> float:
        """Sum over the units of |outer weight| * ||inner vector||; rounded up."""
        total = Fraction(0)
        for group in self.groups:
            pairs = zip(group.slopes, group.weights, strict=True)
            outer = sum((2 * Fraction(slope) * abs(Fraction(weight)) for slope, weight in pairs), Fraction(0))
            total += outer * group.directions.total_norm_upper
        return round_up(total)

    @cached_property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        total = int(self.bias != 0)
        for group in self.groups:
            total += 2 * len(group.slopes) * group.directions.nonzeros
            total += 2 * group.directions.count * sum(number != 0 for number in (*group.shifts, *group.weights))
        return total

    @property
    def _points_at_once(self) -> int:
        return max(32, 2**18 // max([self.dim, *(group.directions.largest_block for group in self.groups)]))

    def _values(self, points: Array) -> Array:
        total = np.zeros(len(points))
        for group in self.groups:
            total += group.values(self.unit.function, points)
        return np.asarray(total + self.bias)

    @cached_property
    def rounding_error_upper(self) -> Fraction | None:
        """Proved bound for the structured evaluation, None where none is known; see the module's text."""
        if self.activation not in ARITHMETIC:
            return None
        error = size = Fraction(0)
        most = passes = 0
        for group in self.groups:
            term_error, term_size = group.term_bounds(group.directions.projection_error, 2)
            error += group.directions.count * term_error
            size += group.directions.count * term_size
            most = max(most, group.directions.largest_block)
            passes += group.directions.block_count * len(group.slopes)
        return self._bound(error, size, most + passes + len(self.groups) + 3)

    @cached_property
    def flat_rounding_error_upper(self) -> Fraction | None:
        """The same for the flat layers in float64, every sum taken in any order."""
        if self.activation not in ARITHMETIC:
            return None
        error = size = Fraction(0)
        for group in self.groups:
            term_error, term_size = group.term_bounds(Fraction(0), group.directions.support + 1)
            error += group.directions.count * term_error
            size += group.directions.count * term_size
        return self._bound(error, size, self.widths[0] + 1)

    def _bound(self, error: Fraction, size: Fraction, additions: int) -> Fraction:
        size += abs(Fraction(self.bias))
        if size + error > LARGEST_SAFE:
            raise BadInput("bound the rounding error", found="weights near the overflow threshold of float64")
        return printed_bound(error + gamma(additions) * size)

    def enclose(self, point: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
        """Give rationals on both sides of the exact value, by ball arithmetic: slow, and right everywhere."""
        function = self.unit.judge.value
        with precision(_BITS):
            total = arb(_rational(self.bias))
            for group in self.groups:
                pairs = list(zip(group.slopes, group.centres, group.weights, strict=True))
                exact = [(_rational(b), _rational(b) * _rational(t), _rational(w)) for b, t, w in pairs]
                for matrix in group.directions.matrix_blocks():
                    for vector in matrix.tolist():
                        z = sum(
                            (
                                _rational(a) * fmpq(x.numerator, x.denominator)
                                for a, x in zip(vector, point, strict=True)
                            ),
                            fmpq(0),
                        )
                        for slope, shift, weight in exact:
                            total += weight * (function(arb(slope * z - shift)) + function(arb(-slope * z - shift)))
            low, high = total.lower().fmpq(), total.upper().fmpq()
        return Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q))

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """The exact value where it is a rational that balls find; `enclose` gives both sides of it in any case."""
        low, high = self.enclose(point)
        if low != high:
            raise BadInput(
                f"the exact value of a network with the activation {self.activation}",
                found="a number that is known by enclosures only",
                do="call network.enclose(point), which gives rationals on both sides of it",
            )
        return low

    def _expand(self) -> DenseLayers:
        inner, biases, outer = [np.zeros((0, self.dim))], [np.zeros(0)], [np.zeros(0)]
        for group in self.groups:
            signed = np.array([[slope, -slope] for slope in group.slopes]).ravel()
            for matrix in group.directions.matrix_blocks():
                inner.append(_exact_products(matrix, signed).reshape(-1, self.dim))
                biases.append(np.tile(-np.repeat(group.shifts, 2), len(matrix)))
                outer.append(np.tile(np.repeat(group.weights, 2), len(matrix)))
        hidden = (np.concatenate(inner) + 0.0, np.concatenate(biases) + 0.0)
        return [hidden, (np.concatenate(outer)[None, :], np.array([self.bias]))]

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "activation": self.unit.in_documents,
            "dim": self.dim,
            "bias": self.bias.hex(),
            "groups": [group.to_json() for group in self.groups],
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any], own: Activation | None = None) -> ActivationNetwork:
        """Read the NETWORK object of a document that was checked.

        Args:
            obj: The object.
            own: The activation, where the object has a formula instead of a name.
        """
        groups = []
        for group in obj["groups"]:
            lists = (tuple(map(float.fromhex, group[key])) for key in ("slopes", "centres", "weights"))
            groups.append(ActivationGroup(directions_from_json(group["directions"], obj["dim"]), *lists))
        name = obj["activation"] if own is None else own.name
        return cls(obj["dim"], name, float.fromhex(obj["bias"]), tuple(groups), own)


def _rational(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _exact_products(matrix: Array, slopes: Array) -> NDArray[np.float64]:
    """slope * vector for every vector and slope, shape (vectors, slopes, dim).

    Raises:
        BadInput: A product is no float64.
    """
    product = matrix[:, None, :] * slopes[:, None]
    back = product / slopes[:, None]
    # A product by a power of two is exact when dividing gives the factor back; entries of few digits are tried exactly.
    suspicious = np.argwhere((back != matrix[:, None, :]) | (np.frexp(np.abs(slopes))[0] != 0.5)[:, None])
    for vector, slope, column in suspicious.tolist():
        factor, entry = float(slopes[slope]), float(matrix[vector, column])
        if Fraction(entry) * Fraction(factor) != Fraction(product[vector, slope, column]):
            raise BadInput(
                "the units of a group as flat layers",
                found=f"the weight {factor!r} * {entry!r}, which no float64 equals",
                needed="weights and biases that are float64 numbers",
                do="take slopes that are powers of two",
            )
    return product
