"""Exact proof that a rational polynomial is nonnegative on an interval.

Written as sum_i b_i t^i (1-t)^(n-i) on [0, 1], a polynomial with all b_i >= 0 is nonnegative there. (The b_i are the
Bernstein coefficients times binomials.) Where some b_i is negative the interval is halved. The scheme ends whenever the
polynomial is positive; a zero inside the interval exhausts it.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_poly, fmpz_poly

from depthsep_check.verdict import Budget, Exhausted

MAX_BISECTIONS = 60
_SHIFT = fmpz_poly([1, 1])


def negative_point(coefficients: Sequence[fmpq], low: fmpq, high: fmpq, step: str, budget: Budget) -> fmpq | None:
    """A point of [low, high] where the polynomial is negative, None once it is proved to be nonnegative there.

    Args:
        coefficients: from the constant term on.
        low: left end.
        high: right end, not below `low`.
        step: name of this step of the proof, for the error.
        budget: one unit is taken per interval, more where the coefficients are long.

    Raises:
        Exhausted: neither proved nor disproved within the budget or 60 bisections.

    >>> negative_point([fmpq(-1), fmpq(0), fmpq(1)], fmpq(1), fmpq(2), "example", Budget(10)) is None
    True
    >>> negative_point([fmpq(1), fmpq(-3), fmpq(2)], fmpq(0), fmpq(2), "example", Budget(10))
    3/4
    """
    length = high - low
    # On t in [0, 1], with integer coefficients: the positive common denominator does not matter.
    scaled = fmpq_poly(list(coefficients))(fmpq_poly([low, length])).numer()
    pending = [(scaled, fmpq(0), 0)]
    while pending:
        polynomial, start, depth = pending.pop()
        budget.spend(step, 1 + polynomial.height_bits() * polynomial.degree() // 10_000)
        end = start + fmpq(1, 2**depth)
        if polynomial(0) < 0:
            return low + start * length
        if polynomial(1) < 0:
            return low + end * length
        if all(b >= 0 for b in _bernstein(polynomial)):
            continue
        if depth == MAX_BISECTIONS:
            raise Exhausted(step, f"undecided after {MAX_BISECTIONS} bisections")
        left = _left_half(polynomial)
        pending += [(left(_SHIFT), (start + end) / 2, depth + 1), (left, start, depth + 1)]
    return None


def _bernstein(polynomial: fmpz_poly) -> list[int]:
    """The numbers b_i above, highest i first: p(t) = (1-t)^n q(t/(1-t)) with q(u) = (1+u)^n p(u/(1+u))."""
    reverse = fmpz_poly(polynomial.coeffs()[::-1])
    # p(1/v) v^n = reverse(v); with v = w + 1 its coefficient of w^(n-i) is b_i.
    return list(reverse(_SHIFT).coeffs())


def _left_half(polynomial: fmpz_poly) -> fmpz_poly:
    """2^n p(t/2)."""
    coefficients = polynomial.coeffs()
    degree = len(coefficients) - 1
    return fmpz_poly([c << (degree - i) for i, c in enumerate(coefficients)])
