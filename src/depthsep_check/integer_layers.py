"""Sparse networks of integers in blocks: the strict reader of `integer-layers` objects, and what is counted in them.

A block is one row of integers with many biases: the units relu(<weights, z over inputs> + b), one for each bias b, z
the units of the layer before. Units are numbered through the blocks of a layer.

Unit v of a layer with exponents is multiplied by 2^e_v, and whatever reads it divides by that. The network stored by
its integers and the network with its exponents are one function: relu(a z) = a relu(z) for a > 0, so multiplying the
row and the bias of a unit by 2^e_v multiplies its value by that, and the readers undo it. Everything but the size of
the weights is therefore checked on the integers, whatever the exponents are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import lt
from typing import Any

from flint import fmpq

from depthsep_check.document import MAX_DIM
from depthsep_check.fields import fields_of, integer, item_list, word
from depthsep_check.numbers import parse_rational, shown
from depthsep_check.verdict import Exhausted, Malformed

KIND = "integer-layers"
MAX_LAYERS = 400
MAX_STORED = 20_000_000
MAX_EXPONENT = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """An integer combination of units of the layer before: inputs increase strictly, weights are not 0."""

    inputs: list[int]
    weights: list[int]


@dataclass(frozen=True, slots=True)
class Block:
    """A row with one unit for each bias; `start` is the number of its first unit in the layer."""

    row: Row
    biases: list[int]
    start: int


@dataclass(frozen=True, slots=True)
class Layer:
    """The blocks of a hidden layer, the number of its units and an exponent for each of them, or None."""

    blocks: tuple[Block, ...]
    units: int
    exponents: list[int] | None


@dataclass(frozen=True, slots=True)
class IntegerLayers:
    """Hidden layers, then one row with a bias for each output; the outputs are multiplied by `scale`."""

    dim: int
    layers: tuple[Layer, ...]
    rows: tuple[tuple[Row, int], ...]
    scale: fmpq

    @property
    def depth(self) -> int:
        """The number of layers of weights."""
        return len(self.layers) + 1

    @property
    def neurons(self) -> int:
        """The number of hidden units."""
        return sum(layer.units for layer in self.layers)

    @property
    def nonzeros(self) -> int:
        """The number of weights and biases of all units and outputs that are not 0."""
        hidden = sum(
            len(block.biases) * len(block.row.weights) + len(block.biases) - block.biases.count(0)
            for layer in self.layers
            for block in layer.blocks
        )
        return hidden + sum(len(row.weights) + (bias != 0) for row, bias in self.rows)


def read_integer_layers(value: Any, place: str) -> IntegerLayers:
    """Read an `integer-layers` object.

    Raises:
        Malformed: it is not of the form that `docs/document-format.md` gives.
        Exhausted: it stores more numbers than the checker is willing to compare.
        Unsupported: another kind or activation.
    """
    fields = fields_of(value, place, ("kind", "activation", "dim", "layers", "output"))
    word(fields["kind"], f"{place}.kind", (KIND,))
    word(fields["activation"], f"{place}.activation", ("relu",))
    units = dim = integer(fields["dim"], f"{place}.dim", 1, MAX_DIM)
    layers: list[Layer] = []
    for entry, where in item_list(fields["layers"], f"{place}.layers", MAX_LAYERS, lambda v, p: (v, p)):
        layers.append(_layer(entry, where, units))
        units = layers[-1].units
    output = fields_of(fields["output"], f"{place}.output", ("rows", "scale"))
    rows = item_list(output["rows"], f"{place}.output.rows", MAX_STORED, lambda v, p: _output(v, p, units))
    network = IntegerLayers(dim, tuple(layers), rows, parse_rational(output["scale"], f"{place}.output.scale"))
    stored = sum(
        len(block.row.inputs) + len(block.row.weights) + len(block.biases)
        for layer in network.layers
        for block in layer.blocks
    )
    if stored > MAX_STORED:
        raise Exhausted(place, f"{stored} stored numbers, this checker compares at most {MAX_STORED}")
    return network


def _layer(value: Any, place: str, units_before: int) -> Layer:
    fields = fields_of(value, place, ("blocks", "exponents"))
    blocks: list[Block] = []
    units = 0
    for entry, where in item_list(fields["blocks"], f"{place}.blocks", MAX_STORED, lambda v, p: (v, p)):
        own = fields_of(entry, where, ("inputs", "weights", "biases"))
        row = _row(own, where, units_before)
        blocks.append(Block(row, _integers(own["biases"], f"{where}.biases"), units))
        units += len(own["biases"])
    exponents = fields["exponents"]
    if exponents is not None:
        _integers(exponents, f"{place}.exponents")
        if len(exponents) != units:
            raise Malformed(f"{place}.exponents", f"needs one for each of the {units} units, has {len(exponents)}")
        if exponents and not -MAX_EXPONENT <= min(exponents) <= max(exponents) <= MAX_EXPONENT:
            raise Malformed(f"{place}.exponents", f"must lie in -{MAX_EXPONENT}..{MAX_EXPONENT}")
    return Layer(tuple(blocks), units, exponents)


def _output(value: Any, place: str, units_before: int) -> tuple[Row, int]:
    fields = fields_of(value, place, ("inputs", "weights", "bias"))
    bias = _integers([fields["bias"]], f"{place}.bias")[0]
    return _row(fields, place, units_before), bias


def _row(fields: dict[str, Any], place: str, units_before: int) -> Row:
    inputs = _integers(fields["inputs"], f"{place}.inputs")
    weights = _integers(fields["weights"], f"{place}.weights")
    if len(inputs) != len(weights):
        raise Malformed(place, f"{len(inputs)} inputs and {len(weights)} weights")
    if inputs and not (inputs[0] >= 0 and inputs[-1] < units_before and all(map(lt, inputs, inputs[1:]))):
        raise Malformed(f"{place}.inputs", f"must increase strictly within 0..{units_before - 1}")
    if not all(weights):
        raise Malformed(f"{place}.weights", "a weight is 0")
    return Row(inputs, weights)


def _integers(value: Any, place: str) -> list[int]:
    """A list of JSON integers; booleans are none."""
    if not isinstance(value, list):
        raise Malformed(place, f"expected a list, found {shown(value)}")
    if not set(map(type, value)) <= {int}:
        wrong = next(entry for entry in value if type(entry) is not int)
        raise Malformed(place, f"expected integers, found {shown(wrong)}")
    return value


def largest_weight(network: IntegerLayers) -> fmpq:
    """The largest absolute value among the weights and biases, exponents and scale applied.

    The units of a block share its row, so its largest weight is the largest factor of its units times the largest
    |w| over the factor of the unit that it reads.
    """
    largest, before = fmpq(0), _Scales(None)
    for layer in network.layers:
        scales = _Scales(layer.exponents)
        for mantissa, exponent in _layer_maxima(layer, scales, before):
            largest = max(largest, mantissa * fmpq(2) ** exponent)
        before = scales
    for row, bias in network.rows:
        mantissa, exponent = before.largest_read(row)
        largest = max(largest, abs(network.scale) * max(mantissa * fmpq(2) ** exponent, fmpq(abs(bias))))
    return largest


def _layer_maxima(layer: Layer, scales: _Scales, before: _Scales) -> Iterator[tuple[int, int]]:
    """(m, e) with m 2^e the largest weight, and the largest bias, of every block; repeated pairs come once."""
    seen: set[tuple[int, int]] = set()
    for block in layer.blocks:
        if block.biases:
            mantissa, exponent = before.largest_read(block.row)
            seen.add((mantissa, exponent + scales.largest(block)))
            seen.add(scales.largest_bias(block))
    yield from seen


class _Scales:
    """The factors 2^e of the units of a layer."""

    def __init__(self, exponents: list[int] | None) -> None:
        self._exponents = exponents
        self._top = max(exponents, default=0) if exponents else 0
        self._bottom = min(exponents, default=0) if exponents else 0

    def largest_read(self, row: Row) -> tuple[int, int]:
        """(m, e) with m 2^e the largest of |w| 2^-e_u over the row."""
        if self._exponents is None or not row.weights:
            return max(map(abs, row.weights), default=0), 0
        top, exponents = self._top, self._exponents
        entries = zip(row.weights, row.inputs, strict=True)
        return max(abs(w) << (top - exponents[unit]) for w, unit in entries), -top

    def largest(self, block: Block) -> int:
        """The largest exponent of a unit of the block."""
        return 0 if self._exponents is None else max(self._of(block))

    def largest_bias(self, block: Block) -> tuple[int, int]:
        """(m, e) with m 2^e the largest of |b| 2^e_v over the block."""
        if self._exponents is None:
            return max(map(abs, block.biases)), 0
        entries = zip(block.biases, self._of(block), strict=True)
        return max(abs(b) << (e - self._bottom) for b, e in entries), self._bottom

    def _of(self, block: Block) -> list[int]:
        return [] if self._exponents is None else self._exponents[block.start : block.start + len(block.biases)]
