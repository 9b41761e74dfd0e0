"""Exact ReLU networks: any number of layers and outputs, every weight a rational number.

    h_0 = x,   h_l = relu(W_l h_(l-1) + b_l) for l < k,   N(x) = W_k h_(k-1) + b_k

Everything but a call is exact. Layer by layer the common denominator of its weights and biases is cleared, so that what
flows are integers over one denominator for all units and all points: vectorised, in int64 as long as the largest
possible partial sum at hand is below 2^62, and in Python's integers from there on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from operator import mul
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput
from depthsep.networks.exact_numbers import exact_number, format_number, is_float64
from depthsep.networks.grids import DOMAINS, check_domain, checked_indices
from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray
from depthsep.networks.layers import DenseLayers, as_points
from depthsep.networks.profile import Array

__all__ = ["AffineLayer", "Interval", "ReluNetwork", "read_layer"]

Interval = tuple[Fraction, Fraction]

_ENTRIES_AT_ONCE = 2**20


@dataclass(frozen=True)
class AffineLayer:
    """The map z -> W z + b.

    Args:
        weights: The rows of W.
        biases: The entries of b, one for each row.
    """

    weights: tuple[tuple[Fraction, ...], ...]
    biases: tuple[Fraction, ...]

    @property
    def numbers(self) -> Iterable[Fraction]:
        """All weights, row by row, then all biases."""
        return chain(chain.from_iterable(self.weights), self.biases)

    def after(self, first: AffineLayer) -> AffineLayer:
        """Compose exactly: the layer z -> W (first(z)) + b.

        >>> double, shift = read_layer(([[2]], [0]), "double"), read_layer(([[1]], ["1/3"]), "shift")
        >>> double.after(shift).biases
        (Fraction(2, 3),)
        """
        columns = len(first.weights[0]) if first.weights else 0
        outer, inner = _cleared(self, len(first.biases)), _cleared(first, columns)
        common = outer.denominator * inner.denominator
        weights, biases = outer.weights @ inner.weights, outer.weights @ inner.biases
        biases += outer.biases * inner.denominator
        rows = tuple(tuple(Fraction(entry, common) for entry in row) for row in weights.tolist())
        return AffineLayer(rows, tuple(Fraction(entry, common) for entry in biases.tolist()))

    def after_shift(self, vector: Sequence[Fraction]) -> AffineLayer:
        """Compose exactly: the layer z -> W (z + vector) + b."""
        pairs = zip(self.weights, self.biases, strict=True)
        biases = (bias + sum(map(mul, row, vector), Fraction(0)) for row, bias in pairs)
        return AffineLayer(self.weights, tuple(biases))


@dataclass(frozen=True)
class _IntegerLayer:
    """The layer times its common denominator, which makes all of it integers."""

    weights: IntegerArray
    biases: IntegerArray
    denominator: int

    @cached_property
    def sizes(self) -> IntegerArray:
        """The absolute values of the weights."""
        return np.abs(self.weights)

    @cached_property
    def narrow(self) -> NDArray[np.int64] | None:
        """The weights in int64, if they fit."""
        fits = max(self.sizes.flat, default=0) < INT64_SAFE
        return self.weights.astype(np.int64) if fits else None


@dataclass(frozen=True)
class ReluNetwork:
    """An exact network; see the module's text. `from_arrays` builds one from numbers of any kind.

    Args:
        dim: The dimension of x, at least 1.
        layers: The affine layers, at least one, with a ReLU after each but the last.

    Raises:
        BadInput: The shapes do not fit together, or a number is no Fraction.

    Example:
        >>> net = ReluNetwork.from_arrays([([[1], [-1]], [0, 0]), ([["1/3", "1/3"]], [0])])  # |x| / 3
        >>> net.depth, net.widths, net.evaluate_exact([Fraction(-1, 2)])
        (2, (2,), (Fraction(1, 6),))
    """

    kind: ClassVar[str] = "relu-network"

    dim: int
    layers: tuple[AffineLayer, ...]

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit together."""
        asked = f"a network of {len(self.layers)} layers in dimension {self.dim}"
        if self.dim < 1 or not self.layers or not self.outputs:
            raise BadInput(asked, needed="a dimension of at least 1, at least one layer and at least one output")
        columns = self.dim
        for place, layer in enumerate(self.layers, 1):
            rows = len(layer.weights)
            if len(layer.biases) != rows:
                found = f"layer {place} has {rows} rows of weights and {len(layer.biases)} biases"
                raise BadInput(asked, found=found, needed="one bias for each row")
            for row, entries in enumerate(layer.weights):
                if len(entries) != columns:
                    found = f"layer {place}, row {row} has {len(entries)} weights"
                    source = "as many as there are inputs" if place == 1 else f"one for each unit of layer {place - 1}"
                    raise BadInput(asked, found=found, needed=f"{columns}, {source}")
            if not all(type(entry) is Fraction and type(entry.numerator) is int for entry in layer.numbers):
                found = f"layer {place} has entries that are no Fraction of Python's integers"
                raise BadInput(asked, found=found, do="use from_arrays")
            columns = rows

    @classmethod
    def from_arrays(cls, layers: Sequence[tuple[Any, Any]]) -> ReluNetwork:
        """Build a network from pairs (W, b), all numbers taken exactly.

        Args:
            layers: The pairs, first layer first: numpy arrays, or lists of integers, floats, Fractions and texts such
                as "1/3", "0.1" or "0x1.8p-3". A float is the number that it stores, so 0.1 is not 1/10.

        Raises:
            BadInput: A number is not finite or not real, or the shapes do not fit; the text says where.

        >>> ReluNetwork.from_arrays([([[1.0, 2.0]], [0.5]), ([[float("inf")]], [0])])
        Traceback (most recent call last):
        depthsep.errors.BadInput: read layer 2, weight [0, 0]
          found:  inf
          needed: a finite number
        """
        built = tuple(read_layer(pair, f"layer {place}") for place, pair in enumerate(layers, 1))
        if not built:
            raise BadInput("a network from 0 layers", needed="at least one pair of weights and biases")
        return cls(_columns_of(layers[0][0]), built)

    # The network in numbers

    @property
    def depth(self) -> int:
        """The number of weight layers: one more than there are hidden layers."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return tuple(len(layer.biases) for layer in self.layers[:-1])

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return len(self.layers[-1].biases)

    @property
    def neurons(self) -> int:
        """The number of hidden units."""
        return sum(self.widths)

    @property
    def parameters(self) -> int:
        """The number of weights and biases, zeros included."""
        return sum((before + 1) * len(layer.biases) for before, layer in zip(self._columns, self.layers, strict=True))

    @cached_property
    def nonzeros(self) -> int:
        """The number of weights and biases that are not 0."""
        return sum(entry != 0 for layer in self.layers for entry in layer.numbers)

    @cached_property
    def max_weight(self) -> Fraction:
        """The largest absolute value among all weights and biases."""
        return max(abs(entry) for layer in self.layers for entry in layer.numbers)

    @cached_property
    def is_float64(self) -> bool:
        """Whether every weight and bias is the value of a float64."""
        return all(is_float64(entry) for layer in self.layers for entry in layer.numbers)

    def linear_pieces(self) -> int:
        """Bound the number of linear pieces on an axis line: the product of all (hidden width + 1).

        On a line that moves one coordinate a layer of m units cuts every piece into at most m + 1.
        """
        return math.prod(width + 1 for width in self.widths)

    # Exact values

    @cached_property
    def _integer_layers(self) -> tuple[_IntegerLayer, ...]:
        return tuple(_cleared(layer, columns) for layer, columns in zip(self.layers, self._columns, strict=True))

    @property
    def _columns(self) -> tuple[int, ...]:
        return self.dim, *self.widths

    @cached_property
    def _denominator(self) -> int:
        return math.prod(layer.denominator for layer in self._integer_layers)

    def evaluate_exact(self, point: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """Evaluate at one point, in exact rationals.

        Raises:
            BadInput: The point does not have `dim` finite coordinates.
        """
        if len(point) != self.dim:
            raise BadInput(f"evaluate at a point of {len(point)} coordinates", needed=f"{self.dim} coordinates")
        exact = [exact_number(entry, f"coordinate {place} of the point") for place, entry in enumerate(point)]
        common = math.lcm(*(entry.denominator for entry in exact))
        start = np.array([[int(entry * common) for entry in exact]], dtype=object)
        bottom = common * self._denominator
        return tuple(Fraction(int(top), bottom) for top in self._propagate(start, common)[0])

    def grid_values(self, indices: NDArray[Any], grid_bits: int, domain: str) -> tuple[IntegerArray, int]:
        """Evaluate exactly at many points of a grid.

        Args:
            indices: Integers X of shape (n, dim), 0 <= X <= 2^grid_bits.
            grid_bits: The fineness p of the grid: x = X / 2^p, or 2 X / 2^p - 1 on [-1,1]^d.
            domain: One of DOMAINS.

        Returns:
            The numerators, of shape (n, outputs), as int64 or Python's integers, and their common denominator.

        Raises:
            BadInput: The indices are no such array.

        >>> net = ReluNetwork.from_arrays([([[1], [-1]], [0, 0]), ([["1/3", "1/3"]], [0])])  # |x| / 3
        >>> tops, bottom = net.grid_values(np.array([[0], [1], [4]]), 2, "[-1,1]^d")
        >>> tops.tolist(), bottom
        ([[4], [2], [4]], 12)
        """
        check_domain(domain)
        indices = checked_indices(indices, self.dim, grid_bits)
        points = 1 << grid_bits
        numerators = indices if domain == DOMAINS[0] else 2 * indices - points
        step = max(1, _ENTRIES_AT_ONCE // max(self.dim, *self.widths, self.outputs))
        blocks = [
            self._propagate(numerators[start : start + step], points) for start in range(0, len(numerators), step)
        ]
        values = np.concatenate(blocks) if blocks else np.zeros((0, self.outputs), dtype=np.int64)
        return values, points * self._denominator

    def _propagate(self, values: IntegerArray, denominator: int) -> IntegerArray:
        """Numerators of the outputs over `denominator * self._denominator`, from those of the inputs."""
        for place, layer in enumerate(self._integer_layers):
            if place:
                values = np.maximum(values, 0)
            values = _exact_affine(layer, values, layer.biases * denominator)
            denominator *= layer.denominator
        return values

    def preactivation_intervals(self, domain: str) -> tuple[tuple[Interval, ...], ...]:
        """Enclose every preactivation, and in the last layer every output, over the whole box by interval arithmetic.

        Args:
            domain: One of DOMAINS.

        Returns:
            For each layer and each of its rows an interval that contains all values over the domain.
        """
        check_domain(domain)
        low = np.full(self.dim, 0 if domain == DOMAINS[0] else -1, dtype=object)
        high, denominator = np.full(self.dim, 1, dtype=object), 1
        intervals = []
        for place, layer in enumerate(self._integer_layers):
            if place:
                low, high = np.maximum(low, 0), np.maximum(high, 0)
            up, down, biases = np.maximum(layer.weights, 0), np.minimum(layer.weights, 0), layer.biases * denominator
            low, high = up @ low + down @ high + biases, up @ high + down @ low + biases
            denominator *= layer.denominator
            ends = zip(low.tolist(), high.tolist(), strict=True)
            intervals.append(tuple((Fraction(least, denominator), Fraction(most, denominator)) for least, most in ends))
        return tuple(intervals)

    def output_interval(self, domain: str) -> tuple[Interval, ...]:
        """Enclose every output over the whole box by interval arithmetic; see `preactivation_intervals`."""
        return self.preactivation_intervals(domain)[-1]

    # Floating point

    def dense_layers(self) -> DenseLayers:
        """Give the layers [(W, b), ...] in float64: exact when `is_float64`, else each number rounded to nearest.

        Raises:
            BadInput: A number is beyond float64.
        """
        try:
            return [
                (
                    np.array([float(entry) for row in layer.weights for entry in row]).reshape(
                        len(layer.weights), columns
                    ),
                    np.array([float(entry) for entry in layer.biases]),
                )
                for layer, columns in zip(self.layers, self._columns, strict=True)
            ]
        except OverflowError:
            found = f"a weight of {self.max_weight.numerator.bit_length()} bits"
            raise BadInput("the layers in float64", found=found, needed="numbers below 2^1024") from None

    @cached_property
    def _float_layers(self) -> DenseLayers:
        return self.dense_layers()

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate the rows of `points` the usual way, in float64; nothing is proved about the rounding.

        Args:
            points: Array of shape (n, dim).

        Returns:
            Array of shape (n, outputs).

        Raises:
            BadInput: The points are not finite real numbers of shape (n, dim), or a weight is beyond float64.
        """
        values = as_points(points, self.dim)
        with np.errstate(over="ignore", invalid="ignore"):
            for place, (weights, biases) in enumerate(self._float_layers):
                values = (np.maximum(values, 0.0) if place else values) @ weights.T + biases
        return values

    # Documents

    def to_json(self) -> dict[str, Any]:
        """Give the FUNCTION or NETWORK object of the document format.

        Raises:
            BadInput: A number has more digits than a document holds.
        """
        layers = []
        for place, layer in enumerate(self.layers, 1):
            weights = [[format_number(entry, f"a weight of layer {place}") for entry in row] for row in layer.weights]
            biases = [format_number(entry, f"a bias of layer {place}") for entry in layer.biases]
            layers.append({"weights": weights, "biases": biases})
        return {"kind": self.kind, "dim": self.dim, "layers": layers}

    @classmethod
    def from_json(cls, obj: object) -> ReluNetwork:
        """Read such an object; integers may stand there as JSON integers, other numbers as texts.

        Raises:
            BadInput: It is no such object; the text says where.
        """
        network = _fields(obj, f"the {cls.kind} object", ("kind", "dim", "layers"))
        if network["kind"] != cls.kind or type(network["dim"]) is not int or not isinstance(network["layers"], list):
            found = f"kind {network['kind']!r}, dim {network['dim']!r}, layers: a {type(network['layers']).__name__}"
            raise BadInput("read a network from JSON", found=found, needed=f"{cls.kind!r}, an integer and a list")
        pairs = []
        for place, entry in enumerate(network["layers"], 1):
            layer = _fields(entry, f"layer {place}", ("weights", "biases"))
            _refuse_json_floats(layer, f"layer {place}")
            pairs.append((layer["weights"], layer["biases"]))
        layers = tuple(read_layer(pair, f"layer {place}") for place, pair in enumerate(pairs, 1))
        return cls(network["dim"], layers)


def _cleared(layer: AffineLayer, columns: int) -> _IntegerLayer:
    """Multiply a layer by the least common denominator of its numbers."""
    common = math.lcm(*(entry.denominator for entry in layer.numbers))

    def cleared(entries: tuple[Fraction, ...]) -> list[int]:
        return [entry.numerator * (common // entry.denominator) for entry in entries]

    rows = [cleared(row) for row in layer.weights]
    weights = np.array(rows, dtype=object).reshape(len(rows), columns)
    return _IntegerLayer(weights, np.array(cleared(layer.biases), dtype=object), common)


def _exact_affine(layer: _IntegerLayer, values: IntegerArray, biases: IntegerArray) -> IntegerArray:
    """W z + b in integers for many z at once, in int64 where no sum of some of the terms can reach 2^62."""
    reach = np.abs(values).max(axis=0, initial=0).astype(object)
    largest = max(chain(layer.sizes @ reach + np.abs(biases), reach), default=0)
    if largest < INT64_SAFE and layer.narrow is not None:
        return np.asarray(values.astype(np.int64) @ layer.narrow.T + biases.astype(np.int64))
    return np.asarray(values.astype(object) @ layer.weights.T + biases)


def read_layer(pair: tuple[Any, Any], place: str) -> AffineLayer:
    """Convert a pair (W, b) of arrays or lists to exact numbers.

    Raises:
        BadInput: Something is no finite real number; the text begins with `place`.
    """
    try:
        matrix, vector = pair
    except (TypeError, ValueError):
        raise BadInput(f"read {place}", found=type(pair).__name__, needed="a pair: weights and biases") from None
    rows = [_entries(row, f"{place}, weight row {index}") for index, row in enumerate(_entries(matrix, place))]
    weights = tuple(
        tuple(exact_number(entry, f"{place}, weight [{index}, {column}]") for column, entry in enumerate(row))
        for index, row in enumerate(rows)
    )
    listed = enumerate(_entries(vector, f"{place}, biases"))
    return AffineLayer(weights, tuple(exact_number(entry, f"{place}, bias [{index}]") for index, entry in listed))


def _columns_of(matrix: Any) -> int:
    """The number of columns, which an array has even where it has no rows."""
    return int(matrix.shape[1]) if isinstance(matrix, np.ndarray) else len(matrix[0]) if matrix else 0


def _entries(value: Any, place: str) -> list[Any]:
    """The entries of one axis; numpy's own scalars become Python's, which keep their exact value."""
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "iufO":
        return list(value.tolist())
    if isinstance(value, list | tuple):
        return list(value)
    found = f"an array of {value.dtype} with shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
    raise BadInput(f"read {place}", found=found[:80], needed="a matrix of real numbers and a list of biases")


def _fields(obj: object, place: str, keys: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(obj, dict) and obj.keys() == set(keys):
        return obj
    found = f"the keys {', '.join(map(str, obj))}" if isinstance(obj, dict) else f"a {type(obj).__name__}"
    raise BadInput(f"read {place} from JSON", found=found, needed=f"an object with the keys {', '.join(keys)}")


def _refuse_json_floats(layer: dict[str, Any], place: str) -> None:
    """A fraction written as a JSON number means a float to some readers and a decimal to others."""
    rows = layer["weights"] if isinstance(layer["weights"], list) else []
    lists = [*rows, layer["biases"]]
    for entry in chain.from_iterable(row for row in lists if isinstance(row, list)):
        if isinstance(entry, float):
            found = f"the JSON number {entry!r}"
            needed = "an integer, or a text, which is exact"
            raise BadInput(f"read {place} from JSON", found=found, needed=needed, do=f'write it as "{entry!r}"')
