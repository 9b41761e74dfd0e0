"""The law of an inner product of two random unit vectors, its orthogonal polynomials, and what a ReLU unit sees.

x, x' are independent and uniform on the unit sphere of R^d, d >= 3, and t = <x, x'>; mu_d is the law of t. P_n is the
Gegenbauer polynomial of dimension d with P_n(1) = 1, N_n the number of independent spherical harmonics of degree n, and
sqrt(N_n) P_n(t) is orthonormal under mu_d. The formulas stand in `depthsep_check.gegenbauer`, that of the visibility
with its proof in `depthsep_check.theorems.degrees`.

The moments: t^2 has the beta law of parameters 1/2 and (d - 1)/2, so E[t^(2k)] is the product of (2j + 1)/(d + 2j)
over j < k, and the odd ones are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

from flint import arb, fmpq

from depthsep.errors import BadInput
from depthsep_check.gegenbauer import density_factor, multiplicity, polynomials
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import MAX_DEGREE, MAX_LISTED_DIM, Activation, visibility

__all__ = [
    "BITS",
    "density",
    "harmonic_count",
    "moment",
    "polynomial",
    "relu_visibility",
    "require_cosine",
    "require_degrees",
]

BITS = 128


def harmonic_count(dim: int, degree: int) -> int:
    """Count the independent spherical harmonics of a degree on the unit sphere of R^dim, N_n.

    Raises:
        BadInput: dim < 3, or a negative degree.

    Example:
        >>> harmonic_count(3, 4), harmonic_count(1000, 2)
        (9, 500499)
    """
    require_degrees(dim, (degree,), lowest=0)
    return int(multiplicity(dim, degree))


def polynomial(dim: int, degree: int, t: Fraction | int) -> arb:
    """Enclose P_n(t), the Gegenbauer polynomial of dimension `dim` with P_n(1) = 1, at an exact t in [-1, 1].

    Raises:
        BadInput: dim < 3, a negative degree, or t outside [-1, 1].

    Example:
        >>> print(polynomial(3, 2, Fraction(1, 2)).str(5, radius=False))  # Legendre: (3/4 - 1)/2
        -0.12500
    """
    require_degrees(dim, (degree,), lowest=0)
    with precision(BITS + 2 * degree):
        return polynomials(dim, require_cosine(t, f"P_{degree}"), degree)[degree]


def density(dim: int, t: Fraction | int) -> arb:
    """Enclose the density of mu_d at an exact t in [-1, 1].

    Raises:
        BadInput: dim < 3, or t outside [-1, 1].

    Example:
        >>> density(3, Fraction(1, 3)), density(5, 1)  # uniform on [-1, 1]; 3/4 (1 - t^2)
        (0.500000000000000, 0)
    """
    require_degrees(dim, (0,), lowest=0)
    with precision(BITS):
        square = require_cosine(t, "the density") ** 2
        return density_factor(dim) * (1 - square) ** arb(fmpq(dim - 3, 2)) if dim > 3 else arb(fmpq(1, 2))


def moment(dim: int, power: int) -> Fraction:
    """Give E[t^power] under mu_d, exactly.

    Raises:
        BadInput: dim < 3, or a power below 0 or above the largest degree that is served.

    Example:
        >>> moment(10, 1), moment(10, 2), moment(10, 4)  # 0, 1/d, 3/(d (d + 2))
        (Fraction(0, 1), Fraction(1, 10), Fraction(1, 40))
    """
    require_degrees(dim, (0,), lowest=0)
    if not 0 <= power <= MAX_DEGREE:
        raise BadInput(f"the moment of t^{power}", needed=f"a power from 0 to {MAX_DEGREE}")
    if power % 2:
        return Fraction(0)
    steps = range(power // 2)
    return Fraction(prod(2 * j + 1 for j in steps), prod(dim + 2 * j for j in steps))


def relu_visibility(dim: int, degree: int) -> arb:
    """Enclose c_n: the largest overlap of one ReLU unit of size 1 with a degree, over all directions and biases.

    The unit is u relu(<w, x> + <w', x'> + b) with |u| sqrt(|w| |w'|) = 1, so a network has at most its path norm times
    c_n of the degree.

    Raises:
        BadInput: dim < 3, or a degree below 1.

    Example:
        >>> print((relu_visibility(3, 1) / arb(3).sqrt()).str(5, radius=False))  # sqrt(3)/15
        0.066667
    """
    require_degrees(dim, (degree,), lowest=1)
    with precision(BITS):
        return visibility(Activation("derivative-variation", fmpq(1)), dim, degree)


def require_cosine(t: Fraction | int, asked: str) -> arb:
    """The number as a ball at the current precision.

    Raises:
        BadInput: It is outside [-1, 1].
    """
    point = Fraction(t)
    if not -1 <= point <= 1:
        raise BadInput(f"{asked} at {point}", needed="a cosine, in [-1, 1]")
    return arb(fmpq(point.numerator, point.denominator))


def require_degrees(dim: int, degrees: Sequence[int], lowest: int) -> None:
    """Refuse a dimension, or a degree, that is not served.

    Raises:
        BadInput: dim < 3 or too large, no degrees, or one below `lowest` or too large.
    """
    if not 3 <= dim <= MAX_LISTED_DIM:
        raise BadInput(f"dim = {dim}", needed=f"a dimension from 3 to {MAX_LISTED_DIM}")
    if not degrees:
        raise BadInput("no degrees", needed="one degree at least")
    for degree in degrees:
        if not lowest <= degree <= MAX_DEGREE:
            raise BadInput(f"degree {degree}", needed=f"a degree from {lowest} to {MAX_DEGREE}")
