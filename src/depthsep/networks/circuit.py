"""Threshold circuits: levels of gates [<weights, z> >= threshold] with integer weights, evaluated exactly.

A gate is 1 where <weights, z> >= threshold and 0 elsewhere; z are the gates of the level before, the input bits for the
first level. The depth is the number of levels (a gate reads the level just before it, so that every longest chain has a
gate in each), the size is the number of gates. The output is an integer combination of the last level; a Boolean
circuit has one last gate and the output 1 * gate + 0.

Gates that differ by their thresholds only are stored as one *block*: a row of weights and several thresholds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from depthsep.errors import BadInput

__all__ = ["Circuit", "CircuitOutput", "GateBlock", "circuit_from_file"]

Integers = NDArray[Any]
Weights = Sequence[int] | Mapping[int, int]

_SAFE = 2**62
_CHUNK = 2**22
_NEEDED = 'a "threshold-circuit" object, or a document of kind "circuit-equality"'


@dataclass(frozen=True)
class GateBlock:
    """Gates with one row of weights: [sum_i weights[i] z[inputs[i]] >= t] for every t of `thresholds`.

    Args:
        inputs: Numbers of the gates (or input bits) that are read, strictly increasing.
        weights: One for each of them, none of them 0.
        thresholds: One for each gate, at least one.
    """

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    thresholds: tuple[int, ...]


@dataclass(frozen=True)
class CircuitOutput:
    """The integer sum_i weights[i] z[inputs[i]] + constant of the last level."""

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    constant: int


@dataclass(frozen=True)
class Circuit:
    """A threshold circuit; see the module's text.

    Args:
        inputs: The number of input bits.
        levels: The blocks of each level.
        output: What is read from the last level.

    Raises:
        BadInput: A gate reads what is not there, or a number is not an integer; the error names the gate.

    Example:
        >>> parity = Circuit.from_gates(2, [[([1, 1], 1), ([1, 1], 2)], [([1, -1], 1)]])
        >>> parity.depth, parity.size, parity.evaluate([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
        (2, 3, [0, 1, 1, 0])
        >>> Circuit.from_gates(2, [[([1, 1, 1], 2)]])
        Traceback (most recent call last):
        depthsep.errors.BadInput: gate 0 of level 1
          found:  3 weights
          needed: one for each of the 2 input bits
    """

    kind: ClassVar[str] = "threshold-circuit"

    inputs: int
    levels: tuple[tuple[GateBlock, ...], ...]
    output: CircuitOutput

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        if not _is_integer(self.inputs) or self.inputs < 1:
            raise BadInput("a threshold circuit", found=f"{self.inputs!r} input bits", needed="at least one")
        width = self.inputs
        for number, blocks in enumerate(self.levels, 1):
            if not blocks:
                raise BadInput(f"level {number}", found="no gate", needed="at least one gate in every level")
            first = 0
            for block in blocks:
                _check_block(block, width, first, number)
                first += len(block.thresholds)
            width = first
        _check_row("the output", self.output.inputs, self.output.weights, width)
        _check_integers("the output", (self.output.constant,))

    @classmethod
    def from_gates(
        cls,
        inputs: int,
        levels: Sequence[Sequence[tuple[Weights, int]]],
        output: tuple[Weights, int] | None = None,
    ) -> Circuit:
        """Build a circuit from plain lists; neighbours with equal weights become one block.

        Args:
            inputs: The number of input bits.
            levels: For each level its gates (weights, threshold). The weights are a list with one integer for each gate
                of the level before, or a mapping from the number of a gate to its weight.
            output: Weights on the last level, in the same form, and a constant. Without it the last level must have
                one gate, which is the output.

        Raises:
            BadInput: The lists do not fit together; the error names the gate.
        """
        built, width, before = [], inputs, "input bits"
        for number, gates in enumerate(levels, 1):
            places = [f"gate {index} of level {number}" for index in range(len(gates))]
            rows = [_row_of(weights, width, place, before) for place, (weights, _) in zip(places, gates, strict=True)]
            pairs = zip(rows, (_plain(threshold) for _, threshold in gates), strict=True)
            groups = [(row, tuple(t for _, t in group)) for row, group in groupby(pairs, key=lambda pair: pair[0])]
            built.append(tuple(GateBlock(row[0], row[1], thresholds) for row, thresholds in groups))
            width, before = len(gates), f"gates of level {number}"
        if output is None and width != 1:
            found = f"{width} {before}"
            raise BadInput("the output", found=found, needed="one last gate, or the weights of the output")
        weights, constant = ({0: 1}, 0) if output is None else output
        row = _row_of(weights, width, "the output", before)
        return cls(inputs, tuple(built), CircuitOutput(*row, _plain(constant)))

    @property
    def depth(self) -> int:
        """The number of gates on a longest chain, which is the number of levels."""
        return len(self.levels)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The number of gates of each level."""
        return tuple(sum(len(block.thresholds) for block in blocks) for blocks in self.levels)

    @property
    def size(self) -> int:
        """The number of gates."""
        return sum(self.widths)

    @cached_property
    def wires(self) -> int:
        """The number of pairs of a gate and something that it reads."""
        return sum(len(block.inputs) * len(block.thresholds) for blocks in self.levels for block in blocks)

    @cached_property
    def max_weight(self) -> int:
        """The largest absolute value among all weights, thresholds and what the output uses."""
        rows = [numbers for level in self.levels for block in level for numbers in (block.weights, block.thresholds)]
        return max(abs(number) for row in (*rows, self.output.weights, (self.output.constant,)) for number in row)

    def evaluate(self, bits: ArrayLike) -> Integers:
        """Give the exact outputs, shape (n,), for rows of input bits, shape (n, inputs).

        Returns:
            int64, or Python integers where int64 might not hold them.

        Raises:
            BadInput: The shape is another one, or an entry is neither 0 nor 1.
        """
        points = np.asarray(bits)
        if points.ndim != 2 or points.shape[1] != self.inputs:
            found, needed = f"an array of shape {points.shape}", f"shape (n, {self.inputs}), one row for each point"
            raise BadInput("evaluate a threshold circuit", found=found, needed=needed)
        wrong = np.argwhere((points != 0) & (points != 1))
        if len(wrong):
            row, column = (int(i) for i in wrong[0])
            found = f"{points[row, column]} at point {row}, bit {column}"
            raise BadInput("evaluate a threshold circuit", found=found, needed="input bits: 0 or 1")
        step = max(1, _CHUNK // max((self.inputs, *self.widths)))
        return np.concatenate(
            [self._evaluate(points[i : i + step].T.astype(np.int64)) for i in range(0, max(1, len(points)), step)]
        )

    def _evaluate(self, values: Integers) -> Integers:
        for blocks in self.levels:
            sums = _row_sums(blocks, values)
            thresholds = [threshold for block in blocks for threshold in block.thresholds]
            if (
                sums.dtype != object
            ):  # sums are below 2^62 in absolute value, so cutting thresholds there changes nothing
                thresholds = [max(-_SAFE, min(_SAFE, threshold)) for threshold in thresholds]
            limits = np.array(thresholds, dtype=sums.dtype)[:, None]
            repeats = [len(block.thresholds) for block in blocks]
            values = (np.repeat(sums, repeats, axis=0) >= limits).astype(np.int64)
        result = _row_sums((self.output,), values)[0]
        exact: Integers = result.astype(object) if abs(self.output.constant) >= _SAFE else result
        exact = exact + self.output.constant
        return exact

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "inputs": self.inputs,
            "levels": [{"blocks": [_block_to_json(block) for block in blocks]} for blocks in self.levels],
            "output": {
                "inputs": list(self.output.inputs),
                "weights": list(self.output.weights),
                "constant": self.output.constant,
            },
        }

    @classmethod
    def from_json(cls, obj: Any) -> Circuit:
        """Read a "threshold-circuit" object.

        Raises:
            BadInput: It is none; the error names the place or the gate.
        """
        inputs, levels, output = _fields(obj, "a threshold circuit", ("kind", "inputs", "levels", "output"))[1:]
        if obj["kind"] != cls.kind:
            raise BadInput("a threshold circuit", found=f"the kind {obj['kind']!r}", needed=f'"{cls.kind}"')
        built = []
        for number, level in enumerate(_list(levels, "the levels"), 1):
            blocks = _list(_fields(level, f"level {number}", ("blocks",))[0], f"the blocks of level {number}")
            places = [f"block {index} of level {number}" for index in range(len(blocks))]
            built.append(tuple(_block_from_json(block, place) for block, place in zip(blocks, places, strict=True)))
        reads, weights, constant = _fields(output, "the output", ("inputs", "weights", "constant"))
        row = _integers(reads, "the inputs of the output"), _integers(weights, "the weights of the output")
        return cls(inputs, tuple(built), CircuitOutput(*row, constant))


def circuit_from_file(path: str | os.PathLike[str]) -> Circuit:
    """Read a circuit: a bare "threshold-circuit" object, or the circuit of a "circuit-equality" document.

    Such a document is read, not checked.

    Raises:
        BadInput: There is no such file, or it holds something else.
    """
    try:
        obj = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadInput(f"read {path}", found=problem.strerror or str(problem), needed=_NEEDED) from None
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"read {path}", found=f"no JSON text ({problem})", needed=_NEEDED) from None
    claim = obj.get("claim") if isinstance(obj, dict) else None
    if isinstance(claim, dict) and claim.get("kind") == "circuit-equality":
        obj = obj.get("network")
    if not isinstance(obj, dict) or obj.get("kind") != Circuit.kind:
        kind = obj.get("kind", obj.get("format")) if isinstance(obj, dict) else type(obj).__name__
        raise BadInput(f"read {path}", found=f"{kind!r}", needed=_NEEDED)
    return Circuit.from_json(obj)


def _row_sums(rows: Sequence[GateBlock | CircuitOutput], values: Integers) -> Integers:
    """The sums of all rows at all points, shape (rows, points), exact; `values` holds 0 and 1."""
    inputs = np.array([i for row in rows for i in row.inputs], dtype=np.int64)
    starts = np.array([0, *accumulate(len(row.inputs) for row in rows)], dtype=np.int64)
    if all(sum(map(abs, row.weights)) < _SAFE for row in rows):
        weights = np.array([w for row in rows for w in row.weights], dtype=np.int64)
        product: Integers = csr_array((weights, inputs, starts), shape=(len(rows), len(values))) @ values
        return product
    sums = np.zeros((len(rows), values.shape[1]), dtype=object)
    for result, row in zip(sums, rows, strict=True):
        for index, weight in zip(row.inputs, row.weights, strict=True):
            result += weight * values[index].astype(object)
    return sums


def _check_block(block: GateBlock, width: int, first: int, level: int) -> None:
    last = first + len(block.thresholds) - 1
    place = f"gate {first} of level {level}" if last <= first else f"gates {first} to {last} of level {level}"
    if not block.thresholds:
        raise BadInput(place, found="no threshold", needed="one for each gate of a block")
    _check_row(place, block.inputs, block.weights, width)
    _check_integers(place, block.thresholds)


def _check_row(place: str, inputs: tuple[int, ...], weights: tuple[int, ...], width: int) -> None:
    _check_integers(place, inputs)
    _check_integers(place, weights)
    if len(inputs) != len(weights):
        raise BadInput(place, found=f"{len(inputs)} inputs and {len(weights)} weights", needed="one weight for each")
    if not all(a < b for a, b in pairwise((-1, *inputs, width))):
        needed = f"inputs that increase strictly within 0..{width - 1}"
        raise BadInput(place, found=f"the inputs {_shown(inputs)}", needed=needed)
    if 0 in weights:
        raise BadInput(place, found=f"the weight 0 of input {inputs[weights.index(0)]}", needed="weights other than 0")


def _check_integers(place: str, numbers: Sequence[object]) -> None:
    for number in numbers:
        if not _is_integer(number):
            needed = "integers: multiply the weights and the threshold of a gate by their common denominator"
            raise BadInput(place, found=f"the number {number!r}", needed=needed)


def _is_integer(number: object) -> bool:
    return type(number) is int


def _plain(number: Any) -> Any:
    """Integers of any type as Python's; anything else is left for the check to refuse."""
    return int(number) if isinstance(number, Integral) else number


def _shown(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:6])) + (", ..." if len(numbers) > 6 else "")


def _row_of(weights: Weights, width: int, place: str, before: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Inputs and weights of a gate, those that are 0 left out."""
    if not isinstance(weights, Mapping) and len(weights) != width:
        raise BadInput(place, found=f"{len(weights)} weights", needed=f"one for each of the {width} {before}")
    items = sorted(weights.items()) if isinstance(weights, Mapping) else enumerate(weights)
    kept = [(_plain(index), _plain(weight)) for index, weight in items if weight != 0]
    return tuple(index for index, _ in kept), tuple(weight for _, weight in kept)


def _block_to_json(block: GateBlock) -> dict[str, list[int]]:
    return {"inputs": list(block.inputs), "weights": list(block.weights), "thresholds": list(block.thresholds)}


def _block_from_json(obj: Any, place: str) -> GateBlock:
    names = ("inputs", "weights", "thresholds")
    lists = [_integers(v, f"the {n} of {place}") for n, v in zip(names, _fields(obj, place, names), strict=True)]
    return GateBlock(*lists)


def _fields(obj: Any, place: str, names: tuple[str, ...]) -> list[Any]:
    if not isinstance(obj, dict) or set(obj) != set(names):
        found = f"the keys {', '.join(map(str, obj)) or 'none'}" if isinstance(obj, dict) else f"a {type(obj).__name__}"
        raise BadInput(place, found=found, needed=f"an object with the keys {', '.join(names)}")
    return [obj[name] for name in names]


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(place, found=f"a {type(value).__name__}", needed="a list")
    return value


def _integers(value: Any, place: str) -> tuple[int, ...]:
    numbers = _list(value, place)
    _check_integers(place, numbers)
    return tuple(numbers)
