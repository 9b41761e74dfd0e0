"""Balancing: hidden neurons rescaled so that the largest weight or bias is as small as scaling can make it.

**Theorem** (ours). Multiply the hidden neurons of a ReLU network by factors s_v > 0: weights become w_vu s_v / s_u and
biases b_v s_v, with s = 1 at inputs and outputs, and the function does not change, as relu(s z) = s relu(z) for s > 0.
The least possible max(|w|, |b|) is 2^t for

    t = max over paths of the mean of log2 of the numbers on the path,

over paths that start at an input, or with a bias, and end at an output.

*Proof.* On a path the factors cancel, so the sum of the logarithms stays, and the largest is at least the mean. For the
converse put log2 s_v = min(min_u (t - log2 |w_vu| + log2 s_u), t - log2 |b_v|) from layer to layer; that makes every
number of the hidden layers at most 2^t. Unrolled, it is the least of n t - (the sum of a path to v of n numbers); at an
output this is >= 0 by the choice of t, so s = 1 is allowed there. A neuron to which no path leads bears any large
factor. QED

**Powers of two** keep integers and floats exact. Their optimum is below 2^(t+1): round the real log2 s_v down, which
raises a weight by less than one bit and no bias. It is a number |w| 2^n or |b| 2^n; whether a bound can be met is
decided by one sweep as above, in integers (each log2 s_v as large as its row allows), so a binary search over these
numbers finds the optimum. Of all exponents that meet it those are taken that stay at 0 where they can: with `least` the
smallest exponents that the layers behind still bear, each is min(what its row allows, max(0, least)).

The lower bound 2^t is witnessed by the critical path, whose product is exact. Logarithms in floating point only guide:
they choose the exponents and the path; what is stated about both is computed exactly.

Cost: one sweep over the stored numbers for every layer, and one for each step of the search.

Source: equalisation of layers by scaling is folklore among people who quantise networks; the optimum by longest paths
and the powers of two are depthsep's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_layers import IntegerArray, IntegerLayers
from depthsep.networks.relu import AffineLayer, ReluNetwork

__all__ = ["Balanced", "CriticalPath", "balance", "balanced_exponents", "critical_path"]

N = TypeVar("N", ReluNetwork, IntegerLayers)
Floats = NDArray[np.float64]
Exponents = tuple[NDArray[np.int64], ...]

_ROUNDING = 1e-9  # of sums of logarithms: far above their error, far below what anybody notices in a weight
_ROOT_BITS = 40


@dataclass(frozen=True)
class CriticalPath:
    """The path that no rescaling can make smaller.

    Args:
        indices: One neuron for each layer, ending at an output; the first is an input if there is one more than the
            network has layers, otherwise the path starts with the bias of the first neuron.
        product: The product of the absolute values of the numbers on it.
        length: How many numbers these are.
    """

    indices: tuple[int, ...]
    product: Fraction
    length: int

    @cached_property
    def lower(self) -> Fraction:
        """A number of 40 bits just below the root of the product: every rescaling has a weight of at least this."""
        log = _log2(self.product) / self.length
        unit = _power_of_two(math.floor(log) - _ROOT_BITS)
        digits: int = round(2.0 ** (log - math.floor(log) + _ROOT_BITS))
        while (digits * unit) ** self.length > self.product:
            digits -= 1
        return digits * unit


@dataclass(frozen=True)
class Balanced(Generic[N]):
    """A network whose hidden neurons are multiplied by the best powers of two.

    Args:
        network: The rescaled network, the same function on all of R^d.
        exponents: Of the powers of two, for each hidden layer.
        max_weight: Its largest absolute value among weights and biases; exact.
        path: The critical path, or None where there is no path: then weights can be made as small as one likes.
    """

    network: N
    exponents: Exponents
    max_weight: Fraction
    path: CriticalPath | None

    @property
    def rescaling_lower(self) -> Fraction | None:
        """However the neurons are rescaled, a weight or bias is at least this, a number just below the real optimum."""
        return self.path.lower if self.path else None

    @property
    def critical_path(self) -> tuple[int, ...] | None:
        """The indices of the critical path, as a document lists them."""
        return self.path.indices if self.path else None


def balance(network: N) -> Balanced[N]:
    """Rescale the hidden neurons by the powers of two that make the largest weight or bias smallest.

    The function is unchanged: relu(s z) = s relu(z) for s > 0, and whoever reads a neuron divides by its factor.

    Args:
        network: A rational network, or one of integer blocks; exponents that it has are replaced.

    Returns:
        The network, with the proof of how far it is from the best real factors: by less than a factor of 2.

    >>> balanced = balance(ReluNetwork.from_arrays([([[64]], [0]), ([[1]], [0])]))
    >>> balanced.exponents[0].tolist(), balanced.max_weight, balanced.rescaling_lower, balanced.critical_path
    ([-3], Fraction(8, 1), Fraction(8, 1), (0, 0, 0))
    """
    levels = _levels(network)
    exponents = _best_exponents(levels)
    scaled = network.with_exponents(exponents) if isinstance(network, IntegerLayers) else _scaled(network, exponents)
    return Balanced(scaled, exponents, scaled.max_weight, _critical_path(network, levels))


def balanced_exponents(network: ReluNetwork | IntegerLayers) -> Exponents:
    """The exponents of the best powers of two; see `balance`."""
    return _best_exponents(_levels(network))


def critical_path(network: ReluNetwork | IntegerLayers) -> CriticalPath | None:
    """The path that bounds every rescaling from below; None where no input and no bias has a path to an output."""
    return _critical_path(network, _levels(network))


# ------------------------------------------------------------------------------------------------------------------
# Networks in logarithms


@dataclass(frozen=True)
class _Level:
    """A layer in logarithms; rows are shared by units that differ in their biases only.

    Args:
        columns: The number of units before.
        inputs: The unit that each entry reads.
        logs: log2 |w| of each entry; no entry is 0.
        starts: Row r has the entries starts[r] to starts[r + 1].
        row_of_unit: The row of each unit.
        biases: log2 |b| of each unit, -inf for 0.
    """

    columns: int
    inputs: NDArray[np.int64]
    logs: Floats
    starts: NDArray[np.int64]
    row_of_unit: NDArray[np.int64]
    biases: Floats

    @cached_property
    def _filled(self) -> NDArray[np.bool_]:
        return self.starts[:-1] < self.starts[1:]

    def largest_in_rows(self, entries: Floats) -> Floats:
        """For each unit the largest of the entries of its row; -inf for an empty row."""
        largest = np.full(len(self._filled), -np.inf)
        if len(entries):
            largest[self._filled] = np.maximum.reduceat(entries, self.starts[:-1][self._filled])
        return largest[self.row_of_unit]

    def largest_at_readers(self, entries: Floats, units: Floats) -> Floats:
        """For each unit before the largest sum of an entry that reads it and a unit of that row; -inf if unread."""
        of_row = np.full(len(self._filled), -np.inf)
        np.maximum.at(of_row, self.row_of_unit, units)
        largest = np.full(self.columns, -np.inf)
        np.maximum.at(largest, self.inputs, entries + np.repeat(of_row, np.diff(self.starts)))
        return largest


def _levels(network: ReluNetwork | IntegerLayers) -> list[_Level]:
    if isinstance(network, ReluNetwork):
        columns = (network.dim, *network.widths)
        return [_rational_level(*pair) for pair in zip(network.layers, columns, strict=True)]
    factors = [0.0] * len(network.layers) + [_log2(abs(network.scale))]
    return [
        _Level(
            columns=rows.columns,
            inputs=rows.inputs,
            logs=_logarithms(rows.weights) + factor,
            starts=rows.starts,
            row_of_unit=rows.row_of_unit,
            biases=_logarithms(rows.biases) + factor,
        )
        for rows, factor in zip(network.rows, factors, strict=True)
    ]


def _rational_level(layer: AffineLayer, columns: int) -> _Level:
    rows = [[(index, _log2(abs(weight))) for index, weight in enumerate(row) if weight] for row in layer.weights]
    return _Level(
        columns=columns,
        inputs=np.array([index for row in rows for index, _ in row], dtype=np.int64),
        logs=np.array([log for row in rows for _, log in row], dtype=np.float64),
        starts=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        row_of_unit=np.arange(len(rows)),
        biases=np.array([_log2(abs(bias)) for bias in layer.biases], dtype=np.float64),
    )


def _log2(value: Fraction) -> float:
    return math.log2(value.numerator) - math.log2(value.denominator) if value else -math.inf


def _power_of_two(exponent: int) -> Fraction:
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


def _logarithms(values: IntegerArray) -> Floats:
    """log2 |v|, also of integers of any length."""
    if values.dtype == object:
        return np.array([_log2(Fraction(abs(value))) for value in values], dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log2(np.abs(values).astype(np.float64)))


# ------------------------------------------------------------------------------------------------------------------
# The critical path


def _path_sums(levels: Sequence[_Level], start: int) -> list[Floats]:
    """The largest sums of paths to the units of layers `start`, `start` + 1, ..., from inputs or the biases there."""
    sums = [np.zeros(levels[0].columns) if start == 0 else levels[start - 1].biases]
    for level in levels[start:]:
        sums.append(level.largest_in_rows(level.logs + sums[-1][level.inputs]))
    return sums


def _critical_start(levels: Sequence[_Level]) -> tuple[float, int]:
    """The largest mean of a path, and the layer where it starts; -inf where there is no path."""
    depth = len(levels)
    means = [_path_sums(levels, s)[-1].max(initial=-np.inf) / (depth - max(s - 1, 0)) for s in range(depth + 1)]
    start = int(np.argmax(means))
    return float(means[start]), start


def _critical_path(network: ReluNetwork | IntegerLayers, levels: Sequence[_Level]) -> CriticalPath | None:
    mean, start = _critical_start(levels)
    if mean == -np.inf:
        return None
    sums = _path_sums(levels, start)
    indices = [int(np.argmax(sums[-1]))]
    for level, before in zip(reversed(levels[start:]), reversed(sums[:-1]), strict=True):
        row = level.row_of_unit[indices[0]]
        entries = slice(level.starts[row], level.starts[row + 1])
        inputs = level.inputs[entries]
        indices.insert(0, int(inputs[np.argmax(level.logs[entries] + before[inputs])]))
    numbers = [_bias(network, start - 1, indices[0])] if start else []
    numbers += [_weight(network, start + place, *pair) for place, pair in enumerate(pairwise(indices))]
    return CriticalPath(tuple(indices), abs(math.prod(numbers, start=Fraction(1))), len(numbers))


def _bias(network: ReluNetwork | IntegerLayers, place: int, unit: int) -> Fraction:
    if isinstance(network, ReluNetwork):
        return network.layers[place].biases[unit]
    return _factor(network, place) * int(network.rows[place].biases[unit])


def _weight(network: ReluNetwork | IntegerLayers, place: int, before: int, unit: int) -> Fraction:
    if isinstance(network, ReluNetwork):
        return network.layers[place].weights[unit][before]
    rows = network.rows[place]
    row = rows.row_of_unit[unit]
    entries = slice(rows.starts[row], rows.starts[row + 1])
    entry = int(np.searchsorted(rows.inputs[entries], before))
    return _factor(network, place) * int(rows.weights[entries][entry])


def _factor(network: IntegerLayers, place: int) -> Fraction:
    return network.scale if place == len(network.layers) else Fraction(1)


# ------------------------------------------------------------------------------------------------------------------
# The exponents


def _best_exponents(levels: Sequence[_Level]) -> Exponents:
    """The exponents of all hidden layers for the least bound that powers of two can meet."""
    mean, _ = _critical_start(levels)
    if mean == -np.inf:
        return tuple(np.zeros(len(level.biases), dtype=np.int64) for level in levels[:-1])
    logs = np.concatenate([array for level in levels for array in (level.logs, level.biases)])
    bounds = np.unique(np.concatenate(([mean, mean + 1], mean + np.mod(logs[np.isfinite(logs)] - mean, 1))))
    least, most = 0, len(bounds) - 1
    while least < most:
        middle = (least + most) // 2
        if _highest(levels, bounds[middle])[-1].min(initial=0.0) >= 0:
            most = middle
        else:
            least = middle + 1
    found = _highest(levels, bounds[most], _least(levels, bounds[most]))
    return tuple(exponents.astype(np.int64) for exponents in found[:-1])


def _costs(level: _Level, bound: float) -> Floats:
    """How far the exponent behind each entry may be above that of its reader at least: log2 |w| - bound, rounded up."""
    return np.ceil(level.logs - (bound + _ROUNDING))


def _highest(levels: Sequence[_Level], bound: float, wanted: Sequence[Floats] | None = None) -> list[Floats]:
    """The largest exponents that keep all rows at most 2^bound, layer by layer; at most `wanted`, where given."""
    found = []
    before = np.zeros(levels[0].columns)
    for place, level in enumerate(levels):
        highest = -level.largest_in_rows(_costs(level, bound) - before[level.inputs])
        before = np.minimum(highest, np.floor(bound + _ROUNDING - level.biases))
        if wanted is not None:
            before = np.minimum(before, wanted[place])
        found.append(before)
    return found


def _least(levels: Sequence[_Level], bound: float) -> list[Floats]:
    """The exponents nearest to 0 among those >= the smallest that the layers behind bear: max(0, least)."""
    least = [np.zeros(len(levels[-1].biases))]
    for level in reversed(levels[1:]):
        least.insert(0, level.largest_at_readers(_costs(level, bound), least[0]))
    return [np.maximum(exponents, 0.0) for exponents in least]


def _scaled(network: ReluNetwork, exponents: Exponents) -> ReluNetwork:
    """The network with every hidden neuron multiplied by its power of two."""
    powers = [[_power_of_two(int(exponent)) for exponent in layer] for layer in exponents]
    ones = [[Fraction(1)] * network.dim, [Fraction(1)] * network.outputs]
    layers = []
    for layer, (before, after) in zip(network.layers, pairwise([ones[0], *powers, ones[1]]), strict=True):
        weights = tuple(
            tuple(w * own / read if w else w for w, read in zip(row, before, strict=True))
            for row, own in zip(layer.weights, after, strict=True)
        )
        layers.append(AffineLayer(weights, tuple(b * own for b, own in zip(layer.biases, after, strict=True))))
    return ReluNetwork(network.dim, tuple(layers))
