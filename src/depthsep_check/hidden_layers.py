"""One hidden layer of a source network on digits: relu(S) of every neuron, in two, three or five layers of blocks.

`columns` proves what the blocks stand for: S / q = sum_c B^c D'_c, or sum_c B^c T_c, and [S > 0] = sum_c h_c with at
most one h_c = 1.

**Mask.** With y in 0..K and an integer g >= 0, relu(y - K g) is y where g = 0 and 0 elsewhere. With g = 1 - [S > 0]
this makes y [S > 0]; with g = 1 - pos_c + sum of dec above c, which is 0 exactly where h_c = 1, the sum over the sign
columns does. Hence relu(S) = q (off [S > 0] + sum of the digits, masked, times their places), where off collects the
lower ends of the columns.

The modes differ in the layers that the steps take:
`theorem`  A: T_c and V_c; B: h_c and D'_c; C: masks.
`compact`  A0 stores T_c and V_c, A as above; B stores h_c and D'_c; B2: [S > 0] and D'_c; C: masks.
`merged`   A: T_c and V_c; M: masks of the digits of T_c, once for each sign column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from depthsep_check.columns import Carry, Columns, Form, carries, combined, form_of, split_columns
from depthsep_check.layer_reading import Digits, Seen, StoredDigits, Terms, Walk, Walks, nothing, value_of
from depthsep_check.read_out import Activations
from depthsep_check.relu_networks import IntegerLayer
from depthsep_check.staircases import Staircase, decided, digit, floor_quotient, identity, plus, positive, times
from depthsep_check.verdict import Budget, Exhausted

LAYERS = {"theorem": 3, "compact": 5, "merged": 2}
_MAX_BITS = 2**17


@dataclass(frozen=True, slots=True)
class Parameters:
    """L `column_bits`, u `digit_size`, s `stride` of one hidden layer of the source."""

    column_bits: int
    digit_size: int
    stride: int


@dataclass(slots=True)
class _Neuron:
    """A neuron whose sign depends on the input, and the blocks that were found for it so far."""

    columns: Columns
    carries: tuple[Carry, ...]
    forms: list[Seen] = field(default_factory=list)
    windows: list[Seen] = field(default_factory=list)
    selectors: list[Seen] = field(default_factory=list)
    places: list[Seen] = field(default_factory=list)

    @property
    def all_forms(self) -> list[Form]:
        """T_0, T_1, ..., then V_c for the sign columns."""
        return [*self.columns.forms, *(window.form for window in self.columns.windows)]

    def keep(self, seen: list[Seen]) -> None:
        """Remember the blocks of `all_forms`."""
        count = len(self.columns.forms)
        self.forms, self.windows = seen[:count], seen[count:]


class _Masked:
    """The digits that a simulated layer ends with: their ranges and units."""

    def __init__(self) -> None:
        self.highs: list[int] = []
        self.units: list[range] = []

    def add(self, seen: Seen, count: int = 1) -> int:
        """A digit that is the sum of `count` units, the first of which is given; its number."""
        self.highs.append(seen.high)
        self.units.append(range(seen.start, seen.start + count))
        return len(self.highs) - 1

    def digits(self) -> StoredDigits:
        return StoredDigits(self.highs, self.units)


def read_hidden_layer(
    mode: str,
    walks: Walks,
    digits: Digits,
    layer: IntegerLayer,
    activations: Activations,
    parameters: Parameters,
    budget: Budget,
) -> tuple[Digits, Activations]:
    """Check the layers that stand for one hidden layer of the source.

    Args:
        mode: a key of LAYERS.
        walks: the layers from here on.
        digits: what the layer before offers.
        layer: the layer of the source, in integers.
        activations: the integer activations that enter it, as combinations of the digits.
        parameters: how the forms are split.
        budget: for the work on the forms.

    Returns:
        The digits that come out, and the integer activations as their combinations.

    Raises:
        Refuted: a row or a bias is not what it has to be.
    """
    forms = [_preactivation(*pair, activations, digits, parameters, budget) for pair in _pairs(layer)]
    neurons = [None if f.high <= 0 or f.is_constant else _split(f, digits, parameters) for f in forms]
    active = [neuron for neuron in neurons if neuron is not None]
    _read_forms(mode, walks, digits, active)
    masked = _Masked()
    if mode == "merged":
        results = iter(_merged_masks(walks, active, masked, parameters.digit_size))
    else:
        _read_columns(mode, walks, active)
        results = iter(_masks(walks, active, masked, parameters.digit_size))
    found: Activations = []
    for form, neuron in zip(forms, neurons, strict=True):
        found.append(({}, max(0, form.high)) if neuron is None else (next(results), 0))
    return masked.digits(), found


def _pairs(layer: IntegerLayer) -> list[tuple[tuple[tuple[int, int], ...], int]]:
    return list(zip(layer.rows, layer.biases, strict=True))


def _preactivation(
    row: tuple[tuple[int, int], ...],
    bias: int,
    activations: Activations,
    digits: Digits,
    parameters: Parameters,
    budget: Budget,
) -> Form:
    """S of one neuron; the budget is charged for finding and for splitting it."""
    budget.spend("forms", 1 + sum(1 + len(activations[j][0]) for j, _ in row))
    form = form_of(*combined(row, bias, activations), digits.highs)
    bits = max(form.size, *map(abs, form.coefficients.values()), abs(form.constant)).bit_length()
    if bits > _MAX_BITS:
        raise Exhausted("forms", f"integers of more than {_MAX_BITS} bits")
    columns = 1 + bits // parameters.column_bits
    pairs = (1 + columns // parameters.stride) ** 2
    budget.spend("forms", pairs + columns * len(form.coefficients) * (1 + bits // 4096))
    return form


def _split(form: Form, digits: Digits, parameters: Parameters) -> _Neuron:
    columns = split_columns(form, digits.highs, parameters.column_bits, parameters.stride)
    return _Neuron(columns, carries(columns))


def _read_forms(mode: str, walks: Walks, digits: Digits, neurons: Sequence[_Neuron]) -> None:
    """Layer A, and layer A0 before it in compact mode."""
    if mode != "compact":
        with walks.next() as walk:
            for neuron in neurons:
                neuron.keep([walk.on_form(digits, form) for form in neuron.all_forms])
        return
    with walks.next() as walk:
        for neuron in neurons:
            neuron.keep([walk.store_form(digits, form) for form in neuron.all_forms])
    with walks.next() as walk:
        for neuron in neurons:
            stored = zip(neuron.all_forms, [*neuron.forms, *neuron.windows], strict=True)
            neuron.keep([walk.on_stored_form(form, unit) for form, unit in stored])


def _read_columns(mode: str, walks: Walks, neurons: Sequence[_Neuron]) -> None:
    """Layer B, and layer B2 after it in compact mode."""
    with walks.next() as walk:
        for neuron in neurons:
            neuron.selectors = [walk.unit(terms, 1) for terms in _selector_terms(neuron, walk.step)]
            neuron.places = _places(neuron, walk, walk.unit if mode == "compact" else None)
    if mode == "compact":
        with walks.next() as walk:
            for neuron in neurons:
                neuron.selectors = [walk.unit([value_of(h) for h in neuron.selectors], 1)]
                neuron.places = [walk.block([value_of(y)], 0, y.high) if y.high else y for y in neuron.places]


def _selector_terms(neuron: _Neuron, step: str, factor: int = 1) -> list[list[tuple[Seen, Staircase]]]:
    """factor (pos_c - sum of dec above c) for every sign column, lowest first."""
    found: list[list[tuple[Seen, Staircase]]] = []
    above: list[tuple[Seen, Staircase]] = []
    for window, seen in zip(reversed(neuron.columns.windows), reversed(neuron.windows), strict=True):
        low, high, modulus, kappa = seen.low, seen.high, window.modulus, window.kappa
        seen.require_breaks((high - low) // modulus, step)
        found.append([(seen, times(positive(low, high, modulus, kappa), factor)), *above])
        above = [*above, (seen, times(decided(low, high, modulus, kappa), -factor))]
    return found[::-1]


def _places(neuron: _Neuron, walk: Walk, unit: Callable[[Terms, int, int], Seen] | None) -> list[Seen]:
    """D'_c - dlo_c for every column: a block, or one unit each."""
    found = []
    base, shift = neuron.columns.base, neuron.columns.base // 2
    quotients: list[Staircase] = []
    for seen in neuron.forms:
        seen.require_breaks((seen.high - seen.low) // base, walk.step)
        quotients.append(floor_quotient(seen.low, seen.high, base, shift))
    for carry in neuron.carries:
        high = carry.high - carry.low
        terms: list[tuple[Seen, Staircase]] = []
        if carry.column < len(neuron.forms):
            seen = neuron.forms[carry.column]
            terms.append((seen, plus(identity(seen.low, seen.high), times(quotients[carry.column], -base))))
        if carry.column:
            terms.append((neuron.forms[carry.column - 1], quotients[carry.column - 1]))
        if not high:
            found.append(nothing(0))
        elif unit is not None:
            found.append(unit(terms, high, -carry.low))
        else:
            found.append(walk.block(terms, 0, high, -carry.low))
    return found


def _masks(walks: Walks, neurons: Sequence[_Neuron], masked: _Masked, digit_size: int) -> list[dict[int, int]]:
    """Layer C: relu(S) of every neuron as a combination of its digits."""
    found = []
    with walks.next() as walk:
        for neuron in neurons:
            divisor, base = neuron.columns.divisor, neuron.columns.base
            relu: dict[int, int] = {}
            offset = sum(carry.low * base**carry.column for carry in neuron.carries)
            if offset:
                sign = walk.unit([value_of(h) for h in neuron.selectors], 1)
                relu[masked.add(sign)] = divisor * offset
            for carry, seen in zip(neuron.carries, neuron.places, strict=True):
                for function, high, factor in _cut(seen, digit_size, walk.step):
                    terms = [(seen, function), *(value_of(h, high) for h in neuron.selectors)]
                    relu[masked.add(walk.unit(terms, high, -high))] = divisor * base**carry.column * factor
            found.append(relu)
    return found


def _cut(seen: Seen, digit_size: int, step: str) -> list[tuple[Staircase, int, int]]:
    """Digits of y in 0..high as (function, range, factor): y itself if it is small, or y mod u and floor(y / u)."""
    high = seen.high
    if not high:
        return []
    if 2 * high < 3 * digit_size:
        return [(identity(0, high), high, 1)]
    seen.require_breaks(high // digit_size, step)
    above = floor_quotient(0, high, digit_size)
    rest = plus(identity(0, high), times(above, -digit_size))
    return [(rest, digit_size - 1, 1), (above, high // digit_size, digit_size)]


def _merged_masks(walks: Walks, neurons: Sequence[_Neuron], masked: _Masked, digit_size: int) -> list[dict[int, int]]:
    """Layer M: relu(S) of every neuron as a combination of digits that are sums over the sign columns."""
    found = []
    with walks.next() as walk:
        for neuron in neurons:
            divisor, base = neuron.columns.divisor, neuron.columns.base
            selectors = {1: _selector_terms(neuron, walk.step)}
            relu: dict[int, int] = {}
            offset = sum(form.low * base**c for c, form in enumerate(neuron.columns.forms))
            if offset:
                units = [walk.unit(terms, 1) for terms in selectors[1]]
                relu[masked.add(units[0], len(units))] = divisor * offset
            for column, seen in enumerate(neuron.forms):
                for place, (function, high) in enumerate(_all_digits(seen, digit_size, walk.step)):
                    if high not in selectors:
                        selectors[high] = _selector_terms(neuron, walk.step, high)
                    units = [walk.unit([(seen, function), *terms], high, -high) for terms in selectors[high]]
                    relu[masked.add(units[0], len(units))] = divisor * base**column * digit_size**place
            found.append(relu)
    return found


def _all_digits(seen: Seen, digit_size: int, step: str) -> list[tuple[Staircase, int]]:
    """All digits of T - low in base u, as functions of T and with their ranges."""
    found: list[tuple[Staircase, int]] = []
    low, high, rest = seen.low, seen.high, seen.high - seen.low
    seen.require_breaks(rest // digit_size, step)
    while rest:
        found.append((digit(low, high, digit_size, len(found), shift=-low), min(rest, digit_size - 1)))
        rest //= digit_size
    return found
