"""The widths that the sources' own formulas give, beside which the networks here are shown.

Safran, Eldan & Shamir (2019), Theorem 1: depth 2, exp(O((L/eps)^9 log(d L/eps))) neurons for an L-Lipschitz profile
(stated for L = 1; scaling gives L/eps). Daniely (2017), Section 4: depth 3, 16 d^2 L/eps neurons, for functions of an
inner product; quoted with the profile's L. Both papers want polynomials in d, not small constants, and leave constants
open: they are set to one here. To compare is fair to the formulas, not to their authors.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

from flint import fmpq

from depthsep.functions import BallIndicator, Function
from depthsep_check.numbers import precision

__all__ = ["lipschitz_upper", "source_note", "source_width"]

_BOXES = 1024
_BITS = 64
_DEEPEST = 3  # no formula is quoted for deeper networks


def lipschitz_upper(function: Function) -> Fraction | None:
    """A proved Lipschitz constant of the profile on its interval; None when balls find no bound for its derivative.

    For a ball indicator: of the ramp through the free shell.
    """
    if isinstance(function, BallIndicator):
        return 1 / (2 * function.margin)
    largest = Fraction(0)
    first, last = function.interval
    ends = [first + (last - first) * Fraction(place, _BOXES) for place in range(_BOXES + 1)]
    boxes = [fmpq(end.numerator, end.denominator) for end in ends]
    with precision(_BITS):
        for low, high in pairwise(boxes):
            slope = function.expression.enclose(low, high, function.dim)[1]
            if not slope.is_finite():
                return None
            upper = slope.abs_upper().fmpq()
            largest = max(largest, Fraction(int(upper.p), int(upper.q)))
    return largest


def source_width(function: Function, depth: int, eps: Fraction) -> str | None:
    """The width by the source's formula, as text; None where no formula applies.

    >>> from depthsep.functions import Radial
    >>> source_width(Radial("1 - r", dim=10), 2, Fraction(1, 10))
    'e^(4.6e9)'
    >>> source_width(Radial("1 - r", dim=10), 3, Fraction(1, 10))
    '16,000'
    """
    if eps <= 0 or depth > _DEEPEST:
        return None
    lipschitz = lipschitz_upper(function)
    if not lipschitz:
        return None
    steepness = lipschitz / eps
    if depth == 2:
        exponent = float(steepness) ** 9 * max(1.0, math.log(function.dim * float(steepness)))
        return f"e^({exponent:.1e})".replace("e+0", "e").replace("e+", "e")
    return f"{round(16 * function.dim**2 * float(steepness)):,}"


def source_note(depth: int) -> str:
    """Which formula `source_width` uses."""
    if depth == 2:
        return "exp((L/eps)^9 log(d L/eps)), Safran, Eldan & Shamir 2019, Theorem 1, unspecified constants set to one"
    return "16 d^2 L/eps, Daniely 2017 (stated for inner products)"
