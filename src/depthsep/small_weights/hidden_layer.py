"""One hidden layer of the source: relu(S_i) from the digits of the layer before, as digits again.

The sign of S comes from windows (`columns`). Its value goes on in redundant digits, so that no carry has to run:
Q_c = floor((T_c + B/2) / B), D'_c = T_c - B Q_c + Q_(c-1), and sum_c B^c D'_c = S / q telescopes. Every D'_c is in a
short range dlo..dhi; y = D'_c - dlo is one digit, or two in base u. With off = sum_c dlo_c B^c

    relu(S) = q (off [S > 0] + sum_c B^c y_c [S > 0]),     y [S > 0] = relu(y - K (1 - [S > 0])) for 0 <= y <= K.

`theorem` takes three layers: thresholds on T_c and V_c; [S > 0] and y; the products. `compact` stores T_c, V_c and y in
single units before thresholds are put on them, so that each threshold has one weight: five layers, far fewer weights.
`merged` splits T_c into digits at once and multiplies each by pos_c - (sum of dec above c), at most one of which is 1:
two layers, many more weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from depthsep.small_weights.columns import Columns, Form, Window
from depthsep.small_weights.digits import Activations, Digits, Target
from depthsep.small_weights.layer_plan import LayerPlan, OnBlock, Reading, Sum, identity
from depthsep.small_weights.parameters import LayerParameters
from depthsep.small_weights.staircases import Points, Staircase

__all__ = ["hidden_layer"]

ZERO = Points((0,))

Part = tuple[Staircase, int, int]  # a digit as a function of an integer, its range, its weight in that integer


@dataclass
class _Held:
    """The digits that the last layer holds, collected neuron by neuron."""

    highs: list[int] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    coefficients: list[int] = field(default_factory=list)

    def append(self, owner: int, coefficient: int, high: int, copies: int = 1) -> None:
        """One more digit, the sum of some units of its own."""
        self.highs.append(high)
        self.copies.append(copies)
        self.owners.append(owner)
        self.coefficients.append(coefficient)


@dataclass(frozen=True)
class _Neuron:
    """One preactivation S in columns, and where the digits of relu(S) go."""

    owner: int
    before: Digits
    columns: Columns
    digit_size: int
    held: _Held

    @property
    def base(self) -> int:
        """B."""
        return 1 << self.columns.column_bits

    def weight(self, column: int) -> int:
        """q B^c."""
        return self.columns.divisor << (self.columns.column_bits * column)

    def read(self, form: Form, store: LayerPlan | None) -> Reading:
        """Read a form that is not constant from the digits before, or from a unit that stores it."""
        reading = self.before.read(form)
        return reading if store is None else store.store(reading, form.low, form.high)


def hidden_layer(
    before: Digits, targets: Iterable[Target], denominator: int, parameters: LayerParameters, mode: str
) -> tuple[list[LayerPlan], Activations]:
    """Plan the layers for one hidden layer of the source.

    Args:
        before: The digits of the layer before.
        targets: The preactivations S_i.
        denominator: Their Den.
        parameters: Column bits, digit size and stride.
        mode: "theorem", "compact" or "merged".

    Returns:
        The layers, and the activations as the last of them holds them.
    """
    add, count = {"theorem": (_theorem, 3), "compact": (_compact, 5), "merged": (_merged, 2)}[mode]
    layers, held, constants = [LayerPlan() for _ in range(count)], _Held(), []
    for owner, target in enumerate(targets):
        constants.append(max(0, target.low) if target.low == target.high else 0)
        if target.low < target.high and target.high > 0:
            columns = target.columns(before.highs, parameters.column_bits, parameters.stride)
            add(layers, _Neuron(owner, before, columns, parameters.digit_size, held))
    activations = Activations(
        Digits.grouped(held.highs, held.copies),
        np.array(held.owners, dtype=np.int64),
        np.array(held.coefficients, dtype=object),
        np.array(constants, dtype=object),
        denominator,
    )
    return [layer.close() for layer in layers], activations


def _theorem(layers: list[LayerPlan], neuron: _Neuron) -> None:
    thresholds, signs, products = layers
    _redigit(neuron, None, thresholds, signs, None, products)


def _compact(layers: list[LayerPlan], neuron: _Neuron) -> None:
    _redigit(neuron, *layers)


def _redigit(
    neuron: _Neuron,
    store: LayerPlan | None,
    thresholds: LayerPlan,
    signs: LayerPlan,
    splits: LayerPlan | None,
    products: LayerPlan,
) -> None:
    """The blocks of one neuron in the modes `theorem` and, with the layers `store` and `splits`, `compact`."""
    carries = [_Carry(form, neuron.base) for form in neuron.columns.forms]
    readings = [carry.add_block(thresholds, neuron, store) for carry in carries]
    gates = _gates([_window(thresholds, neuron, window, store) for window in neuron.columns.windows])
    selected: Reading = Sum(tuple((1, signs.store(gate, 0, 1)) for gate in gates))
    if splits is not None:
        selected = splits.store(selected, 0, 1)
    offset, digits = 0, []
    for column, (low, high, terms) in enumerate(_telescoped(carries, readings)):
        offset += low << (neuron.columns.column_bits * column)
        if low < high:
            number: Reading = Sum(terms, -low)
            if splits is not None:
                number = signs.store(number, 0, high - low)
            digits += _digits(splits or signs, number, high - low, neuron.digit_size, neuron.weight(column))
    if offset:
        products.add(selected, ZERO)
        neuron.held.append(neuron.owner, neuron.columns.divisor * offset, 1)
    for digit, high, weight in digits:
        products.add(Sum(((1, digit), (high, selected)), -high), ZERO)
        neuron.held.append(neuron.owner, weight, high)


@dataclass(frozen=True)
class _Carry:
    """T_c = remainder + B Q."""

    form: Form
    base: int

    def quotient(self, value: int) -> int:
        """Q = floor((T + B/2) / B)."""
        return (value + self.base // 2) // self.base

    @cached_property
    def quotients(self) -> tuple[int, int]:
        """The least and the largest Q."""
        return self.quotient(self.form.low), self.quotient(self.form.high)

    @property
    def remainders(self) -> tuple[int, int]:
        """The range of T - B Q: exact where Q is constant."""
        low, high = self.quotients
        if low == high:
            return self.form.low - self.base * low, self.form.high - self.base * low
        return -self.base // 2, self.base // 2 - 1

    def add_block(self, layer: LayerPlan, neuron: _Neuron, store: LayerPlan | None) -> tuple[Reading, Reading]:
        """The block on T; what is read of it is T - B Q and Q."""
        form, base = self.form, self.base
        quotient = self.quotients[0]
        if form.is_constant:
            return Sum(offset=form.low - base * quotient), Sum(offset=quotient)
        jump = base // 2
        rest = Staircase(form.low, form.high, form.low - base * quotient, 1, base, ((jump, -base),))
        block = layer.add(neuron.read(form, store), rest.kinks)
        return OnBlock(block, rest), OnBlock(block, Staircase(form.low, form.high, quotient, 0, base, ((jump, 1),)))


def _telescoped(
    carries: list[_Carry], readings: list[tuple[Reading, Reading]]
) -> Iterator[tuple[int, int, tuple[tuple[int, Reading], ...]]]:
    """The range of D'_c = (T_c - B Q_c) + Q_(c-1) for c = 0..n, and its terms."""
    low, high = 0, 0
    terms: tuple[tuple[int, Reading], ...] = ()
    for carry, (rest, quotient) in zip(carries, readings, strict=True):
        yield low + carry.remainders[0], high + carry.remainders[1], (*terms, (1, rest))
        (low, high), terms = carry.quotients, ((1, quotient),)
    yield low, high, terms


def _window(layer: LayerPlan, neuron: _Neuron, window: Window, store: LayerPlan | None) -> tuple[Reading, Reading]:
    """The block on V_c; what is read of it is pos and dec."""
    form = window.form
    if form.is_constant:
        positive, decided = window.signs(form.low)
        return Sum(offset=positive), Sum(offset=decided)
    kinks = window.positive.kinks_with(window.decided if window.column else window.positive)
    block = layer.add(neuron.read(form, store), kinks)
    return OnBlock(block, window.positive), OnBlock(block, window.decided)


def _gates(windows: list[tuple[Reading, Reading]]) -> list[Reading]:
    """pos_c - sum of dec above c: 1 in the column that decides if S > 0, at most 0 elsewhere."""
    minus = tuple((-1, decided) for _, decided in windows)
    return [Sum(((1, positive), *minus[place:])) for place, (positive, _) in enumerate(windows, 1)]


def _digits(layer: LayerPlan, number: Reading, high: int, size: int, weight: int) -> list[tuple[Reading, int, int]]:
    """The block on a number 0..high; what is read of it is the number itself, or two digits if it is large."""
    if 2 * high < 3 * size:
        parts: list[Part] = [(identity(0, high), high, 1)]
    else:
        rest = Staircase(0, high, slope=1, period=size, jumps=((0, -size),))
        quotient = Staircase(0, high, period=size, jumps=((0, 1),))
        parts = [(rest, size - 1, 1), (quotient, high // size, size)]
    block = layer.add(number, parts[0][0].kinks)
    return [(OnBlock(block, function), most, weight * factor) for function, most, factor in parts]


def _merged(layers: list[LayerPlan], neuron: _Neuron) -> None:
    thresholds, products = layers
    columns, size, offset, digits = neuron.columns, neuron.digit_size, 0, []
    for column, form in enumerate(columns.forms):
        offset += form.low << (columns.column_bits * column)
        if not form.is_constant:
            parts = _all_digits(form.low, form.high, size)
            block = thresholds.add(neuron.read(form, None), parts[0][0].kinks)
            weight = neuron.weight(column)
            digits += [(OnBlock(block, function), most, weight * factor) for function, most, factor in parts]
    gates = _gates([_window(thresholds, neuron, window, None) for window in columns.windows])
    if offset:
        for gate in gates:
            products.add(gate, ZERO)
        neuron.held.append(neuron.owner, columns.divisor * offset, 1, len(gates))
    for digit, high, weight in digits:
        for gate in gates:
            products.add(Sum(((1, digit), (high, gate)), -high), ZERO)
        neuron.held.append(neuron.owner, weight, high, len(gates))


def _all_digits(low: int, high: int, size: int) -> list[Part]:
    """All base-`size` digits of T - low, lowest first, the last one without a modulus."""
    parts: list[Part] = []
    power = 1
    while power * size <= high - low:
        steps = [(low + power * number, 1) for number in range(1, size)]
        jumps = ((low, -size),) if power == 1 else (*steps, (low, 1 - size))
        digit = Staircase(low, high, slope=int(power == 1), period=power * size, jumps=jumps)
        parts.append((digit, size - 1, power))
        power *= size
    last = Staircase(low, high, period=power, jumps=((low, 1),)) if parts else Staircase(low, high, slope=1)
    return [*parts, (last, (high - low) // power, power)]
