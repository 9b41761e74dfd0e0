"""Networks of one input that compose functions of one variable: what they compute, proved map by map.

Where all rows of a layer are multiples c_i R of one row R, its units are relu(c_i z + b_i) with one number z = <R, h>.
If that holds for every layer, the network is g_k(...g_1(x)), each g_l piecewise linear with at most one break a unit.

**Sawtooth.** fold(t) is the distance of t to the nearest even integer, tri_m(v) = fold(m v). If z = A tri_M(x) + B with
A not 0 for all x in [0, 1], and v -> g(A v + B) takes the values B', B' + A', B', ... at 0, 1/m, 2/m, ..., 1 and is
affine between, then g(z) = A' tri_mM(x) + B'. *Proof.* By its values v -> g(A v + B) is A' tri_m + B' on [0, 1]; and
fold(m fold(t)) = fold(m t), because fold(t) = +-t + 2i, fold is even and has the period 2. QED

**Cantor sets.** K_0 = [0, 1], K_(m+1) = K_m / 3 joined with 1 - K_m / 3. If {v : 0 <= u(v) <= 1} is the union of the
2^j intervals of c + (e - c) K_j, and u maps each of them affinely onto [0, 1], then u(v) lies in K_m if and only if v
lies in c + (e - c) K_(m+j). *Proof.* K_m lies in [0, 1], so u(v) in K_m puts v into one of the intervals; there u is
the affine map to [0, 1] or its reflection, and K_m = 1 - K_m. K_j with a copy of K_m for each interval is K_(m+j).
QED  Used from the last map, {z : g(z) >= 0} = c + (e - c) K_j, back to x.

Cost: O(w log w) operations with rationals for a layer of w units; the number of folds or intervals does not matter.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from flint import fmpq

from depthsep_check.relu_networks import Layer, ReluNetwork, layer_denominators
from depthsep_check.verdict import Budget, Refuted

STEP = "composition"
_WORK = 4_000_000
_LONG = 512

Interval = tuple[fmpq, fmpq]

_ZERO, _ONE = fmpq(0), fmpq(1)


@dataclass(frozen=True, slots=True)
class PiecewiseLinear:
    """z -> slopes[i] z + constants[i] between breaks[i-1] and breaks[i], breaks increasing; continuous."""

    breaks: tuple[fmpq, ...]
    slopes: tuple[fmpq, ...]
    constants: tuple[fmpq, ...]

    def __call__(self, z: fmpq) -> fmpq:
        """The value at z."""
        piece = bisect_right(self.breaks, z)
        return self.slopes[piece] * z + self.constants[piece]


def composition(network: ReluNetwork) -> tuple[PiecewiseLinear, ...]:
    """The maps g_1, ..., g_k whose composition the network of one input, one output and k hidden layers is.

    Raises:
        Refuted: the rows of a layer are not multiples of one row, or there is no hidden layer.
        Exhausted: there are too many units, or their numbers are too long.
    """
    if network.dim != 1 or network.outputs != 1 or network.depth < 2:
        raise Refuted(STEP, "needs one input, one output and a hidden layer")
    bits = sum(d.bit_length() for d in layer_denominators(network, STEP)) + sum(map(_longest, network.layers))
    Budget(_WORK).spend(STEP, network.neurons * (1 + bits // _LONG))
    maps = []
    factors = tuple(row[0] for row in network.layers[0].weights)
    for number, (layer, following) in enumerate(pairwise(network.layers), 2):
        reference, next_factors = _common_row(following, number)
        last = following.biases[0] if number == network.depth else _ZERO
        maps.append(_map(factors, layer.biases, reference, last))
        factors = next_factors
    return tuple(maps)


def _longest(layer: Layer) -> int:
    """The bits of the longest numerator of a layer."""
    return max((int(number.p).bit_length() for row in (layer.biases, *layer.weights) for number in row), default=0)


def _common_row(layer: Layer, number: int) -> tuple[tuple[fmpq, ...], tuple[fmpq, ...]]:
    """A row R, and c_i with row_i = c_i R."""
    reference = next((row for row in layer.weights if any(entry != 0 for entry in row)), None)
    if reference is None:
        raise Refuted(STEP, f"all weights of layer {number} are 0")
    pivot = next(i for i, entry in enumerate(reference) if entry != 0)
    factors = tuple(row[pivot] / reference[pivot] for row in layer.weights)
    for index, (row, factor) in enumerate(zip(layer.weights, factors, strict=True)):
        if any(entry != factor * other for entry, other in zip(row, reference, strict=True)):
            raise Refuted(STEP, f"row {index} of layer {number} is not a multiple of its first row that is not 0")
    return reference, factors


def _map(
    factors: tuple[fmpq, ...], biases: tuple[fmpq, ...], weights: tuple[fmpq, ...], constant: fmpq
) -> PiecewiseLinear:
    """z -> sum of weights * relu(factor z + bias), plus the constant."""
    slope = _ZERO
    changes: list[tuple[fmpq, fmpq, fmpq]] = []
    for factor, bias, weight in zip(factors, biases, weights, strict=True):
        if factor < 0:
            slope, constant = slope + weight * factor, constant + weight * bias
        if factor == 0:
            constant += weight * max(bias, _ZERO)
        elif weight != 0:
            sign = 1 if factor > 0 else -1
            changes.append((-bias / factor, sign * weight * factor, sign * weight * bias))
    breaks: list[fmpq] = []
    slopes, constants = [slope], [constant]
    changes.sort(key=lambda change: change[0])
    for place, rise, shift in changes:
        if not breaks or breaks[-1] != place:
            breaks.append(place)
            slopes.append(slopes[-1])
            constants.append(constants[-1])
        slopes[-1] += rise
        constants[-1] += shift
    kept = [i for i in range(len(breaks)) if slopes[i] != slopes[i + 1]]
    after = [0, *(i + 1 for i in kept)]
    return PiecewiseLinear(
        tuple(breaks[i] for i in kept), tuple(slopes[i] for i in after), tuple(constants[i] for i in after)
    )


# ------------------------------------------------------------------------------------------------------------------
# Sawtooth


def require_sawtooth(network: ReluNetwork, folds: int) -> None:
    """Insist that the network is tri_M on [0, 1] with M = 2^folds.

    Raises:
        Refuted: a map is not of the form that the proof needs, or it is another sawtooth.
    """
    rise, base, total = _ONE, _ZERO, 1
    for number, g in enumerate(composition(network), 1):
        inner = sorted((place - base) / rise for place in g.breaks)
        points = [_ZERO, *(v for v in inner if 0 < v < 1), _ONE]
        count = len(points) - 1
        values = [g(rise * v + base) for v in points]
        low, high = values[0], values[1]
        regular = all(v == fmpq(j, count) for j, v in enumerate(points))
        alternating = all(value == (high if j % 2 else low) for j, value in enumerate(values))
        if low == high or not regular or not alternating:
            raise Refuted(STEP, f"hidden layer {number} does not fold the range of what it reads into equal parts")
        rise, base, total = high - low, low, total * count
    if total != 2**folds:
        raise Refuted(STEP, f"the network has {total} pieces on [0, 1], not 2^{folds}")
    if (rise, base) != (1, 0):
        raise Refuted(STEP, f"the network moves between {base} and {base + rise}, not between 0 and 1")


# ------------------------------------------------------------------------------------------------------------------
# Cantor sets


def require_cantor(network: ReluNetwork, level: int) -> None:
    """Insist that the network is >= 0 exactly on K_level, on the whole line.

    Raises:
        Refuted: a map is not of the form that the proof needs, or the set is another one.
    """
    *maps, last = composition(network)
    (start, end), total = _cantor_hull(_where_nonnegative(last))
    for g in reversed(maps):
        (start, end), more = _cantor_hull(_onto(g, start, end))
        total += more
    if (start, end) != (0, 1) or total != level:
        raise Refuted(STEP, f"the set is level {total} of the Cantor set between {start} and {end}")


def cantor_intervals(level: int) -> list[Interval]:
    """The 2^level intervals of K_level, in order."""
    intervals = [(_ZERO, _ONE)]
    for _ in range(level):
        left = [(a / 3, b / 3) for a, b in intervals]
        intervals = left + [(a + fmpq(2, 3), b + fmpq(2, 3)) for a, b in left]
    return intervals


def _cantor_hull(intervals: list[Interval]) -> tuple[Interval, int]:
    """c, e and j, where disjoint intervals in order are those of c + (e - c) K_j."""
    count = len(intervals)
    level = count.bit_length() - 1
    if count == 0 or count != 2**level:
        raise Refuted(STEP, f"{count} intervals, which are no level of a Cantor set")
    start, end = intervals[0][0], intervals[-1][1]
    size = end - start
    if size <= 0:
        raise Refuted(STEP, "a set that is a point")
    wanted = [(start + size * a, start + size * b) for a, b in cantor_intervals(level)]
    if intervals != wanted:
        raise Refuted(STEP, f"the {count} intervals between {start} and {end} are no level of a Cantor set")
    return (start, end), level


def _where(g: PiecewiseLinear, low: fmpq, high: fmpq | None) -> list[tuple[fmpq, fmpq, fmpq]]:
    """For each piece that has such points the closed interval where low <= g <= high, and the slope there."""
    found = []
    ends = (None, *g.breaks, None)
    for (left, right), slope, constant in zip(pairwise(ends), g.slopes, g.constants, strict=True):
        if slope == 0:
            if constant < low or (high is not None and constant > high):
                continue
        else:
            first = (low - constant) / slope
            second = None if high is None else (high - constant) / slope
            inner = (first, second) if slope > 0 else (second, first)
            left = max((end for end in (left, inner[0]) if end is not None), default=None)
            right = min((end for end in (right, inner[1]) if end is not None), default=None)
        if left is None or right is None:
            raise Refuted(STEP, "a set that is not bounded")
        if left <= right:
            found.append((left, right, slope))
    return found


def _where_nonnegative(g: PiecewiseLinear) -> list[Interval]:
    """The maximal intervals of {g >= 0}."""
    merged: list[Interval] = []
    for left, right, _ in _where(g, _ZERO, None):
        if merged and merged[-1][1] == left:
            merged[-1] = (merged[-1][0], right)
        else:
            merged.append((left, right))
    return merged


def _onto(g: PiecewiseLinear, low: fmpq, high: fmpq) -> list[Interval]:
    """The intervals of {low <= g <= high}, g being affine on each of them and onto [low, high]."""
    parts = _where(g, low, high)
    intervals = [(left, right) for left, right, _ in parts if left < right]
    if any(abs(slope) * (right - left) != high - low for left, right, slope in parts if left < right):
        raise Refuted(STEP, "a map that is not affine and onto where it has to be")
    ends = {(int(end.p), int(end.q)) for interval in intervals for end in interval}
    if any((int(left.p), int(left.q)) not in ends for left, right, _ in parts if left == right):
        raise Refuted(STEP, "a map with an extreme value at an end of a Cantor set")
    return intervals
