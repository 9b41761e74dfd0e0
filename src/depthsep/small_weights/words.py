"""Large and small numbers in a sentence or a document; a bound is only ever rounded to its safe side."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from depthsep.decimals import rounded_decimal

__all__ = ["about", "at_least", "at_most", "log2", "short_upper"]

_PLAIN = 10**6
_DIGITS = 4
_BITS = 20
_SHORT = 24  # characters of a fraction

Rounding = Callable[[Fraction], int]


def log2(number: Fraction) -> float:
    """The logarithm of a positive number of any size.

    >>> log2(Fraction(2) ** 5000)
    5000.0
    """
    return math.log2(number.numerator) - math.log2(number.denominator)


def about(number: Fraction) -> str:
    """Write a number shortly: integers and powers of two exactly, others rounded to the nearest.

    >>> about(Fraction(2) ** 40), about(Fraction(2) ** 40 + 1), about(Fraction(-1, 3)), about(Fraction(4096))
    ('2^40', '2^40.00', '-0.3333', '4096')
    """
    return f"-{about(-number)}" if number < 0 else _written(number, round)


def at_most(number: Fraction) -> str:
    """Write an upper bound that is not negative shortly, not below it.

    >>> at_most(Fraction(1, 3)), at_most(Fraction(2) ** 40 + 1)
    ('0.3334', '2^40.01')
    """
    return _written(number, math.ceil)


def at_least(number: Fraction) -> str:
    """Write a lower bound that is not negative shortly, not above it.

    >>> at_least(Fraction(2, 3)), at_least(Fraction(2) ** 40 - 1)
    ('0.6666', '2^39.99')
    """
    return _written(number, math.floor)


def short_upper(number: Fraction) -> Fraction:
    """An upper bound that is not negative: itself, or 20 bits of it, not below it, where that is shorter to write.

    >>> short_upper(Fraction(1, 3)), short_upper(Fraction(10**30, 3**50))
    (Fraction(1, 3), Fraction(1392956, 1))
    """
    if len(str(number)) <= _SHORT:
        return number
    unit = Fraction(2) ** (math.floor(log2(number)) - _BITS)
    rounded = math.ceil(number / unit) * unit
    return min(number, rounded, key=lambda one: len(str(one)))


def _written(number: Fraction, rounding: Rounding) -> str:
    if number.denominator == 1 and number < _PLAIN:
        return str(number)
    if Fraction(1, _PLAIN) < number < _PLAIN:
        return rounded_decimal(number, _DIGITS, rounding)
    for side, sign in ((number, ""), (1 / number, "-")):
        if side.denominator == 1 and side.numerator.bit_count() == 1:
            return f"2^{sign}{side.numerator.bit_length() - 1}"
    return f"2^{_hundredths(number, rounding) / 100:.2f}"


def _hundredths(number: Fraction, rounding: Rounding) -> int:
    """100 log2, rounded; where floating point cannot tell, powers decide."""
    guess = Fraction(100 * log2(number))
    nearest = round(guess)
    if abs(guess - nearest) > Fraction(1, 10**6):
        return rounding(guess)
    exact, power = number**100, Fraction(2) ** nearest
    return nearest if exact == power else rounding(nearest + (Fraction(1, 4) if exact > power else Fraction(-1, 4)))
