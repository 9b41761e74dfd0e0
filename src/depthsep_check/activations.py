"""The activations that the checker knows, as functions of balls: values, Clarke derivatives, and tails.

Every activation s has an asymptote on each side, slope * t + constant, and a certified bound of its distance from it:

    tail(x) >= |s(t) - asymptote(t)|   for every t with |t| >= x  (t < 0 is compared with the left one, t >= 0 right).

For a bounded activation these are its limits. An enclosure over a ball is the hull of the values at its ends and at the
places in between where the function turns round; there are finitely many, found by a bisection with certain signs.

    name         s(t)                     turns at            s'(t) turns at
    relu         max(0, t)
    leaky_relu   max(t/100, t)
    softplus     log(1 + exp(t))
    gelu         t Phi(t)                 s' = 0              +-sqrt(2), as s'' = (2 - t^2) exp(-t^2/2) / sqrt(2 pi)
    silu         t / (1 + exp(-t))        s' = 0              t tanh(t/2) = 2, as s'' = (2 - t tanh(t/2)) sigmoid'(t)
    sigmoid      1 / (1 + exp(-t))                            0
    tanh         tanh(t)                                      0
    erf          erf(t)                                       0
    step         1 if t >= 0 else 0
    hard_tanh    max(-1, min(1, t))

For gelu and silu s' < 0 left of its only zero and s' > 0 right of it: s' starts at 0, falls as far as its first turn,
rises to a value above 1 at its second one and falls from there to 1. That zero is between -2 and -1/2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flint import arb, ctx, fmpq

from depthsep_check.numbers import ball_between

Function = Callable[[arb], arb]
_ZERO = fmpq(0)
LEAKY_SLOPE = fmpq(1, 100)


@dataclass(frozen=True, slots=True)
class Asymptote:
    """The line slope * t + constant that the activation approaches on one side."""

    slope: fmpq
    constant: fmpq


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation as the checker evaluates it.

    Attributes:
        name: how documents call it.
        value: an enclosure of the values over a ball.
        derivative: an enclosure of the Clarke derivatives over a ball of the activation restricted to it; not finite
            where there is a jump (a ball that ends at the jump from the right has none).
        left: the asymptote towards -infinity.
        right: the asymptote towards +infinity.
        tail: of a ball x, a bound (take its upper end) of the distance from the asymptotes wherever |t| >= x; it does
            not increase with x, and tail(0) holds for all t.
        breaks: where the derivative or the value jumps, increasing.
        continuous: False for a step.
        monotone: whether it never decreases.
    """

    name: str
    value: Function
    derivative: Function
    left: Asymptote
    right: Asymptote
    tail: Function
    breaks: tuple[fmpq, ...] = ()
    continuous: bool = True
    monotone: bool = True

    @property
    def bounded(self) -> bool:
        """Whether it has limits on both sides."""
        return bool(self.left.slope == 0 and self.right.slope == 0)


def leaky_relu(slope: fmpq, name: str = "leaky_relu") -> Activation:
    """The activation max(slope * t, t) for a rational slope in [0, 1).

    Raises:
        ValueError: the slope is outside [0, 1).
    """
    if not 0 <= slope < 1:
        raise ValueError("the slope of a leaky ReLU is in [0, 1)")

    def value(x: arb) -> arb:
        return _hull(lambda t: t if t >= 0 else slope * t, x)

    def derivative(x: arb) -> arb:
        if x >= 0:
            return arb(1)
        return arb(slope) if x <= 0 else _known(x, arb(slope).union(arb(1)))

    sides = Asymptote(slope, _ZERO), Asymptote(fmpq(1), _ZERO)
    return Activation(name, value, derivative, *sides, lambda x: _known(x, arb(0)), (_ZERO,))


# ------------------------------------------------------------------------------------------------------------------
# Enclosures over balls


def _known(x: arb, value: arb) -> arb:
    return value if x.is_finite() else arb.nan()


def _hull(function: Function, x: arb, *turns: arb) -> arb:
    """The values over the ball of a function that is monotone between the turns (balls that contain the places)."""
    if not x.is_finite():
        return arb.nan()
    if x.is_exact():
        return function(x)
    result = function(x.lower()).union(function(x.upper()))
    for turn in turns:
        if not (turn < x or turn > x):
            result = result.union(function(turn))
    return result


def _zero_of(function: Function, low: fmpq, high: fmpq) -> arb:
    """A ball about the only zero in [low, high] of a function that is negative left and positive right of it."""
    for _ in range(2 * ctx.prec):
        middle = (low + high) / 2
        sign = function(arb(middle))
        if sign > 0:
            high = middle
        elif sign < 0:
            low = middle
        else:
            break
    return ball_between(low, high)


# ------------------------------------------------------------------------------------------------------------------
# Points (exact balls, or the tiny balls about the turns)


def _logistic(t: arb) -> arb:
    if t > 0:
        return 1 / (1 + (-t).exp())
    small = t.exp()
    return small / (1 + small)


def _logistic_slope(t: arb) -> arb:
    return (t / 2).sech() ** 2 / 4


def _softplus(t: arb) -> arb:
    small = (-abs(t)).exp().log1p()
    return t + small if t > 0 else small


def _normal_law(t: arb) -> arb:
    return (-t / arb(2).sqrt()).erfc() / 2


def _normal_density(t: arb) -> arb:
    return (-t * t / 2).exp() / (2 * arb.pi()).sqrt()


def _gelu(t: arb) -> arb:
    return t * _normal_law(t)


def _gelu_slope(t: arb) -> arb:
    return _normal_law(t) + t * _normal_density(t)


def _silu(t: arb) -> arb:
    return t * _logistic(t)


def _silu_slope(t: arb) -> arb:
    return _logistic(t) + t * _logistic_slope(t)


def _erf_slope(t: arb) -> arb:
    return 2 * (-t * t).exp() / arb.pi().sqrt()


def _tanh_slope(t: arb) -> arb:
    return t.sech() ** 2


# ------------------------------------------------------------------------------------------------------------------
# Turns, at the current precision


@lru_cache(maxsize=64)
def _turns(name: str, precision: int) -> tuple[arb, ...]:
    if name == "gelu":
        return (_zero_of(_gelu_slope, fmpq(-2), fmpq(-1, 2)),)
    if name == "silu":
        return (_zero_of(_silu_slope, fmpq(-2), fmpq(-1, 2)),)
    if name == "silu slope":
        root = _zero_of(lambda t: t * (t / 2).tanh() - 2, fmpq(2), fmpq(3))
        return -root, root
    return -arb(2).sqrt(), arb(2).sqrt()


def _turning(function: Function, name: str) -> Function:
    return lambda x: _hull(function, x, *_turns(name, ctx.prec))


def _peaked(function: Function) -> Function:
    """For an even function that falls on both sides of 0."""
    return lambda x: _hull(function, x, arb(0))


# ------------------------------------------------------------------------------------------------------------------
# Piecewise constant and linear ones


def _step(x: arb) -> arb:
    if x >= 0:
        return arb(1)
    return arb(0) if x < 0 else _known(x, arb(0).union(arb(1)))


def _step_slope(x: arb) -> arb:
    return arb(0) if x >= 0 or x < 0 else arb.nan()


def _hard_tanh(t: arb) -> arb:
    if abs(t) <= 1:
        return t
    return arb(1) if t > 0 else arb(-1)


def _hard_tanh_slope(x: arb) -> arb:
    if x >= 1 or x <= -1:
        return arb(0)
    return arb(1) if abs(x) <= 1 else _known(x, arb(0).union(arb(1)))


# ------------------------------------------------------------------------------------------------------------------
# Tails: functions of x >= 0 that do not increase


def _tail(bound: Function, peak: str = "") -> Function:
    """The tail that is `bound` at x, or at the place where it is largest when x is not beyond that."""

    def tail(x: arb) -> arb:
        if not x.is_finite():
            return arb.nan()
        low = x.lower()
        if not low > 0:
            low = arb(0)
        if peak:
            top = -_turns(peak, ctx.prec)[0]
            if not low > top:
                low = top
        return bound(low)

    return tail


def _hard_tail(x: arb) -> arb:
    return arb(0) if x >= 1 else 1 - x


_FLAT_0 = Asymptote(_ZERO, _ZERO)
_FLAT_1 = Asymptote(_ZERO, fmpq(1))
_FLAT_M1 = Asymptote(_ZERO, fmpq(-1))
_RISING = Asymptote(fmpq(1), _ZERO)

_ALL = (
    leaky_relu(_ZERO, "relu"),
    leaky_relu(LEAKY_SLOPE),
    Activation(
        "softplus", lambda x: _hull(_softplus, x), lambda x: _hull(_logistic, x), _FLAT_0, _RISING,
        _tail(lambda x: _softplus(-x)),
    ),
    Activation(
        "gelu", _turning(_gelu, "gelu"), _turning(_gelu_slope, "gelu slope"), _FLAT_0, _RISING,
        _tail(lambda x: -_gelu(-x), "gelu"), monotone=False,
    ),
    Activation(
        "silu", _turning(_silu, "silu"), _turning(_silu_slope, "silu slope"), _FLAT_0, _RISING,
        _tail(lambda x: -_silu(-x), "silu"), monotone=False,
    ),
    Activation(
        "sigmoid", lambda x: _hull(_logistic, x), _peaked(_logistic_slope), _FLAT_0, _FLAT_1,
        _tail(lambda x: _logistic(-x)),
    ),
    Activation(
        "tanh", lambda x: _hull(arb.tanh, x), _peaked(_tanh_slope), _FLAT_M1, _FLAT_1,
        _tail(lambda x: 2 * _logistic(-2 * x)),
    ),
    Activation("erf", lambda x: _hull(arb.erf, x), _peaked(_erf_slope), _FLAT_M1, _FLAT_1, _tail(arb.erfc)),
    Activation("step", _step, _step_slope, _FLAT_0, _FLAT_1, lambda x: _known(x, arb(0)), (_ZERO,), continuous=False),
    Activation(
        "hard_tanh", lambda x: _hull(_hard_tanh, x), _hard_tanh_slope, _FLAT_M1, _FLAT_1, _tail(_hard_tail),
        (fmpq(-1), fmpq(1)),
    ),
)  # fmt: skip

ACTIVATIONS: dict[str, Activation] = {activation.name: activation for activation in _ALL}
