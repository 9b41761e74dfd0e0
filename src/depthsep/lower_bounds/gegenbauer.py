"""Gegenbauer polynomials and coefficients as rigorous balls: the toolbox below the degrees bound.

x, x' are independent and uniform on the unit sphere of R^d, d >= 3, and t = <x, x'>. P_n is the Gegenbauer polynomial
of dimension d with P_n(1) = 1, N_n the number of independent spherical harmonics of degree n, and sqrt(N_n) P_n(t) is
orthonormal under the law of t. The formulas stand in `depthsep_check.gegenbauer`.

A quadrature in float64 has an absolute error of about 1e-15, so that a small coefficient comes out as noise; the closed
form in float64 underflows to 0. Here every number is a ball (`flint.arb`) that contains the true value; a wide one says
so.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb, fmpq

from depthsep.errors import BadInput, NotProved
from depthsep.functions.formula import parse_profile
from depthsep_check.gegenbauer import multiplicity, polynomials
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import (
    MAX_DEGREE,
    MAX_LISTED_DIM,
    WORK,
    Activation,
    coefficients,
    read_profile,
    visibility,
)
from depthsep_check.verdict import Budget, CheckFailure

__all__ = ["gegenbauer_coefficients", "gegenbauer_polynomial", "harmonic_count", "relu_visibility"]

_BITS = 128


def harmonic_count(dim: int, degree: int) -> int:
    """Count the independent spherical harmonics of a degree on the unit sphere of R^dim, N_n.

    Raises:
        BadInput: dim < 3, or a negative degree.

    Example:
        >>> harmonic_count(3, 4), harmonic_count(1000, 2)
        (9, 500499)
    """
    _require(dim, (degree,), lowest=0)
    return int(multiplicity(dim, degree))


def gegenbauer_polynomial(dim: int, degree: int, t: Fraction | int) -> arb:
    """Enclose P_n(t), the Gegenbauer polynomial of dimension `dim` with P_n(1) = 1, at an exact t in [-1, 1].

    Raises:
        BadInput: dim < 3, a negative degree, or t outside [-1, 1].

    Example:
        >>> print(gegenbauer_polynomial(3, 2, Fraction(1, 2)).str(5, radius=False))  # Legendre: (3/4 - 1)/2
        -0.12500
    """
    _require(dim, (degree,), lowest=0)
    point = Fraction(t)
    if not -1 <= point <= 1:
        raise BadInput(f"P_{degree}({point})", needed="a cosine, in [-1, 1]")
    with precision(_BITS + 2 * degree):
        return polynomials(dim, arb(fmpq(point.numerator, point.denominator)), degree)[degree]


def gegenbauer_coefficients(
    profile: str, dim: int, degrees: Sequence[int], *, domain: str = "spheres"
) -> dict[int, arb]:
    """Enclose the coefficients alpha_n = E[f(t) sqrt(N_n) P_n(t)].

    Waves and piecewise linear formulas are in closed form, any other is integrated rigorously.

    Args:
        profile: f as a formula in t, or for the domain "ball" in r: then f(t) = phi(sqrt((1 + t)/2)).
        dim: The dimension, at least 3.
        degrees: Degrees from 1 on, in any order.
        domain: "spheres" or "ball".

    Raises:
        BadInput: dim < 3, a degree below 1, a formula that cannot be read, or another domain.
        NotProved: The formula is not certainly defined and bounded, or a work limit was reached.

    Example:
        >>> gegenbauer_coefficients("t", 4, [1])[1]  # sqrt(N_1) E[t^2] = 1/sqrt(d)
        0.500000000000000
    """
    if domain not in ("spheres", "ball"):
        raise BadInput(f"domain = {domain!r}", needed='"spheres" or "ball"')
    wanted = sorted(set(degrees))
    _require(dim, wanted, lowest=1)
    radial = domain == "ball"
    parse_profile(profile, dim, ("r" if radial else "t",))
    function = {"kind": "radial" if radial else "inner-product", "expression": profile}
    try:
        with precision(_BITS):
            found = coefficients(read_profile(function, dim, radial), wanted, Budget(WORK))
    except CheckFailure as failure:
        raise NotProved(f"the Gegenbauer coefficients of {profile}", found=failure.text) from None
    return dict(zip(wanted, found, strict=True))


def relu_visibility(dim: int, degree: int) -> arb:
    """Enclose the largest overlap of one ReLU unit with inner weights of norm 1 and 1 with a degree, over all biases.

    Raises:
        BadInput: dim < 3, or a degree below 1.

    Example:
        >>> ratio = relu_visibility(3, 1) / gegenbauer_coefficients("t", 3, [1])[1]
        >>> print(ratio.str(5, radius=False))
        0.20000
    """
    _require(dim, (degree,), lowest=1)
    with precision(_BITS):
        return visibility(Activation("derivative-variation", fmpq(1)), dim, degree)


def _require(dim: int, degrees: Sequence[int], lowest: int) -> None:
    if not 3 <= dim <= MAX_LISTED_DIM:
        raise BadInput(f"dim = {dim}", needed=f"a dimension from 3 to {MAX_LISTED_DIM}")
    if not degrees:
        raise BadInput("no degrees", needed="one degree at least")
    for degree in degrees:
        if not lowest <= degree <= MAX_DEGREE:
            raise BadInput(f"degree {degree}", needed=f"a degree from {lowest} to {MAX_DEGREE}")
