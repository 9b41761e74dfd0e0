"""Sinusoids of a sum of squares, as the targets of folded networks: what phase to build, how long, how exactly.

f = mean + amplitude cos(pi (rate sigma + offset)), sigma being what the network reads: ||x||^2 for the norm, (1 + t)/2
for pairs of unit vectors, t for pairs of points of the ball, t = <x, x'>. A network builds z close to
z* = rate sigma + offset + m, with m the least integer for which z >= 0 certainly, and (-1)^m times the cosine of pi z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from depthsep.constructions.scaled_squares import coordinates
from depthsep.functions import InnerProduct, Radial
from depthsep_check.numbers import precision
from depthsep_check.sinusoids import sinusoid_of

__all__ = ["NORM_SLACK", "PhaseTarget", "domain_slack", "reading_of"]

NORM_SLACK = Fraction(1, 2**40)  # float64 unit vectors have norm 1 but for less
_TIGHT_SLACK = Fraction(1, 2**48)  # still, if they were normalised in float64
_FAST = 2.0**24  # phases faster than this cannot afford the wider slack
_BITS = 256
_LARGEST_SHARE = 0.999  # psi is designed for at most this share of eps
_READINGS = {"unit-ball": "norm", "sphere-pairs": "sphere-pair", "ball-pairs": "ball-pair"}


def reading_of(function: Radial | InnerProduct) -> str:
    """What a folded network for the function reads."""
    return _READINGS[function.domain]


def domain_slack(function: Radial | InnerProduct) -> Fraction:
    """The norm slack of claims about the function."""
    return NORM_SLACK if function.domain == "sphere-pairs" else Fraction(0)


@dataclass(frozen=True)
class PhaseTarget:
    """A sinusoid, rounded where that does no harm.

    Args:
        reads: What the network reads.
        dim: The dimension.
        mean: The mean.
        amplitude: The amplitude at the phase `first`, of any sign.
        rate: Half periods while sigma grows by 1.
        first: The phase at the least sigma, up to an integer: in [0, 1), exact to 2^-100 or so.
        error: The error for the cosine, as a share of the amplitude.
    """

    reads: str
    dim: int
    mean: float
    amplitude: float
    rate: float
    first: Fraction
    error: float

    @classmethod
    def of(cls, function: Radial | InnerProduct, eps: Fraction) -> PhaseTarget | None:
        """Recognise the function; None where it is no sinusoid, or where its phase is beyond float64."""
        reads = reading_of(function)
        with precision(_BITS):
            found = sinusoid_of(function.expression, function.dim, reads)
            if found is None or not 0 < found.rate < 2.0**45:
                return None
            least = -found.rate if reads == "ball-pair" else arb(0)
            steps, first = divmod(_midpoint(found.offset + least), 1)
            mean, amplitude, rate = (float(_midpoint(ball)) for ball in (found.mean, found.amplitude, found.rate))
        if amplitude == 0:
            return None
        error = min(float(eps) / abs(amplitude), 1.0) * _LARGEST_SHARE
        return cls(reads, function.dim, mean, -amplitude if steps % 2 else amplitude, rate, first, error)

    @property
    def coordinates(self) -> int:
        """D: how many squares are summed."""
        return coordinates(self.reads, self.dim)

    @property
    def span(self) -> float:
        """How much the phase grows over the domain."""
        return 2 * self.rate if self.reads == "ball-pair" else self.rate

    @property
    def norm_slack(self) -> Fraction:
        """By how much norms may be off 1 for pairs of unit vectors."""
        if self.reads != "sphere-pair":
            return Fraction(0)
        return NORM_SLACK if self.rate < _FAST else _TIGHT_SLACK

    @property
    def spare(self) -> float:
        """By how much more the phase may be off where norms are."""
        return (3 * float(self.norm_slack) + 2.0**-50) * self.rate

    def start(self, slack: float) -> Fraction:
        """z* at the least sigma, large enough to stay positive when it is off by the slack."""
        return self.first + self._steps(slack)

    def signed_amplitude(self, slack: float) -> float:
        """The amplitude at the phase z*."""
        return -self.amplitude if self._steps(slack) else self.amplitude

    def _steps(self, slack: float) -> int:
        """How many half periods are put before the first phase: 1 or none."""
        return int(self.first < slack * 1.01 + self.spare)

    def length(self, slack: float) -> int:
        """The least integer that the phase certainly stays below."""
        return max(1, math.ceil(float(self.start(slack)) + self.span + slack * 1.01 + self.spare))

    def constant(self, slack: float) -> Fraction:
        """z* at sigma = 0."""
        return self.start(slack) + (Fraction(self.rate) if self.reads == "ball-pair" else 0)


def _midpoint(ball: arb) -> Fraction:
    middle = ball.mid().fmpq()
    return Fraction(int(middle.p), int(middle.q))
