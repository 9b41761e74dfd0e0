"""How rows of an integer network are compared with what they have to compute.

Units of a block share its row, so they are relu(V + b) with one and the same integer V, whose interval is known. A row
that reads them therefore computes a function of the V of each block; `difference` compares these functions with the
expected ones on the whole interval, and returns the constant by which the row as a whole differs. Whoever asked
compares that constant with a bias, or moves the biases of the block by it. A row must read nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from depthsep_check.columns import Form
from depthsep_check.integer_layers import Block, Layer, Row
from depthsep_check.staircases import Staircase, hinges, identity, plus, times
from depthsep_check.verdict import Refuted


@dataclass(frozen=True, slots=True)
class Seen:
    """What a layer offers of an integer V in low..high: relu(V - t) for t in `breaks`, from unit `start` on."""

    start: int
    breaks: list[int]
    low: int
    high: int

    def part(self, row: Row) -> tuple[Staircase, int]:
        """The function of V that the row reads here, and the number of its weights that this takes."""
        first = bisect_left(row.inputs, self.start)
        last = bisect_left(row.inputs, self.start + len(self.breaks), first)
        start, breaks = self.start, self.breaks
        weights = zip(row.inputs[first:last], row.weights[first:last], strict=True)
        return hinges(self.low, self.high, ((breaks[unit - start], w) for unit, w in weights)), last - first

    def require_breaks(self, jumps: int, step: str) -> None:
        """Refuse a function of so many jumps before it is built: each of them needs a break of its own."""
        if jumps > 2 * len(self.breaks) + 4:
            raise Refuted(step, f"a function with at least {jumps} jumps cannot be read from {len(self.breaks)} units")


Terms = Iterable[tuple[Seen, Staircase]]


def nothing(value: int) -> Seen:
    """A constant: nobody needs a unit to read it."""
    return Seen(0, [], value, value)


def single_unit(start: int, high: int) -> Seen:
    """A unit whose value is the integer itself, in 0..high."""
    return Seen(start, [0], 0, high)


def value_of(seen: Seen, factor: int = 1) -> tuple[Seen, Staircase]:
    """The term factor * V."""
    return seen, times(identity(seen.low, seen.high), factor)


def difference(row: Row, terms: Terms, step: str) -> int:
    """The constant r with: row = sum of the terms + r at every value of every V; the terms see different blocks.

    Raises:
        Refuted: at `step`, when there is none, or when the row reads units that no term sees.
    """
    constant = used = 0
    for seen, wanted in terms:
        found, count = seen.part(row)
        if not found.bends_like(wanted):
            raise Refuted(step, f"it does not compute the right function of the units from {seen.start} on")
        constant += found.value - wanted.value
        used += count
    if used != len(row.inputs):
        raise Refuted(step, f"it reads {len(row.inputs)} units, only {used} of them belong to it")
    return constant


class Walk:
    """The blocks of one layer in order; each has to be taken by the one that knows what it computes."""

    def __init__(self, layer: Layer, number: int) -> None:
        """Start at the first block of the hidden layer of this number."""
        self._layer = layer
        self._number = number
        self._taken = 0

    @property
    def step(self) -> str:
        """The place of the block taken last."""
        return f"network.layers[{self._number}].blocks[{max(0, self._taken - 1)}]"

    def take(self) -> Block:
        """The next block."""
        self._taken += 1
        if self._taken > len(self._layer.blocks):
            raise Refuted(self.step, "this block is missing")
        return self._layer.blocks[self._taken - 1]

    def next_row(self) -> Row | None:
        """The row of the next block, which stays to be taken."""
        return self._layer.blocks[self._taken].row if self._taken < len(self._layer.blocks) else None

    def block(self, terms: Terms, low: int, high: int, constant: int = 0) -> Seen:
        """A block on V = sum of the terms + constant, which lies in low..high."""
        block = self.take()
        return self.seen(block, difference(block.row, terms, self.step) - constant, low, high)

    def seen(self, block: Block, offset: int, low: int, high: int) -> Seen:
        """A block whose row is V + offset."""
        return Seen(block.start, [-offset - bias for bias in block.biases], low, high)

    def unit(self, terms: Terms, high: int, constant: int = 0) -> Seen:
        """A block of one unit, relu(sum of the terms + constant), whose value is an integer in 0..high."""
        block = self.take()
        return self.only_unit(block, difference(block.row, terms, self.step) - constant, high)

    def only_unit(self, block: Block, offset: int, high: int) -> Seen:
        """A block of one unit whose row is V + offset and whose value has to be relu(V), in 0..high."""
        if block.biases != [-offset]:
            raise Refuted(self.step, f"it needs exactly one bias, {-offset}")
        return single_unit(block.start, high)

    def on_form(self, digits: Digits, form: Form) -> Seen:
        """A block on a form of digits, if it is not constant."""
        if form.is_constant:
            return nothing(form.constant)
        block = self.take()
        return self.seen(block, digits.offset(block.row, form, self.step), form.low, form.high)

    def store_form(self, digits: Digits, form: Form) -> Seen:
        """A block of one unit that stores form - low, if it is not constant."""
        if form.is_constant:
            return nothing(form.constant)
        block = self.take()
        return self.only_unit(block, digits.offset(block.row, form, self.step) + form.low, form.high - form.low)

    def on_stored_form(self, form: Form, unit: Seen) -> Seen:
        """A block on a form that the unit stores as form - low; a constant stays one."""
        if form.is_constant:
            return unit
        return self.block([value_of(unit)], form.low, form.high, form.low)

    def finish(self) -> None:
        """Insist that all blocks are taken, or that a layer without any has one empty block with the bias 0."""
        if self._taken == 0:
            block = self.take()
            if block.row.inputs or block.biases != [0]:
                raise Refuted(self.step, "a layer without blocks has one with an empty row and the bias 0")
        if self._taken != len(self._layer.blocks):
            self._taken += 1
            raise Refuted(self.step, f"the layer ends before it, {len(self._layer.blocks)} blocks are too many")


class Walks:
    """The hidden layers of a network in order."""

    def __init__(self, layers: Sequence[Layer], wanted: int) -> None:
        """Insist on the number of layers.

        Raises:
            Refuted: there are more or fewer than `wanted`.
        """
        if len(layers) != wanted:
            raise Refuted("network.layers", f"{len(layers)} hidden layers, this mode has {wanted}")
        self._layers = iter(enumerate(layers))

    @contextmanager
    def next(self) -> Iterator[Walk]:
        """A walk through the next layer, which has to end at its last block."""
        number, layer = next(self._layers)
        walk = Walk(layer, number)
        yield walk
        walk.finish()


class Digits(ABC):
    """The digits y_e in 0..highs[e] that a layer offers to the rows of the next one."""

    highs: Sequence[int]

    @abstractmethod
    def offset(self, row: Row, form: Form, step: str) -> int:
        """The constant r with row = form + r, or a refusal."""

    @abstractmethod
    def coefficients(self, row: Row) -> dict[int, int]:
        """The coefficients of the only form that the row can be, if it is one at all."""


class StoredDigits(Digits):
    """Every digit is a sum of consecutive units, in the modes `theorem` and `compact` of one."""

    def __init__(self, highs: Sequence[int], units: Sequence[range]) -> None:
        """The ranges and the units of every digit."""
        self.highs = highs
        self._units = units

    def offset(self, row: Row, form: Form, step: str) -> int:
        """Rows of forms are compared coefficient by coefficient."""
        inputs: list[int] = []
        weights: list[int] = []
        for digit in sorted(form.coefficients):
            units = self._units[digit]
            inputs.extend(units)
            weights.extend([form.coefficients[digit]] * len(units))
        if row.inputs != inputs or row.weights != weights:
            raise Refuted(step, "the row is not that of its form")
        return -form.constant

    def coefficients(self, row: Row) -> dict[int, int]:
        """The weight of the first unit of each digit."""
        weights = dict(zip(row.inputs, row.weights, strict=True))
        return {digit: weights[u[0]] for digit, u in enumerate(self._units) if u[0] in weights}


class RampDigits(Digits):
    """Digits are functions of the ramps of one coordinate; e of coordinate j is number j len(functions) + e."""

    def __init__(
        self, highs: Sequence[int], seen: Sequence[Seen], functions: Sequence[Staircase], ones: Sequence[int]
    ) -> None:
        """Ranges, the block of each coordinate, the digits as functions, arguments where only digit e is not 0."""
        self.highs = highs
        self._seen = seen
        self._functions = functions
        self._ones = ones

    def offset(self, row: Row, form: Form, step: str) -> int:
        """Rows of forms are compared as functions of each coordinate."""
        wanted: dict[int, Staircase] = {}
        for number, coefficient in form.coefficients.items():
            coordinate, digit = divmod(number, len(self._functions))
            own = times(self._functions[digit], coefficient)
            wanted[coordinate] = plus(wanted[coordinate], own) if coordinate in wanted else own
        return difference(row, ((self._seen[j], f) for j, f in wanted.items()), step) - form.constant

    def coefficients(self, row: Row) -> dict[int, int]:
        """The increase of the function of each coordinate from 0 to the number whose only digit is a 1 in place e."""
        found: dict[int, int] = {}
        for coordinate, seen in enumerate(self._seen):
            function, _ = seen.part(row)
            for digit, one in enumerate(self._ones):
                found[coordinate * len(self._ones) + digit] = function.at(one) - function.value
        return found
