"""Depth-2 networks for a cone alpha + beta ||x|| with random directions: the rows of orthonormal frames.

Theorem (depthsep's own; statement and proof in `depthsep_check.theorems.random_frames`): for K independent Haar frames
of R^d and S(x) the mean of sqrt(d) |<u, x>| over their d K rows, P(max S >= s) and P(min S <= t) on the unit sphere
are at most explicit numbers, and N = alpha + sign(beta) eps + beta S/s is within eps of alpha + beta ||x|| on the unit
ball once t/s >= 1 - 2 eps/|beta| and neither happens. So a cone costs what 1 - ||x|| costs at eps/|beta|.

What is searched here, in floats: the fewest frames K whose two probabilities add up to at most 2^-b, with s, t and the
factors a in the exponents. The checker recomputes both in balls.

Differences from the source: Safran, Eldan & Shamir (2019, arXiv:1904.06984, Theorem 1) need a width exp(O(eps^-9
log(d/eps))) for the cone and prove one network; here the width is about d K, K a few hundred at eps = 0.05, and what is
proved is a probability over the draw, never a property of the draw that is used. Independent directions instead of
frames would need some twenty times as many.

Cost: seconds, mostly one-dimensional integrals; width d K + 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln, log_ndtr

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.certificates.probabilistic import (
    CapIntegrals,
    ProbabilisticNetwork,
    certify_random,
    parse_failure_probability,
)
from depthsep.errors import BadInput, NotProved, OutOfReach
from depthsep.functions import Function, Radial
from depthsep.networks.drawn import MAX_SEED
from depthsep.networks.frames import RandomFrames
from depthsep.progress import Progress, silent
from depthsep_check.theorems.random_frames import MAX_DIM, MAX_FRAMES, width

__all__ = ["build_random"]

Floats = NDArray[np.float64]

_LEAST_FACTOR = 1e-4  # the factors in the exponents are looked for from here
_LARGEST_FACTOR = {1: 20.0, -1: 100.0}  # to here, for P_high and for P_low
_STARTS = 16  # on a grid first: the bound is flat for small a
_MOMENTS, _NORMS, _ANGLES = 601, 3000, 600  # points of the tables
_CELLS = 600  # cells of an integral in the document,
_DEPTH = 14.0  # which cover where the integrand is at least e^-14 of its largest value
_FINE = 2**30  # denominator of the angles
_COARSE = 2**24  # and of the other numbers
_MORE = (0, 0.004, 0.015, 0.05)  # by which shares of frames more the checker may be convinced in the end
_TIGHT = 3e-6  # accuracy of s and t


def build_random(
    function: str | Function,
    dim: int,
    eps: Accuracy,
    failure_probability: str | Fraction = "2^-80",
    seed: int = 0,
    progress: Progress = silent,
    max_width: int | None = None,
) -> ProbabilisticNetwork:
    """Find a narrow depth-2 ReLU network with random directions, and prove how rarely it misses the accuracy.

    Args:
        function: A profile alpha + beta r with rational alpha and beta, such as "1 - r" or "3*r/d".
        dim: The dimension, 2 to 10000.
        eps: The accuracy in the sup norm on the unit ball, below |beta|/2.
        failure_probability: An upper bound of the probability that a draw misses it; 2^-b is the largest that is not
            above, and proved.
        seed: Names the draw that is evaluated and exported; the statement is not about it.
        progress: Called with a text, and a fraction where one is known.
        max_width: The most neurons allowed.

    Raises:
        BadInput: Another function, or numbers that make no sense.
        OutOfReach: More than `max_width` neurons would be needed.
        NotProved: The checker did not confirm the search.

    Source:
        `depthsep_check.theorems.random_frames`.

    Example:
        >>> cone = build_random("1 - r", dim=20, eps="0.1", seed=7)
        >>> cone.widths, cone.claim, cone.failure_probability == Fraction(1, 2**80)
        ((1561,), 'probabilistic', True)
        >>> build_random("exp(-r)", dim=20, eps="0.1")
        Traceback (most recent call last):
        depthsep.errors.BadInput: a random network for exp(-r)
          found:  a profile other than alpha + beta*r
          needed: rational alpha and beta != 0: the theorem on random frames needs S(x) homogeneous
          do:     use independent random directions (random_directions), or build it without randomness
    """
    target = _target(function, dim)
    alpha, beta = _cone(target)
    accuracy, bits = parse_accuracy(eps), parse_failure_probability(failure_probability)
    _require_numbers(dim, accuracy, seed, beta)
    search = _Search(dim, 1 - 2 * float(accuracy / abs(beta)), (bits + 1) * math.log(2))
    fewest = search.fewest_frames(progress)
    if max_width is not None and width(dim, fewest) > max_width:
        raise _too_wide(target, accuracy, bits, max_width, fewest)
    refusal = None
    for frames in (fewest + max(index, math.ceil(fewest * more)) for index, more in enumerate(_MORE)):
        progress(f"proving {width(dim, frames):,} neurons", None)
        scale, witness = search.witness(frames, accuracy / abs(beta))
        network = RandomFrames(dim, frames, accuracy, scale, seed, alpha, beta)
        try:
            return certify_random(target, network, bits, witness)
        except NotProved as error:
            refusal = error
    raise NotProved(
        f"a random network within {accuracy} of {target.text} in dimension {dim}, failing at most once in 2^{bits}",
        found=str(refusal),
        do="ask for a larger failure probability, or a larger eps",
    )


def _target(function: str | Function, dim: int) -> Radial:
    """The function; what is no radial function is refused as what is no cone."""
    target = Radial(function, dim) if isinstance(function, str) else function
    if not isinstance(target, Radial):
        raise _no_cone(target)
    if target.dim != dim:
        raise BadInput(f"a random network in dimension {dim}", found=f"a function made for dimension {target.dim}")
    return target


def _cone(target: Radial) -> tuple[Fraction, Fraction]:
    if target.cone is None:
        raise _no_cone(target)
    return target.cone


def _no_cone(target: Function) -> BadInput:
    return BadInput(
        f"a random network for {target.text}",
        found="a profile other than alpha + beta*r",
        needed="rational alpha and beta != 0: the theorem on random frames needs S(x) homogeneous",
        do="use independent random directions (random_directions), or build it without randomness",
    )


def _require_numbers(dim: int, eps: Fraction, seed: int, beta: Fraction) -> None:
    if not 2 <= dim <= MAX_DIM:
        raise BadInput(f"random frames in dimension {dim}", needed=f"a dimension from 2 to {MAX_DIM}")
    half = abs(beta) / 2
    if eps >= half:
        raise BadInput(
            f"random frames with eps = {eps}",
            needed=f"eps below {half}, half of the slope",
            do=f"from {half} on a constant is enough: build it without random directions",
        )
    if not 0 <= seed <= MAX_SEED:
        raise BadInput(f"seed = {seed}", needed="an integer from 0 to 2^64 - 1")


def _too_wide(target: Radial, eps: Fraction, bits: int, max_width: int, fewest: int) -> OutOfReach:
    needed = width(target.dim, fewest)
    return OutOfReach(
        f"a random network within {eps} of {target.text} in dimension {target.dim}, at most {max_width:,} neurons",
        found=f"{needed:,} neurons needed for a failure probability of 2^-{bits}",
        do=f"allow that many (--max-width {needed}), a larger failure probability, or a larger eps",
        reached={"widths": [needed]},
    )


@dataclass(frozen=True)
class _Search:
    """The two probabilities in floats: log P_high and log P_low, and the values of s and t that they allow.

    Args:
        dim: The dimension d.
        ratio: t/s must be at least this, 1 - 2 eps for the cone 1 - r.
        target: Both probabilities must be at most e^-target.
    """

    dim: int
    ratio: float
    target: float

    @cached_property
    def _moments(self) -> dict[int, CubicSpline]:
        """For side 1 and -1 the function ln E e^(side m chi) of m, up to a sqrt(d) for the largest a.

        Trapezoids are exact enough: on a grid in chi for side 1, in ln chi for side -1, where chi becomes small.
        """
        tables = {}
        for side, largest in _LARGEST_FACTOR.items():
            m = np.linspace(0, largest * math.sqrt(self.dim), _MOMENTS)
            top = math.sqrt(self.dim) + 12
            x = np.linspace(0, m[-1] + top, _NORMS + 1)[1:] if side == 1 else np.geomspace(1e-6, top, _NORMS)
            density = (self.dim - (side + 1) // 2) * np.log(x) - x**2 / 2
            values = _log_sum_exp(density + side * m[:, None] * x)
            tables[side] = CubicSpline(m, values - values[0])
        return tables

    @property
    def mean(self) -> float:
        """E S: the median of what max S and min S can be."""
        return math.sqrt(self.dim / math.pi) * math.exp(float(gammaln(self.dim / 2) - gammaln((self.dim + 1) / 2)))

    @cached_property
    def _spread(self) -> float:
        """sqrt(d) k."""
        return math.sqrt(self.dim / math.pi) * math.exp(float(gammaln((self.dim - 1) / 2) - gammaln(self.dim / 2)))

    def largest_angle(self, tau: float) -> float:
        """The end hmax of the integral J_low."""
        return math.atan(1 / (2 * tau * math.sqrt(self.dim)))

    def density(self, angles: Floats) -> Floats:
        """The log density of the angle."""
        log_c = gammaln(self.dim / 2) - gammaln((self.dim - 1) / 2) - math.log(math.pi) / 2
        return np.asarray((self.dim - 2) * np.log(np.sin(angles)) + log_c)

    def integrand(self, side: int, frames: int, tau: float, a: Floats | float, angles: Floats) -> Floats:
        """K L at the angles: of J_high for side 1, of J_low for side -1."""
        inner = tau * np.cos(angles)
        if side == -1:
            inner = inner + (1 - tau**2) * self._spread * np.sin(angles)
        return np.asarray(frames * self._moments[side](a * math.sqrt(self.dim) * inner))

    def log_probability(self, side: int, frames: int, tau: float) -> tuple[float, float]:
        """The least log P over the factors a, and that factor."""
        end = math.pi / 2 if side == 1 else self.largest_angle(tau)
        angles = np.geomspace(1e-4, 1, _ANGLES) * end
        weights = self.density(angles) + np.log(np.gradient(angles))

        def value(log_a: Floats | float) -> Floats:
            a = np.exp(log_a)
            mean_exp = a**2 / 2 + math.log(2) + log_ndtr(side * a)
            exponents = weights + self.integrand(side, frames, tau, a[..., None], angles)
            return np.asarray(frames * self.dim * mean_exp - _log_sum_exp(exponents))

        grid = np.linspace(math.log(_LEAST_FACTOR), math.log(_LARGEST_FACTOR[side]), _STARTS)
        best = int(np.argmin(value(grid)))
        around = (grid[max(best - 1, 0)], grid[min(best + 1, _STARTS - 1)])
        found = minimize_scalar(value, bounds=around, method="bounded", options={"xatol": 1e-3})
        return float(found.fun), math.exp(float(found.x))

    def extreme(self, side: int, frames: int) -> float | None:
        """The least s (side 1) or the largest t (side -1) whose probability is small enough; None without one."""

        def excess(tau: float) -> float:
            return self.log_probability(side, frames, tau)[0] + self.target

        far = 1.0 if side == 1 else self.ratio * self.mean * 0.5
        if excess(far) > 0 or excess(self.mean) < 0:
            return None
        return float(brentq(excess, self.mean, far, xtol=_TIGHT))

    def allowed(self, frames: int) -> tuple[float, float] | None:
        """The least and the largest s that may be chosen; None if there is none."""
        low = self.extreme(-1, frames)
        high = None if low is None else self.extreme(1, frames)
        if low is None or high is None or high > low / self.ratio:
            return None
        return high, low / self.ratio

    def fewest_frames(self, progress: Progress) -> int:
        """The least K with an s, by doubling and bisection."""
        low, high = 0, 1
        while self.allowed(high) is None:
            progress(f"more than {high:,} frames", None)
            low, high = high, 2 * high
            if high > MAX_FRAMES:
                raise OutOfReach(f"random frames in dimension {self.dim}", found=f"more than {low:,} frames needed")
        while high - low > 1:
            middle = (low + high) // 2
            progress(f"between {low:,} and {high:,} frames", None)
            low, high = (middle, high) if self.allowed(middle) is None else (low, middle)
        return high

    def witness(self, frames: int, eps: Fraction) -> tuple[Fraction, CapIntegrals]:
        """The scale in the middle of what is allowed, and what the checker needs to confirm it; eps as for 1 - r."""
        least, largest = self.allowed(frames) or (self.mean, self.mean)
        scale = _rational(math.sqrt(least * largest), _COARSE)
        low = scale * (1 - 2 * eps)
        factors, angles = [], []
        for side, tau in ((1, float(scale)), (-1, float(low))):
            factors.append(_rational(self.log_probability(side, frames, tau)[1], _COARSE))
            angles.append(tuple(self._cells(side, frames, tau, float(factors[-1]))))
        return scale, CapIntegrals(low, factors[0], factors[1], angles[0], angles[1])

    def _cells(self, side: int, frames: int, tau: float, a: float) -> Iterator[Fraction]:
        """Equal cells where the integrand matters."""
        end = (math.pi / 2 if side == 1 else self.largest_angle(tau)) * (1 - 1e-8)
        angles = np.linspace(0, end, 50 * _ANGLES + 1)[1:]
        values = self.density(angles) + self.integrand(side, frames, tau, a, angles)
        within = np.flatnonzero(values >= values.max() - _DEPTH)
        for angle in np.linspace(angles[within[0]], angles[within[-1]], _CELLS + 1):
            yield _rational(float(angle), _FINE)


def _log_sum_exp(exponents: Floats) -> Floats:
    largest = exponents.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(exponents - largest).sum(axis=-1)) + largest[..., 0])


def _rational(value: float, denominator: int) -> Fraction:
    return Fraction(round(value * denominator), denominator)
