"""Cones: formulas in r that are alpha + beta r for all r in [0, 1], with rational alpha and beta, recognised exactly.

The formula is walked with pairs of rationals for values. Sums, and products and quotients by a constant, keep it
affine; powers and square roots are taken of constants only. An affine function has one sign on [0, 1] if it has it at
both ends, so that abs, min and max are decided there, or the formula is not recognised. Nothing is rounded: a formula
that is affine in r but not by these rules (r^2/r, log(exp(r)), pi*r) is no cone here.

Cost: one walk over the formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from flint import fmpq

from depthsep_check.expression import MAX_EXACT_BITS, Expression, ExpressionDomainError, Undefined

__all__ = ["Affine", "affine_in_radius"]


@dataclass(frozen=True, slots=True)
class Affine:
    """The function constant + slope r."""

    constant: fmpq
    slope: fmpq

    @property
    def nonnegative(self) -> bool:
        """Whether it is >= 0 on [0, 1]: at both ends."""
        return bool(self.constant >= 0 and self.constant + self.slope >= 0)


def affine_in_radius(expression: Expression, dim: int) -> Affine | None:
    """The numbers alpha and beta of a formula that equals alpha + beta r on [0, 1]; None if it is not recognised.

    Args:
        expression: the formula.
        dim: the dimension, the value of `d`.

    >>> from depthsep_check.expression import parse
    >>> affine_in_radius(parse("abs(2*r - 3)/d"), 4)
    Affine(constant=3/4, slope=-1/2)
    >>> affine_in_radius(parse("abs(r - 1/2)"), 4) is None
    True
    """
    try:
        return expression.evaluate(_AFFINE, Affine(fmpq(0), fmpq(1)), dim)
    except ExpressionDomainError:
        return None


def _exactly(operation: Callable[..., Affine]) -> Callable[..., Affine]:
    """The operation where its result is not enormous."""

    def apply(*args: Affine) -> Affine:
        result = operation(*args)
        if max(result.constant.height_bits(), result.slope.height_bits()) > MAX_EXACT_BITS:
            raise Undefined("the numbers are too long")
        return result

    return apply


def _number(value: fmpq) -> Affine:
    return Affine(value, fmpq(0))


def _constant(a: Affine) -> fmpq:
    if a.slope != 0:
        raise Undefined("not affine in r")
    return a.constant


def _refused(*_: Affine) -> Affine:
    raise Undefined("not affine in r with rational coefficients")


def _negative(a: Affine) -> Affine:
    return Affine(-a.constant, -a.slope)


def _sum(a: Affine, b: Affine) -> Affine:
    return Affine(a.constant + b.constant, a.slope + b.slope)


def _difference(a: Affine, b: Affine) -> Affine:
    return _sum(a, _negative(b))


def _product(a: Affine, b: Affine) -> Affine:
    if a.slope != 0:
        a, b = b, a
    factor = _constant(a)
    return Affine(factor * b.constant, factor * b.slope)


def _quotient(a: Affine, b: Affine) -> Affine:
    divisor = _constant(b)
    if divisor == 0:
        raise Undefined("division by 0")
    return Affine(a.constant / divisor, a.slope / divisor)


def _power(a: Affine, exponent: int) -> Affine:
    if exponent == 1:
        return a
    base = _constant(a)
    if (base == 0 and exponent < 0) or base.height_bits() * abs(exponent) > MAX_EXACT_BITS:
        raise Undefined("no such power")
    return _number(base**exponent)


def _root(a: Affine) -> Affine:
    square = _constant(a)
    if square < 0:
        raise Undefined("the square root of a negative number")
    p, q = square.p.isqrt(), square.q.isqrt()
    if p * p != square.p or q * q != square.q:
        raise Undefined("the root is not rational")
    return _number(fmpq(p, q))


def _absolute(a: Affine) -> Affine:
    return _larger(a, _negative(a))


def _larger(a: Affine, b: Affine) -> Affine:
    if _difference(a, b).nonnegative:
        return a
    if _difference(b, a).nonnegative:
        return b
    raise Undefined("a kink inside [0, 1]")


def _smaller(a: Affine, b: Affine) -> Affine:
    return _negative(_larger(_negative(a), _negative(b)))


_AFFINE: dict[str, Callable[..., Affine]] = {
    "number": _number,
    "pi": _refused,
    "add": _exactly(_sum),
    "sub": _exactly(_difference),
    "mul": _exactly(_product),
    "div": _exactly(_quotient),
    "neg": _negative,
    "power": _power,
    "abs": _absolute,
    "sqrt": _root,
    "exp": _refused,
    "log": _refused,
    "sin": _refused,
    "cos": _refused,
    "tanh": _refused,
    "min": lambda *args: reduce(_smaller, args),
    "max": lambda *args: reduce(_larger, args),
}
