"""Layers before they are built: blocks that know how many units and weights they will have.

A `Reading` is an integer that is an affine combination of the units of one layer; a `LayerPlan` collects the blocks of
the next one. Both count in closed form, and list their numbers only when they are built. So the same code says what a
network costs and makes it, and the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_layers import Block
from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray
from depthsep.small_weights.staircases import Kinks, Points, Staircase

__all__ = ["LayerPlan", "OnBlock", "PlannedBlock", "Reading", "Sum", "Unit", "identity", "total"]

Entries = tuple[NDArray[np.int64], IntegerArray]


class Reading(Protocol):
    """An integer read from the units of a layer: constant + sum of weights times units."""

    @property
    def constant(self) -> int:
        """What is added."""

    @property
    def size(self) -> int:
        """The number of weights, none of them 0."""

    @property
    def largest(self) -> int:
        """The largest absolute value of a weight, 0 if there is none."""

    def entries(self) -> Entries:
        """The units, in any order, and their weights."""


def _scaled(weights: IntegerArray, factor: int, largest: int) -> IntegerArray:
    """Multiply weights of at most `largest` by an integer, in Python's integers where int64 may not do."""
    if factor == 1:
        return weights
    return factor * (weights if abs(factor) * largest < INT64_SAFE else weights.astype(object))


@dataclass(frozen=True)
class Unit:
    """One unit or coordinate, times a weight."""

    unit: int
    weight: int = 1
    constant: int = 0
    size: int = 1

    @property
    def largest(self) -> int:
        """The absolute value of the weight."""
        return abs(self.weight)

    def entries(self) -> Entries:
        """The unit and its weight."""
        return np.array([self.unit]), np.array([self.weight], dtype=np.int64 if self.largest < INT64_SAFE else object)


@dataclass(frozen=True, eq=False)
class Sum:
    """A combination of readings that share no units.

    Args:
        terms: Pairs (factor, reading), no factor 0.
        offset: Added to the sum.
    """

    terms: tuple[tuple[int, Reading], ...] = ()
    offset: int = 0

    @cached_property
    def constant(self) -> int:
        """What is added."""
        return self.offset + sum(factor * term.constant for factor, term in self.terms)

    @cached_property
    def size(self) -> int:
        """The number of weights."""
        return sum(term.size for _, term in self.terms)

    @cached_property
    def largest(self) -> int:
        """The largest absolute value of a weight."""
        return max((abs(factor) * term.largest for factor, term in self.terms), default=0)

    def entries(self) -> Entries:
        """All units and their weights."""
        none = np.zeros(0, dtype=np.int64)
        parts = [(factor, term.largest, *term.entries()) for factor, term in self.terms if term.size]
        units = np.concatenate([none, *(units for _, _, units, _ in parts)])
        weights = [_scaled(weights, factor, largest) for factor, largest, _, weights in parts]
        return units, np.concatenate([none, *weights])


@dataclass(frozen=True, eq=False)
class PlannedBlock:
    """The units relu(V - k) for the kinks k.

    Args:
        first: The number of the first unit in its layer.
        row: V.
        kinks: The kinks.
    """

    first: int
    row: Reading
    kinks: Kinks

    @property
    def weights_count(self) -> int:
        """The number of weights that are not 0, unit by unit."""
        return self.row.size * self.kinks.count

    @property
    def nonzeros(self) -> int:
        """The number of weights and biases that are not 0, unit by unit."""
        return self.weights_count + self.kinks.count - self.kinks.multiplicity(self.row.constant)

    @property
    def max_integer(self) -> int:
        """The largest absolute value of a weight or a bias."""
        return max(self.row.largest, *(abs(self.row.constant - kink) for kink in self.kinks.span))

    def build(self) -> Block:
        """List the numbers."""
        units, weights = self.row.entries()
        order = np.argsort(units)
        safe = self.max_integer < INT64_SAFE and abs(self.row.constant) < INT64_SAFE
        biases = self.row.constant - self.kinks.positions.astype(np.int64 if safe else object)
        return Block(units[order], weights[order], biases)


@dataclass(frozen=True, eq=False)
class OnBlock:
    """A function of a block's V, read from its units.

    Args:
        block: The block.
        function: The function; the block has all of its kinks.
    """

    block: PlannedBlock
    function: Staircase

    @property
    def constant(self) -> int:
        """The value at the least V."""
        return self.function.start

    @property
    def size(self) -> int:
        """The number of weights."""
        return self.function.kinks.count

    @property
    def largest(self) -> int:
        """The largest absolute value of a weight."""
        return self.function.largest

    def entries(self) -> Entries:
        """The units and their weights."""
        return self._entries

    @cached_property
    def _entries(self) -> Entries:
        places = np.searchsorted(self.block.kinks.positions, self.function.kinks.positions)
        return self.block.first + places, self.function.coefficients()


def identity(low: int, high: int) -> Staircase:
    """V itself."""
    return Staircase(low, high, start=low, slope=1)


@dataclass
class LayerPlan:
    """The blocks of one layer, in order."""

    blocks: list[PlannedBlock] = field(default_factory=list)
    units: int = 0

    def add(self, row: Reading, kinks: Kinks) -> PlannedBlock:
        """Append the block of the units relu(row - k)."""
        self.blocks.append(PlannedBlock(self.units, row, kinks))
        self.units += kinks.count
        return self.blocks[-1]

    def store(self, row: Reading, low: int, high: int) -> Reading:
        """Append one unit relu(row - low), and read max(row, low), which is at most `high`, back from it."""
        function = identity(low, high)
        return OnBlock(self.add(row, function.kinks), function)

    @property
    def max_integer(self) -> int:
        """The largest absolute value of a weight or a bias."""
        return max(block.max_integer for block in self.blocks)

    def close(self) -> LayerPlan:
        """A layer without any block has one that is 0."""
        if not self.blocks:
            self.add(Sum(), Points((0,)))
        return self

    def build(self) -> tuple[Block, ...]:
        """List the numbers of all blocks."""
        return tuple(block.build() for block in self.blocks)


def total(layers: Sequence[LayerPlan], name: str) -> int:
    """Add up a count over all blocks."""
    return sum(getattr(block, name) for layer in layers for block in layer.blocks)
