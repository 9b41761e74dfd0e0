"""Sums of units h(t) = bias + sum_i weight_i s(scale_i t - offset_i) that follow samples of a function of one variable.

Searches only: floating point, trusted by nobody. Each gives a sum that should be within eps of the samples, and of the
end values beyond them:

*Polygons* (Imai & Iri 1986, see `tube_path`): the fewest kinks, one unit each, or for ramps one unit for each link.
*Cells*: kinks in the middles of equal cells, as in the proof of Assumption 1.
*Staircases*: the longest pieces where the function varies by 2 delta at most, one unit for each jump between them; as
few as any staircase has.
*Dictionaries*: sparse sums of smooth units by reweighted linear programs (Candes, Wakin & Boyd 2008), weights capped.

Where two asymptotes are not flat the slopes of a sum have to cancel exactly far out; `balanced` rounds them to do so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from depthsep.univariate.tube_path import min_link_path

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

__all__ = ["Samples", "UnitSum", "balanced", "cells", "dictionary_sum", "free_kinks", "kinks_of", "ramps", "staircase"]

_BEYOND = 1000.0  # how far the tube of a polygon goes on, in lengths of the interval, until it is called flat
_BITS = 50
_CENTRES, _POINTS, _DENSE = 41, 160, 1500
_SCALES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_ROUNDS, _EXCHANGES = 6, 5
_CAP = 200.0  # largest |weight| of a dictionary, in units of the range of the samples
_DESIGN = 0.985
_TINY = 1e-7


@dataclass(frozen=True)
class Samples:
    """A function at increasing places; it keeps its end values beyond them.

    Args:
        t: The places.
        f: The values.
    """

    t: Floats
    f: Floats

    @property
    def length(self) -> float:
        """The length of the interval."""
        return float(self.t[-1] - self.t[0])

    def at(self, t: Floats) -> Floats:
        """Linear between the samples."""
        return np.interp(t, self.t, self.f)


@dataclass(frozen=True)
class UnitSum:
    """bias + sum_i weights_i s(scales_i t - offsets_i)."""

    bias: float
    scales: Floats
    offsets: Floats
    weights: Floats

    def __len__(self) -> int:
        """The number of units."""
        return len(self.scales)

    def __call__(self, activation: Function, t: Floats) -> Floats:
        """Evaluate in float64."""
        total = np.full(t.shape, self.bias)
        for start in range(0, len(self), 256):
            part = slice(start, start + 256)
            total += activation(np.multiply.outer(t, self.scales[part]) - self.offsets[part]) @ self.weights[part]
        return total


def balanced(slopes: Floats) -> Floats:
    """Slopes rounded to a common grid, so that they add up to exactly 0; the last one takes the rest."""
    if not len(slopes):
        return slopes
    unit = Fraction(2) ** (math.frexp(float(np.abs(slopes).sum()))[1] - _BITS)
    whole = [round(Fraction(float(slope)) / unit) for slope in slopes]
    whole[-1] = -sum(whole[:-1])
    return np.array([float(steps * unit) for steps in whole])


# ------------------------------------------------------------------------------------------------------------------
# Polygons


def kinks_of(samples: Samples, eps: float) -> tuple[float, Floats, Floats]:
    """The value far left, the kinks, and the changes of slope of a polygon within eps, flat outside the kinks."""
    right = _kinks(samples, eps)
    mirrored = _kinks(Samples(-samples.t[::-1], samples.f[::-1]), eps)
    if len(mirrored[1]) >= len(right[1]):
        return right
    value, places, changes = mirrored
    places, changes = -places[::-1], changes[::-1]
    return float(value + changes @ places), places, changes


def _kinks(samples: Samples, eps: float) -> tuple[float, Floats, Floats]:
    end = samples.t[-1] + _BEYOND * samples.length
    t, f = np.append(samples.t, end), np.append(samples.f, samples.f[-1])
    knots, values = min_link_path(t, f - eps, f + eps, start="flat")
    slopes = np.divide(np.diff(values), np.diff(knots), out=np.zeros(len(knots) - 1), where=np.diff(knots) > 0)
    slopes[0] = slopes[-1] = 0.0
    return float(values[0]), knots[1:-1], np.diff(slopes)


def free_kinks(samples: Samples, eps: float) -> tuple[float, Floats, Floats]:
    """The value at the left end, the kinks and changes of slope of a polygon within eps on the interval only."""
    knots, values = min_link_path(samples.t, samples.f - eps, samples.f + eps)
    slopes = np.diff(values) / np.diff(knots)
    return float(values[0]), knots[:-1], np.diff(np.append(0.0, slopes))


def cells(samples: Samples, count: int) -> tuple[float, Floats, Floats]:
    """The same of the polygon through the function at the middles of equal cells, flat beyond the outer ones."""
    if count < 2:
        return float(samples.f.min() + samples.f.max()) / 2, np.empty(0), np.empty(0)
    places = samples.t[0] + samples.length * (np.arange(count) + 0.5) / count
    values = samples.at(places)
    slopes = np.concatenate(([0.0], np.diff(values) / np.diff(places), [0.0]))
    return float(values[0]), places, np.diff(slopes)


def ramps(samples: Samples, eps: float) -> UnitSum:
    """A polygon as a sum of ramps max(-1, min(1, t)), one for each link that is not flat."""
    value, places, changes = kinks_of(samples, eps)
    slopes = np.cumsum(changes)[:-1]
    rises = slopes != 0
    start, end = places[:-1][rises], places[1:][rises]
    weights = slopes[rises] * (end - start) / 2
    return UnitSum(value + float(weights.sum()), 2 / (end - start), (start + end) / (end - start), weights)


# ------------------------------------------------------------------------------------------------------------------
# Staircases


def staircase(samples: Samples, delta: float) -> tuple[Floats, Floats]:
    """The levels and the places of the jumps of the staircase with the fewest jumps within delta of the samples."""
    best = _pieces(samples.f, 2 * delta)
    low, high = 0.0, 2 * delta
    for _ in range(12 if len(samples.f) < 2**15 else 0):  # as small an error as these many jumps allow
        middle = (low + high) / 2
        found = _pieces(samples.f, middle)
        if len(found) == len(best):
            best, high = found, middle
        else:
            low = middle
    starts = np.array(best)
    highest, lowest = np.maximum.reduceat(samples.f, starts), np.minimum.reduceat(samples.f, starts)
    places = (samples.t[starts[1:]] + samples.t[starts[1:] - 1]) / 2
    return (highest + lowest) / 2, places


def _pieces(values: Floats, width: float) -> list[int]:
    starts, low, high = [0], values[0], values[0]
    for place, value in enumerate(values.tolist()):
        low, high = min(low, value), max(high, value)
        if high - low > width:
            starts.append(place)
            low = high = value
    return starts


# ------------------------------------------------------------------------------------------------------------------
# Dictionaries


def dictionary_sum(samples: Samples, activation: Function, eps: float, bends: bool) -> UnitSum | None:
    """A sum of few smooth units within eps of the samples, also far out; None where the programs find none.

    Args:
        samples: The function.
        activation: s in float64.
        eps: The error.
        bends: Whether s has slopes 0 and 1 far out, so that those of the sum have to cancel; otherwise limits.
    """
    program = _Dictionary.of(samples, activation, bends)
    keep, ease = np.arange(len(program.scales)), np.ones(len(program.scales))
    found = None
    for _ in range(_ROUNDS):
        solution = program.solve(keep, ease[keep], eps * _DESIGN)
        if solution is None:
            break
        found = solution
        sizes = np.zeros(len(ease))
        sizes[keep] = np.abs(solution[1:])
        ease = 1 / (sizes + 1e-3 * max(sizes.max(), 1e-300))
        keep = np.flatnonzero(sizes > _TINY * sizes.max())
    if found is None:
        return None
    support = keep
    last = program.solve(support, np.zeros(len(support)), None)
    return None if last is None else program.sum_of(support, last)


@dataclass
class _Dictionary:
    samples: Samples
    activation: Function
    bends: bool
    scales: Floats
    centres: Floats
    points: Floats

    @classmethod
    def of(cls, samples: Samples, activation: Function, bends: bool) -> _Dictionary:
        unit = 2.0 ** round(-math.log2(samples.length))
        margin = samples.length / 4
        grid = np.linspace(samples.t[0] - margin, samples.t[-1] + margin, _CENTRES)
        scales, centres = (a.ravel() for a in np.meshgrid(unit * np.array(_SCALES), grid))
        inner = samples.t[np.linspace(0, len(samples.t) - 1, _POINTS).round().astype(int)]
        reach = 1.5 * samples.length * np.geomspace(0.01, 12, 24)
        points = np.concatenate((samples.t[0] - reach, inner, samples.t[-1] + reach))
        return cls(samples, activation, bends, scales, centres, np.sort(points))

    def columns(self, keep: NDArray[np.intp], points: Floats) -> Floats:
        scaled = np.multiply.outer(points, self.scales[keep]) - self.scales[keep] * self.centres[keep]
        return np.asarray(self.activation(scaled) / (self.scales[keep] if self.bends else 1.0))

    def solve(self, keep: NDArray[np.intp], ease: Floats, eps: float | None) -> Floats | None:
        """Bias and weights of the units kept: the least eased sum of |weights| within eps, or the least error."""
        for _ in range(_EXCHANGES):
            answer = self._program(keep, ease, eps)
            if answer is None:
                return None
            dense = np.linspace(self.points[0], self.points[-1], _DENSE)
            dense = np.union1d(dense, self.samples.t[:: max(1, len(self.samples.t) // _DENSE)])
            misses = np.abs(answer[0] + self.columns(keep, dense) @ answer[1:] - self.samples.at(dense))
            bound = eps if eps is not None else float(np.abs(self._misses(keep, answer)).max())
            wrong = misses > bound * 1.004
            if not wrong.any():
                break
            peaks = wrong & (misses >= np.append(misses[1:], 0)) & (misses >= np.append(0, misses[:-1]))
            self.points = np.union1d(self.points, dense[peaks])
        return answer

    def _misses(self, keep: NDArray[np.intp], answer: Floats) -> Floats:
        return np.asarray(answer[0] + self.columns(keep, self.points) @ answer[1:] - self.samples.at(self.points))

    def _program(self, keep: NDArray[np.intp], ease: Floats, eps: float | None) -> Floats | None:
        """Unknowns: bias, positive parts, negative parts, and the error where it is free."""
        n, free = len(keep), eps is None
        table, target = self.columns(keep, self.points), self.samples.at(self.points)
        rows = np.hstack((np.ones((len(target), 1)), table, -table))
        slack = np.full((len(target), int(free)), -1.0)
        rows = np.vstack((np.hstack((rows, slack)), np.hstack((-rows, slack))))
        room = 0.0 if eps is None else eps
        limits = np.concatenate((target + room, room - target))
        cost = np.concatenate(([0.0], ease, ease, [1.0] * int(free)))
        cap = _CAP * max(float(np.ptp(self.samples.f)), 1e-300) * (1.0 if not self.bends else 8.0 / self.samples.length)
        bounds = [(None, None), *[(0.0, cap)] * (2 * n), *[(0.0, None)] * int(free)]
        flat = None
        if self.bends:
            flat = np.concatenate(([0.0], np.ones(n), -np.ones(n), [0.0] * int(free)))[None, :]
        answer = linprog(
            cost, A_ub=rows, b_ub=limits, A_eq=flat, b_eq=None if flat is None else [0.0], bounds=bounds, method="highs"
        )
        if answer.status != 0:
            return None
        return np.concatenate(([answer.x[0]], answer.x[1 : n + 1] - answer.x[n + 1 : 2 * n + 1]))

    def sum_of(self, keep: NDArray[np.intp], answer: Floats) -> UnitSum:
        scales, weights = self.scales[keep], answer[1:]
        if self.bends:
            weights = balanced(weights) / scales  # the scales are powers of 2
        return UnitSum(float(answer[0]), scales, scales * self.centres[keep], weights)
