"""Numbers as users write them, taken exactly: 0.1 in float64 is not 1/10, the text "0.1" is."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from numbers import Rational
from typing import Any

from depthsep.errors import BadInput
from depthsep_check.numbers import MAX_DIGITS, parse_weight, shown
from depthsep_check.verdict import Malformed

__all__ = ["exact_number", "format_number", "is_float64"]

_RATIONAL = re.compile(r"[+-]?[0-9]+/[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_HEXADECIMAL = re.compile(r"[+-]?0[xX].*")
_SIGNIFICAND_BITS = 53
_LOWEST_NORMAL_EXPONENT = -1022
_LONGEST_TEXT = 2 * MAX_DIGITS
_SHORT = 60  # up to here a fraction is easier to read than the hexadecimal text of the same float64


def exact_number(value: Any, place: str) -> Fraction:
    """Read one number exactly: an integer, a float of any precision, a Fraction, a Decimal or a text.

    Args:
        value: The number. Texts are fractions, decimals or the hexadecimal notation of a float64.
        place: Where it stands, for the error.

    Raises:
        BadInput: It is no finite real number.

    >>> exact_number("0.1", "here"), exact_number(0.5, "here"), exact_number("0x1.8p-1", "here")
    (Fraction(1, 10), Fraction(1, 2), Fraction(3, 4))
    >>> exact_number(float("nan"), "layer 2, weight [3, 0]")
    Traceback (most recent call last):
    depthsep.errors.BadInput: read layer 2, weight [3, 0]
      found:  nan
      needed: a finite number
    """
    if type(value) is Fraction and type(value.numerator) is int:
        return value
    if type(value) is float and math.isfinite(value):
        return Fraction(value)
    if isinstance(value, str):
        return _from_text(value, place)
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))  # numpy's integers would wrap around
    ratio = None if isinstance(value, bool | complex) else getattr(value, "as_integer_ratio", None)
    if ratio is None:
        found = f"{value!r}, a {type(value).__name__}" if isinstance(value, bool | complex) else type(value).__name__
        raise BadInput(f"read {place}", found=found, needed="a real number: an integer, a float, a Fraction or a text")
    try:
        return Fraction(*ratio())
    except (OverflowError, ValueError):
        raise BadInput(f"read {place}", found=str(value), needed="a finite number") from None


def _from_text(text: str, place: str) -> Fraction:
    try:
        if len(text) <= _LONGEST_TEXT:
            if _HEXADECIMAL.fullmatch(text):
                value = parse_weight(text, place)
                return Fraction(int(value.p), int(value.q))
            if _RATIONAL.fullmatch(text) or _DECIMAL.fullmatch(text):
                return Fraction(text)
    except (Malformed, ZeroDivisionError):
        pass
    needed = 'a text such as "1/3", "0.1" or "-2.5e-3", or a float64 in hexadecimal, such as "0x1.8p-3"'
    raise BadInput(f"read {place}", found=shown(text), needed=needed)


def is_float64(value: Fraction) -> bool:
    """Tell whether some float64 has exactly this value.

    >>> is_float64(Fraction(3, 2**1074)), is_float64(Fraction(1, 3)), is_float64(Fraction(2**60 + 1))
    (True, False, False)
    """
    bits, bottom = value.numerator.bit_length(), value.denominator
    if bottom & (bottom - 1):
        return False
    if bits <= _SIGNIFICAND_BITS and bottom.bit_length() <= -_LOWEST_NORMAL_EXPONENT:
        return True
    try:
        return Fraction(float(value)) == value
    except OverflowError:
        return False


def format_number(value: Fraction, place: str) -> str:
    """Write a number as documents spell it: as a fraction, or a long one as the hexadecimal text of its float64.

    Raises:
        BadInput: It has more digits than a document holds, and is no float64.

    >>> format_number(Fraction(1, 3), "here"), format_number(Fraction(1, 2**300), "here")
    ('1/3', '0x1.0000000000000p-300')
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) <= 4 * MAX_DIGITS:
        text = str(value)
        if len(text) <= _SHORT or (len(text) <= MAX_DIGITS and not is_float64(value)):
            return text
    if is_float64(value):
        return float(value).hex()
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    raise BadInput(
        f"write {place} into a document",
        found=f"a fraction with a numerator and a denominator of up to {bits} bits",
        needed=f"a text of at most {MAX_DIGITS} characters, or a float64",
        do="round the weights to fewer digits first",
    )
