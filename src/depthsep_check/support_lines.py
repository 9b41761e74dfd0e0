"""Check of depth-3 networks N(x) = psi(q(x)), q(x) = sum_i G(x_i) + B, by supporting lines of the first layer.

Stored are the thresholds t_k and weights a_k of G(t) = sum_k a_k max(0, |t| - t_k), the offset B of the extra unit (0
without one) and the units of psi. Everything else is recomputed here in exact rationals; balls enter with phi.

**The extra unit.** Where t_0 = 0 the layer holds 2 a_0 relu(x_i) = a_0 |x_i| + a_0 x_i and relu(B - a_0 sum x_i). On
the unit ball |sum x_i| <= sqrt(d), so B >= 0 and B^2 >= a_0^2 d make that unit linear and q exactly as above.

**Supporting lines** (the dual of a concave envelope). For a slope l >= 0 let, over |t| <= R,

    A+(l) = max G(t) - t^2 - l t^2,        A-(l) = max t^2 - G(t) - l t^2.

If s = ||x||^2 and all |x_i| <= R then, by summing over the coordinates,

    B + (1 - l) s - d A-(l) <= q(x) <= B + (1 + l) s + d A+(l)        for every l >= 0.

The document lists slopes only; both maxima are found exactly, a quadratic on each piece. The slope 1 is always added
below: it says q >= B + d min G, the only sound way to cut off small values of q.

**Radial profiles.** R = 1. On an interval of radii r = sqrt(s) one upper line zhi and one lower line zlo are used; any
choice is sound, and the active ones of the envelopes are chosen. There psi(q(x)) lies between the least and the
greatest value of psi on [zlo(r), zhi(r)], taken at an end or at a local extreme of psi between them; so the claim
follows from inequalities in one variable, proved by `prove_error_below`. zlo > zhi on a non-empty cell refutes.

**Ball indicators** (1 up to radius r0, 0 from r1 on, free between). R = r1, and G must not decrease on [0, oo): no
partial sum of the a_k is negative. For ||x|| <= r0 the upper lines bound q by their value at s = r0^2. For
||x|| >= r1 shrink x to the sphere of radius r1: q does not grow, and there the lower lines bound it at s = r1^2. What
remains is the range of psi on two half lines; it is found exactly, so the error 0 can be proved.

psi is rebuilt on the whole line from its units: there is no list of vertices that could be read in two ways.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Protocol

from flint import arb, fmpq, fmpz

from depthsep_check.document import (
    BallIndicatorFunction,
    Document,
    SeparableNetwork,
    SupErrorClaim,
    SupportLines,
    sup_error_statement,
)
from depthsep_check.expression import Expression
from depthsep_check.numbers import format_rational
from depthsep_check.profile_bounds import Branch, near, prove_error_below
from depthsep_check.verdict import Budget, Refuted, Unsupported

MAX_WORK = 500_000
ROOT_BITS = 60
ROOT_STEP = fmpq(1, 2**ROOT_BITS)
# A ball that meets more pieces of psi than this is not enclosed: bisection makes it smaller.
MAX_PIECES_AT_ONCE = 64
# Rational operations of one line that count as one unit of work.
PIECES_PER_UNIT = 16


def check(document: Document) -> str:
    """Replay the proof of a sup-error document about a separable network.

    Returns:
        The statement that is proved.

    Raises:
        CheckFailure: it is not proved.
    """
    network, claim, witness = document.network, document.claim, document.witness
    if not (
        isinstance(network, SeparableNetwork) and isinstance(claim, SupErrorClaim) and isinstance(witness, SupportLines)
    ):
        raise Unsupported("support lines are for sup-error claims about separable networks")
    psi = OuterProfile(network.second_bias, network.second_thresholds, network.second_sides, network.second_weights)
    proof = SeparableProof(
        dim=network.dim,
        thresholds=network.first_thresholds,
        weights=network.first_weights,
        offset=fmpq(0) if network.affine_offset is None else network.affine_offset,
        psi=psi,
        lower_slopes=witness.lower_slopes,
        upper_slopes=witness.upper_slopes,
        budget=Budget(MAX_WORK),
    )
    if isinstance(document.function, BallIndicatorFunction):
        proof.prove_ball(document.function.radius, document.function.margin, claim.error)
    else:
        proof.prove_radial(document.function.expression, claim.error)
    return sup_error_statement(document, widths(network))


def widths(network: SeparableNetwork) -> tuple[int, int]:
    """The number of units of both hidden layers, counted."""
    first = network.dim * sum(2 if threshold > 0 else 1 for threshold in network.first_thresholds)
    return first + (network.affine_offset is not None), len(network.second_weights)


@dataclass(frozen=True)
class Profile:
    """The even function G on [0, R]: on [starts[i], ends[i]] it is values[i] + slopes[i] (t - starts[i])."""

    starts: tuple[fmpq, ...]
    ends: tuple[fmpq, ...]
    values: tuple[fmpq, ...]
    slopes: tuple[fmpq, ...]

    @classmethod
    def of(cls, thresholds: Sequence[fmpq], weights: Sequence[fmpq], radius: fmpq) -> Profile:
        """Rebuild G on [0, radius] from thresholds 0 <= t_0 < t_1 < ... and their weights."""
        inside = [(t, a) for t, a in zip(thresholds, weights, strict=True) if t < radius]
        starts, slopes = [fmpq(0)], [fmpq(0)]
        for threshold, weight in inside:
            if threshold == 0:
                slopes[0] = weight
            else:
                starts.append(threshold)
                slopes.append(slopes[-1] + weight)
        ends = [*starts[1:], radius]
        rises = (slope * (b - a) for slope, a, b in zip(slopes, starts, ends, strict=True))
        values = list(accumulate(rises, initial=fmpq(0)))[:-1]
        return cls(tuple(starts), tuple(ends), tuple(values), tuple(slopes))

    def excess_above(self, slope: fmpq) -> fmpq:
        """A+(l): the maximum of G(t) - (1 + l) t^2, a concave quadratic on each piece."""
        return self._maximum(1, 1 + slope)

    def excess_below(self, slope: fmpq) -> fmpq:
        """A-(l): the maximum of (1 - l) t^2 - G(t), concave on each piece for l > 1 and convex otherwise."""
        return self._maximum(-1, slope - 1)

    def _maximum(self, sign: int, curvature: fmpq) -> fmpq:
        """The maximum of sign * G(t) - curvature * t^2."""
        best = fmpq(0)  # the value at t = 0
        for a, b, value, slope in zip(self.starts, self.ends, self.values, self.slopes, strict=True):
            t = b
            if curvature > 0:
                t = min(max(sign * slope / (2 * curvature), a), b)
            # For a convex piece the other end is the end of the piece before, or 0.
            best = max(best, sign * (value + slope * (t - a)) - curvature * t * t)
        return best


@dataclass(frozen=True)
class Line:
    """The bound z = constant + slope * s for q on the sphere of squared radius s."""

    constant: fmpq
    slope: fmpq

    def at(self, s: fmpq) -> fmpq:
        """The bound at s."""
        return self.constant + self.slope * s


def upper_lines(profile: Profile, slopes: Iterable[fmpq], dim: int, offset: fmpq, budget: Budget) -> list[Line]:
    """The upper bounds of q, one for each listed slope.

    Raises:
        Refuted: a slope is negative, or none is listed.
    """
    lines = []
    for slope in slopes:
        _admit(slope, profile, budget)
        lines.append(Line(offset + dim * profile.excess_above(slope), 1 + slope))
    if not lines:
        raise Refuted("support lines", "no upper slope is listed")
    return lines


def lower_lines(profile: Profile, slopes: Iterable[fmpq], dim: int, offset: fmpq, budget: Budget) -> list[Line]:
    """The lower bounds of q: one for each listed slope, and q >= offset + dim * min G.

    Raises:
        Refuted: a slope is negative.
    """
    lines = []
    for slope in [*slopes, fmpq(1)]:
        _admit(slope, profile, budget)
        lines.append(Line(offset - dim * profile.excess_below(slope), 1 - slope))
    return lines


def _admit(slope: fmpq, profile: Profile, budget: Budget) -> None:
    budget.spend("support lines", 1 + len(profile.starts) // PIECES_PER_UNIT)
    if not slope >= 0:
        raise Refuted("support lines", f"the slope {format_rational(slope)} is negative")


def lower_envelope(lines: Iterable[Line]) -> list[tuple[fmpq, Line]]:
    """The minimum of the lines on [0, 1]: pairs (s from which a line is the least, that line), from s = 0 on."""
    lowest: dict[fmpq, fmpq] = {}
    for line in lines:
        lowest[line.slope] = min(line.constant, lowest.get(line.slope, line.constant))
    steps: list[tuple[fmpq, Line]] = []
    for slope, constant in sorted(lowest.items(), reverse=True):
        start = fmpq(0)
        while steps:
            since, last = steps[-1]
            start = (constant - last.constant) / (last.slope - slope)
            if start > since:
                break
            steps.pop()
        if not steps:
            start = fmpq(0)
        if start < 1:
            steps.append((start, Line(constant, slope)))
    return steps


def upper_envelope(lines: Iterable[Line]) -> list[tuple[fmpq, Line]]:
    """The maximum of the lines on [0, 1], as for `lower_envelope`."""
    mirrored = lower_envelope(Line(-line.constant, -line.slope) for line in lines)
    return [(s, Line(-line.constant, -line.slope)) for s, line in mirrored]


class OuterProfile:
    """psi on the whole line: between two neighbouring knots it is intercept + slope * z."""

    def __init__(self, bias: fmpq, thresholds: Sequence[fmpq], sides: Sequence[str], weights: Sequence[fmpq]) -> None:
        """Rebuild psi from its units, in any order."""
        bends: dict[fmpq, fmpq] = {}
        slope, intercept = fmpq(0), bias
        for z, side, weight in zip(thresholds, sides, weights, strict=True):
            bends[z] = bends.get(z, fmpq(0)) + weight
            if side == "left":
                slope, intercept = slope - weight, intercept + weight * z
        self.knots = sorted(bends)
        self.slopes, self.intercepts = [slope], [intercept]
        for z in self.knots:
            self.slopes.append(self.slopes[-1] + bends[z])
            self.intercepts.append(self.intercepts[-1] - bends[z] * z)

    @cached_property
    def _balls(self) -> tuple[list[arb], list[tuple[arb, arb]]]:
        """The knots and the (intercept, slope) of the pieces, at the precision of the first use."""
        pieces = zip(self.intercepts, self.slopes, strict=True)
        return [arb(z) for z in self.knots], [(arb(intercept), arb(slope)) for intercept, slope in pieces]

    def at(self, z: fmpq) -> fmpq:
        """The exact value at z."""
        i = bisect_right(self.knots, z)
        return self.intercepts[i] + self.slopes[i] * z

    def extremes(self, sign: int) -> list[tuple[fmpq, fmpq]]:
        """The (knot, value) of all local maxima (sign 1) or minima (sign -1), flat ones included."""
        turns = zip(self.knots, pairwise(self.slopes), strict=True)
        return [(z, self.at(z)) for z, (left, right) in turns if sign * left >= 0 >= sign * right]

    def range_below(self, z: fmpq) -> tuple[fmpq, fmpq]:
        """The least and the greatest value on (-oo, z], psi being constant at -oo."""
        values = [self.at(z), *(self.at(knot) for knot in self.knots if knot <= z)]
        return min(values), max(values)

    def range_above(self, z: fmpq) -> tuple[fmpq, fmpq]:
        """The least and the greatest value on [z, oo), psi being constant at oo."""
        values = [self.at(z), *(self.at(knot) for knot in self.knots if knot >= z)]
        return min(values), max(values)

    def value_over(self, z: arb) -> arb:
        """An enclosure of psi over the ball z."""
        return _union(intercept + slope * z for intercept, slope in self._pieces_over(z))

    def slope_over(self, z: arb) -> arb:
        """An enclosure of the slopes of psi over the ball z."""
        return _union(slope for _, slope in self._pieces_over(z))

    def _pieces_over(self, z: arb) -> list[tuple[arb, arb]]:
        """All pieces that meet z; none when they are too many to be worth it."""
        knots, pieces = self._balls
        first = _count_first(knots, lambda knot: bool(knot < z))
        last = _count_first(knots, lambda knot: not knot > z)
        return pieces[first : last + 1] if last - first < MAX_PIECES_AT_ONCE else []


def _count_first(knots: Sequence[arb], holds: Callable[[arb], bool]) -> int:
    """How many knots at the start satisfy a test that, once false, stays false.

    Where knot balls overlap the test may not be monotone. But the knot before the place found passed it and the knot
    there failed, and knots are in order: what is left out is certainly below (or above) the ball asked about.
    """
    low, high = 0, len(knots)
    while low < high:
        middle = (low + high) // 2
        if holds(knots[middle]):
            low = middle + 1
        else:
            high = middle
    return low


def _union(balls: Iterable[arb]) -> arb:
    """A ball around all of them; not finite when there is none."""
    hull: arb | None = None
    for ball in balls:
        hull = ball if hull is None else hull.union(ball)
    return arb("nan") if hull is None else hull


class Composite:
    """The branch r -> psi(constant + slope * r^2) for one supporting line."""

    def __init__(self, psi: OuterProfile, line: Line) -> None:
        """Prepare the line as balls."""
        self._psi = psi
        self._constant, self._slope = arb(line.constant), arb(line.slope)

    def value(self, x: arb) -> arb:
        """Enclose the values over the ball of radii x."""
        return self._psi.value_over(self._constant + self._slope * x * x)

    def derivative(self, x: arb) -> arb:
        """Enclose the derivatives over the ball of radii x."""
        return self._psi.slope_over(self._constant + self._slope * x * x) * (2 * self._slope * x)


class Constant:
    """The branch of one fixed value, at a local extreme of psi."""

    def __init__(self, level: fmpq) -> None:
        """Keep the value as a ball."""
        self._level = arb(level)

    def value(self, x: arb) -> arb:
        """Enclose the value."""
        return self._level

    def derivative(self, x: arb) -> arb:
        """Enclose the derivative."""
        return arb(0)


@dataclass(frozen=True)
class Cell:
    """An interval [low, high] of radii with the lines used on it."""

    low: fmpq
    high: fmpq
    lower: Line
    upper: Line

    def window(self, z: fmpq) -> tuple[fmpq, fmpq] | None:
        """Radii of the cell around all those whose interval of values of q contains z; None when there are none."""
        since, until = self.low**2, self.high**2
        since = max(since, (z - self.upper.constant) / self.upper.slope)
        if self.lower.slope > 0:
            until = min(until, (z - self.lower.constant) / self.lower.slope)
        elif self.lower.slope < 0:
            since = max(since, (z - self.lower.constant) / self.lower.slope)
        elif self.lower.constant > z:
            return None
        if since > until:
            return None
        return max(self.low, root_below(since)), min(self.high, root_below(until) + ROOT_STEP)


def root_below(s: fmpq) -> fmpq:
    """A short rational in (sqrt(s) - 2^-60, sqrt(s)], for s >= 0."""
    return fmpq(((s.p << (2 * ROOT_BITS)) // s.q).isqrt(), fmpz(1) << ROOT_BITS)


def cells(lower: Sequence[Line], upper: Sequence[Line]) -> Iterator[Cell]:
    """Cut the radii [0, 1] where the envelopes change lines; the lines of a cell are those active at its midpoint."""
    below, above = upper_envelope(lower), lower_envelope(upper)
    cuts = sorted({fmpq(0), fmpq(1), *(root_below(s) for s, _ in [*below, *above])})
    for low, high in pairwise(cuts):
        s = ((low + high) / 2) ** 2
        yield Cell(low, high, _active(below, s), _active(above, s))


def _active(steps: Sequence[tuple[fmpq, Line]], s: fmpq) -> Line:
    return steps[bisect_right(steps, s, key=lambda step: step[0]) - 1][1]


def prove_on_radii(
    lower: Sequence[Line],
    upper: Sequence[Line],
    psi: OuterProfile,
    phi: Expression,
    dim: int,
    error: fmpq,
    budget: Budget,
) -> None:
    """|psi(z) - phi(r)| <= error for all r in [0, 1] and all z between the lower and the upper lines in r^2.

    The slopes of the upper lines are positive.

    Raises:
        CheckFailure: the lines and psi do not prove it.
    """
    extremes = {"upper": psi.extremes(1), "lower": psi.extremes(-1)}
    for cell in cells(lower, upper):
        if not all(cell.lower.at(r**2) <= cell.upper.at(r**2) for r in (cell.low, cell.high)):
            raise Refuted("cells", f"the lower line exceeds the upper one near r = {near(cell.low)}")
        branches = [
            ("lower line", Composite(psi, cell.lower)),
            ("upper line", Composite(psi, cell.upper)),
        ]
        for side in ("upper", "lower"):
            prove_between(cell, branches, extremes[side], phi, dim, error, side, budget)


class Interval(Protocol):
    """A cell of radii, or of another variable."""

    @property
    def low(self) -> fmpq:
        """Its left end."""
        ...

    @property
    def high(self) -> fmpq:
        """Its right end."""
        ...

    def window(self, z: fmpq) -> tuple[fmpq, fmpq] | None:
        """An interval around all places whose interval of values of q contains z; None when there are none."""
        ...


def prove_between(
    cell: Interval,
    branches: Iterable[tuple[str, Branch]],
    extremes: Sequence[tuple[fmpq, fmpq]],
    phi: Expression,
    dim: int,
    error: fmpq,
    side: str,
    budget: Budget,
) -> None:
    """psi - phi <= error (upper) or phi - psi <= error (lower) at all values of q that the lines of a cell allow.

    Raises:
        CheckFailure: the branches, psi along the two lines, or the local extremes do not prove it.
    """
    for name, branch in branches:
        step = f"{side} bound on the {name}"
        prove_error_below(branch, phi, dim, error, cell.low, cell.high, side, step, budget)
    budget.spend("local extremes", 1 + len(extremes) // PIECES_PER_UNIT)
    for knot, level in extremes:
        window = cell.window(knot)
        if window is not None:
            step = f"{side} bound at a local extreme"
            prove_error_below(Constant(level), phi, dim, error, *window, side, step, budget)


@dataclass(frozen=True)
class SeparableProof:
    """The recomputed parts of one document: q by its coordinate weights and offset, psi, and the listed slopes."""

    dim: int
    thresholds: Sequence[fmpq]
    weights: Sequence[fmpq]
    offset: fmpq
    psi: OuterProfile
    lower_slopes: Sequence[fmpq]
    upper_slopes: Sequence[fmpq]
    budget: Budget

    def prove_extra_unit(self) -> None:
        """The unit relu(B - a_0 sum x_i) is linear on the unit ball.

        Raises:
            Refuted: B < 0 or B^2 < a_0^2 d.
        """
        odd = self.weights[0] if self.thresholds and self.thresholds[0] == 0 else fmpq(0)
        if not (self.offset >= 0 and self.offset**2 >= odd**2 * self.dim):
            raise Refuted("extra unit", "affine_offset is below |a_0| sqrt(dim): not linear on the unit ball")

    def lines(self, radius: fmpq) -> tuple[list[Line], list[Line]]:
        """The lower and the upper lines, from points with |x_i| <= radius."""
        profile = Profile.of(self.thresholds, self.weights, radius)
        lower = lower_lines(profile, self.lower_slopes, self.dim, self.offset, self.budget)
        return lower, upper_lines(profile, self.upper_slopes, self.dim, self.offset, self.budget)

    def prove_radial(self, phi: Expression, error: fmpq) -> None:
        """|N(x) - phi(||x||)| <= error on the unit ball.

        Raises:
            CheckFailure: the lines and psi do not prove it.
        """
        self.prove_extra_unit()
        prove_on_radii(*self.lines(fmpq(1)), self.psi, phi, self.dim, error, self.budget)

    def prove_ball(self, radius: fmpq, margin: fmpq, error: fmpq) -> None:
        """|N - 1| <= error where ||x|| <= radius - margin, and |N| <= error where radius + margin <= ||x|| <= 1.

        Raises:
            Refuted: the lines and psi do not prove it.
        """
        self.prove_extra_unit()
        if any(total < 0 for total in accumulate(self.weights)):
            raise Refuted("first layer", "a partial sum of the weights is negative: q may shrink away from the origin")
        lower, upper = self.lines(radius + margin)
        if self.psi.slopes[0] != 0 or self.psi.slopes[-1] != 0:
            raise Refuted("second layer", "psi is not constant at both ends")
        largest_inside = min(line.at((radius - margin) ** 2) for line in upper)
        least_outside = max(line.at((radius + margin) ** 2) for line in lower)
        ranges = (
            ("inside the ball", self.psi.range_below(largest_inside), fmpq(1)),
            ("outside the ball", self.psi.range_above(least_outside), fmpq(0)),
        )
        for step, (least, greatest), target in ranges:
            if not (greatest - target <= error and target - least <= error):
                raise Refuted(step, f"the network is not within {format_rational(error)} of {target}")
