"""Check that a threshold circuit computes [N(x) >= theta], for all inputs at once.

x_j = X_j / 2^p, or 2 X_j / 2^p - 1 on [-1,1]^d, X_j = 0 .. 2^p - 1; the circuit reads the d p bits of the X_j. Nothing
is enumerated: the blocks are walked in the order of `docs/small-weights-layout.md`, and each row is compared with what
it has to compute.

**Invariant.** Every activation of N is (1/Den) (sum_e C_e y_e + C_0) with integers C and *digits* y_e in {0, 1}, each
the sum of known gates of one level. At the start the digits are the input bits.

**A hidden layer** takes two levels. Let S be a preactivation times its denominator, a form of the digits. If S <= 0 by
its interval, relu(S) is the constant 0; if S has no coefficient it is max(0, S). Otherwise let q, T_c, V_c, pos_c and
dec_c be its divisor, columns and windows (`depthsep_check.columns` proves [S > 0] = sum_c h_c with
h_c = [pos_c - sum of dec above c >= 1]). Level A has the blocks on the T_c and V_c that are not constant: their rows
must *be* these forms. What a gate of level M reads of such a block is a function of one integer in a known interval;
together these functions must be y + pos_c - sum of dec above c up to a constant, which its threshold makes up for. So
for a bit y of T_c - lo(T_c) the gates [y + pos_c - sum of dec above c >= 2] add up to y [S > 0] over the sign columns,
since pos_c - sum of dec above c and y are at most 1: it is a digit again. With off = sum_c B^c lo(T_c)

    relu(S) = q (off [S > 0] + sum_c B^c sum_a 2^a (bit a of T_c - lo(T_c)) [S > 0]).

**The predicate.** N_o(x) >= theta is S > 0 for S = S_o - ceil(theta Den) + 1: a level on its V_c, a level of gates h_c,
and [sum_c h_c >= 1].

The functions are compared at all integers of the interval by their canonical form, and the intervals contain every
value that occurs, so what is proved holds for every input, at whatever number of bits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq

from depthsep_check.columns import Columns, Form, form_of, split_columns
from depthsep_check.document import MAX_DIM, NetworkDocument
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.relu_networks import DOMAINS, UNIT_CUBE, IntegerLayer, ReluNetwork, integer_form, read_relu_network
from depthsep_check.staircases import Staircase, decided, gates, positive, times
from depthsep_check.threshold_circuits import GateBlock, Output, ThresholdCircuit, read_threshold_circuit, starts_of
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "circuit-equality"
MAX_GRID_BITS = 64
MAX_COLUMN_BITS = 32
MAX_STRIDE = 64
_WORK = 20_000_000
_LONG = 1024  # bits of an integer that cost as much as one more operation


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    domain: str
    grid_bits: int
    output: int
    threshold: fmpq


def check(document: NetworkDocument) -> str:
    """Replay the proof that a circuit computes a predicate of a network.

    Returns:
        The proved sentence.

    Raises:
        Refuted: a block is not the one that the layout asks for.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: it takes too much work.
    """
    claim = _claim(document.claim)
    network = read_relu_network(document.function, "function")
    circuit = read_threshold_circuit(document.network, "network")
    if network.dim != claim.dim:
        raise Malformed("function.dim", f"{network.dim}, but the claim is about dimension {claim.dim}")
    if claim.output >= network.outputs:
        raise Malformed("claim.output", f"{claim.output}, but the function has {network.outputs} outputs")
    choices = _witness(document.witness, network.depth)
    if circuit.inputs != claim.dim * claim.grid_bits:
        raise Refuted(STEP, f"the circuit has {circuit.inputs} input bits, not {claim.dim} times {claim.grid_bits}")
    if circuit.depth != 2 * network.depth + 1:
        raise Refuted(STEP, f"the circuit has {circuit.depth} levels, not {2 * network.depth + 1}")
    _Walk(circuit, Budget(_WORK)).prove(network, claim, choices)
    return _statement(claim, network, circuit)


def _statement(claim: _Claim, network: ReluNetwork, circuit: ThresholdCircuit) -> str:
    point = "X_j / 2^p" if claim.domain == UNIT_CUBE else "2 X_j / 2^p - 1"
    coordinates = "X_1" if claim.dim == 1 else f"X_1, ..., X_{claim.dim}"
    return (
        f"the threshold circuit of depth {circuit.depth} with {circuit.gates} gates, {circuit.wires} wires and integer "
        f"weights and thresholds of at most {circuit.largest} in absolute value, on the {circuit.inputs} bits of "
        f"{coordinates} in 0..2^p - 1, p = {claim.grid_bits}, is 1 where output {claim.output} of the ReLU "
        f"network of depth {network.depth} is at least {format_rational(claim.threshold)} at x_j = {point}, "
        "and 0 elsewhere"
    )


# ------------------------------------------------------------------------------------------------------------------
# Sums of digits, and what their blocks have to be


@dataclass(frozen=True, slots=True)
class _Activation:
    """The integer sum of coefficients times digits, plus a constant."""

    coefficients: Mapping[int, int]
    constant: int


@dataclass(frozen=True)
class _Target:
    """A sum S that is positive somewhere and not constant, in columns."""

    name: str
    columns: Columns

    @cached_property
    def positives(self) -> tuple[Staircase, ...]:
        """The functions pos_c of V_c."""
        return tuple(positive(w.form.low, w.form.high, w.modulus, w.kappa) for w in self.columns.windows)

    @cached_property
    def undecided(self) -> tuple[Staircase, ...]:
        """The functions -dec_c of V_c."""
        windows = self.columns.windows
        return tuple(times(decided(w.form.low, w.form.high, w.modulus, w.kappa), -1) for w in windows)

    @cached_property
    def offset(self) -> int:
        """The sum of B^c lo(T_c)."""
        return sum(self.columns.base**c * form.low for c, form in enumerate(self.columns.forms))

    @property
    def periods(self) -> int:
        """A bound of the number of periods of all V_c."""
        return sum((w.form.high - w.form.low) // w.modulus + 3 for w in self.columns.windows)


@dataclass(frozen=True, slots=True)
class _Stage:
    """The blocks of a first level that belong to one sum: the forms they are on, and their numbers; None: constant."""

    target: _Target
    columns: tuple[int | None, ...]
    windows: tuple[int | None, ...]


def _bit(form: Form, bit: int) -> Staircase:
    """Bit `bit` of T - lo(T) as a function of T."""
    places = range(1, ((form.high - form.low) >> bit) + 1)
    return gates(form.low, form.high, ((form.low + (i << bit), 1 if i % 2 else -1) for i in places))


class _Level:
    """The blocks of a level, handed out in order."""

    def __init__(self, blocks: tuple[GateBlock, ...], number: int) -> None:
        self.blocks = blocks
        self.starts = starts_of(blocks)
        self.number = number
        self.used = 0
        self.constants: dict[int, int] = {}  # of the forms that blocks are on

    def take(self, what: str) -> int:
        """The number of the next block."""
        if self.used == len(self.blocks):
            raise Refuted(STEP, f"level {self.number} has no block for {what}")
        self.used += 1
        return self.used - 1

    def take_constant(self, threshold: int) -> None:
        """The next block must be a gate that reads nothing."""
        block = self.blocks[self.take("a constant gate")]
        if block.inputs or block.thresholds != (threshold,):
            raise Refuted(self.place(self.used - 1), f"must be a gate with an empty row and the threshold {threshold}")

    def finish(self) -> None:
        """Insist that nothing is left; a level without a block has the constant gate 0."""
        if not self.used:
            self.take_constant(1)
        if self.used != len(self.blocks):
            raise Refuted(STEP, f"level {self.number} has {len(self.blocks)} blocks, only {self.used} belong there")

    def place(self, index: int) -> str:
        """Where a block stands, for errors."""
        return f"{STEP}, level {self.number}, block {index}"


# ------------------------------------------------------------------------------------------------------------------
# The walk


class _Walk:
    """The proof, level by level.

    Attributes:
        digits: for every digit the gates that it is the sum of.
        highs: for every digit its highest value, 1.
    """

    def __init__(self, circuit: ThresholdCircuit, budget: Budget) -> None:
        self.circuit = circuit
        self.budget = budget
        self.level = 0
        self.digits = [range(i, i + 1) for i in range(circuit.inputs)]
        self.highs = [1] * circuit.inputs

    def prove(self, network: ReluNetwork, claim: _Claim, choices: tuple[tuple[int, int], ...]) -> None:
        """Insist that the circuit computes the predicate."""
        layers, denominator = integer_form(network, STEP, 2**claim.grid_bits)
        activations = _input_bits(claim)
        for number, (layer, choice) in enumerate(zip(layers[:-1], choices[:-1], strict=True), 1):
            sums = [self._sum(layer, row, activations) for row in range(len(layer.biases))]
            activations = self._hidden_layer(sums, number, choice)
        output = self._sum(layers[-1], claim.output, activations)
        theta = claim.threshold
        least = -(-int(theta.p) * denominator // int(theta.q))
        self._predicate(form_of(output.coefficients, output.constant - least + 1, self.highs), choices[-1])
        if self.circuit.output != Output((0,), (1,), 0):
            raise Refuted(f"{STEP}, output", "must be the last gate")

    def _next(self) -> _Level:
        self.level += 1
        return _Level(self.circuit.levels[self.level - 1], self.level)

    def _sum(self, layer: IntegerLayer, row: int, activations: list[_Activation]) -> _Activation:
        """A preactivation; the digits of different activations are different."""
        coefficients: dict[int, int] = {}
        total = layer.biases[row]
        for index, weight in layer.rows[row]:
            activation = activations[index]
            self._spend(1 + len(activation.coefficients), (weight, *activation.coefficients.values()))
            coefficients.update({digit: weight * c for digit, c in activation.coefficients.items()})
            total += weight * activation.constant
        return _Activation(coefficients, total)

    def _hidden_layer(self, sums: list[_Activation], number: int, choice: tuple[int, int]) -> list[_Activation]:
        """Two levels; gives the activations in the digits that the second one holds, and renews `digits`."""
        first = self._next()
        stages: list[_Stage | int] = []
        for unit, total in enumerate(sums):
            form = form_of(total.coefficients, total.constant, self.highs)
            if form.is_constant or form.high <= 0:
                stages.append(max(0, form.constant) if form.is_constant else 0)
            else:
                target = self._target(f"unit {unit} of layer {number}", form, choice)
                stages.append(self._stage(first, target, target.columns.forms))
        first.finish()
        second = self._next()
        digits: list[range] = []
        activations: list[_Activation] = []
        for stage in stages:
            if isinstance(stage, _Stage):
                activations.append(self._masked(first, second, stage, digits))
            else:
                activations.append(_Activation({}, stage))
        second.finish()
        self.digits, self.highs = digits, [1] * len(digits)
        return activations

    def _spend(self, operations: int, numbers: Iterable[int]) -> None:
        """Spend for operations with integers like these."""
        bits = max(number.bit_length() for number in numbers)
        self.budget.spend(STEP, operations * (1 + bits // _LONG))

    def _target(self, name: str, form: Form, choice: tuple[int, int]) -> _Target:
        numbers = (form.constant, *form.coefficients.values())
        columns = 2 + max(number.bit_length() for number in numbers) // choice[0]
        self._spend(len(numbers) * columns, numbers)
        target = _Target(name, split_columns(form, self.highs, *choice))
        self.budget.spend(STEP, 4 * target.periods)
        return target

    def _stage(self, level: _Level, target: _Target, forms: tuple[Form, ...]) -> _Stage:
        """The blocks of a first level: on the T_c in `forms`, then on the V_c, all that are not constant."""
        columns = [self._on(level, form, f"column {c} of {target.name}") for c, form in enumerate(forms)]
        windows = [self._on(level, w.form, f"V of column {w.column} of {target.name}") for w in target.columns.windows]
        return _Stage(target, tuple(columns), tuple(windows))

    def _on(self, level: _Level, form: Form, what: str) -> int | None:
        """Insist that the next block is on a form; a constant form has no block."""
        if form.is_constant:
            return None
        index = level.take(what)
        block = level.blocks[index]
        self.budget.spend(STEP, 1 + len(block.inputs) + len(block.thresholds))
        read = dict(zip(block.inputs, block.weights, strict=True))
        expected = {gate: c for digit, c in form.coefficients.items() for gate in self.digits[digit]}
        if read != expected:
            raise Refuted(level.place(index), f"the row is not that of {what}")
        level.constants[index] = form.constant
        return index

    def _masked(self, first: _Level, second: _Level, stage: _Stage, digits: list[range]) -> _Activation:
        """The gates of a second level for one sum; appends their digits."""
        columns = stage.target.columns
        coefficients: dict[int, int] = {}
        if stage.target.offset:
            coefficients[len(digits)] = columns.divisor * stage.target.offset
            digits.append(self._over_sign_columns(first, second, stage, None))
        for c, form in enumerate(columns.forms):
            self.budget.spend(STEP, 2 * (form.high - form.low))
            for bit in range((form.high - form.low).bit_length()):
                coefficients[len(digits)] = columns.divisor * columns.base**c << bit
                digits.append(self._over_sign_columns(first, second, stage, (c, _bit(form, bit))))
        return _Activation(coefficients, 0)

    def _over_sign_columns(
        self, first: _Level, second: _Level, stage: _Stage, bit: tuple[int, Staircase] | None
    ) -> range:
        """One gate for every sign column, lowest first: h_c, or y h_c with a bit y of a column; gives their range."""
        wanted: dict[int, Staircase] = {}
        missing = 1 if bit is None else 2
        if bit is not None:
            missing -= _want(wanted, stage.columns[bit[0]], bit[1])
        count = len(stage.windows)
        start = second.starts[second.used]
        for lowest in range(count):
            signs = dict(wanted)
            needed = missing - _want(signs, stage.windows[lowest], stage.target.positives[lowest])
            for above in range(lowest + 1, count):
                needed -= _want(signs, stage.windows[above], stage.target.undecided[above])
            self._gate(first, second, signs, needed, stage.target.name)
        return range(start, start + count)

    def _gate(self, first: _Level, second: _Level, wanted: Mapping[int, Staircase], needed: int, name: str) -> None:
        """Insist that the next gate is [sum of the wanted functions >= needed]."""
        index = second.take(name)
        block, place = second.blocks[index], second.place(index)
        if len(block.thresholds) != 1:
            raise Refuted(place, f"must be one gate, has {len(block.thresholds)}")
        self.budget.spend(STEP, 1 + len(block.inputs) + len(wanted))
        parts: dict[int, list[tuple[int, int]]] = {number: [] for number in wanted}
        for gate, weight in zip(block.inputs, block.weights, strict=True):
            number = bisect_right(first.starts, gate) - 1
            if number not in parts:
                raise Refuted(place, f"reads gate {gate}, which {name} does not need here")
            threshold = first.blocks[number].thresholds[gate - first.starts[number]]
            parts[number].append((threshold + first.constants[number], weight))
        for number, function in wanted.items():
            read = gates(function.low, function.high, parts[number])
            if not read.bends_like(function):
                raise Refuted(place, f"what it reads of block {number} of the level before is not what {name} needs")
            needed += read.value - function.value
        if block.thresholds[0] != needed:
            raise Refuted(place, f"the threshold is {block.thresholds[0]}, not {needed}")

    def _predicate(self, form: Form, choice: tuple[int, int]) -> None:
        """Three levels that decide whether a form is positive."""
        first = self._next()
        if form.is_constant or form.high <= 0:
            threshold = 0 if form.low > 0 else 1
            first.take_constant(threshold)
            first.finish()
            second = self._next()
            second.take_constant(threshold)
            gates_of_sign = range(1)
        else:
            stage = self._stage(first, self._target("the predicate", form, choice), ())
            first.finish()
            second = self._next()
            gates_of_sign = self._over_sign_columns(first, second, stage, None)
        second.finish()
        last = self._next()
        expected = GateBlock(tuple(gates_of_sign), (1,) * len(gates_of_sign), (1,))
        if last.blocks != (expected,):
            raise Refuted(f"{STEP}, level {last.number}", "must be one gate: at least one of the gates before")


def _want(wanted: dict[int, Staircase], block: int | None, function: Staircase) -> int:
    """Add what is to be read of a block; gives the function's value instead where it is constant and has no block."""
    if block is None:
        return function.value
    wanted[block] = function
    return 0


def _input_bits(claim: _Claim) -> list[_Activation]:
    """The coordinates times 2^p, in their bits."""
    bits = range(claim.grid_bits)
    factor, constant_part = (1, 0) if claim.domain == UNIT_CUBE else (2, -(2**claim.grid_bits))
    return [_Activation({j * claim.grid_bits + i: factor << i for i in bits}, constant_part) for j in range(claim.dim)]


# ------------------------------------------------------------------------------------------------------------------
# Reading


def _claim(value: Any) -> _Claim:
    fields = fields_of(value, "claim", ("kind", "dim", "domain", "grid_bits", "output", "threshold"))
    word(fields["domain"], "claim.domain", DOMAINS)
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 1, MAX_DIM),
        domain=fields["domain"],
        grid_bits=integer(fields["grid_bits"], "claim.grid_bits", 1, MAX_GRID_BITS),
        output=integer(fields["output"], "claim.output", 0, MAX_DIM),
        threshold=parse_rational(fields["threshold"], "claim.threshold"),
    )


def _witness(value: Any, depth: int) -> tuple[tuple[int, int], ...]:
    """(column_bits, stride) for every layer of the network."""
    fields = fields_of(value, "witness", ("kind", "layers"))
    word(fields["kind"], "witness.kind", ("columns",))
    choices = item_list(fields["layers"], "witness.layers", depth, _choice)
    require_length(choices, "witness.layers", depth)
    return choices


def _choice(value: Any, place: str) -> tuple[int, int]:
    fields = fields_of(value, place, ("column_bits", "stride"))
    column_bits = integer(fields["column_bits"], f"{place}.column_bits", 2, MAX_COLUMN_BITS)
    return column_bits, integer(fields["stride"], f"{place}.stride", 1, MAX_STRIDE)
