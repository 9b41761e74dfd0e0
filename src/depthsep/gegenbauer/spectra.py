"""The spectrum of a function of an inner product: how much of it lies on which degree, as rigorous balls.

x, x' are independent and uniform on the unit sphere of R^d, d >= 3, t = <x, x'>, and f(t) = sum of alpha_n h_n with
h_n = sqrt(N_n) P_n(t) orthonormal (`sphere_law`). So the energy of f is E[f^2] = sum of alpha_n^2 (Parseval), the part
of degrees up to n is the best approximation of f by polynomials of degree n in t, and the energy beyond it is
E[f^2] - sum over i <= n of alpha_i^2: with E[f^2] in closed form or as one rigorous integral nothing has to be known of
the infinitely many degrees left. The energy beyond is a difference, so its ball is not narrower than that of E[f^2].

What it is for (Daniely 2017, arXiv:1702.08489; `depthsep.lower_bounds.degrees`): one ReLU unit of size 1 overlaps with
h_n by at most c_n (`relu_visibility`), which decays fast in n. A function with its energy where c_n is small is
expensive at depth 2.

A function of the norm on the unit ball is seen at x = (y + y')/2, where r^2 = (1 + t)/2.

Cost: of waves a recurrence of as many steps as the frequency is large; of other formulas one integral a degree.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from flint import arb, fmpq

from depthsep.errors import BadInput, NotProved, OutOfReach
from depthsep.gegenbauer.sphere_law import BITS, relu_visibility, require_cosine
from depthsep.gegenbauer.zonal import ZonalFunction
from depthsep_check.gegenbauer import multiplicity, polynomials
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import MAX_DEGREE

__all__ = ["Projection", "Spectrum", "spectrum"]

_FIRST_TOP = 16
_LAST_TOP = {"closed": 512, "integral": 64}  # where a spectrum of no given length ends
_SMALL = 10**4  # so does one with a ten thousandth of the energy left
_CUT = 10**6  # degrees beyond a millionth of the energy are left out


@dataclass(frozen=True)
class Projection:
    """The part of a function of degrees up to some degree: a polynomial in t.

    Args:
        dim: The dimension.
        coefficients: alpha_0, alpha_1, ..., of the parts.
        energy_beyond: E[(f - this)^2].
    """

    dim: int
    coefficients: tuple[arb, ...]
    energy_beyond: arb

    @property
    def degree(self) -> int:
        """The last degree."""
        return len(self.coefficients) - 1

    def __call__(self, t: Fraction | int) -> arb:
        """Enclose the value at an exact t.

        Raises:
            BadInput: t outside [-1, 1].
        """
        with precision(BITS + 2 * self.degree):
            values = polynomials(self.dim, require_cosine(t, "the projection"), self.degree)
            sizes = (arb(multiplicity(self.dim, n)).sqrt() for n in range(self.degree + 1))
            parts = (alpha * size * value for alpha, size, value in zip(self.coefficients, sizes, values, strict=True))
            return sum(parts, arb(0))


@dataclass(frozen=True)
class Spectrum:
    """The coefficients of a function, degree by degree.

    Args:
        function: The formula.
        dim: The dimension.
        domain: "spheres", or "ball" for a formula in r.
        energy: E[f^2], positive.
        coefficients: alpha_0 (the mean), alpha_1, ...
        tails: At n the energy of all degrees above n.
    """

    function: str
    dim: int
    domain: str
    energy: arb
    coefficients: tuple[arb, ...]
    tails: tuple[arb, ...]

    @property
    def top(self) -> int:
        """The last degree."""
        return len(self.coefficients) - 1

    def share(self, degree: int) -> arb:
        """Enclose the part of the energy that lies on a degree, between 0 and 1.

        Raises:
            BadInput: A degree beyond the last one.
        """
        self._require(degree)
        with precision(BITS):
            return self.coefficients[degree] * self.coefficients[degree] / self.energy

    def energy_beyond(self, degree: int) -> arb:
        """Enclose the energy of all degrees above one: the least mean square error of a polynomial of that degree.

        Raises:
            BadInput: A degree beyond the last one.
        """
        self._require(degree)
        return self.tails[degree]

    def visibility(self, degree: int) -> arb:
        """Enclose the largest overlap of one ReLU unit of size 1 with a degree from 1 on; see `relu_visibility`."""
        return relu_visibility(self.dim, degree)

    def degree_of(self, part: Fraction) -> int | None:
        """The first degree up to which certainly so much of the energy lies; None if that is beyond the last one.

        Example:
            >>> spectrum("t", dim=5).degree_of(Fraction(1, 2))
            1
        """
        with precision(BITS):
            rest = arb(fmpq(part.denominator - part.numerator, part.denominator)) * self.energy
            return next((n for n, tail in enumerate(self.tails) if tail <= rest), None)

    def projection(self, degree: int) -> Projection:
        """The part of degrees up to `degree`, the best approximation of the function by polynomials of that degree.

        Raises:
            BadInput: A degree beyond the last one.

        Example:
            >>> mean = spectrum("t^2", dim=5).projection(0)  # 1/d everywhere
            >>> print(mean(Fraction(1, 2)).str(5, radius=False), mean.energy_beyond.str(5, radius=False))
            0.20000 0.045714
        """
        self._require(degree)
        return Projection(self.dim, self.coefficients[: degree + 1], self.tails[degree])

    def _require(self, degree: int) -> None:
        if not 0 <= degree <= self.top:
            raise BadInput(
                f"degree {degree}",
                needed=f"a degree from 0 to {self.top}, the last one of this spectrum",
                do="ask for a longer one: spectrum(..., degrees=N)",
            )


def spectrum(function: str, *, dim: int, domain: str = "spheres", degrees: int | None = None) -> Spectrum:
    """Find how much of a function lies on which degree.

    Args:
        function: A formula in t, or `indicator(t >= c)`; for the domain "ball" a formula in r.
        dim: The dimension, at least 3.
        domain: "spheres" or "ball".
        degrees: The last degree; if None, where little is left, or where it becomes long.

    Raises:
        BadInput: The request makes no sense.
        NotProved: The formula is not certainly defined and bounded, or it is 0.
        OutOfReach: Its degrees reach beyond the largest one that is served.

    Example:
        >>> found = spectrum("sin(pi*d^3*t)", dim=5)
        >>> found.degree_of(Fraction(1, 2)), found.degree_of(Fraction(99, 100))
        (365, 395)
        >>> print(found.energy.str(5, radius=False), found.energy_beyond(395).str(2, radius=False))
        0.50000 0.0045
    """
    source = ZonalFunction.of(function, dim, domain)
    if degrees is not None:
        if not 1 <= degrees <= MAX_DEGREE:
            raise BadInput(f"degrees = {degrees}", needed=f"a last degree from 1 to {MAX_DEGREE}")
        return _measured(source, domain, _energy(source), degrees)
    top, last = _reach(source)
    energy = _energy(source)
    found = _measured(source, domain, energy, top)
    while top < last and not found.tails[top] * _SMALL < energy:
        top = min(2 * top, last)
        found = _measured(source, domain, energy, top)
    kept = next((n for n, tail in enumerate(found.tails) if n and tail * _CUT < energy), top) + 1
    return Spectrum(function, dim, domain, energy, found.coefficients[:kept], found.tails[:kept])


def _reach(source: ZonalFunction) -> tuple[int, int]:
    """A first guess of the last degree that matters, and the last one to try: beyond a wave's frequency is little."""
    closed = source.closed()
    if closed is None:
        return _FIRST_TOP, _LAST_TOP["integral"]
    if not closed.waves:
        return _FIRST_TOP, _LAST_TOP["closed"]
    frequency = max(float(wave.omega.mid()) for wave in closed.waves)
    top = max(_FIRST_TOP, int(frequency + 4 * frequency ** (1 / 3)))
    if top > MAX_DEGREE:
        raise OutOfReach(
            f"the spectrum of {source.text}",
            found=f"waves of the frequency {frequency:.4g}, whose degrees reach as far",
            needed=f"degrees up to {MAX_DEGREE}",
            do=f"name the last degree, at most {MAX_DEGREE} (--degrees 0:100), or take a smaller dimension",
        )
    return top, max(top, _LAST_TOP["closed"])


def _energy(source: ZonalFunction) -> arb:
    energy = source.energy()
    if not energy > 0:
        raise NotProved(f"the spectrum of {source.text}", found="the function is not certainly different from 0")
    return energy


def _measured(source: ZonalFunction, domain: str, energy: arb, top: int) -> Spectrum:
    """The spectrum up to a degree."""
    found = source.coefficients(range(top + 1))
    with precision(BITS):
        carried = accumulate(alpha * alpha for alpha in found)  # a power of a ball around 0 is not finite
        tails = tuple((energy - part).nonnegative_part() for part in carried)
    return Spectrum(source.text, source.profile.dim, domain, energy, tuple(found), tails)
