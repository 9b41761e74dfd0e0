"""The standard model of float64 arithmetic, in exact rationals.

For +, -, * rounded to nearest, fl(a op b) = (a op b)(1 + delta) + eta with |delta| <= u = 2^-53 and |eta| <= 2^-1075,
where eta = 0 for sums and differences and delta * eta = 0 (gradual underflow). A product of n factors (1 + delta)^(+-1)
is 1 + theta with |theta| <= gamma(n) = n u / (1 - n u) [Higham 2002, Lemma 3.1]. Hence the computed sum of n numbers,
added in any order, is the sum of n numbers each changed by a relative gamma(n - 1) at most; a fused multiply-add only
saves a factor.

Two assumptions are made of the machine: rounding to nearest, and subnormal numbers that are not flushed to zero.
"""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["LARGEST_SAFE", "UNDERFLOW", "gamma", "round_up", "sqrt_upper"]

UNIT = Fraction(1, 2**53)
UNDERFLOW = Fraction(1, 2**1074)  # twice the true 2^-1075: pays for every factor (1 + gamma) that multiplies an eta
LARGEST_SAFE = Fraction(2**1000)  # an evaluation whose intermediate numbers stay below this cannot overflow


def gamma(count: int) -> Fraction:
    """Bound |theta| in (1 + delta_1)...(1 + delta_count) = 1 + theta."""
    if count >= 2**52:
        raise ValueError("gamma(n) needs n < 2^52")
    return count * UNIT / (1 - count * UNIT)


def round_up(value: Fraction) -> float:
    """Round a rational to the smallest float64 that is not below it."""
    nearest = float(value)
    return nearest if Fraction(nearest) >= value else math.nextafter(nearest, math.inf)


def sqrt_upper(value: Fraction) -> Fraction:
    """Give a rational that is at least the square root: the root itself when it is rational, else very near it."""
    radicand = value.numerator * value.denominator
    root = math.isqrt(radicand)
    if root * root == radicand:
        return Fraction(root, value.denominator)
    return Fraction(math.isqrt(radicand << 128) + 1, value.denominator << 64)
