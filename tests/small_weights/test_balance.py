"""Balancing: the optimum against brute force and linear programs, the exact bounds, blocks against dense layers."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from depthsep.networks.integer_layers import Block, IntegerLayers, OutputRow
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.balance import Balanced, CriticalPath, balance, balanced_exponents, critical_path
from depthsep.small_weights.padding import pad
from depthsep_check import check
from depthsep_check.document import encode


def random_network(rng: np.random.Generator, widths: list[int], bits: int = 12, zeros: float = 0.2) -> ReluNetwork:
    """Integers of random lengths, some of them 0."""

    def numbers(*shape: int) -> Any:
        values = rng.integers(-8, 9, shape) << rng.integers(0, bits, shape)
        return np.where(rng.random(shape) < zeros, 0, values)

    return ReluNetwork.from_arrays([(numbers(n, m), numbers(n)) for m, n in itertools.pairwise(widths)])


def document(source: ReluNetwork, balanced: Balanced[ReluNetwork]) -> str:
    network, lower, path = balanced.network, balanced.rescaling_lower, balanced.critical_path
    claim = {
        "kind": "same-function",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": "R^d",
        "arithmetic": "real",
        "max_weight": str(balanced.max_weight),
        "rescaling_lower": None if lower is None else str(lower),
    }
    witness = {"kind": "canonical-forms", "critical_path": None if path is None else list(path)}
    parts = {"function": source.to_json(), "claim": claim, "network": network.to_json(), "witness": witness}
    return encode({"format": "depthsep", "version": 1, "made_by": "a test", **parts})


def require_sound(source: ReluNetwork) -> Balanced[ReluNetwork]:
    """Balance, and insist on the same values, a verified document and the factor of 2."""
    balanced = balance(source)
    assert balanced.max_weight == balanced.network.max_weight
    generator = np.random.default_rng(1)
    for point in generator.integers(-99, 100, (5, source.dim)):
        exact = [Fraction(int(entry), 7) for entry in point]
        assert balanced.network.evaluate_exact(exact) == source.evaluate_exact(exact)
    assert check(document(source, balanced)).ok
    if balanced.path is not None:
        assert balanced.rescaling_lower <= balanced.max_weight < 2 * balanced.rescaling_lower * (1 + Fraction(1, 10**9))
    return balanced


def real_optimum(network: ReluNetwork) -> float:
    """log2 of the least largest number over all real positive factors, by a linear program."""
    starts = np.cumsum([0, *network.widths])
    count = int(starts[-1])
    rows: list[Any] = []
    sides: list[float] = []
    for place, layer in enumerate(network.layers):
        for unit, (weights, bias) in enumerate(zip(layer.weights, layer.biases, strict=True)):
            for before, number in [*enumerate(weights), (None, bias)]:
                if number:
                    row = np.zeros(count + 1)
                    row[-1] = -1.0
                    if place < network.depth - 1:
                        row[starts[place] + unit] += 1.0
                    if place > 0 and before is not None:
                        row[starts[place - 1] + before] -= 1.0
                    rows.append(row)
                    sides.append(-math.log2(abs(number)))
    objective = np.append(np.zeros(count), 1.0)
    result = linprog(objective, A_ub=np.array(rows), b_ub=sides, bounds=[(-500, 500)] * (count + 1))
    assert result.status == 0
    return float(result.fun)


def scaled_maximum(network: ReluNetwork, exponents: tuple[int, ...]) -> Fraction:
    factors = [Fraction(2) ** exponent for exponent in exponents]
    before = [Fraction(1)] * network.dim
    largest = Fraction(0)
    for place, layer in enumerate(network.layers):
        width = len(layer.biases)
        own = factors[:width] if place < network.depth - 1 else [Fraction(1)] * width
        factors = factors[width:]
        for weights, bias, factor in zip(layer.weights, layer.biases, own, strict=True):
            sizes = (abs(w) * factor / read for w, read in zip(weights, before, strict=True))
            largest = max(largest, abs(bias) * factor, *sizes)
        before = own
    return largest


@pytest.mark.parametrize("widths", [[1, 1, 1], [2, 2, 1], [1, 1, 1, 1], [1, 2, 1, 1]])
def test_no_powers_of_two_are_better(widths: list[int]) -> None:
    rng = np.random.default_rng(sum(widths))
    hidden = sum(widths[1:-1])
    for _ in range(8):
        network = random_network(rng, widths, bits=6)
        best = min(scaled_maximum(network, trial) for trial in itertools.product(range(-9, 10), repeat=hidden))
        found = require_sound(network)
        if found.path is not None:
            assert found.max_weight == best


def test_no_real_factors_are_better_than_the_lower_bound() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        widths = [2, *rng.integers(1, 5, rng.integers(1, 4)).tolist(), 2]
        network = random_network(rng, widths, zeros=0.1)
        found = require_sound(network)
        assert math.log2(found.rescaling_lower) == pytest.approx(real_optimum(network), abs=1e-7)


def powers(exponents: list[int]) -> ReluNetwork:
    """One neuron per layer; layer l has the weight 2^e_l and the bias 2^(e_1 + ... + e_l)."""
    sums = itertools.accumulate(exponents)
    return ReluNetwork.from_arrays([([[2**e]], [2**total]) for e, total in zip(exponents, sums, strict=True)])


@pytest.mark.parametrize(
    ("exponents", "bound"), [([40, 0], 5), ([40, 40], 10), ([40, 0, 0], 4), ([40, 40, 40], 12), ([0, 40], 5)]
)
def test_padded_to_depth_3k_plus_3(exponents: list[int], bound: int) -> None:
    """The worst path starts with the output bias, has 2 k + 4 numbers and the product 2^sum."""
    network = powers(exponents)
    deep = pad(network, 3 * network.depth + 3)
    found = require_sound(deep)
    assert found.max_weight == found.rescaling_lower == 2**bound
    assert len(found.critical_path) == found.path.length == 2 * network.depth + 4


def test_copies_take_their_share() -> None:
    """Each of e padded layers of r copies divides the product of a path by r."""
    deep = pad(powers([40, 40]), 9, copies=4)
    found = require_sound(deep)
    assert found.path.product == Fraction(2**80, 4**7)
    assert found.max_weight <= 2**9


def test_an_output_bias_cannot_be_scaled() -> None:
    found = require_sound(ReluNetwork.from_arrays([([[2**40]], [0]), ([[1]], [2**36])]))
    assert (found.max_weight, found.rescaling_lower, found.critical_path) == (2**36, 2**36, (0,))
    assert found.path.length == 1


def test_a_hidden_bias_has_fewer_layers() -> None:
    found = require_sound(ReluNetwork.from_arrays([([[1]], [0]), ([[1]], [2**30]), ([[1]], [0])]))
    assert (found.max_weight, found.critical_path) == (2**15, (0, 0))


def test_neurons_that_need_no_factor_keep_theirs() -> None:
    network = ReluNetwork.from_arrays([([[1], [64]], [0, 0]), ([[1, 1]], [0])])
    assert [exponents.tolist() for exponents in balance(network).exponents] == [[0, -3]]


def test_neurons_without_a_path() -> None:
    """The first neuron is 0 and so is what reads only it; the weights between them must be scaled down all the same."""
    first = ([[0], [3]], [0, 0])
    second = ([[2**30, 0], [2**50, 1]], [0, 0])
    found = require_sound(ReluNetwork.from_arrays([first, second, ([[2**20, 1]], [0])]))
    assert found.max_weight == 2
    assert found.rescaling_lower < 2


def test_networks_without_any_path() -> None:
    zero = ReluNetwork.from_arrays([([[0, 0]], [0]), ([[0]], [0])])
    empty = ReluNetwork.from_arrays([(np.zeros((0, 3)), []), (np.zeros((1, 0)), [0])])
    unread = ReluNetwork.from_arrays([([[2**20]], [5]), ([[0]], [0])])
    for network in (zero, empty, unread):
        found = require_sound(network)
        assert (found.path, found.rescaling_lower, found.critical_path) == (None, None, None)
        assert found.network == network
    constant = require_sound(ReluNetwork.from_arrays([(np.zeros((0, 3)), []), (np.zeros((1, 0)), [7])]))
    assert (constant.max_weight, constant.critical_path) == (7, (0,))


def test_small_and_long_numbers() -> None:
    tiny = require_sound(ReluNetwork.from_arrays([([[Fraction(1, 2**600)]], [0]), ([[2**400]], [0])]))
    assert tiny.max_weight == Fraction(1, 2**100)
    thirds = require_sound(ReluNetwork.from_arrays([([["1/3"]], ["2/7"]), ([["10/9"]], ["-1/1000"])]))
    assert thirds.max_weight < 1
    assert not thirds.network.is_float64


def test_the_root_is_rounded_down() -> None:
    for product, length in [(Fraction(2), 2), (Fraction(10**40), 7), (Fraction(1, 3), 5), (Fraction(7), 1)]:
        lower = CriticalPath((), product, length).lower
        assert lower**length <= product < (lower * (1 + Fraction(1, 10**11))) ** length
    assert CriticalPath((), Fraction(3**20), 20).lower == 3


# Networks of blocks


def random_blocks(rng: np.random.Generator) -> IntegerLayers:
    layers, columns = [], 2
    for _ in range(int(rng.integers(1, 4))):
        blocks = []
        for _ in range(int(rng.integers(1, 4))):
            inputs = np.flatnonzero(rng.random(columns) < 0.7)
            weights = rng.integers(1, 2**10, len(inputs)) * rng.choice([-1, 1], len(inputs))
            biases = rng.integers(-(2**14), 2**14, int(rng.integers(1, 5)))
            blocks.append(Block(inputs, weights, biases))
        layers.append(tuple(blocks))
        columns = sum(len(block.biases) for block in blocks)
    inputs = np.flatnonzero(rng.random(columns) < 0.8)
    outputs = (OutputRow(inputs, rng.integers(1, 99, len(inputs)), int(rng.integers(-99, 99))),) * 2
    return IntegerLayers(2, tuple(layers), (None,) * len(layers), outputs, Fraction(3, 2**7))


def as_relu(network: IntegerLayers) -> ReluNetwork:
    layers, columns = [], network.dim
    for place, rows in enumerate((*network.layers, network.outputs)):
        scale = network.scale if place == len(network.layers) else Fraction(1)
        weights, biases = [], []
        for block in rows:
            row = [Fraction(0)] * columns
            for index, weight in zip(block.inputs, block.weights, strict=True):
                row[int(index)] = scale * int(weight)
            weights += [row] * len(block.biases)
            biases += [scale * int(bias) for bias in block.biases]
        layers.append((weights, biases))
        columns = len(biases)
    return ReluNetwork.from_arrays(layers)


def test_blocks_are_balanced_like_the_rows_they_stand_for() -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        network = random_blocks(rng)
        found, wanted = balance(network), balance(as_relu(network))
        assert [e.tolist() for e in found.exponents] == [e.tolist() for e in wanted.exponents]
        assert (found.max_weight, found.path) == (wanted.max_weight, wanted.path)
        assert found.network.max_weight == found.max_weight


def test_parts_of_a_balance() -> None:
    network = random_blocks(np.random.default_rng(12))
    found = balance(network)
    assert critical_path(network) == found.path
    assert all(np.array_equal(*pair) for pair in zip(balanced_exponents(network), found.exponents, strict=True))
    again = balance(found.network)
    assert (again.max_weight, again.path) == (found.max_weight, found.path)


def test_blocks_of_long_integers() -> None:
    """A weight that no int64 holds, and one row for two units of different factors."""
    block = Block([0], [2**80], [2**90, 1])
    network = IntegerLayers(1, ((block,),), (None,), (OutputRow([0, 1], [1, 2**40], 0),), Fraction(1))
    found = balance(network)
    assert found.max_weight == 2**60
    assert found.path == CriticalPath((0, 1, 0), Fraction(2**120), 2)
    assert found.exponents[0].tolist() == [-30, -20]
