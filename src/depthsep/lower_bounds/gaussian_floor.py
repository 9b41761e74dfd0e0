"""The Gaussian floor: the mean squared error that no network with one hidden layer undercuts, at a given width.

Theorem. Let x ~ N(0, I_d), d >= 2, and f = 1 for ||x|| <= R, 0 elsewhere. Every network of depth 2 with linear output
and at most w units has

    E (N(x) - f(x))^2 >= sum_{m >= 1} a_m^2 tail_m(w),

a_m^2 the energy of f in Hermite degree 2m, tail_m(w) the share of the squared eigenvalues of E u^(x)2m (read as a
matrix) beyond the w largest (Eckart and Young 1936, degree by degree).

What is proved here: this, for any activations (unit by unit, of finite variance), any weights, any training, with an
affine skip connection for free; the degrees beyond the last one computed enter through the variance of f. The proof
stands in `depthsep_check.theorems.gaussian_floor`. The output must be linear: a sigmoid behind the sum is not covered.
Differences from the source: depthsep's own statement. It is not the theorem of Safran and Lee (2022), whose laws have
heavy tails.
Cost: O(M) ball operations for M degrees and few lines per degree; milliseconds.
"""

from __future__ import annotations

import re
from fractions import Fraction

from flint import arb, fmpq

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound, NoBound, verified_document
from depthsep_check.expression import ExpressionDomainError, ExpressionError, parse
from depthsep_check.numbers import precision
from depthsep_check.theorems.gaussian_floor import (
    MAX_DIM,
    MAX_RADIUS,
    inside_probability,
    moved_to_the_median,
    squared_error_floor,
)

__all__ = ["THEOREM", "gaussian_floor", "gaussian_width"]

THEOREM = "gaussian-floor"

_BALL = re.compile(r"\s*ball\s*\((.*)\)\s*", re.DOTALL)
_BITS = 128
_DIGITS = 10
_DEGREES = (60, 120, 240, 480)
_GAIN = Fraction(1, 1000)  # more degrees are worth their while when they lift the floor by this share
_WIDEST = 10**18
_SMALLEST_FLOOR = Fraction(1, 10**12)


def gaussian_floor(function: str, dim: int, width: int) -> LowerBound | NoBound:
    """Prove a floor on the mean squared error of every network with one hidden layer of `width` units.

    Args:
        function: "ball(median)", the ball that holds half of the probability, or "ball(R)" with a rational radius.
        dim: The dimension d of x ~ N(0, I_d), at least 2.
        width: The number of units w.

    Returns:
        The bound: `error_floor` is the floor, in mean squared error with labels 0 and 1; a network that reaches it has
        at least `width_lower` = width + 1 units. Or why there is none worth printing.

    Raises:
        BadInput: The function is no ball, dim < 2, or width < 0.

    Source:
        depthsep's own; `depthsep_check.theorems.gaussian_floor` has the proof.

    Example:
        >>> bound = gaussian_floor("ball(median)", 20, 400)
        >>> float(bound.error_floor), bound.width_lower
        (0.0556642794, 401)
        >>> gaussian_floor("ball(median)", 2, 10**6).reason
        'with 1000000 units the floor is below 1e-12 in dimension 2'
    """
    radius = _radius(function, dim)
    if not 0 <= width <= _WIDEST:
        raise BadInput(f"width = {width}", needed=f"a number of units between 0 and {_WIDEST}")
    half_square = _half_square(radius, dim)
    degrees, floor = _floor(radius, dim, width, half_square)
    if floor < _SMALLEST_FLOOR:
        return NoBound(THEOREM, f"with {width} units the floor is below 1e-12 in dimension {dim}")
    return _bound(radius, dim, width, floor, degrees, half_square)


def gaussian_width(function: str, dim: int, mean_squared_error: Fraction) -> LowerBound | NoBound:
    """Prove how many units a network with one hidden layer needs for a mean squared error.

    Args:
        function: As for `gaussian_floor`.
        dim: The dimension d of x ~ N(0, I_d), at least 2.
        mean_squared_error: The accuracy, positive: a mean square, not its root.

    Raises:
        BadInput: The function is no ball, dim < 2, or the accuracy is not positive.

    Example:
        >>> gaussian_width("ball(median)", 20, Fraction(1, 20)).width_lower
        1161
        >>> gaussian_width("ball(median)", 20, Fraction(1, 4))
        NoBound(theorem='gaussian-floor', reason='a constant has the mean squared error 0.25, no more than 1/4')
    """
    radius = _radius(function, dim)
    if mean_squared_error <= 0:
        raise BadInput(f"a mean squared error of {mean_squared_error}", needed="a positive accuracy")
    half_square = _half_square(radius, dim)
    if _floor(radius, dim, 0, half_square)[1] <= mean_squared_error:
        found = _variance(radius, dim, half_square)
        return NoBound(THEOREM, f"a constant has the mean squared error {found}, no more than {mean_squared_error}")
    low, high = 0, 1
    while high < _WIDEST and _floor(radius, dim, high, half_square)[1] > mean_squared_error:
        low, high = high, 2 * high
    high = min(high, _WIDEST + 1)  # a document names no more
    while high - low > 1:
        middle = (low + high) // 2
        above = _floor(radius, dim, middle, half_square)[1] > mean_squared_error
        low, high = (middle, high) if above else (low, middle)
    degrees = _floor(radius, dim, low, half_square)[0]
    return _bound(radius, dim, low, mean_squared_error, degrees, half_square)


def _radius(text: str, dim: int) -> Fraction | None:
    """The radius of ball(R); None for the median."""
    if not 2 <= dim <= MAX_DIM:
        raise BadInput(f"the Gaussian floor in dimension {dim}", needed=f"2 <= dim <= {MAX_DIM}")
    ball = _BALL.fullmatch(text)
    if not ball:
        raise BadInput(text, found="no ball", needed='"ball(median)" or "ball(R)" (the theorem is about balls)')
    inner = ball[1].strip()
    if inner == "median":
        return None
    try:
        value = parse(inner, variables=()).rational(fmpq(0), dim)
    except (ExpressionError, ExpressionDomainError) as error:
        raise BadInput(text, found=str(error), needed="a rational radius, or the word median") from None
    if value is None or not 0 < value <= MAX_RADIUS:
        needed = f"a rational radius between 0 and {MAX_RADIUS}, or the word median"
        raise BadInput(text, found=f"the radius {inner}", needed=needed)
    return Fraction(int(value.p), int(value.q))


def _half_square(radius: Fraction | None, dim: int) -> fmpq:
    """R^2/2, for the median a rational near it: the median of a Gamma(a) variable lies in (a - 1/3, a)."""
    if radius is not None:
        return fmpq(radius.numerator, radius.denominator) ** 2 / 2
    low, high = fmpq(dim, 2) - fmpq(1, 2), fmpq(dim, 2)
    with precision(_BITS + 2 * dim):
        for _ in range(_BITS):
            middle = (low + high) / 2
            low, high = (middle, high) if inside_probability(dim, middle) < fmpq(1, 2) else (low, middle)
    return low


def _floor(radius: Fraction | None, dim: int, width: int, half_square: fmpq) -> tuple[int, Fraction]:
    """The number of degrees and the floor, in decimals rounded down."""
    best, used = Fraction(0), _DEGREES[0]
    for degrees in _DEGREES:
        floor = squared_error_floor(dim, width, half_square, degrees)
        if radius is None:
            floor = moved_to_the_median(floor, dim, half_square)
        found = _rounded_down(floor)
        if degrees > _DEGREES[0] and found <= best * (1 + _GAIN):
            break
        best, used = found, degrees
    return used, best


def _rounded_down(value: arb) -> Fraction:
    """A decimal strictly below the ball, at most 10 digits long; 0 if the ball reaches down to 0."""
    low = value.lower().fmpq()
    if low <= 0:
        return Fraction(0)
    exact = Fraction(int(low.p), int(low.q))
    places = _DIGITS - 1
    while exact * 10**places < 10 ** (_DIGITS - 1):
        places += 1
    digits = exact * 10**places
    return Fraction(-(-digits.numerator // digits.denominator) - 1, 10**places)


def _variance(radius: Fraction | None, dim: int, half_square: fmpq) -> str:
    if radius is None:
        return "0.25"
    with precision(_BITS + 2 * dim):
        inside = inside_probability(dim, half_square)
        return f"{float((inside * (1 - inside)).mid()):.6g}"


def _bound(
    radius: Fraction | None, dim: int, width: int, floor: Fraction, degrees: int, half_square: fmpq
) -> LowerBound:
    classes = {"depth": 2, "activation_class": "any", "weight_class": "any"}
    claim = {"measure": "standard-gaussian", "error": "mean-squared", **classes, "dim": dim, "width": width}
    document, verdict = verified_document(
        f"the Gaussian floor {floor} at width {width}",
        {"kind": "ball", "radius": "median" if radius is None else str(radius)},
        {"kind": THEOREM, **claim, "error_floor": str(floor)},
        {
            "kind": "hermite-degrees",
            "degrees": degrees,
            "half_square": str(half_square) if radius is None else None,
        },
    )
    return LowerBound(
        theorem=THEOREM,
        width_lower=width + 1,
        eps=floor,
        dim=dim,
        norm="mean-squared",
        measure="standard-gaussian",
        domain="all-space",
        depth=2,
        activation_class="any",
        weight_class="any",
        second_layer_width=None,
        hypotheses=(
            "x ~ N(0, I), labels 0 and 1, the population mean squared error (no factor 1/2, no root)",
            "one hidden layer with a linear output; an affine skip connection is free",
            "every unit has a finite variance; units with parallel weight vectors count once",
        ),
        document=document,
        verdict=verdict,
        error_floor=floor,
    )
