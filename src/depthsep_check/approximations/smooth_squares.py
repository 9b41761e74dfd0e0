"""Check that a depth-3 network of softplus, sigmoid or tanh units is near a radial function on the unit ball.

    q(x) = weight (sum_i s(gain x_i + centre)) + linear_weight e(linear_gain (x_1 + ... + x_d))
    N(x) = bias + sum_j w_j s(g_j q(x) + c_j)

e(z) = s(z) - s(-z) = z for softplus (two units, d + 2 in all), e = s for sigmoid and tanh (one unit, d + 1 in all).

Lemma (the idea is Taylor's; used for squares by Rolnick & Tegmark 2018). Let R be an enclosure of s'''' on
[centre - gain, centre + gain]. On the ball |x_i| <= r = ||x||, and with b = centre, h = gain, k = linear_gain,

    sum s(h x_i + b) = d s(b) + h s'(b) L + h^2 s''(b) r^2 / 2 + h^3 s'''(b) C / 6 + h^4 R' F / 24,

where L = sum x_i, |L| <= sqrt(d) r, |C| = |sum x_i^3| <= r^3, 0 <= F = sum x_i^4 <= r^4 and R' is in R (a weighted mean
of values of s''''). And e(z) = e(0) + e'(0) z + T z^3 with |T| <= 0, 1/48, 1/3 for softplus, sigmoid, tanh, since the
third derivatives of the last two are at most 1/8 and 2. Hence for every x there are t_1, t_3 in [-1, 1], t_4 in R with

    q = Q + K r^2 + t_1 A r + t_3 B r^3 + t_4 D r^4,    A = |weight h s'(b) + linear_weight e'(0) k| sqrt(d),

and so on. For fixed t this is a smooth function of r, so the mean value inequality of `profile_bounds` may be used for
all t at once. Nothing is assumed of the stored numbers: that A and s'''(b) are nearly 0 is found, not believed.

Derivatives are polynomials of y = logistic(z) or u = tanh(z). Different from the source: stored numbers, every
constant, and no d in the remainder. The cost does not depend on d.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from depthsep_check.activations import ACTIVATIONS, Activation
from depthsep_check.document import MAX_DIM, MAX_SECOND_UNITS, NetworkDocument
from depthsep_check.expression import Expression, ExpressionError, parse
from depthsep_check.fields import fields_of, integer, weight_list, word
from depthsep_check.numbers import format_rational, parse_rational, parse_weight, shown
from depthsep_check.profile_bounds import prove_error_below
from depthsep_check.verdict import Budget, Malformed

# Boxes times units of the second layer.
MAX_WORK = 2_000_000
_FIRST = ("gain", "centre", "weight", "linear_gain", "linear_weight")
_Derivatives = tuple[arb, arb, arb, arb]


def check(document: NetworkDocument) -> str:
    """Prove the claim of a document of kind "smooth-error".

    Returns:
        The statement that is proved.

    Raises:
        Malformed: an object is not of its form.
        Unsupported: a word of a later version.
        Refuted: the error is certainly larger.
        Exhausted: neither proved nor refuted within the work limit.
    """
    expression, text = _function(document.function)
    dim, error = _claim(document.claim)
    network = read_smooth_network(document.network, "network")
    fields_of(document.witness, "witness", ("kind",))
    word(document.witness["kind"], "witness.kind", ("taylor",))
    if network.dim != dim:
        raise Malformed("network.dim", f"{network.dim}, but the claim is about dimension {dim}")
    branch = _Branch.of(network)
    budget = Budget(MAX_WORK // (4 + len(network.weights)))
    for side in ("upper", "lower"):
        prove_error_below(branch, expression, dim, error, fmpq(0), fmpq(1), side, f"{side} bound", budget)
    return (
        f"sup error <= {format_rational(error)} on the unit ball of dimension {dim}, real arithmetic: depth 3, "
        f"{network.activation}, widths {network.first_width} and {len(network.weights)}, function {text}"
    )


# ------------------------------------------------------------------------------------------------------------------
# Form


@dataclass(frozen=True, slots=True)
class SmoothNetwork:
    """The numbers of a network of kind smooth-separable."""

    dim: int
    activation: str
    gain: fmpq
    centre: fmpq
    weight: fmpq
    linear_gain: fmpq
    linear_weight: fmpq
    bias: fmpq
    gains: tuple[fmpq, ...]
    biases: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]

    @property
    def first_width(self) -> int:
        """The number of units of the first layer."""
        return self.dim + (2 if self.activation == "softplus" else 1)


def _function(value: Any) -> tuple[Expression, str]:
    fields_of(value, "function", ("kind", "expression"))
    word(value["kind"], "function.kind", ("radial",))
    text = value["expression"]
    if not isinstance(text, str):
        raise Malformed("function.expression", f"expected a text, found {shown(text)}")
    try:
        return parse(text), text
    except ExpressionError as error:
        raise Malformed("function.expression", f"column {error.position + 1}: {error.expected}") from None


def _claim(value: Any) -> tuple[int, fmpq]:
    fields_of(value, "claim", ("kind", "dim", "domain", "arithmetic", "error"))
    word(value["domain"], "claim.domain", ("unit-ball",))
    word(value["arithmetic"], "claim.arithmetic", ("real",))
    error = parse_rational(value["error"], "claim.error")
    if error < 0:
        raise Malformed("claim.error", "must not be negative")
    return integer(value["dim"], "claim.dim", 1, MAX_DIM), error


def read_smooth_network(value: Any, place: str) -> SmoothNetwork:
    """Read a network of kind smooth-separable, strictly.

    Raises:
        Malformed: it is not of its form.
        Unsupported: another kind, or an activation that is not known here.
    """
    fields_of(value, place, ("kind", "activation", "dim", "first", "second"))
    word(value["kind"], f"{place}.kind", ("smooth-separable",))
    word(value["activation"], f"{place}.activation", tuple(_DERIVATIVES))
    dim = integer(value["dim"], f"{place}.dim", 1, MAX_DIM)
    first = fields_of(value["first"], f"{place}.first", _FIRST)
    second = fields_of(value["second"], f"{place}.second", ("bias", "gains", "biases", "weights"))
    numbers = {name: parse_weight(first[name], f"{place}.first.{name}") for name in _FIRST}
    bias = parse_weight(second["bias"], f"{place}.second.bias")
    gains = weight_list(second["gains"], f"{place}.second.gains", MAX_SECOND_UNITS)
    biases = weight_list(second["biases"], f"{place}.second.biases", MAX_SECOND_UNITS, len(gains))
    weights = weight_list(second["weights"], f"{place}.second.weights", MAX_SECOND_UNITS, len(gains))
    return SmoothNetwork(dim, value["activation"], **numbers, bias=bias, gains=gains, biases=biases, weights=weights)


# ------------------------------------------------------------------------------------------------------------------
# Derivatives one to four, polynomials of the logistic function or of tanh


def _softplus(z: arb) -> _Derivatives:
    y = ACTIVATIONS["sigmoid"].value(z)
    return (y, *_sigmoid(z)[:3])


def _sigmoid(z: arb) -> _Derivatives:
    y = ACTIVATIONS["sigmoid"].value(z)
    p, turn = y * (1 - y), 1 - 2 * y
    return p, p * turn, p * (1 - 6 * p), p * turn * (1 - 12 * p)


def _tanh(z: arb) -> _Derivatives:
    u = ACTIVATIONS["tanh"].value(z)
    p = 1 - u * u
    return p, -2 * u * p, -2 * p * (1 - 3 * u * u), 8 * u * p * (2 - 3 * u * u)


_DERIVATIVES: dict[str, Callable[[arb], _Derivatives]] = {"softplus": _softplus, "sigmoid": _sigmoid, "tanh": _tanh}
# |e(z) - e(0) - e'(0) z| <= this times |z|^3.
_CUBIC = {"softplus": fmpq(0), "sigmoid": fmpq(1, 48), "tanh": fmpq(1, 3)}


# ------------------------------------------------------------------------------------------------------------------
# The branch


@dataclass(frozen=True, slots=True)
class _Branch:
    """psi(q) for all q that the lemma allows at radius r; the coefficients are balls, of q in powers of r."""

    network: SmoothNetwork
    activation: Activation
    coefficients: tuple[arb, arb, arb, arb, arb]

    @classmethod
    def of(cls, network: SmoothNetwork) -> _Branch:
        activation = ACTIVATIONS[network.activation]
        derivatives = _DERIVATIVES[network.activation]
        dim, h, k = arb(network.dim), arb(network.gain), arb(network.linear_gain)
        weight, linear = arb(network.weight), arb(network.linear_weight)
        either, b = arb(0, 1), arb(network.centre)
        one, two, three, _ = derivatives(b)
        four = derivatives(b + h * either)[3]
        start, slope = arb(0), derivatives(arb(0))[0]
        if network.activation == "softplus":
            slope = arb(1)
        else:
            start = activation.value(arb(0))
        beside = linear * arb(_CUBIC[network.activation]) * k**3 * dim * dim.sqrt()
        coefficients = (
            weight * dim * activation.value(b) + linear * start,
            (weight * h * one + linear * slope * k) * dim.sqrt() * either,
            weight * h**2 * two / 2,
            (weight * h**3 * three / 6) * either + beside * either,
            weight * h**4 * four / 24 * arb(0).union(arb(1)),
        )
        return cls(network, activation, coefficients)

    def _sum(self, r: arb) -> arb:
        c0, c1, c2, c3, c4 = self.coefficients
        return c0 + r * (c1 + r * (c2 + r * (c3 + r * c4)))

    def _psi(self, q: arb) -> arb:
        network = self.network
        total = arb(network.bias)
        for gain, bias, weight in zip(network.gains, network.biases, network.weights, strict=True):
            total += weight * self.activation.value(gain * q + bias)
        return total

    def _psi_slope(self, q: arb) -> arb:
        network = self.network
        total = arb(0)
        for gain, bias, weight in zip(network.gains, network.biases, network.weights, strict=True):
            total += weight * gain * self.activation.derivative(gain * q + bias)
        return total

    def value(self, x: arb) -> arb:
        """All values at the radii of the ball, by the better of plain and mean value enclosure in q."""
        q = self._sum(x)
        if not q.is_finite():
            return arb.nan()
        plain = self._psi(q)
        middle = q.mid()
        around = self._psi(middle) + self._psi_slope(q) * (q - middle)
        return around if around.rad() < plain.rad() else plain

    def derivative(self, x: arb) -> arb:
        """All derivatives in r, for fixed numbers of the lemma."""
        _, c1, c2, c3, c4 = self.coefficients
        inner = c1 + x * (2 * c2 + x * (3 * c3 + x * (4 * c4)))
        return self._psi_slope(self._sum(x)) * inner
