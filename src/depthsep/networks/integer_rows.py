"""Rows of integers, many of them behind one another, each shared by units that differ in their biases.

Arithmetic is exact: in int64 where a bound shows that nothing can reach 2^62, and in Python's integers elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["INT64_SAFE", "IntegerArray", "Rows", "integers", "largest", "narrowed", "sum_segments"]

IntegerArray = NDArray[Any]  # of int64, all below 2^62 in absolute value, or of Python's integers

INT64_SAFE = 2**62


def integers(values: Sequence[int] | IntegerArray) -> IntegerArray:
    """Copy to a read-only array: of int64 if all are below 2^62 in absolute value, else of Python's integers."""
    if not (isinstance(values, np.ndarray) and values.dtype == np.int64):
        values = np.array(list(map(index, values)), dtype=object)
    array = narrowed(np.array(values))
    array.flags.writeable = False
    return array


def largest(values: IntegerArray) -> int:
    """The largest absolute value, 0 if there is none."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def narrowed(values: IntegerArray) -> IntegerArray:
    """Choose the type of an array by its largest entry; see `integers`."""
    return values.astype(np.int64 if largest(values) < INT64_SAFE else object, copy=False)


class RowWithBiases(Protocol):
    """What a block and an output have in common."""

    @property
    def inputs(self) -> IntegerArray:
        """The units that are read."""

    @property
    def weights(self) -> IntegerArray:
        """Their weights."""

    @property
    def biases(self) -> IntegerArray:
        """One for each unit."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The blocks of one layer, one behind the other.

    Args:
        columns: The number of units of the layer before.
        inputs: Of all rows.
        weights: Of all rows.
        starts: Row r has the entries starts[r] to starts[r + 1].
        counts: How many units each row has.
        biases: Of all units.
    """

    columns: int
    inputs: NDArray[np.int64]
    weights: IntegerArray
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    biases: IntegerArray

    @classmethod
    def of(cls, columns: int, blocks: Sequence[RowWithBiases]) -> Rows:
        """Put blocks one behind the other."""
        none = np.zeros(0, dtype=np.int64)
        inputs, weights, biases = (
            np.concatenate([none, *(getattr(block, name) for block in blocks)])
            for name in ("inputs", "weights", "biases")
        )
        lengths = np.array([0, *(len(block.inputs) for block in blocks)], dtype=np.int64)
        counts = np.array([len(block.biases) for block in blocks], dtype=np.int64)
        return cls(columns, inputs, weights, np.cumsum(lengths), counts, biases)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many entries each row has."""
        return np.diff(self.starts)

    @cached_property
    def row_of_unit(self) -> NDArray[np.int64]:
        """The row of each unit."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def row_of_entry(self) -> NDArray[np.int64]:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.counts)), self.lengths)

    def matrix(self, weights: NDArray[Any]) -> Any:
        """The CSR array of the rows, one for each block, with other weights in place of the stored ones."""
        return sparse.csr_array((weights, self.inputs, self.starts), shape=(len(self.counts), self.columns))

    @cached_property
    def exact_matrix(self) -> Any:
        """The CSR array in int64."""
        return self.matrix(self.weights)

    @cached_property
    def float_matrix(self) -> Any:
        """The CSR array in float64, each weight rounded."""
        return self.matrix(self.weights.astype(np.float64))

    @cached_property
    def sizes(self) -> Any:
        """The CSR array of the absolute values, in float64."""
        return self.matrix(np.abs(self.weights).astype(np.float64))

    def spread(self, sums: NDArray[Any], biases: NDArray[Any]) -> NDArray[Any]:
        """Hand the sum of each row to its units, and add their biases; the last axis runs over points."""
        return np.asarray(sums[self.row_of_unit] + biases[:, np.newaxis])

    def exact_sums(self, values: IntegerArray) -> IntegerArray:
        """<weights, z> for each row and each column z of `values`: in int64 where no partial sum can reach 2^62."""
        if values.dtype == np.int64 and self.weights.dtype == np.int64 and self.biases.dtype == np.int64:
            reach = self.sizes @ np.abs(values).max(axis=1, initial=0).astype(np.float64)
            # 2^60 instead of 2^62: room for the rounding of `reach`, and for adding the bias
            if max(reach.max(initial=0.0), float(largest(self.biases))) < INT64_SAFE / 4:
                return np.asarray(self.exact_matrix @ values)
        terms = self.weights.astype(object)[:, np.newaxis] * values.astype(object)[self.inputs]
        return sum_segments(terms, self.starts)

    def expanded(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The row pointers of the layer unit by unit, and the stored entry behind each of its entries."""
        lengths = self.lengths[self.row_of_unit]
        pointers = np.concatenate(([0], np.cumsum(lengths)))
        shifts = np.repeat(self.starts[self.row_of_unit] - pointers[:-1], lengths)
        return pointers, shifts + np.arange(pointers[-1])


def sum_segments(terms: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """Sum runs of rows, starts[r] to starts[r + 1]; the sum of an empty run is 0."""
    sums = np.zeros((len(starts) - 1, *terms.shape[1:]), dtype=terms.dtype)
    filled = starts[:-1] < starts[1:]
    if filled.any():
        sums[filled] = np.add.reduceat(terms, starts[:-1][filled], axis=0)
    return sums
