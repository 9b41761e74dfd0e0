"""Functions of an inner product of two random unit vectors: their Gegenbauer coefficients and their L2 norms.

The coefficients are alpha_n = E[f(t) sqrt(N_n) P_n(t)]; those of degree 2 and more are computed where the judge of the
degrees bound computes them (`depthsep_check.gegenbauer`). Those of degree 0 and 1, for closed forms: with Z the factor
of the density of mu_d, P the probability under mu_d and P' the one under mu_(d+2),

    E[cos(w t)] = j_0(w) = 0F1(; d/2; -w^2/4)         E[t sin(w t)] = j_1(w) = w/d 0F1(; d/2 + 1; -w^2/4)
    E[1{t >= c}] = P(t >= c)                          E[t 1{t >= c}] = Z/(d-1) (1 - c^2)^((d-1)/2)
    E[(t - c)_+] = E[t 1{t >= c}] - c P(t >= c)       E[t (t - c)_+] = P'(t >= c)/d, by parts

The energy E[f^2] of an affine function plus waves follows from the same and from the products of waves,

    2 cos(v t) cos(w t) = cos((v-w) t) + cos((v+w) t),     2 sin(v t) sin(w t) = cos((v-w) t) - cos((v+w) t);

for an indicator it is a probability, for every other formula one rigorous integral.

A quadrature in float64 has an absolute error of about 1e-15, so that a small coefficient comes out as noise; the closed
form in float64 underflows to 0. Here every number is a ball (`flint.arb`) that contains the true value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, fmpq

from depthsep.errors import BadInput, NotProved
from depthsep.functions.formula import parse_profile
from depthsep.gegenbauer.sphere_law import BITS, require_degrees
from depthsep_check import gegenbauer as formulas
from depthsep_check.gegenbauer import Closed
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import INTEGRALS, WORK, Profile, read_profile
from depthsep_check.theorems.degrees import coefficients as judged_coefficients
from depthsep_check.verdict import Budget, CheckFailure, Refuted

__all__ = ["ZonalFunction", "coefficients", "read_step"]

_INDICATOR = re.compile(r"\s*indicator\s*\(\s*t\s*(>=|<=|>|<)(.*)\)\s*", re.DOTALL)
_NARROW = 10**6  # an energy has to be known to a millionth
_TINY = 1e-15  # where the series of flint may be no number


def coefficients(function: str, dim: int, degrees: Sequence[int], *, domain: str = "spheres") -> dict[int, arb]:
    """Enclose the coefficients alpha_n = E[f(t) sqrt(N_n) P_n(t)]; alpha_0 is the mean.

    Waves, piecewise linear formulas and indicators are in closed form, any other formula is integrated rigorously.

    Args:
        function: f as a formula in t, or `indicator(t >= c)`; for the domain "ball" a formula in r: then
            f(t) = phi(sqrt((1 + t)/2)).
        dim: The dimension, at least 3.
        degrees: Degrees in any order.
        domain: "spheres" or "ball".

    Raises:
        BadInput: dim < 3, a negative degree, a formula that cannot be read, or another domain.
        NotProved: The formula is not certainly defined and bounded, or a work limit was reached.

    Example:
        >>> coefficients("t", 4, [1])[1]  # sqrt(N_1) E[t^2] = 1/sqrt(d)
        0.500000000000000
        >>> print(coefficients("indicator(t >= 0)", 9, [0])[0].str(5, radius=False))
        0.50000
    """
    wanted = sorted(set(degrees))
    require_degrees(dim, wanted, lowest=0)
    source = ZonalFunction.of(function, dim, domain)
    return dict(zip(wanted, source.coefficients(wanted), strict=True))


def read_step(text: str) -> tuple[str, str] | None:
    """The place and the height of the jump of `indicator(t >= c)` or `indicator(t <= c)`; None for another text.

    Example:
        >>> read_step("indicator(t <= 1/2)")
        ('1/2', '-1')
    """
    step = _INDICATOR.fullmatch(text)
    return None if step is None else (step[2].strip(), "1" if step[1][0] == ">" else "-1")


@dataclass(frozen=True)
class ZonalFunction:
    """(x, x') -> f(<x, x'>) on pairs of unit vectors, or phi(r) on the ball seen at r^2 = (1 + <x, x'>)/2.

    Args:
        text: The formula.
        profile: The same, read; without the constant below.
        constant: What is added.
        is_step: Whether it is an indicator.
    """

    text: str
    profile: Profile
    constant: int = 0
    is_step: bool = False

    @classmethod
    def of(cls, text: str, dim: int, domain: str) -> ZonalFunction:
        """Read a formula.

        Raises:
            BadInput: It cannot be read, the dimension is not served, or there is no such domain.
        """
        if domain not in ("spheres", "ball"):
            raise BadInput(f"domain = {domain!r}", needed='"spheres" or "ball"')
        require_degrees(dim, (0,), lowest=0)
        step = read_step(text) if domain == "spheres" else None
        if step is None:
            _require_formula(text, dim, domain)
            kind = "radial" if domain == "ball" else "inner-product"
            return cls(text, read_profile({"kind": kind, "expression": text}, dim, domain == "ball"))
        parse_profile(step[0], dim, ())
        breaks = read_profile({"kind": "breaks", "jumps": [list(step)], "kinks": []}, dim, False)
        return cls(text, breaks, int(step[1] == "-1"), True)

    def closed(self) -> Closed | None:
        """The closed form, without the constant; None if there is none."""
        with precision(BITS):
            return self.profile.closed()

    def coefficients(self, degrees: Sequence[int]) -> list[arb]:
        """alpha_n for increasing degrees.

        Raises:
            NotProved: The formula is not certainly defined and bounded, or a work limit was reached.
        """
        try:
            with precision(BITS):
                closed = self.profile.closed()
                low = [] if closed is None else [n for n in degrees if n < 2]
                found = [] if closed is None else [_low_coefficient(closed, self.profile.dim, n) for n in low]
                high = list(degrees[len(low) :])
                found += judged_coefficients(self.profile, high, Budget(WORK)) if high else []
                return [alpha if n else alpha + self.constant for n, alpha in zip(degrees, found, strict=True)]
        except CheckFailure as failure:
            raise NotProved(f"the Gegenbauer coefficients of {self.text}", found=failure.text) from None

    def energy(self) -> arb:
        """E[f(t)^2].

        Raises:
            NotProved: The formula is not certainly defined and bounded, or its integral does not converge.
        """
        if self.is_step:
            return self.coefficients([0])[0]
        closed = self.closed()
        if closed is not None and not closed.kinks:
            with precision(BITS):
                found = _wave_energy(closed, self.profile.dim)
        else:
            found = self._integrated_energy()
        if not found.rad() * _NARROW <= abs(found):
            known = f"between {found.lower().str(4, radius=False)} and {found.upper().str(4, radius=False)}"
            found_text = f"E[f^2] is {known}" if found.is_finite() else "no bound of E[f^2]"
            raise NotProved(f"the L2 norm of {self.text}", found=found_text, needed="its value to a millionth")
        return found

    def _integrated_energy(self) -> arb:
        dim, radial = self.profile.dim, self.profile.radial
        square = parse_profile(f"({self.text})^2", dim, ("r" if radial else "t",))
        try:
            with precision(BITS):
                return formulas.integral_coefficients(square, dim, radial, [0], Budget(INTEGRALS))[0]
        except CheckFailure as failure:
            raise NotProved(f"the L2 norm of {self.text}", found=failure.text) from None


def _require_formula(text: str, dim: int, domain: str) -> None:
    """Refuse what is no formula in the variable of the domain, and say so if it is one of the other domain."""
    variable, other, others = ("r", "t", "spheres") if domain == "ball" else ("t", "r", "ball")
    if not _is_formula(text, dim, variable) and _is_formula(text, dim, other):
        raise BadInput(
            f"{text} on the domain {domain!r}",
            found=f"a formula in {other}",
            needed=f"a formula in {variable}",
            do=f'formulas in {other} are for the domain "{others}"',
        )
    parse_profile(text, dim, (variable,))


def _is_formula(text: str, dim: int, variable: str) -> bool:
    try:
        parse_profile(text, dim, (variable,))
    except BadInput:
        return False
    return True


def _low_coefficient(closed: Closed, dim: int, degree: int) -> arb:
    """alpha_0 or alpha_1 of a closed form; see the text of the module."""
    total = arb(closed.constant) if degree == 0 else arb(closed.slope) / dim
    for wave in closed.waves:
        mean = wave.even * _cosine_mean(dim, wave.omega) if degree == 0 else wave.odd * _sine_mean(dim, wave.omega)
        total += mean
    if not all(abs(arb(place)) < 1 for place, _ in (*closed.jumps, *closed.kinks)):
        raise Refuted("coefficients", "a kink or jump is not certainly inside (-1, 1)")
    for place, height in closed.jumps:
        total += height * (_beyond(dim, arb(place)) if degree == 0 else _mean_beyond(dim, arb(place)))
    for place, bend in closed.kinks:
        at = arb(place)
        ramp = _mean_beyond(dim, at) - at * _beyond(dim, at) if degree == 0 else _beyond(dim + 2, at) / dim
        total += bend * ramp
    return total * arb(dim if degree else 1).sqrt()


def _wave_energy(closed: Closed, dim: int) -> arb:
    """E[f^2] of constant + slope t + waves; see the text of the module."""
    constant, slope = arb(closed.constant), arb(closed.slope)
    total = constant * constant + slope * slope / dim
    for wave in closed.waves:
        total += 2 * constant * wave.even * _cosine_mean(dim, wave.omega)
        total += 2 * slope * wave.odd * _sine_mean(dim, wave.omega)
        for other in closed.waves:
            apart = _cosine_mean(dim, wave.omega - other.omega) / 2
            together = _cosine_mean(dim, wave.omega + other.omega) / 2
            total += wave.even * other.even * (apart + together) + wave.odd * other.odd * (apart - together)
    return total


def _cosine_mean(dim: int, omega: arb) -> arb:
    """E[cos(omega t)]; between 1 - omega^2 E[t^2]/2 and 1, which is near enough where omega is near 0."""
    if omega.contains(0) or abs(omega) < _TINY:
        return 1 - omega * omega / (2 * dim) * arb(0.5, 0.5)
    return (-omega * omega / 4).hypgeom_0f1(arb(fmpq(dim, 2)))


def _sine_mean(dim: int, omega: arb) -> arb:
    """E[t sin(omega t)]: the parameter of the series is that of dimension d + 2."""
    return _cosine_mean(dim + 2, omega) * omega / dim


def _beyond(dim: int, place: arb) -> arb:
    """The probability of t >= c."""
    shape = arb(fmpq(dim - 1, 2))
    return ((1 - place) / 2).beta_lower(shape, shape, 1)


def _mean_beyond(dim: int, place: arb) -> arb:
    """The mean of t 1{t >= c}."""
    return formulas.density_factor(dim) / (dim - 1) * (1 - place**2) ** arb(fmpq(dim - 1, 2))
