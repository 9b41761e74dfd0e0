"""Radial functions x -> phi(||x||) on the unit ball, phi given by a formula in r."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from depthsep.functions.formula import Array, Formula
from depthsep_check.cones import affine_in_radius

__all__ = ["Radial"]


@dataclass(frozen=True)
class Radial(Formula):
    """The function x -> phi(||x||) on R^dim.

    Args:
        text: The formula of phi in r (and d, the dimension).
        dim: The dimension.

    Raises:
        BadInput: The text is no formula, or dim < 1. Call `validate` to prove that phi has finite values.

    Example:
        >>> cone = Radial("1 - r", dim=2)
        >>> cone([[0.6, 0.8], [0.0, 0.0]]).tolist()
        [0.0, 1.0]
        >>> Radial("1/r", dim=2).validate()
        Traceback (most recent call last):
        depthsep.errors.BadInput: the profile "1/r" on [0, 1]
          found:  no value at r = 0: division by 0
          needed: a finite value at every r in [0, 1] (it is then continuous: the language has no jumps)
          do:     change the formula there; a step is approximated by ball(r0, margin)
    """

    kind: ClassVar[str] = "radial"
    domain: ClassVar[str] = "unit-ball"
    variable: ClassVar[str] = "r"
    interval: ClassVar[tuple[Fraction, Fraction]] = (Fraction(0), Fraction(1))

    @cached_property
    def cone(self) -> tuple[Fraction, Fraction] | None:
        """The rationals (alpha, beta), beta not 0, if phi(r) = alpha + beta r on [0, 1] and that is recognised.

        Some constructions are about such cones only. The rules are those of `depthsep_check.cones`.

        >>> Radial("2 - d*r/3", dim=2).cone
        (Fraction(2, 1), Fraction(-2, 3))
        >>> Radial("abs(r - 1/2)", dim=2).cone is None
        True
        """
        found = affine_in_radius(self.expression, self.dim)
        if found is None or found.slope == 0:
            return None
        return Fraction(str(found.constant)), Fraction(str(found.slope))

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate in float64 at the rows of an array of shape (n, dim); an estimate, not an enclosure."""
        return self.profile(np.linalg.norm(np.asarray(points, dtype=np.float64), axis=1))
