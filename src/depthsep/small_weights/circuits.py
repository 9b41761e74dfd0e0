"""From a network to a threshold circuit of small weights on the bits of its inputs.

Theorem (after Vardi & Shamir 2020; the construction and the proof are ours). Let N have depth k and rational weights of
any size, and let x range over the points x_j = X_j / 2^p (2 X_j / 2^p - 1 on [-1,1]^d), X_j = 0 .. 2^p - 1. Then
[N(x) >= theta] is a threshold circuit of depth 2k + 1 on the d p bits of the X_j. Its weights and thresholds are
polynomial in the number of digits, whatever the weights of N are; only the number of columns grows with their bits.

*Proof.* Every activation is an integer combination of bits over a known denominator, with big coefficients that are
in no weight. Let S be such a combination, q the gcd of its numbers, S / q = sum_c B^c T_c with the coefficients of T_c
in [-B/2, B/2). Level one has the gates [T_c >= t] for all t, so that every bit y of T_c - min T_c is a sum of +-1
gates, and the gates where pos_c and dec_c of the sign columns jump (`columns` has the lemma: [S > 0] = sum_c h_c,
h_c = [pos_c - sum of dec above c >= 1], at most one of them 1). Level two has the gates h_c, and for every bit y and
every sign column [y + pos_c - sum of dec above c >= 2]: their sum over c is y [S > 0]. So relu(S) is again a
combination of bits, and a hidden layer takes two levels. N(x) >= theta is S_o - ceil(theta Den) + 1 > 0: a level for
pos_c and dec_c, a level of h_c and one gate that adds them. QED

Differences: the classical route (Goldmann, Hastad & Razborov 1992; Goldmann & Karpinski 1998) trades each large weight
for one more level; here the sum inside a neuron costs nothing and the sign costs two levels per hidden layer.

Cost: a column takes max T - min T gates, a sign column 3 for each of its periods; level two takes a gate for each bit
and each sign column. `circuit_cost` counts them exactly before anything is built. `docs/small-weights-layout.md` fixes
the order of the gates, which is what the checker follows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.circuit import Circuit, CircuitOutput, GateBlock
from depthsep.networks.exact_numbers import exact_number
from depthsep.networks.grids import DOMAINS, check_domain
from depthsep.networks.relu import AffineLayer, ReluNetwork
from depthsep.progress import Progress, silent
from depthsep.small_weights.columns import Columns, Form, Window, split_columns

__all__ = ["CircuitCost", "ColumnChoice", "CompiledCircuit", "circuit_cost", "circuit_of"]

MAX_GATES = 10**6
MAX_GRID_BITS = 30
_MAX_NUMBERS = 8 * 10**6  # about as many as a document of 64 MiB holds
_COUNTED_GATES, _COUNTED_NUMBERS = 10**8, 2 * 10**8  # beyond either of them counting stops
_REFINED = 20_000  # gates up to which every layer gets columns of its own
_WIRES_PER_GATE = 1000  # wires that count as much as one gate, where columns are chosen
_WINDOW_BITS = 12  # of column_bits times stride: weights are about this long


@dataclass(frozen=True)
class ColumnChoice:
    """How the sums of one layer are cut: columns of `column_bits` bits, a sign column every `stride` columns."""

    column_bits: int
    stride: int


@dataclass(frozen=True)
class CircuitCost:
    """What a circuit takes, counted without building it.

    Args:
        inputs: Input bits.
        depth: Levels of gates.
        gates: Gates.
        wires: Pairs of a gate and something that it reads.
        max_weight: The largest absolute value among weights and thresholds.
        numbers: Integers that a document stores; gates of one block share their row.
        choices: The columns of each layer of the network.
    """

    inputs: int
    depth: int
    gates: int
    wires: int
    max_weight: int
    numbers: int
    choices: tuple[ColumnChoice, ...]

    @property
    def rank(self) -> int:
        """What the choice of columns makes small."""
        return _WIRES_PER_GATE * self.gates + self.wires


@dataclass(frozen=True)
class CompiledCircuit:
    """A circuit with what a document needs to have it checked.

    Args:
        circuit: The circuit.
        claim: The CLAIM object of the document format.
        witness: The WITNESS object.
        cost: What it takes.
    """

    circuit: Circuit
    claim: dict[str, Any]
    witness: dict[str, Any]
    cost: CircuitCost


def circuit_of(
    network: ReluNetwork,
    *,
    domain: str,
    grid_bits: int,
    output: int = 0,
    threshold: Fraction | int | str = 0,
    choices: Sequence[ColumnChoice] | None = None,
    max_gates: int = MAX_GATES,
    progress: Progress = silent,
) -> CompiledCircuit:
    """Compile [network(x) >= threshold] into a threshold circuit of depth 2k + 1 on the bits of x.

    Args:
        network: The network, of depth k.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: p; input j p + i of the circuit is bit i of X_j = 0 .. 2^p - 1, the lowest one first.
        output: Which output of the network.
        threshold: Rational number, or a text of one.
        choices: The columns of each layer of the network; without them those with the fewest gates (a thousand wires
            counting as one more) are looked for.
        max_gates: The most gates that are built.
        progress: Told what is being done.

    Raises:
        BadInput: The request makes no sense.
        OutOfReach: It would take more gates; `reached` holds the predicted cost.
    """
    task = _task(network, domain, grid_bits, output, threshold)
    plan = _plan_for(task, choices, progress)
    if plan.cost.gates > max_gates:
        raise _too_large(task, _predicted(plan.cost), f"at most {max_gates} gates", plan.cost)
    if plan.cost.numbers > _MAX_NUMBERS:
        found = f"{_predicted(plan.cost)}, stored as {plan.cost.numbers} integers"
        raise _too_large(task, found, f"at most {_MAX_NUMBERS} integers, which a document holds", plan.cost)
    progress("building the circuit", None)
    claim = {
        "kind": "circuit-equality",
        "dim": network.dim,
        "domain": domain,
        "grid_bits": grid_bits,
        "output": output,
        "threshold": str(task.threshold),
    }
    layers = [{"column_bits": choice.column_bits, "stride": choice.stride} for choice in plan.cost.choices]
    return CompiledCircuit(_build(plan), claim, {"kind": "columns", "layers": layers}, plan.cost)


def circuit_cost(
    network: ReluNetwork,
    *,
    domain: str,
    grid_bits: int,
    output: int = 0,
    threshold: Fraction | int | str = 0,
    choices: Sequence[ColumnChoice] | None = None,
    progress: Progress = silent,
) -> CircuitCost:
    """Count what `circuit_of` would take, without building it; same arguments.

    Raises:
        BadInput: The request makes no sense.
        OutOfReach: Even counting takes too long.
    """
    return _plan_for(_task(network, domain, grid_bits, output, threshold), choices, progress).cost


# ------------------------------------------------------------------------------------------------------------------
# What is asked for


@dataclass(frozen=True)
class _Task:
    network: ReluNetwork
    domain: str
    grid_bits: int
    output: int
    threshold: Fraction

    @property
    def asked(self) -> str:
        return f"a threshold circuit for a network of depth {self.network.depth} on {self.grid_bits} bits per input"


def _task(network: ReluNetwork, domain: str, grid_bits: int, output: int, threshold: Fraction | int | str) -> _Task:
    check_domain(domain)
    asked = f"a threshold circuit for output {output} on {grid_bits} bits per input"
    if type(grid_bits) is not int or not 1 <= grid_bits <= MAX_GRID_BITS:
        raise BadInput(asked, found=f"{grid_bits!r} bits", needed=f"an integer from 1 to {MAX_GRID_BITS}")
    if type(output) is not int or not 0 <= output < network.outputs:
        raise BadInput(asked, found=f"{network.outputs} outputs", needed=f"an output from 0 to {network.outputs - 1}")
    return _Task(network, domain, grid_bits, output, exact_number(threshold, "the threshold"))


def _too_large(task: _Task, found: str, needed: str, cost: CircuitCost | None) -> OutOfReach:
    return OutOfReach(task.asked, found, needed, "take fewer bits per input or a smaller network", cost)


def _predicted(cost: CircuitCost) -> str:
    return f"{cost.gates} gates and {cost.wires} wires (predicted)"


# ------------------------------------------------------------------------------------------------------------------
# The plan: sums of bits, their columns, and how many gates they take


@dataclass(frozen=True)
class _Sum:
    """The integer sum_e coefficients[e] digits[e] + constant; every digit is 0 or 1."""

    digits: tuple[int, ...]
    coefficients: tuple[int, ...]
    constant: int

    @property
    def high(self) -> int:
        return self.constant + sum(c for c in self.coefficients if c > 0)


@dataclass(frozen=True)
class _Jumps:
    """A function of V_c by the gates of its block: its value at the least V, and (number of a gate, jump there)."""

    start: int
    jumps: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _SignColumn:
    """The block on V_c: its form, where its gates are, and how pos_c and dec_c follow from them."""

    form: Form
    points: tuple[int, ...]
    positive: _Jumps
    decided: _Jumps


@dataclass(frozen=True)
class _Sign:
    """A sum that is positive somewhere and not constant, in columns."""

    columns: Columns
    signs: tuple[_SignColumn, ...]

    @cached_property
    def offset(self) -> int:
        """The sum of B^c min T_c."""
        return sum(form.low << (self.columns.column_bits * c) for c, form in enumerate(self.columns.forms))

    @cached_property
    def bits(self) -> list[tuple[int, int]]:
        """(column, bit) of everything that the T_c - min T_c consist of."""
        forms = enumerate(self.columns.forms)
        return [(c, bit) for c, form in forms for bit in range((form.high - form.low).bit_length())]

    @cached_property
    def needed(self) -> list[int]:
        """For each sign column, which value the gates of pos_c - sum of dec above c must add up to for h_c = 1."""
        above = [0, *accumulate(sign.decided.start for sign in reversed(self.signs))]
        return [1 - sign.positive.start + n for sign, n in zip(self.signs, above[-2::-1], strict=True)]

    @property
    def coefficients(self) -> tuple[int, ...]:
        """Those of the digits of relu(S): [S > 0] where it is needed, then the bits."""
        columns = self.columns
        bits = [columns.divisor << (columns.column_bits * c + bit) for c, bit in self.bits]
        return tuple([columns.divisor * self.offset, *bits] if self.offset else bits)


def _signs_of(columns: Columns) -> _Sign:
    return _Sign(columns, tuple(_sign_column(window) for window in columns.windows))


def _sign_column(window: Window) -> _SignColumn:
    """The jumps of pos_c and dec_c lie at V = kappa + 1, 2^(r-1) and -kappa modulo 2^r; nothing reads dec_0."""
    low, high, period = window.form.low, window.form.high, 1 << window.bits
    residues = {residue % period for residue in (window.undecided + 1, period // 2, -window.undecided)}
    candidates = sorted(t for r in residues for t in range(low + 1 + (r - low - 1) % period, high + 1, period))
    pairs = [(t, window.signs(t - 1), window.signs(t)) for t in candidates]
    steps = [(t, q[0] - p[0], q[1] - p[1] if window.column else 0) for t, p, q in pairs]
    steps = [step for step in steps if any(step[1:])]
    start = window.signs(low)
    positive = tuple((gate, pos) for gate, (_, pos, _) in enumerate(steps) if pos)
    decided = tuple((gate, dec) for gate, (_, _, dec) in enumerate(steps) if dec)
    points = tuple(t for t, _, _ in steps) or (high,)  # a block has a gate, even if nothing reads it
    return _SignColumn(window.form, points, _Jumps(start[0], positive), _Jumps(start[1], decided))


# ------------------------------------------------------------------------------------------------------------------
# Planning: all layers in columns, and their gates counted


@dataclass
class _Plan:
    """The signs of every layer, a constant in place of each that needs no gate; the predicate is the last layer."""

    layers: list[tuple[_Sign | int, ...]]
    cost: CircuitCost


def _plan_for(task: _Task, choices: Sequence[ColumnChoice] | None, progress: Progress) -> _Plan:
    depth = task.network.depth
    pairs = [(bits, stride) for stride in (1, 2, 3) for bits in range(2, 10) if bits * stride <= _WINDOW_BITS]
    uniform = [(ColumnChoice(*pair),) * depth for pair in pairs]
    best = _cheapest(task, uniform if choices is None else [_checked(task, choices)], None, progress)
    if best is None:
        found = f"more than {_COUNTED_GATES} gates or {_COUNTED_NUMBERS} stored integers, where counting stops"
        raise _too_large(task, found, f"at most {MAX_GATES} gates and {_MAX_NUMBERS} stored integers", None)
    for layer in range(depth) if choices is None and best.cost.gates <= _REFINED else ():
        kept = best.cost.choices
        tried = [kept[:layer] + choice[:1] + kept[layer + 1 :] for choice in uniform]
        best = _cheapest(task, tried, best, progress) or best
    return best


def _checked(task: _Task, choices: Sequence[ColumnChoice]) -> tuple[ColumnChoice, ...]:
    good = all(2 <= choice.column_bits <= 32 and 1 <= choice.stride <= 64 for choice in choices)
    if len(choices) != task.network.depth or not good:
        needed = f"{task.network.depth} of them, one for each layer: column_bits from 2 to 32, stride from 1 to 64"
        raise BadInput(task.asked, found=f"the column choices {list(choices)}", needed=needed)
    return tuple(choices)


def _cheapest(
    task: _Task, tried: Sequence[tuple[ColumnChoice, ...]], best: _Plan | None, progress: Progress
) -> _Plan | None:
    """The best of some plans and one that is there already."""
    for number, choices in enumerate(tried):
        progress("choosing columns", number / len(tried))
        try:
            best = _plan(task, choices, best.cost.rank - 1 if best else None)
        except _TooManyGates:
            continue
    return best


class _TooManyGates(Exception):  # noqa: N818
    """A plan is no use: it takes more than wanted."""


class _Count:
    """What a plan takes, counted as it grows."""

    def __init__(self, most: int | None) -> None:
        self.most = most  # the largest rank, if there is one
        self.gates = self.wires = self.numbers = 0
        self.largest = 1

    def block(self, gates: int, fan_in: int, *numbers: int) -> None:
        """Count a block; `numbers` are the largest of its weights and thresholds."""
        self.gates += gates
        self.wires += gates * fan_in
        self.numbers += gates + 2 * fan_in
        self.largest = max(self.largest, *map(abs, numbers))
        worse = self.most is not None and _WIRES_PER_GATE * self.gates + self.wires > self.most
        if worse or self.gates > _COUNTED_GATES or self.numbers > _COUNTED_NUMBERS:
            raise _TooManyGates


def _plan(task: _Task, choices: tuple[ColumnChoice, ...], most: int | None) -> _Plan:
    """All layers in columns.

    Raises:
        _TooManyGates: The rank of its cost is above `most`, or counting takes too long.
    """
    network, count = task.network, _Count(most)
    sums, denominator, copies = _input_bits(task), 1 << task.grid_bits, [1] * (network.dim * task.grid_bits)
    layers: list[tuple[_Sign | int, ...]] = []
    for number, (layer, choice) in enumerate(zip(network.layers, choices, strict=True), 1):
        targets, denominator = _preactivations(layer, sums, denominator)
        if number == network.depth:
            least = math.ceil(task.threshold * denominator)
            chosen = targets[task.output]
            targets = [replace(chosen, constant=chosen.constant - least + 1)]
        signs = tuple(_sign(target, len(copies), choice) for target in targets)
        _count_layer(count, signs, copies, number == network.depth)
        layers.append(signs)
        sums, copies = _masked(signs)
    inputs = network.dim * task.grid_bits
    depth = 2 * network.depth + 1
    cost = CircuitCost(inputs, depth, count.gates, count.wires, count.largest, count.numbers, choices)
    return _Plan(layers, cost)


def _input_bits(task: _Task) -> list[_Sum]:
    """The coordinates times 2^p, in their bits."""
    bits = range(task.grid_bits)
    factor, constant = (1, 0) if task.domain == DOMAINS[0] else (2, -(1 << task.grid_bits))
    coefficients = tuple(factor << bit for bit in bits)
    return [
        _Sum(tuple(j * task.grid_bits + bit for bit in bits), coefficients, constant) for j in range(task.network.dim)
    ]


def _preactivations(layer: AffineLayer, sums: list[_Sum], denominator: int) -> tuple[list[_Sum], int]:
    """The preactivations of a layer times the new common denominator, and that denominator."""
    factor = math.lcm(*(number.denominator for number in layer.numbers))
    targets = []
    for row, bias in zip(layer.weights, layer.biases, strict=True):
        used = [(int(weight * factor), total) for weight, total in zip(row, sums, strict=True) if weight]
        targets.append(
            _Sum(
                tuple(digit for _, total in used for digit in total.digits),
                tuple(weight * c for weight, total in used for c in total.coefficients),
                int(bias * factor) * denominator + sum(weight * total.constant for weight, total in used),
            )
        )
    return targets, denominator * factor


def _sign(target: _Sum, digits: int, choice: ColumnChoice) -> _Sign | int:
    """The columns of a sum; the constant relu of one that has no digit or is never positive."""
    if not target.digits or target.high <= 0:
        return max(0, target.constant) if not target.digits else 0
    highs = np.ones(digits, dtype=np.int64)
    return _signs_of(split_columns(target.coefficients, target.digits, target.constant, highs, **vars(choice)))


def _masked(signs: Sequence[_Sign | int]) -> tuple[list[_Sum], list[int]]:
    """The activations in digits of the level to come, and for every digit the number of gates that it is the sum of."""
    sums: list[_Sum] = []
    copies: list[int] = []
    for sign in signs:
        if isinstance(sign, int):
            sums.append(_Sum((), (), sign))
        else:
            coefficients = sign.coefficients
            sums.append(_Sum(tuple(range(len(copies), len(copies) + len(coefficients))), coefficients, 0))
            copies += [len(sign.signs)] * len(coefficients)
    return sums, copies


def _count_layer(count: _Count, signs: Sequence[_Sign | int], copies: Sequence[int], last: bool) -> None:
    """Count the two levels of a hidden layer, or the three of the predicate."""
    fan_ins = np.array(copies, dtype=np.int64)
    live = [sign for sign in signs if isinstance(sign, _Sign)]
    blocks = [block for sign in live for block in _blocks_of(sign, last) if not block[0].is_constant]
    for form, points in blocks:
        ends = points[0] - form.constant, points[-1] - form.constant
        count.block(len(points), int(fan_ins[form.digits].sum()), int(abs(form.coefficients).max()), *ends)
    if not blocks:
        count.block(1, 0, 1)
    for sign in live:
        _count_masks(count, sign, last)
    if not live:
        count.block(1, 0, 1)
    if last:
        count.block(1, len(live[0].signs) if live else 1, 1)


def _blocks_of(sign: _Sign, last: bool) -> list[tuple[Form, Sequence[int]]]:
    """The forms that the first level has blocks on, and where their gates are; the predicate needs no T_c."""
    columns = () if last else sign.columns.forms
    blocks: list[tuple[Form, Sequence[int]]] = [(form, range(form.low + 1, form.high + 1)) for form in columns]
    return blocks + [(column.form, column.points) for column in sign.signs]


def _count_masks(count: _Count, sign: _Sign, last: bool) -> None:
    """The gates h_c, and those of each bit."""
    above = [0, *accumulate(len(column.decided.jumps) for column in reversed(sign.signs))]
    for column, rest, needed in zip(sign.signs, above[-2::-1], sign.needed, strict=True):
        fan_in = len(column.positive.jumps) + rest
        if last or sign.offset:
            count.block(1, fan_in, needed)
        for c, bit in () if last else sign.bits:
            form = sign.columns.forms[c]
            count.block(1, fan_in + ((form.high - form.low) >> bit), needed + 1)


# ------------------------------------------------------------------------------------------------------------------
# Building


Row = tuple[tuple[int, ...], tuple[int, ...]]


class _LevelBuilder:
    """The blocks of a level in order."""

    def __init__(self) -> None:
        self.blocks: list[GateBlock] = []
        self.gates = 0

    def add(self, row: Row, thresholds: Iterable[int]) -> int:
        """Append a block; gives the number of its first gate."""
        self.blocks.append(GateBlock(*row, tuple(thresholds)))
        self.gates += len(self.blocks[-1].thresholds)
        return self.gates - len(self.blocks[-1].thresholds)

    def finish(self) -> tuple[GateBlock, ...]:
        """All blocks; a level without any gets a gate that is always 0."""
        if not self.blocks:
            self.add(((), ()), (1,))
        return tuple(self.blocks)


def _build(plan: _Plan) -> Circuit:
    """The circuit of a plan."""
    levels: list[tuple[GateBlock, ...]] = []
    digits = [range(bit, bit + 1) for bit in range(plan.cost.inputs)]
    for number, signs in enumerate(plan.layers, 1):
        last = number == len(plan.layers)
        first, second = _LevelBuilder(), _LevelBuilder()
        live = [sign for sign in signs if isinstance(sign, _Sign)]
        starts = [_add_forms(first, sign, digits, last) for sign in live]
        pairs = zip(live, starts, strict=True)
        digits = [digit for sign, start in pairs for digit in _add_masks(second, sign, start, last)]
        if last and not live:
            for level in (first, second):
                level.add(((), ()), (0 if signs[0] else 1,))
        levels += [first.finish(), second.finish()]
    reads = tuple(range(len(levels[-1])))
    levels.append((GateBlock(reads, (1,) * len(reads), (1,)),))
    return Circuit(plan.cost.inputs, tuple(levels), CircuitOutput((0,), (1,), 0))


def _add_forms(level: _LevelBuilder, sign: _Sign, digits: list[range], last: bool) -> list[int]:
    """The blocks of a first level for one sum; gives the numbers of their first gates, -1 where there is no block."""
    starts = []
    for form, points in _blocks_of(sign, last):
        pairs = zip(form.digits.tolist(), form.coefficients.tolist(), strict=True)
        wires = [(gate, weight) for digit, weight in pairs for gate in digits[digit]]
        thresholds = (point - form.constant for point in points)
        starts.append(-1 if form.is_constant else level.add(_row(wires), thresholds))
    return starts


def _row(wires: Sequence[tuple[int, int]]) -> Row:
    return tuple(gate for gate, _ in wires), tuple(weight for _, weight in wires)


def _add_masks(level: _LevelBuilder, sign: _Sign, starts: list[int], last: bool) -> list[range]:
    """One gate for each digit of relu(S) and each sign column; gives the gates of every digit."""
    rows = _sign_rows(sign, starts[len(starts) - len(sign.signs) :])
    parts: list[tuple[list[tuple[int, int]], int]] = [([], 0)] if last or sign.offset else []
    for c, bit in () if last else sign.bits:
        form = sign.columns.forms[c]
        odd_even = range(1, ((form.high - form.low) >> bit) + 1)
        parts.append(([(starts[c] + (i << bit) - 1, 1 if i % 2 else -1) for i in odd_even], 1))
    digits = []
    for ones, more in parts:
        first = level.gates
        for row, needed in zip(rows, sign.needed, strict=True):
            level.add(_row(ones + row), (needed + more,))
        digits.append(range(first, level.gates))
    return digits


def _sign_rows(sign: _Sign, starts: list[int]) -> list[list[tuple[int, int]]]:
    """What pos_c - sum of dec above c reads, for each sign column."""
    undecided: list[tuple[int, int]] = []
    rows = []
    for column, start in reversed(list(zip(sign.signs, starts, strict=True))):
        rows.append([(start + gate, step) for gate, step in column.positive.jumps] + undecided)
        undecided = [(start + gate, -step) for gate, step in column.decided.jumps] + undecided
    return rows[::-1]
