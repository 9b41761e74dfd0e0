"""From a threshold circuit to a ReLU network, two neurons for each gate.

Theorem (folklore; this direction of Vardi & Shamir 2020). A threshold circuit of depth D with integer weights is a ReLU
network of depth D + 1 on Boolean inputs, and one of depth D + 2 on real inputs that a layer of ramps reads; both with
at most two neurons for each gate, and weights of about the size of the circuit's.

*Proof.* For an integer v, [v >= t] = relu(v - t + 1) - relu(v - t). By induction the gates of level l are integers,
each the difference of two neurons of layer l, so a row of the next level, or the output, is a row on these neurons.
Gates of one block with thresholds t and t + 1 share the neuron relu(v - t). Nothing depends on v being near t: a gate
whose t is below its least value is 1 throughout, one whose t is above its largest value is 0 throughout. QED

Reading real inputs. `ramp=True`: bit i is [x_i >= 1/2] for x in [0,1]^n; relu(s (x_i - 1/2) + 1) - relu(s (x_i - 1/2))
with s = 2^slope_bits is 1 for x_i >= 1/2 and 0 for x_i <= 1/2 - 1/s. `network_on_grid`: the bits of X_j where
x_j = X_j / 2^p (2 X_j / 2^p - 1 on [-1,1]^d). With x' = 2^(p+g) x the ramps [x' >= 2^g u - 2^(g-1)], u = 1 .. 2^p - 1,
count X_j at every grid point, and the nearest one wherever x is on no ramp; bit i of X_j is a sum of +-1 of them, as it
changes at multiples of 2^i.

Cost: two neurons for each gate and each ramp, at most; the layers are dense.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.circuit import Circuit, CircuitOutput, GateBlock
from depthsep.networks.grids import DOMAINS, check_domain
from depthsep.networks.relu import AffineLayer, ReluNetwork

__all__ = ["network_of", "network_on_grid"]

MAX_NUMBERS = 10**6
_ZERO = Fraction(0)

Row = Mapping[int, int]


@dataclass(frozen=True)
class _Reading:
    """How the bits are had from the inputs: a layer of ramps, or none, and each bit as a combination of its neurons.

    Args:
        dim: The number of inputs.
        ramps: (coordinate, slope, bias) of each neuron.
        bits: For each bit its weights on the neurons (on the inputs, if there are no ramps).
    """

    dim: int
    ramps: tuple[tuple[int, int, int], ...]
    bits: tuple[Row, ...]


def network_of(
    circuit: Circuit, *, ramp: bool = False, slope_bits: int = 8, max_numbers: int = MAX_NUMBERS
) -> ReluNetwork:
    """Write a circuit of depth D as a network of depth D + 1, equal to it at all Boolean inputs.

    Args:
        circuit: The circuit.
        ramp: Read bit i as [x_i >= 1/2] from a real x_i in [0, 1]: depth D + 2, right where no x_i lies strictly
            between 1/2 - 2^-slope_bits and 1/2.
        slope_bits: The slope of the ramps is 2^slope_bits.
        max_numbers: The most weights and biases that are written out, zeros included.

    Raises:
        OutOfReach: The dense layers would hold more numbers.

    Example:
        >>> parity = Circuit.from_gates(2, [[([1, 1], 1), ([1, 1], 2)], [([1, -1], 1)]])
        >>> network = network_of(parity)
        >>> network.depth, network.widths, network.evaluate_exact([Fraction(1), Fraction(1)])
        (3, (3, 2), (Fraction(0, 1),))
    """
    bits = range(circuit.inputs)
    if not ramp:
        return _network(circuit, _Reading(circuit.inputs, (), tuple({bit: 1} for bit in bits)), max_numbers)
    if type(slope_bits) is not int or slope_bits < 1:
        raise BadInput("ramps for a circuit", found=f"slope_bits = {slope_bits!r}", needed="an integer, at least 1")
    slope = 1 << slope_bits
    ramps = tuple((bit, slope, shift - slope // 2) for bit in bits for shift in (1, 0))
    reading = _Reading(circuit.inputs, ramps, tuple({2 * bit: 1, 2 * bit + 1: -1} for bit in bits))
    return _network(circuit, reading, max_numbers)


def network_on_grid(
    circuit: Circuit, *, domain: str, grid_bits: int, guard_bits: int = 4, max_numbers: int = MAX_NUMBERS
) -> ReluNetwork:
    """Write a circuit of depth D as a network of depth D + 2 on the coordinates whose bits it reads.

    Args:
        circuit: Its input j p + i is bit i of X_j, the lowest one first.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: p; it divides the number of input bits.
        guard_bits: g; a ramp is 2^-g of a cell wide. Off the ramps the value is that at the nearest grid point with
            X_j < 2^p.
        max_numbers: As for `network_of`.

    Raises:
        BadInput: The number of bits does not fit.
        OutOfReach: The dense layers would hold more numbers.
    """
    check_domain(domain)
    asked = f"a network on {grid_bits} bits per input for a circuit of {circuit.inputs} input bits"
    if type(grid_bits) is not int or grid_bits < 1 or circuit.inputs % grid_bits:
        raise BadInput(asked, needed="a number of bits that divides the number of input bits")
    if type(guard_bits) is not int or guard_bits < 1:
        raise BadInput(asked, found=f"guard_bits = {guard_bits!r}", needed="an integer, at least 1")
    return _network(circuit, _grid_reading(circuit.inputs // grid_bits, domain, grid_bits, guard_bits), max_numbers)


def _grid_reading(dim: int, domain: str, grid_bits: int, guard_bits: int) -> _Reading:
    """The ramps of every coordinate; ramp u of coordinate j is the difference of two neurons."""
    half = 1 << (guard_bits - 1)
    places = [2 * half * u - half for u in range(1, 1 << grid_bits)]
    scale = half << grid_bits
    slope, shift = (2 * scale, 0) if domain == DOMAINS[0] else (scale, scale)
    ramps = tuple((j, slope, shift - place + one) for j in range(dim) for place in places for one in (1, 0))
    bits: list[Row] = []
    for first in range(0, len(ramps), 2 * len(places)):
        for bit in range(grid_bits):
            row: dict[int, int] = {}
            for number, u in enumerate(range(1 << bit, 1 << grid_bits, 1 << bit)):
                neuron, step = first + 2 * (u - 1), -1 if number % 2 else 1
                row |= {neuron: step, neuron + 1: -step}
            bits.append(row)
    return _Reading(dim, ramps, tuple(bits))


def _network(circuit: Circuit, reading: _Reading, max_numbers: int) -> ReluNetwork:
    _refuse_too_large(circuit, reading, max_numbers)
    layers, read, width = [], reading.bits, reading.dim
    if reading.ramps:
        layers.append(_layer([({j: slope}, bias) for j, slope, bias in reading.ramps], width))
        width = len(reading.ramps)
    for blocks in circuit.levels:
        rows: list[tuple[Row, int]] = []
        gates: list[Row] = []
        for block in blocks:
            kinks = _kinks(block)
            number = {kink: len(rows) + index for index, kink in enumerate(kinks)}
            gates += [{number[t - 1]: 1, number[t]: -1} for t in block.thresholds]
            row = _through(block, read)
            rows += [(row, -kink) for kink in kinks]
        layers.append(_layer(rows, width))
        read, width = tuple(gates), len(rows)
    layers.append(_layer([(_through(circuit.output, read), circuit.output.constant)], width))
    return ReluNetwork(reading.dim, tuple(layers))


def _refuse_too_large(circuit: Circuit, reading: _Reading, max_numbers: int) -> None:
    ramps = [len(reading.ramps)] if reading.ramps else []
    widths = [*ramps, *(sum(len(_kinks(block)) for block in blocks) for blocks in circuit.levels), 1]
    numbers = sum((before + 1) * width for before, width in pairwise([reading.dim, *widths]))
    if numbers > max_numbers:
        found = f"layers of {', '.join(map(str, widths))} units: {numbers} weights and biases, zeros included"
        asked, needed = f"a network for a circuit of {circuit.size} gates", f"at most {max_numbers}"
        raise OutOfReach(asked, found, needed, "take a smaller circuit", reached=numbers)


def _kinks(block: GateBlock) -> list[int]:
    """The k of the neurons relu(v - k) of a block."""
    return sorted({kink for t in block.thresholds for kink in (t - 1, t)})


def _through(row: GateBlock | CircuitOutput, read: Sequence[Row]) -> Row:
    """A row of gates as a row of the neurons that they are read from."""
    total: dict[int, int] = {}
    for index, weight in zip(row.inputs, row.weights, strict=True):
        for neuron, step in read[index].items():
            total[neuron] = total.get(neuron, 0) + weight * step
    return total


def _layer(rows: Iterable[tuple[Row, int]], width: int) -> AffineLayer:
    """The dense layer of some sparse rows with biases."""
    weights, biases = [], []
    for row, bias in rows:
        dense = [_ZERO] * width
        for index, weight in row.items():
            dense[index] = Fraction(weight)
        weights.append(tuple(dense))
        biases.append(Fraction(bias))
    return AffineLayer(tuple(weights), tuple(biases))
