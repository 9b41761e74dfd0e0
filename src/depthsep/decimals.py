"""Exact numbers as decimals; a bound is only ever rounded to its safe side."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

__all__ = ["exact_decimal", "lower_decimal", "rounded_decimal", "upper_decimal"]


def exact_decimal(number: Fraction) -> str:
    """Write a number exactly: as a short decimal if it is one, else as a fraction.

    Example:
        >>> exact_decimal(Fraction(1499, 5000)), exact_decimal(Fraction(1, 3))
        ('0.2998', '1/3')
    """
    decimal = Decimal(number.numerator) / Decimal(number.denominator)
    short = len(decimal.as_tuple().digits) <= 12 and Fraction(decimal) == number
    return f"{decimal:f}" if short and abs(decimal.adjusted()) <= 12 else str(number)


def upper_decimal(bound: Fraction, digits: int = 4) -> str:
    """Write an upper bound as a decimal that is not smaller.

    Args:
        bound: A nonnegative number.
        digits: How many significant digits to keep.

    Example:
        >>> upper_decimal(Fraction(1, 10)), upper_decimal(Fraction(1, 3)), upper_decimal(Fraction(1, 3 * 10**9))
        ('0.1', '0.3334', '3.334e-10')
    """
    return rounded_decimal(bound, digits, lambda scaled: -(-scaled.numerator // scaled.denominator))


def lower_decimal(bound: Fraction, digits: int = 4) -> str:
    """Write a lower bound as a decimal that is not larger; see `upper_decimal`.

    Example:
        >>> lower_decimal(Fraction(2, 3))
        '0.6666'
    """
    return rounded_decimal(bound, digits, lambda scaled: scaled.numerator // scaled.denominator)


def rounded_decimal(bound: Fraction, digits: int, whole: Callable[[Fraction], int]) -> str:
    """Write a nonnegative number with so many significant digits, the last one chosen by `whole`."""
    if bound == 0:
        return "0"
    shift = digits - 1
    while bound * Fraction(10) ** shift < 10 ** (digits - 1):
        shift += 1
    while bound * Fraction(10) ** shift >= 10**digits:
        shift -= 1
    decimal = Decimal(whole(bound * Fraction(10) ** shift)).scaleb(-shift).normalize()
    small_or_large = bound < Fraction(1, 10**5) or bound >= 10**7
    return f"{decimal:e}" if small_or_large else f"{decimal:f}"
