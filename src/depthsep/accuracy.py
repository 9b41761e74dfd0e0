"""Accuracies are read exactly."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from depthsep.errors import BadInput

__all__ = ["Accuracy", "parse_accuracy"]

Accuracy = str | int | Fraction


def parse_accuracy(eps: Accuracy) -> Fraction:
    """Read an accuracy exactly: "0.1" is 1/10, "1/3" a third.

    Raises:
        BadInput: It is no positive rational number. Floats are refused: 0.1 as a float is not 1/10.

    >>> parse_accuracy("0.1")
    Fraction(1, 10)
    >>> parse_accuracy(0.1)
    Traceback (most recent call last):
    depthsep.errors.BadInput: eps = 0.1
      found:  a float, which is 0.1000000000000000055511151231257827021181583404541015625 exactly
      needed: an exact number
      do:     write it as a string, such as "0.1" or "1/10", or as a Fraction
    """
    if isinstance(eps, float):
        exactly = f"a float, which is {Decimal(eps)} exactly" if math.isfinite(eps) else f"the float {eps!r}"
        raise BadInput(
            f"eps = {eps!r}",
            found=exactly,
            needed="an exact number",
            do='write it as a string, such as "0.1" or "1/10", or as a Fraction',
        )
    try:
        value = Fraction(eps)
    except (ValueError, TypeError, ZeroDivisionError):
        raise BadInput(f"eps = {eps!r}", needed="a positive rational number, such as 0.1 or 1/10") from None
    if value <= 0:
        raise BadInput(f"eps = {eps}", needed="an accuracy above 0: only ball(r0, margin) is met exactly")
    if not Fraction(1, 10**9) <= value <= 10**9:
        raise BadInput(f"eps = {eps}", needed="an accuracy from 1e-9 to 1e9: weights are stored as float64")
    return value
