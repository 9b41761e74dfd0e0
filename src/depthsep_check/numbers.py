"""Exact numbers as documents spell them, and the only door to the working precision of balls.

A *weight* is a float64 written in hexadecimal, a *rational* is `p/q`; both become exact rationals (`fmpq`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from flint import arb, ctx, fmpq, fmpz

from depthsep_check.verdict import Malformed

MAX_DIGITS = 400
_MAX_WEIGHT_TEXT = 64
_WEIGHT = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]{1,6}))?")
_RATIONAL = re.compile(r"(-?[0-9]+)(?:/([0-9]+))?")
_SIGNIFICAND_BITS = 53
_LOWEST_EXPONENT = -1074  # the last bit of the smallest subnormal number
_TOP_EXPONENT = 1024
_SQRT_BITS = 64


def parse_weight(value: object, place: str) -> fmpq:
    """The exact value of a float64 in hexadecimal notation.

    Args:
        value: what the document holds, for example `"0x1.8p-3"`.
        place: where it stands, for the error.

    Raises:
        Malformed: it is not such a text, or no float64 has this value.

    >>> parse_weight("-0x1.8p-3", "here")
    -3/16
    >>> parse_weight("0x1.00000000000001p0", "here")
    Traceback (most recent call last):
    depthsep_check.verdict.Malformed: here: no float64 equals '0x1.00000000000001p0'
    """
    match = _WEIGHT.fullmatch(value) if isinstance(value, str) and len(value) <= _MAX_WEIGHT_TEXT else None
    if match is None:
        raise Malformed(place, f'expected a float64 in hexadecimal such as "0x1.8p-3", found {shown(value)}')
    sign, whole, decimals, exponent_text = match.groups(default="")
    digits = whole + decimals
    if not digits:
        raise Malformed(place, f"a hexadecimal float without digits: {shown(value)}")
    significand = int(digits, 16)
    if significand == 0:
        return fmpq(0)
    exponent = int(exponent_text or "0") - 4 * len(decimals)
    zeros = (significand & -significand).bit_length() - 1
    significand, exponent = significand >> zeros, exponent + zeros
    bits = significand.bit_length()
    if bits > _SIGNIFICAND_BITS or exponent < _LOWEST_EXPONENT or bits + exponent > _TOP_EXPONENT:
        raise Malformed(place, f"no float64 equals {shown(value)}")
    return fmpq(-significand if sign == "-" else significand) * fmpq(2) ** exponent


def parse_rational(value: object, place: str) -> fmpq:
    """The exact value of `"p/q"` or `"p"`.

    Raises:
        Malformed: it is not such a text, has more than 400 digits, or q is 0.

    >>> parse_rational("2/20", "here")
    1/10
    """
    match = None
    if isinstance(value, str):
        if len(value) > MAX_DIGITS + 2:
            raise Malformed(place, f"a rational with more than {MAX_DIGITS} digits")
        match = _RATIONAL.fullmatch(value)
    if match is None:
        raise Malformed(place, f'expected a rational such as "1/10", found {shown(value)}')
    denominator = int(match[2] or "1")
    if denominator == 0:
        raise Malformed(place, f"the denominator of {shown(value)} is 0")
    return fmpq(int(match[1]), denominator)


def format_weight(value: float) -> str:
    """How documents spell a float64.

    >>> format_weight(0.1875)
    '0x1.8000000000000p-3'
    """
    return value.hex()


def format_rational(value: fmpq | Fraction | int) -> str:
    """How documents spell a rational.

    >>> format_rational(Fraction(1, 10)), format_rational(3)
    ('1/10', '3')
    """
    return str(value)


def from_float(value: float) -> fmpq:
    """The exact value of a float."""
    return fmpq(*value.as_integer_ratio())


def shown(value: object) -> str:
    """A value of the user's document as an error quotes it: cut to a readable length."""
    text = ascii(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def sqrt_upper(value: fmpq) -> fmpq:
    """A rational at least as large as the square root, exact where the root is rational.

    Otherwise dyadic, and too large by a relative 2^-60 at most.

    >>> sqrt_upper(fmpq(9, 4))
    3/2
    >>> root = sqrt_upper(fmpq(2))
    >>> 2 < root * root < 2 + fmpq(1, 10**15)
    True
    """
    if value < 0:
        raise ValueError("the square root of a negative number")
    root_p, root_q = value.p.isqrt(), value.q.isqrt()
    if root_p * root_p == value.p and root_q * root_q == value.q:
        return fmpq(root_p, root_q)
    size = int(value.p).bit_length() - int(value.q).bit_length()
    shift = max(0, _SQRT_BITS - size // 2)
    return fmpq(((value.p << (2 * shift)) // value.q).isqrt() + 1, fmpz(1) << shift)


def ball_between(low: fmpq, high: fmpq) -> arb:
    """A ball that contains the interval [low, high]; it reaches a little further on both sides."""
    return arb(low).union(arb(high))


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with balls of `bits` bits inside the block; python-flint's precision is a global of the process."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before
