"""Threshold circuits of documents: the strict reader of `threshold-circuit` objects.

A gate is 1 where <weights, z over inputs> >= threshold and 0 elsewhere, z the gates of the level before (the input bits
for the first level). A block is one row with a gate for each of its thresholds; gates are numbered through the blocks
of a level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from depthsep_check.document import MAX_DIM
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.verdict import Malformed

KIND = "threshold-circuit"
MAX_LEVELS = 129
MAX_ENTRIES = 20_000_000
_LARGEST = 10**100


@dataclass(frozen=True, slots=True)
class GateBlock:
    """Gates with one row, at least one; the inputs increase strictly, the weights are not 0."""

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    thresholds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """The integer <weights, z over inputs> + constant of the last level."""

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    constant: int


@dataclass(frozen=True, slots=True)
class ThresholdCircuit:
    """Levels of at least one gate each; every number of a gate or an input bit is in range."""

    inputs: int
    levels: tuple[tuple[GateBlock, ...], ...]
    output: Output

    @property
    def depth(self) -> int:
        """The number of levels."""
        return len(self.levels)

    @property
    def gates(self) -> int:
        """The number of gates."""
        return sum(len(block.thresholds) for block in self._blocks())

    @property
    def wires(self) -> int:
        """The number of pairs of a gate and something that it reads."""
        return sum(len(block.inputs) * len(block.thresholds) for block in self._blocks())

    @property
    def largest(self) -> int:
        """The largest absolute value among the weights and thresholds."""
        lists = (numbers for block in self._blocks() for numbers in (block.weights, block.thresholds))
        return max((abs(number) for numbers in lists for number in numbers), default=0)

    def _blocks(self) -> Iterator[GateBlock]:
        return (block for blocks in self.levels for block in blocks)


def starts_of(blocks: tuple[GateBlock, ...]) -> tuple[int, ...]:
    """The number of the first gate of each block, and at the end the number of gates."""
    return tuple(accumulate((len(block.thresholds) for block in blocks), initial=0))


def read_threshold_circuit(value: Any, place: str) -> ThresholdCircuit:
    """Read a `threshold-circuit` object.

    Raises:
        Malformed: it has other keys, numbers or shapes than `docs/document-format.md` gives.
        Unsupported: it is of another kind.
    """
    fields = fields_of(value, place, ("kind", "inputs", "levels", "output"))
    word(fields["kind"], f"{place}.kind", (KIND,))
    inputs = width = integer(fields["inputs"], f"{place}.inputs", 1, MAX_DIM)
    levels = []
    for entry, where in item_list(fields["levels"], f"{place}.levels", MAX_LEVELS, lambda v, p: (v, p)):
        level = _level(entry, where, width)
        width = starts_of(level)[-1]
        levels.append(level)
    return ThresholdCircuit(inputs, tuple(levels), _output(fields["output"], f"{place}.output", width))


def _level(value: Any, place: str, width: int) -> tuple[GateBlock, ...]:
    place = f"{place}.blocks"
    blocks = fields_of(value, place, ("blocks",))["blocks"]
    if not blocks:
        raise Malformed(place, "needs at least one block")
    return item_list(blocks, place, MAX_ENTRIES, lambda v, p: _block(v, p, width))


def _block(value: Any, place: str, width: int) -> GateBlock:
    fields = fields_of(value, place, ("inputs", "weights", "thresholds"))
    inputs, weights = _row(fields, place, width)
    thresholds = item_list(fields["thresholds"], f"{place}.thresholds", MAX_ENTRIES, _number)
    if not thresholds:
        raise Malformed(f"{place}.thresholds", "needs at least one")
    return GateBlock(inputs, weights, thresholds)


def _output(value: Any, place: str, width: int) -> Output:
    fields = fields_of(value, place, ("inputs", "weights", "constant"))
    return Output(*_row(fields, place, width), _number(fields["constant"], f"{place}.constant"))


def _row(fields: dict[str, Any], place: str, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    where = f"{place}.inputs"
    inputs = item_list(fields["inputs"], where, width, lambda v, p: integer(v, p, 0, width - 1))
    if not all(a < b for a, b in pairwise(inputs)):
        raise Malformed(where, "must increase strictly")
    where = f"{place}.weights"
    weights = item_list(fields["weights"], where, len(inputs), _number)
    require_length(weights, where, len(inputs))
    if 0 in weights:
        raise Malformed(f"{where}[{weights.index(0)}]", "must not be 0")
    return inputs, weights


def _number(value: Any, place: str) -> int:
    return integer(value, place, -_LARGEST, _LARGEST)
