"""Depth-2 networks for any radial profile with random directions, independent and uniform on the sphere.

Theorem (after Safran, Eldan & Shamir 2019, arXiv:1904.06984, Theorem 1; statement and proof in
`depthsep_check.theorems.random_directions`): if the mean of the even profile g over the sphere follows phi up to e, the
network with M directions follows it up to e + (2 L + ...)/sqrt(M), L the steepest slope of g, except with probability
2^-b. The width grows like d times a function of eps and of the profile.

What is searched here, in floats: knots and slopes of g by linear programs that ask for the least L (and then few knots)
at several e, and the least M. The checker recomputes the mean of g in balls, and the rest.

Differences from the source: there random directions only prove existence, exp(O(eps^-9 log(d/eps))) of them.

Cost: some ten linear programs, seconds; width M (2 knots) with M about (2 L sqrt(d)/(eps - e))^2 / d.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import betainc, gammaln

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.certificates.probabilistic import ProbabilisticNetwork, certify_directions, parse_failure_probability
from depthsep.errors import BadInput, NotProved, OutOfReach
from depthsep.functions import Radial
from depthsep.networks.drawn import MAX_SEED
from depthsep.networks.sphere import EvenProfile, RandomRidges
from depthsep.progress import Progress, silent
from depthsep_check.theorems.random_directions import MAX_DIM, MAX_DIRECTIONS

__all__ = ["build_random_directions"]

Floats = NDArray[np.float64]

_SHARES = (0.0625, 0.125, 0.25, 0.375, 0.5)  # of eps, what the mean of g may miss
_REACHES = (2.0, 3.0, 4.5)  # the last knot, in units of 1/sqrt(d)
_KNOTS, _RADII = 40, 300  # grids of the programs
_ROUNDS = 3  # of reweighting towards few knots
_IMPROVED = 4  # how many programs are reweighted, of those with g constant in the end and of the others
_STEEPER = (1.0, 1.25)  # how much steeper g may be for the sake of fewer knots
_NEGLIGIBLE = 1e-6  # weights below this share of the largest are dropped
_DENOMINATOR = 2**40
_PAD = 1.001  # the checker's e in terms of the largest error on the grid of radii, which is finer than the programs'
_PROVED = 3  # how many of the narrowest candidates are offered to the checker


def build_random_directions(
    function: str | Radial,
    dim: int,
    eps: Accuracy,
    failure_probability: str | Fraction = "2^-80",
    seed: int = 0,
    progress: Progress = silent,
    max_width: int | None = None,
) -> ProbabilisticNetwork:
    """Find a depth-2 ReLU network with independent random directions, and prove how rarely it misses the accuracy.

    Args:
        function: A radial function: a formula in r.
        dim: The dimension, 2 to 10000.
        eps: The accuracy in the sup norm on the unit ball.
        failure_probability: An upper bound of the probability that a draw misses it; 2^-b is the largest that is not
            above, and proved.
        seed: Names the draw that is evaluated and exported; the statement is not about it.
        progress: Called with a text, and a fraction where one is known.
        max_width: The most neurons allowed.

    Raises:
        BadInput: No formula, or numbers that make no sense.
        OutOfReach: More than `max_width` neurons would be needed, or no profile g was found.
        NotProved: The checker did not confirm the search.

    Source:
        `depthsep_check.theorems.random_directions`.

    Example:
        >>> bump = build_random_directions("exp(-4*r^2)", dim=20, eps="0.2", failure_probability="2^-20", seed=7)
        >>> bump.claim, bump.law, bump.failure_probability == Fraction(1, 2**20)
        ('probabilistic', 'iid-sphere', True)
    """
    accuracy, bits = parse_accuracy(eps), parse_failure_probability(failure_probability)
    if not (2 <= dim <= MAX_DIM and 0 <= seed <= MAX_SEED):
        raise BadInput(
            f"random directions in dimension {dim} with seed {seed}",
            needed=f"a dimension from 2 to {MAX_DIM}, and a seed from 0 to 2^64 - 1",
        )
    target = Radial(function, dim) if isinstance(function, str) else function
    target.validate()
    if target.dim != dim:
        raise BadInput(f"random directions in dimension {dim}", found=f"a function made for dimension {target.dim}")
    candidates = sorted(_candidates(target, float(accuracy), bits, progress), key=lambda c: c.width)
    if not candidates:
        raise _no_profile(target, accuracy)
    if max_width is not None and candidates[0].width > max_width:
        raise _too_wide(target, accuracy, bits, max_width, candidates[0].width)
    refusal = None
    for candidate in candidates[:_PROVED]:
        progress(f"proving {candidate.width:,} neurons", None)
        network = RandomRidges(dim, candidate.count, candidate.profile, seed)
        try:
            return certify_directions(target, network, accuracy, bits, candidate.mean_error)
        except NotProved as error:
            refusal = error
    raise NotProved(
        f"random directions within {accuracy} of {target.text} in dimension {dim}, failing at most once in 2^{bits}",
        found=str(refusal),
        do="ask for a larger eps",
    )


def _no_profile(target: Radial, eps: Fraction) -> OutOfReach:
    return OutOfReach(
        f"random directions within {eps} of {target.text} in dimension {target.dim}",
        found=f"no profile of at most {_KNOTS} knots whose mean over the sphere is that close",
        do="a larger eps, or a network without random directions",
    )


def _too_wide(target: Radial, eps: Fraction, bits: int, max_width: int, needed: int) -> OutOfReach:
    return OutOfReach(
        f"random directions within {eps} of {target.text} in dimension {target.dim}, at most {max_width:,} neurons",
        found=f"{needed:,} neurons needed for a failure probability of 2^-{bits}",
        do=f"allow that many (--max-width {needed}), a larger failure probability, or a larger eps",
        reached={"widths": [needed]},
    )


@dataclass(frozen=True)
class _Candidate:
    """A profile, the number of directions that it takes, and the error of its mean."""

    profile: EvenProfile
    count: int
    mean_error: Fraction

    @property
    def width(self) -> int:
        return self.count * self.profile.units + self.profile.has_kink_at_zero


def _candidates(target: Radial, eps: float, bits: int, progress: Progress) -> Iterator[_Candidate]:
    """The least slopes for all shares of eps and reaches; then few knots for those that take the fewest directions."""
    starts = []
    for index, share in enumerate(_SHARES):
        progress(f"profiles whose mean misses {share:.0%} of eps", index / len(_SHARES))
        for reach in _REACHES:
            for flat in (False, True):
                program = _Program(target, reach, share * eps, flat)
                slope = program.least_slope()
                found = None if slope is None else program.candidate(*program.solve(None, slope), eps, bits)
                if slope is not None and found is not None:
                    starts.append((found.count, program, slope))
    starts.sort(key=lambda start: start[0])
    best = [start for flat in (False, True) for start in [s for s in starts if s[1].flat == flat][:_IMPROVED]]
    for index, (_, program, slope) in enumerate(best):
        progress("few knots", index / len(best))
        for steeper in _STEEPER:
            candidate = program.candidate(*program.sparse(steeper * slope), eps, bits)
            if candidate is not None:
                yield candidate


@dataclass(frozen=True)
class _Program:
    """Linear programs for c and the weights of g, on grids of knots and radii.

    Args:
        target: The radial function.
        reach: Where the knots end, in units of 1/sqrt(d).
        error: What the mean of g may miss.
        flat: Whether g is constant beyond its last knot.
    """

    target: Radial
    reach: float
    error: float
    flat: bool

    @cached_property
    def knots(self) -> Floats:
        """Where g may bend."""
        return np.linspace(0, min(self.reach / math.sqrt(self.target.dim), 1.0), _KNOTS, endpoint=False)

    def means(self, knots: Floats, radii: Floats) -> Floats:
        """E max(0, r|V| - T), a row for every radius."""
        dim, power = self.target.dim, (self.target.dim - 1) / 2
        factor = math.exp(float(gammaln(dim / 2) - gammaln(power))) / math.sqrt(math.pi) / power
        rest = 1 - np.minimum(1.0, knots / np.maximum(radii, 1e-300)[:, None]) ** 2
        return np.asarray(radii[:, None] * factor * rest**power - knots * betainc(power, 0.5, rest))

    @cached_property
    def _rows(self) -> tuple[Floats, Floats, Floats]:
        """Rows for the mean and their limits, and rows for the slopes; variables c, weights, |weights|, L."""
        radii = np.linspace(0, 1, _RADII + 1)
        phi, means = self.target.profile(radii), self.means(self.knots, radii)
        mean = np.hstack([np.ones((len(phi), 1)), means, np.zeros((len(phi), _KNOTS + 1))])
        none, one, sums, each = (
            np.zeros((_KNOTS, 1)),
            np.ones((_KNOTS, 1)),
            np.tril(np.ones((_KNOTS,) * 2)),
            np.eye(_KNOTS),
        )
        slopes = [np.hstack([none, sign * sums, 0 * each, -one]) for sign in (1, -1)]
        sizes = [np.hstack([none, sign * each, -each, none]) for sign in (1, -1)]
        limits = np.concatenate([phi + self.error, self.error - phi, np.zeros(4 * _KNOTS)])
        return np.vstack([mean, -mean, *slopes, *sizes]), limits, np.hstack([[0.0], one[:, 0], np.zeros(_KNOTS + 1)])

    def _solution(self, prices: Floats, steepest: float | None) -> Floats | None:
        rows, limits, total = self._rows
        bounds: list[tuple[float | None, float | None]] = [(None, None)] * (_KNOTS + 1) + [(0, None)] * _KNOTS
        equal = (total[None], np.zeros(1)) if self.flat else (None, None)
        solved = linprog(prices, rows, limits, *equal, bounds=[*bounds, (0, steepest)])
        return np.asarray(solved.x) if solved.status == 0 else None

    def least_slope(self) -> float | None:
        """The least L; None where no g is close enough."""
        solution = self._solution(np.eye(2 * _KNOTS + 2)[-1], None)
        return None if solution is None else float(solution[-1])

    def solve(self, prices: Floats | None, steepest: float) -> tuple[float, Floats]:
        """Give c and the weights with the least total price of |weights|, at a slope that is known to be possible."""
        prices = np.ones(_KNOTS) if prices is None else prices
        everything = np.concatenate([np.zeros(_KNOTS + 1), prices, [0.0]])
        solution = self._solution(everything, steepest * (1 + 1e-9) + 1e-12)
        return (0.0, np.zeros(_KNOTS)) if solution is None else (float(solution[0]), solution[1 : _KNOTS + 1])

    def sparse(self, steepest: float) -> tuple[float, Floats]:
        """The same with few weights, by reweighting."""
        bias, weights = self.solve(None, steepest)
        for _ in range(_ROUNDS):
            price = 1 / (np.abs(weights) + 1e-3 * np.abs(weights).max() + 1e-300)
            bias, weights = self.solve(price / price.max(), steepest)
        return bias, weights

    def candidate(self, bias: float, weights: Floats, eps: float, bits: int) -> _Candidate | None:
        """Round, measure the error of the mean on a finer grid, and find the least number of directions."""
        keep = np.abs(weights) > _NEGLIGIBLE * max(np.abs(weights).max(), 1e-300)
        knots = self.knots[keep]
        places = [_rational(place) for place in knots.tolist()]
        profile = EvenProfile(_rational(bias), tuple(places), tuple(map(_rational, weights[keep].tolist())))
        radii = np.linspace(0, 1, 10 * _RADII + 1)
        mean = bias + self.means(knots, radii) @ weights[keep]
        error = _PAD * float(np.abs(mean - self.target.profile(radii)).max()) + 1e-9
        count = _least_count(self.target.dim, eps - error, bits, knots, weights[keep])
        return None if count is None else _Candidate(profile, count, _rational(error))


def _least_count(dim: int, left: float, bits: int, knots: Floats, weights: Floats) -> int | None:
    """The least M whose deviation is below what is left of eps; see the theorem."""
    slopes = np.cumsum(weights)
    steepest = float(np.abs(slopes).max(initial=0.0))
    values = np.cumsum(slopes * np.diff(np.append(knots, 1.0))) if len(knots) else np.zeros(1)
    extent = max(float(values.max()), 0.0) - min(float(values.min()), 0.0)
    y = (bits + 1) * math.log(2)
    variance = min(steepest**2 * (dim - 1) / (2 * dim**2), extent**2 / 4)

    def deviation(count: int) -> float:
        mean = 2 * steepest / math.sqrt(count)
        return mean + math.sqrt(2 * y * (variance + 2 * extent * mean) / count) + extent * y / (3 * count)

    low, high = 0, 1
    while deviation(high) > left * (1 - 1e-7):
        low, high = high, 2 * high
        if high > MAX_DIRECTIONS or left <= 0:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if deviation(middle) > left * (1 - 1e-7) else (low, middle)
    return high


def _rational(value: float) -> Fraction:
    return Fraction(round(value * _DENOMINATOR), _DENOMINATOR)
