"""How large the sums inside a network of integers become, and when floating point is exact on a grid.

Theorem (folklore). Let a network have the weights w 2^(e_v - e_u), the biases b 2^(e_v) and inputs that are integers
over a power of two, all of them held by a floating-point format of D digits. Let A be the largest of the sums
|w_1| h_1 + ... + |w_n| h_n + |b| over all rows, h_u the largest value of unit u in integers. If A is below 2^D and no
exponent leaves the normal range, every evaluation in that format is exact at every grid point: sums in any order, in
pieces, with fused multiply-add or without.

Proof. By induction z_u 2^(e_u) is exact. Every summand of row v is w 2^(e_v - e_u) z_u 2^(e_u) = (w z_u) 2^(e_v), so
every partial sum is an integer times 2^(e_v), and its size is at most A 2^(e_v). The format holds all such numbers: no
operation rounds, and neither does a ReLU. Where units are integers over 2^c only, the same holds with 2^(e_v - c).

The largest values are enclosed by intervals, of a finer kind than usual. What a row reads of a block on V is a
piecewise linear function of V alone, so its range over lo <= V <= hi is found exactly, at lo, hi and the kinks. A
difference of two ramps therefore has the range of a step, although each of them grows with V.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray, Rows, largest, narrowed, sum_segments

__all__ = ["FLOAT32", "FLOAT64", "FloatFormat", "largest_sums"]


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format.

    Args:
        name: As numpy calls it.
        digits: Integers up to 2^digits are exact.
        least: The least exponent of a normal number.
        most: Numbers stay below 2^(most + 1).
    """

    name: str
    digits: int
    least: int
    most: int


FLOAT64 = FloatFormat("float64", 53, -1022, 1023)
FLOAT32 = FloatFormat("float32", 24, -126, 127)


def largest_sums(rows: Sequence[Rows], low: int, high: int, masked: Collection[int] = ()) -> list[int]:
    """Bound sum |w| h + |b| over the rows of each layer, for integer inputs from `low` to `high`.

    Args:
        rows: The hidden layers, and the outputs.
        low: The least input.
        high: The largest input.
        masked: Hidden layers (the first one is 1) of which it is known that no unit that is alone in its row exceeds
            the largest weight of the row: relu(digit + K s - K), digit in 0..K, where s is 0 or 1.

    Returns:
        One bound for each layer.
    """
    first = rows[0]
    lows, highs = _input_ranges(first, low, high)
    sums = [_largest_sum(first, np.full(first.columns, max(abs(low), abs(high))))]
    for place, (before, layer) in enumerate(pairwise(rows), 1):
        if place in masked:
            highs = _capped(before, highs)
        tops = np.maximum(narrowed(highs[before.row_of_unit] + before.biases), 0)
        sums.append(_largest_sum(layer, tops))
        lows, highs = _ranges(layer, before, lows, highs)
    return sums


def _largest_sum(rows: Rows, tops: IntegerArray) -> int:
    """The largest sum |w| h + |b| of a layer, h_u = tops[u]."""
    terms = _times(np.abs(rows.weights), tops[rows.inputs])
    sums = sum_segments(_summable(terms), rows.starts)
    return largest(rows.spread(sums[:, np.newaxis], np.abs(rows.biases)))


def _input_ranges(rows: Rows, low: int, high: int) -> tuple[IntegerArray, IntegerArray]:
    """The range of every row of the first layer."""
    up, down = np.maximum(rows.weights, 0), np.minimum(rows.weights, 0)
    lows = _times(up, np.array([low])) + _times(down, np.array([high]))
    highs = _times(up, np.array([high])) + _times(down, np.array([low]))
    return sum_segments(_summable(lows), rows.starts), sum_segments(_summable(highs), rows.starts)


def _capped(rows: Rows, highs: IntegerArray) -> IntegerArray:
    """Lower the upper ends of rows with one unit, so that no unit exceeds the largest weight of its row."""
    biases = rows.biases[np.cumsum(rows.counts) - rows.counts]
    caps = np.zeros(len(highs), dtype=rows.weights.dtype)
    filled = rows.lengths > 0
    caps[filled] = np.maximum.reduceat(np.abs(rows.weights), rows.starts[:-1][filled])
    return np.where((rows.counts == 1) & filled, np.minimum(highs, caps - biases), highs)


def _ranges(rows: Rows, before: Rows, lows: IntegerArray, highs: IntegerArray) -> tuple[IntegerArray, IntegerArray]:
    """The range of every row, from the ranges of the rows of the layer before; see the module's text.

    The entries of a row that belong to one block lie behind one another: a segment. Its function starts at V = lo with
    the ramps that are on already, and from each kink on it rises by the sum of the weights so far.
    """
    if not len(rows.inputs):
        zeros = np.zeros(len(rows.counts), dtype=np.int64)
        return zeros, zeros
    block = before.row_of_unit[rows.inputs]
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(rows.row_of_entry) != 0) | (np.diff(block) != 0))))
    segment = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(block))))
    rank = np.empty(len(before.biases), dtype=np.int64)
    rank[np.argsort(-before.biases, kind="stable")] = np.arange(len(rank))
    order = np.lexsort((rank[rows.inputs], segment))

    weights, biases, low, high = rows.weights[order], before.biases[rows.inputs[order]], lows[block], highs[block]
    kinks = np.clip(-biases, low, high)
    after = np.append(kinks[1:], kinks[:1])
    ends = np.append(starts[1:], len(block)) - 1
    after[ends] = high[ends]
    on_at_start = _times(weights, np.maximum(low + biases, 0))
    levels = _running_sums(_times(_running_sums(weights, starts, segment), after - kinks), starts, segment)

    first = np.add.reduceat(_summable(on_at_start), starts)
    pointers = np.searchsorted(rows.row_of_entry[starts], np.arange(len(rows.counts) + 1))
    least = first + np.minimum(np.minimum.reduceat(levels, starts), 0)
    most = first + np.maximum(np.maximum.reduceat(levels, starts), 0)
    return narrowed(sum_segments(_summable(least), pointers)), narrowed(sum_segments(_summable(most), pointers))


def _running_sums(values: IntegerArray, starts: NDArray[np.int64], segment: NDArray[np.int64]) -> IntegerArray:
    """The sums of each segment up to each entry."""
    values = _summable(values)
    sums = np.cumsum(values)
    return narrowed(np.asarray(sums - (sums - values)[starts][segment]))


def _times(left: IntegerArray, right: IntegerArray) -> IntegerArray:
    """The products, in Python's integers where one of them might reach 2^62."""
    sizes = largest(left), largest(right)
    if max(*sizes, sizes[0] * sizes[1]) < INT64_SAFE:  # a product can be small because a factor is 0
        return np.asarray(left.astype(np.int64) * right.astype(np.int64))
    return np.asarray(left.astype(object) * right.astype(object))


def _summable(values: IntegerArray) -> IntegerArray:
    """The same numbers, in int64 only where no sum of some of them can reach 2^62."""
    if values.dtype == np.int64 and float(np.abs(values).sum(dtype=np.float64)) < INT64_SAFE / 2:
        return values
    return values.astype(object)
