"""ReLU networks of integers, stored by blocks: one row of weights for many units that differ in their biases.

    block: the units relu(<weights, z over inputs> + b), one for each bias b, z the units of the layer before
    output o: scale * (<weights, z over inputs> + bias)

Unit v of a hidden layer with exponents e is multiplied by 2^e_v, and whatever reads it divides by that: the network has
the weights w 2^(e_v - e_u), the biases b 2^e_v and, with the scale s, the output weights s w 2^(-e_u) and biases s b.
As relu(2^e t) = 2^e relu(t), exponents change no value of the network. So all evaluation here leaves them aside and
computes every row of a block once, however many units share it; only `sparse_layers` and `max_weight` look at them.

On a grid the inputs are integers over a power of two, Xhat / 2^q. If all weights of the first layer are multiples of
2^q, as in compiled networks, every unit is an integer. If only of 2^(q-c), every unit times 2^c is: relu(2^c t) =
2^c relu(t) once more, and with the biases of all layers multiplied by 2^c the whole network is one of integers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from depthsep.errors import BadInput
from depthsep.networks.accumulators import FLOAT32, FLOAT64, FloatFormat, largest_sums
from depthsep.networks.grids import checked_indices, grid_numerators, numerator_bits
from depthsep.networks.integer_rows import INT64_SAFE, IntegerArray, Rows, integers, largest, narrowed
from depthsep.networks.layers import as_points, point_blocks
from depthsep.networks.profile import Array

__all__ = ["Block", "IntegerArray", "IntegerLayers", "OutputRow", "SparseLayers"]

SparseLayers = list[tuple[Any, Array]]  # of scipy's CSR arrays and of biases

_LARGEST, _LARGEST_SCALE = 10**100, 10**300
_LARGEST_EXPONENT = 2000
_NUMBERS_AT_ONCE = 2**21


def _optional_integers(values: Sequence[int] | IntegerArray | None) -> IntegerArray | None:
    return None if values is None else integers(values)


def _keep_arrays(block: Block | OutputRow, *names: str) -> None:
    for name in names:
        object.__setattr__(block, name, integers(getattr(block, name)))
    if len(block.inputs) != len(block.weights):
        found = f"{len(block.inputs)} inputs and {len(block.weights)} weights"
        raise BadInput("a row of a network of integers", found=found, needed="one weight for each input")


@dataclass(frozen=True, eq=False)
class Block:
    """One row of integers with many biases; see the module's text. Lists become arrays.

    Args:
        inputs: The units of the layer before (or the coordinates of x) that are read, strictly increasing.
        weights: Their weights, none of them 0.
        biases: One for each unit, at least one.
    """

    inputs: IntegerArray
    weights: IntegerArray
    biases: IntegerArray

    def __post_init__(self) -> None:
        """Keep read-only arrays."""
        _keep_arrays(self, "inputs", "weights", "biases")


@dataclass(frozen=True, eq=False)
class OutputRow:
    """One output, before the scale; as a `Block` with a single bias."""

    inputs: IntegerArray
    weights: IntegerArray
    bias: int

    def __post_init__(self) -> None:
        """Keep read-only arrays."""
        _keep_arrays(self, "inputs", "weights")

    @property
    def biases(self) -> IntegerArray:
        """The bias as an array, so that outputs are read like blocks."""
        return integers([self.bias])


@dataclass(frozen=True, eq=False)
class IntegerLayers:
    """A network of blocks; see the module's text.

    Args:
        dim: The dimension of x.
        layers: The blocks of each hidden layer; units are numbered through the blocks in order.
        exponents: For each hidden layer the exponents e of its units, or None where all are 0.
        outputs: One row for each output.
        scale: The factor of the outputs, not 0.

    Raises:
        BadInput: Something does not fit; the text says where.

    Example:
        >>> step = Block([0], [8], [-3, -4])  # the ramp from 0 at x = 3/8 to 1 at x = 1/2
        >>> net = IntegerLayers(1, ((step,),), (None,), (OutputRow([0, 1], [1, -1], 0),), Fraction(5))
        >>> net([[0.25], [0.4375], [1.0]]).tolist()
        [[0.0], [2.5], [5.0]]
        >>> net.depth, net.widths, net.nonzeros, net.max_weight
        (2, (2,), 6, Fraction(8, 1))
    """

    kind: ClassVar[str] = "integer-layers"

    dim: int
    layers: tuple[tuple[Block, ...], ...]
    exponents: tuple[NDArray[np.int64] | None, ...]
    outputs: tuple[OutputRow, ...]
    scale: Fraction

    def __post_init__(self) -> None:
        """Refuse what the format does not allow."""
        object.__setattr__(self, "exponents", tuple(map(_optional_integers, self.exponents)))
        asked = f"a network of integers with {len(self.layers)} hidden layers in dimension {self.dim}"
        if self.dim < 1 or not self.layers or not self.outputs:
            raise BadInput(asked, needed="a dimension of at least 1, a hidden layer and an output")
        if self.scale == 0 or max(abs(self.scale.numerator), self.scale.denominator) >= _LARGEST_SCALE:
            raise BadInput(asked, found=f"the scale {self.scale}", needed="one other than 0, of at most 300 digits")
        for place, rows in enumerate(self.rows[:-1], 1):
            _check_rows(asked, f"layer {place}, block", rows)
        _check_rows(asked, "output", self.rows[-1])
        found = [None if exponents is None else len(exponents) for exponents in self.exponents]
        if len(found) != len(self.widths) or any(n not in (None, w) for n, w in zip(found, self.widths, strict=True)):
            needed = f"for each hidden layer None or as many as it has units: {list(self.widths)}"
            raise BadInput(asked, found=f"lists of exponents of lengths {found}", needed=needed)
        if any(largest(exponents) > _LARGEST_EXPONENT for exponents in self.exponents if exponents is not None):
            raise BadInput(asked, needed=f"exponents from -{_LARGEST_EXPONENT} to {_LARGEST_EXPONENT}")

    @cached_property
    def rows(self) -> tuple[Rows, ...]:
        """The hidden layers and, as the last entry, the outputs."""
        built, columns = [], self.dim
        for blocks in self.layers:
            built.append(Rows.of(columns, blocks))
            columns = len(built[-1].biases)
        return *built, Rows.of(columns, self.outputs)

    # The network in numbers

    @property
    def depth(self) -> int:
        """The number of weight layers: one more than there are hidden layers."""
        return len(self.layers) + 1

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return tuple(len(rows.biases) for rows in self.rows[:-1])

    @property
    def neurons(self) -> int:
        """The number of hidden units."""
        return sum(self.widths)

    @cached_property
    def weights_count(self) -> int:
        """The number of weights that are not 0, unit by unit."""
        return sum(int(rows.lengths @ rows.counts) for rows in self.rows)

    @cached_property
    def nonzeros(self) -> int:
        """The number of weights and biases that are not 0, unit by unit."""
        return self.weights_count + sum(int(np.count_nonzero(rows.biases)) for rows in self.rows)

    @cached_property
    def stored_numbers(self) -> int:
        """The number of weights and biases that are stored: the row of a block once, however many units share it."""
        return sum(len(rows.weights) + len(rows.biases) for rows in self.rows)

    @cached_property
    def max_integer(self) -> int:
        """The largest absolute value among the stored weights and biases, before exponents and scale."""
        return max(max(largest(rows.weights), largest(rows.biases)) for rows in self.rows)

    @cached_property
    def unit_exponents(self) -> tuple[NDArray[np.int64], ...]:
        """The exponents of the inputs, of every hidden layer, and of the outputs: 0 where there are none."""
        hidden = zip(self.exponents, self.widths, strict=True)
        filled = (np.zeros(n, dtype=np.int64) if e is None else e for e, n in hidden)
        return np.zeros(self.dim, dtype=np.int64), *filled, np.zeros(len(self.outputs), dtype=np.int64)

    @cached_property
    def max_weight(self) -> Fraction:
        """The largest absolute value among all weights and biases, exponents and scale applied; exact."""
        best = Fraction(0)
        for place, rows in enumerate(self.rows):
            before, own = self.unit_exponents[place : place + 2]
            factor = abs(self.scale) if place == len(self.layers) else Fraction(1)
            highest = np.zeros(len(rows.counts), dtype=np.int64)
            filled = rows.counts > 0
            highest[filled] = np.maximum.reduceat(own, (np.cumsum(rows.counts) - rows.counts)[filled])
            weights = _largest_scaled(rows.weights, highest[rows.row_of_entry] - before[rows.inputs])
            best = max(best, factor * weights, factor * _largest_scaled(rows.biases, own))
        return best

    def with_exponents(self, exponents: Sequence[IntegerArray | None]) -> IntegerLayers:
        """The same network with other exponents (lists become arrays): other weights, the same function."""
        return replace(self, exponents=tuple(exponents))

    # Exact values on a grid

    def on_grid(self, grid_bits: int, domain: str) -> tuple[tuple[Rows, ...], int]:
        """The rows as they read the numerators of a grid's points (see `grid_numerators`), and the carry c.

        Every unit of these rows is 2^c times one of the network; see the module's text.
        """
        first, *others = self.rows
        wanted = numerator_bits(grid_bits, domain)
        shared = int(np.bitwise_or.reduce(first.weights, initial=0)) | 1 << wanted
        common = (shared & -shared).bit_length() - 1
        carry = wanted - common
        first = replace(first, weights=first.weights >> common)
        if carry == 0:
            return (first, *others), 0
        lifted = (replace(rows, biases=integers(rows.biases.astype(object) << carry)) for rows in (first, *others))
        return tuple(lifted), carry

    def grid_values(self, indices: NDArray[Any], grid_bits: int, domain: str) -> tuple[IntegerArray, Fraction]:
        """Evaluate exactly at many points of a grid, in int64 where no partial sum can reach 2^62.

        Args:
            indices: Integers X of shape (n, dim), 0 <= X <= 2^grid_bits.
            grid_bits: The fineness p of the grid: x = X / 2^p, or 2 X / 2^p - 1 on [-1,1]^d.
            domain: One of DOMAINS.

        Returns:
            Integers of shape (n, outputs), and the scale: the values are their products.

        Raises:
            BadInput: The indices are no such array.

        >>> step, difference = Block([0], [8], [-3, -4]), OutputRow([0, 1], [1, -1], 0)
        >>> net = IntegerLayers(1, ((step,),), (None,), (difference,), Fraction(5))
        >>> values, scale = net.grid_values(np.array([[1], [7], [16]]), 4, "[0,1]^d")
        >>> values.tolist(), scale
        ([[0], [1], [2]], Fraction(5, 2))
        """
        numerators = grid_numerators(checked_indices(indices, self.dim, grid_bits), grid_bits, domain)
        rows, carry = self.on_grid(grid_bits, domain)
        step = self._points_at_once
        starts = range(0, len(numerators), step)
        blocks = [_exact_values(rows, numerators[start : start + step].T) for start in starts]
        values = np.concatenate(blocks) if blocks else np.zeros((0, len(self.outputs)), dtype=np.int64)
        return values, self.scale / 2**carry

    # Floating point

    def _largest_sums(self, grid_bits: int, domain: str, masked: Collection[int]) -> list[int]:
        rows, _ = self.on_grid(grid_bits, domain)
        ends = np.array([0, 1 << grid_bits])
        low, high = grid_numerators(ends, grid_bits, domain).tolist()
        return largest_sums(rows, low, high, masked)

    def accumulator_bits(self, grid_bits: int, domain: str, masked: Collection[int] = ()) -> int:
        """The bits of the largest sum |w_1| h_1 + ... + |w_n| h_n + |b| over all rows, in integers, at grid points.

        Every sum that an evaluation meets, in whatever order, is below 2 to the power of this.

        Args:
            grid_bits: The fineness of the grid.
            domain: One of DOMAINS.
            masked: See `depthsep.networks.accumulators.largest_sums`.
        """
        return max(self._largest_sums(grid_bits, domain, masked)).bit_length()

    def float_obstacle(self, form: FloatFormat, grid_bits: int, domain: str, masked: Collection[int] = ()) -> str:
        """Why evaluation in a floating-point format is not guaranteed exact on the grid; "" if it is.

        The guarantee, and its proof, is that of `depthsep.networks.accumulators`.
        """
        if self.scale.denominator & (self.scale.denominator - 1):
            return f"the scale {self.scale} is no {form.name} number"
        *sums, last = self._largest_sums(grid_bits, domain, masked)
        bits = max(*sums, last * abs(self.scale.numerator)).bit_length()
        if bits > form.digits:
            return f"sums reach 2^{bits - 1}, and {form.name} holds the integers up to 2^{form.digits}"
        last_weights = self.rows[-1].weights.astype(object) * self.scale.numerator
        significant = max(_significant_bits(w) for w in (last_weights, *(rows.weights for rows in self.rows[:-1])))
        if max(numerator_bits(grid_bits, domain), significant) > form.digits:
            return f"a weight or a grid point has more than the {form.digits} digits of {form.name}"
        if not self._exponents_fit(form, self.on_grid(grid_bits, domain)[1], numerator_bits(grid_bits, domain)):
            return f"the exponents leave the range of {form.name}"
        return ""

    def _exponents_fit(self, form: FloatFormat, carry: int, input_bits: int) -> bool:
        """Whether all weights, and all sums of integers below 2^digits, are normal numbers."""
        *exponents, last = self.unit_exponents
        last = last - (self.scale.denominator.bit_length() - 1)
        ends = [(int(own.min()), int(own.max())) for own in (*exponents, last)]
        widest = max(form.digits, *(largest(rows.weights).bit_length() for rows in self.rows))
        widest += abs(self.scale.numerator).bit_length()
        return -input_bits >= form.least and all(
            min(low - before_high, low - carry) >= form.least and max(high - before_low, high) + widest <= form.most
            for (before_low, before_high), (low, high) in pairwise(ends)
        )

    def float64_exact_on_grid(self, grid_bits: int, domain: str, masked: Collection[int] = ()) -> bool:
        """Whether evaluation in float64 is guaranteed exact at every grid point; see `float_obstacle`."""
        return not self.float_obstacle(FLOAT64, grid_bits, domain, masked)

    def float32_exact_on_grid(self, grid_bits: int, domain: str, masked: Collection[int] = ()) -> bool:
        """The same for float32, in the sense of IEEE 754: no shorter products, as some GPUs use for speed."""
        return not self.float_obstacle(FLOAT32, grid_bits, domain, masked)

    @property
    def _points_at_once(self) -> int:
        """How many points keep the working arrays small."""
        return max(1, _NUMBERS_AT_ONCE // max(self.dim, *self.widths, *(len(rows.weights) for rows in self.rows)))

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate the rows of `points` in float64, each row of a block once.

        Exact where `depthsep.networks.accumulators` says so; elsewhere nothing is proved about the rounding.

        Args:
            points: Array of shape (n, dim).

        Returns:
            Array of shape (n, outputs).

        Raises:
            BadInput: The points are not finite real numbers of shape (n, dim).
        """
        array = as_points(points, self.dim)
        with np.errstate(over="ignore", invalid="ignore"):
            blocks = [self._float_values(block.T) for block in point_blocks(array, self._points_at_once)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.outputs)))

    def _float_values(self, values: Array) -> Array:
        *hidden, last = self.rows
        for rows in hidden:
            values = rows.spread(rows.float_matrix @ values, rows.biases.astype(np.float64))
            np.maximum(values, 0.0, out=values)
        sums = last.spread(last.float_matrix @ values, last.biases.astype(np.float64))
        return np.asarray(sums.T * float(self.scale))

    def sparse_layers(self) -> SparseLayers:
        """Expand to layers [(W, b), ...] of CSR arrays in float64, with exponents and scale applied, all exact.

        Raises:
            BadInput: A weight or a bias is no float64.
        """
        layers: SparseLayers = []
        for place, rows in enumerate(self.rows):
            before, own = self.unit_exponents[place : place + 2]
            factor = self.scale if place == len(self.layers) else Fraction(1)
            pointers, entries = rows.expanded()
            inputs = rows.inputs[entries]
            shifts = np.repeat(own, np.diff(pointers)) - before[inputs]
            weights = _scaled_floats(rows.weights, entries, factor, shifts)
            biases = _scaled_floats(rows.biases, np.arange(len(own)), factor, own)
            layers.append((sparse.csr_array((weights, inputs, pointers), shape=(len(own), rows.columns)), biases))
        return layers

    def integer_layers(self) -> list[tuple[Any, NDArray[np.int64]]]:
        """Expand to layers [(W, b), ...] of CSR arrays in int64, without exponents and scale.

        Raises:
            BadInput: A number is 2^62 or more.
        """
        if self.max_integer >= INT64_SAFE:
            found = f"an integer of {self.max_integer.bit_length()} bits"
            raise BadInput("the layers of a network in int64", found=found, needed="integers below 2^62")
        layers = []
        for rows in self.rows:
            pointers, entries = rows.expanded()
            data = (rows.weights[entries], rows.inputs[entries], pointers)
            layers.append((sparse.csr_array(data, shape=(len(rows.biases), rows.columns)), rows.biases))
        return layers

    # Documents

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "activation": "relu",
            "dim": self.dim,
            "layers": [
                {
                    "blocks": [
                        {name: getattr(block, name).tolist() for name in ("inputs", "weights", "biases")}
                        for block in blocks
                    ],
                    "exponents": None if exponents is None else exponents.tolist(),
                }
                for blocks, exponents in zip(self.layers, self.exponents, strict=True)
            ],
            "output": {
                "rows": [
                    {name: getattr(row, name).tolist() for name in ("inputs", "weights")} | {"bias": int(row.bias)}
                    for row in self.outputs
                ],
                "scale": str(self.scale),
            },
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any]) -> IntegerLayers:
        """Read the NETWORK object of a document that was checked."""
        output = obj["output"]
        return cls(
            dim=obj["dim"],
            layers=tuple(tuple(Block(**block) for block in layer["blocks"]) for layer in obj["layers"]),
            exponents=tuple(
                None if e is None else integers(e) for e in (layer["exponents"] for layer in obj["layers"])
            ),
            outputs=tuple(OutputRow(**row) for row in output["rows"]),
            scale=Fraction(output["scale"]),
        )


def _exact_values(rows: Sequence[Rows], values: IntegerArray) -> IntegerArray:
    """The outputs, one row a point, from the inputs, one column a point."""
    for layer in rows[:-1]:
        values = layer.spread(layer.exact_sums(values), layer.biases)
        np.maximum(values, 0, out=values)
        values = narrowed(values)
    return np.asarray(rows[-1].spread(rows[-1].exact_sums(values), rows[-1].biases).T)


def _check_rows(asked: str, name: str, rows: Rows) -> None:
    """Refuse rows that read what is not there, or read something twice or for nothing."""
    if not rows.counts.all() or not len(rows.counts):
        found = f"{name} {int(np.argmin(rows.counts))} has no bias" if len(rows.counts) else f"{name} list is empty"
        raise BadInput(asked, found=found, needed="at least one block in a layer, and one bias in a block")
    outside = (rows.inputs < 0) | (rows.inputs >= rows.columns)
    repeated = np.zeros(len(rows.inputs), dtype=bool)
    repeated[1:] = (np.diff(rows.inputs) <= 0) & (np.diff(rows.row_of_entry) == 0)
    for wrong, needed in (
        (outside, f"inputs from 0 to {rows.columns - 1}"),
        (repeated, "inputs that increase strictly"),
        (rows.weights == 0, "weights other than 0"),
    ):
        if wrong.any():
            entry = int(np.flatnonzero(wrong)[0])
            found = f"{name} {rows.row_of_entry[entry]}: input {rows.inputs[entry]} with weight {rows.weights[entry]}"
            raise BadInput(asked, found=found, needed=needed)
    if max(largest(rows.weights), largest(rows.biases)) >= _LARGEST:
        raise BadInput(asked, found=f"{name} list with an integer of more than 100 digits", needed="at most 100 digits")


def _significant_bits(values: IntegerArray) -> int:
    """The largest number of binary digits from the first to the last nonzero one."""
    if largest(values) < 2**24:
        return 24
    bits: list[int] = [(abs(value) // (value & -value)).bit_length() for value in values.tolist()]
    return max(bits)


def _largest_scaled(values: IntegerArray, exponents: NDArray[np.int64]) -> Fraction:
    """The largest |value| 2^exponent, exactly: one candidate for each exponent that occurs."""
    sizes = ((exponent, largest(values[exponents == exponent])) for exponent in np.unique(exponents).tolist())
    return max((size * Fraction(2) ** exponent for exponent, size in sizes), default=Fraction(0))


def _scaled_floats(values: IntegerArray, entries: NDArray[np.int64], factor: Fraction, shifts: NDArray[Any]) -> Array:
    """factor * values[entries] * 2^shifts in float64, exactly or not at all."""
    asked = "the layers of a network in float64"
    top, bottom = factor.numerator, factor.denominator
    if bottom & (bottom - 1):
        do = "evaluate with grid_values, which is exact"
        raise BadInput(asked, found=f"the scale {factor}", needed="a power of two as its denominator", do=do)
    products = values if top == 1 else narrowed(values.astype(object) * top)
    needed = "numbers of at most 53 significant bits, below 2^1024"
    try:
        floats = products.astype(np.float64)
    except OverflowError:
        raise BadInput(asked, found=f"an integer of {largest(products).bit_length()} bits", needed=needed) from None
    lost = floats.astype(products.dtype) != products  # Python compares a float with an integer exactly
    if lost.any():
        raise BadInput(asked, found=f"the integer {products[lost][0]}", needed=needed)
    shifts = shifts - (bottom.bit_length() - 1)
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(floats[entries], shifts)
        exact_shift = np.isfinite(scaled) & (np.ldexp(scaled, -shifts) == floats[entries])
    if not exact_shift.all():
        place = int(np.flatnonzero(~exact_shift)[0])
        found = f"{float(floats[entries][place])} times 2^{shifts[place]}"
        raise BadInput(asked, found=found, needed="numbers in the range of float64", do="choose smaller exponents")
    return np.asarray(scaled)
