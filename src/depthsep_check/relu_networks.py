"""Rational ReLU networks of documents: the strict reader of `relu-network` objects, and exact bounds of their values.

Layer l maps z to W z + b, with a ReLU after every layer but the last. Everything is computed with integers over one
common denominator for each layer: with D_l the least common denominator of the numbers of layer l and Den_0 that of the
inputs, the values after layer l are integers over Den_l = D_1 ... D_l Den_0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import lcm, prod
from typing import Any

from flint import fmpq

from depthsep_check.document import MAX_DIM
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import parse_rational, parse_weight
from depthsep_check.verdict import Budget, Exhausted, Malformed

UNIT_CUBE = "[0,1]^d"
SYMMETRIC_CUBE = "[-1,1]^d"
DOMAINS = (UNIT_CUBE, SYMMETRIC_CUBE)
KIND = "relu-network"
MAX_LAYERS = 64
MAX_NUMBERS = 1_000_000
MAX_GRID_WORK = 20_000_000
_MAX_DENOMINATOR_BITS = 2**17
_MAX_STORED_BITS = 2**32
_MAX_POINT_BITS = 40


@dataclass(frozen=True, slots=True)
class Layer:
    """z -> weights z + biases; one row of weights and one bias for each unit."""

    weights: tuple[tuple[fmpq, ...], ...]
    biases: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class ReluNetwork:
    """Layers with a ReLU after every one but the last; the shapes fit and there is at least one output."""

    dim: int
    layers: tuple[Layer, ...]

    @property
    def depth(self) -> int:
        """The number of layers of weights."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of every hidden layer."""
        return tuple(len(layer.biases) for layer in self.layers[:-1])

    @property
    def neurons(self) -> int:
        """The number of hidden units."""
        return sum(self.widths)

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return len(self.layers[-1].biases)


@dataclass(frozen=True, slots=True)
class IntegerLayer:
    """A layer in integers: for each unit the (index, weight) pairs of its weights that are not 0, and its bias."""

    rows: tuple[tuple[tuple[int, int], ...], ...]
    biases: tuple[int, ...]


def read_relu_network(value: Any, place: str) -> ReluNetwork:
    """Read a `relu-network` object.

    Raises:
        Malformed: it has other keys, numbers or shapes than `docs/document-format.md` gives.
        Unsupported: it is of another kind.
    """
    fields = fields_of(value, place, ("kind", "dim", "layers"))
    word(fields["kind"], f"{place}.kind", (KIND,))
    dim = integer(fields["dim"], f"{place}.dim", 1, MAX_DIM)
    objects = item_list(fields["layers"], f"{place}.layers", MAX_LAYERS, lambda v, p: (v, p))
    if not objects:
        raise Malformed(f"{place}.layers", "needs at least one layer")
    layers: list[Layer] = []
    columns, left = dim, MAX_NUMBERS
    for entry, where in objects:
        layer = _layer(entry, where, columns, left)
        columns, left = len(layer.biases), left - len(layer.biases) * (columns + 1)
        layers.append(layer)
    if columns == 0:
        raise Malformed(f"{place}.layers", "the last layer needs at least one row")
    return ReluNetwork(dim, tuple(layers))


def _layer(value: Any, place: str, columns: int, left: int) -> Layer:
    fields = fields_of(value, place, ("weights", "biases"))
    biases = item_list(fields["biases"], f"{place}.biases", left // (columns + 1), _number)
    weights = item_list(fields["weights"], f"{place}.weights", len(biases), lambda v, p: _row(v, p, columns))
    require_length(weights, f"{place}.weights", len(biases))
    return Layer(weights, biases)


def _row(value: Any, place: str, columns: int) -> tuple[fmpq, ...]:
    row = item_list(value, place, columns, _number)
    require_length(row, place, columns)
    return row


def _number(value: Any, place: str) -> fmpq:
    """A rational, or a float64 in hexadecimal."""
    if isinstance(value, str) and "x" in value.lower():
        return parse_weight(value, place)
    return parse_rational(value, place)


def largest_weight(network: ReluNetwork) -> fmpq:
    """The largest absolute value among all weights and biases."""
    rows = (row for layer in network.layers for row in (layer.biases, *layer.weights))
    return max((abs(number) for row in rows for number in row), default=fmpq(0))


def linear_pieces(network: ReluNetwork) -> int:
    """A bound for the number of linear pieces of an output on a line: prod (width + 1) over the hidden layers.

    On an interval where a layer is affine in the position every unit of the next one breaks at most once.
    """
    return prod(width + 1 for width in network.widths)


def layer_denominators(network: ReluNetwork, step: str) -> tuple[int, ...]:
    """The least common denominator of the numbers of each layer.

    Raises:
        Exhausted: at `step`, when their product is too long to compute with.
    """
    found = []
    bits = stored = 0
    for layer in network.layers:
        denominator = 1
        for row in (layer.biases, *layer.weights):
            denominator = lcm(denominator, *(int(number.q) for number in row))
            if bits + denominator.bit_length() > _MAX_DENOMINATOR_BITS:
                raise Exhausted(step, f"common denominators of more than {_MAX_DENOMINATOR_BITS} bits")
        bits += denominator.bit_length()
        stored += denominator.bit_length() * sum(map(len, layer.weights))
        found.append(denominator)
    if stored > _MAX_STORED_BITS:
        raise Exhausted(step, "the weights over their common denominators do not fit into memory")
    return tuple(found)


def integer_form(network: ReluNetwork, step: str, denominator: int = 1) -> tuple[tuple[IntegerLayer, ...], int]:
    """The layers in integers, for inputs that are integers over `denominator`.

    Returns:
        The layers (weights times D_l, biases times D_l Den_(l-1), in the words of the module) and the denominator of
        the outputs.

    Raises:
        Exhausted: at `step`, when common denominators are too long.
    """
    layers = []
    for layer, factor in zip(network.layers, layer_denominators(network, step), strict=True):
        rows = tuple(tuple((i, int(w * factor)) for i, w in enumerate(row) if w != 0) for row in layer.weights)
        layers.append(IntegerLayer(rows, tuple(int(bias * factor * denominator) for bias in layer.biases)))
        denominator *= factor
    return tuple(layers), denominator


def output_bounds(network: ReluNetwork, domain: str, step: str = "intervals") -> tuple[tuple[fmpq, fmpq], ...]:
    """An interval for each output over the whole domain, by interval arithmetic; a word of DOMAINS."""
    layers, denominator = integer_form(network, step)
    lows, highs = [0 if domain == UNIT_CUBE else -1] * network.dim, [1] * network.dim
    for index, layer in enumerate(layers):
        if index:
            lows, highs = _positive(lows), _positive(highs)
        pairs = list(zip(layer.rows, layer.biases, strict=True))
        lows, highs = (
            [bias + sum(w * (lows[i] if w > 0 else highs[i]) for i, w in row) for row, bias in pairs],
            [bias + sum(w * (highs[i] if w > 0 else lows[i]) for i, w in row) for row, bias in pairs],
        )
    return tuple((fmpq(low, denominator), fmpq(high, denominator)) for low, high in zip(lows, highs, strict=True))


def grid_range(network: ReluNetwork, domain: str, grid_bits: int, budget: Budget, step: str = "enumeration") -> fmpq:
    """The largest absolute value of an output at a point of the grid, by exact evaluation at every one of them.

    Args:
        network: what to evaluate.
        domain: a word of DOMAINS.
        grid_bits: p; the grid has the 2^p + 1 points X / 2^p on every axis, or 2 X / 2^p - 1.
        budget: spends points times nonzeros, times the length of the numbers in words of 512 bits.
        step: for errors.

    Raises:
        Exhausted: at `step`, when there are too many points.
    """
    if network.dim * grid_bits > _MAX_POINT_BITS:
        raise Exhausted(step, f"a grid of more than 2^{_MAX_POINT_BITS} points")
    layers, denominator = integer_form(network, step, 2**grid_bits)
    entries = [abs(w) for layer in layers for row in layer.rows for _, w in row]
    longest = max(max(entries, default=1), *(abs(bias) for layer in layers for bias in layer.biases))
    per_point = (len(entries) + network.neurons + network.outputs) * (1 + longest.bit_length() // 512)
    budget.spend(step, (2**grid_bits + 1) ** network.dim * per_point)
    largest = max(abs(y) for point in _grid(domain, grid_bits, network.dim) for y in _values(layers, point))
    return fmpq(largest, denominator)


def _grid(domain: str, grid_bits: int, dim: int) -> Iterator[tuple[int, ...]]:
    """Numerators over 2^grid_bits of all grid points."""
    size = 2**grid_bits
    axis = range(size + 1) if domain == UNIT_CUBE else range(-size, size + 1, 2)
    return product(axis, repeat=dim)


def _values(layers: Sequence[IntegerLayer], point: Sequence[int]) -> list[int]:
    """Numerators of the outputs at integers `point`."""
    values = list(point)
    for index, layer in enumerate(layers):
        if index:
            values = _positive(values)
        values = [bias + sum(w * values[i] for i, w in row) for row, bias in zip(layer.rows, layer.biases, strict=True)]
    return values


def _positive(values: list[int]) -> list[int]:
    return [max(0, value) for value in values]
