"""Networks of integers: all ways of evaluating agree, exponents change no value, and what they claim is so."""

import json
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks import DOMAINS, Block, IntegerLayers, OutputRow
from depthsep.networks.accumulators import FLOAT32, FLOAT64

RNG = np.random.default_rng(7)


def random_block(rng: np.random.Generator, columns: int, size: int, most: int = 4) -> Block:
    """A block that may have an empty row."""
    inputs = np.flatnonzero(rng.random(columns) < 0.6)
    weights = rng.integers(1, size + 1, len(inputs)) * rng.choice([-1, 1], len(inputs))
    return Block(inputs, weights, rng.integers(-size, size + 1, rng.integers(1, most)))


def random_network(seed: int, size: int = 9, scale: Fraction = Fraction(3, 8), first: int = 1) -> IntegerLayers:
    rng = np.random.default_rng(seed)
    dim = int(rng.integers(1, 4))
    layers, columns = [], dim
    for place in range(int(rng.integers(1, 4))):
        blocks = [random_block(rng, columns, size) for _ in range(rng.integers(1, 5))]
        if place == 0:
            blocks = [Block(block.inputs, block.weights * first, block.biases) for block in blocks]
        layers.append(tuple(blocks))
        columns = sum(len(block.biases) for block in blocks)
    rows = (random_block(rng, columns, size) for _ in range(rng.integers(1, 3)))
    outputs = tuple(OutputRow(row.inputs, row.weights, int(row.biases[0])) for row in rows)
    return IntegerLayers(dim, tuple(layers), (None,) * len(layers), outputs, scale)


def random_exponents(network: IntegerLayers, seed: int, size: int = 6) -> IntegerLayers:
    rng = np.random.default_rng(seed)
    return network.with_exponents([rng.integers(-size, size + 1, width) for width in network.widths])


def flat_layers(network: IntegerLayers) -> list[list[tuple[dict[int, Fraction], Fraction]]]:
    """Every unit as (weights, bias) in rationals, straight from the format's definition."""
    exponents = [[0] * network.dim, *([0] * n for n in network.widths), [0] * len(network.outputs)]
    for place, listed in enumerate(network.exponents, 1):
        exponents[place] = exponents[place] if listed is None else [int(e) for e in listed]
    layers, two = [], Fraction(2)
    for place, blocks in enumerate((*network.layers, network.outputs)):
        factor = network.scale if place == len(network.layers) else Fraction(1)
        units: list[tuple[dict[int, Fraction], Fraction]] = []
        for block in blocks:
            for bias in block.biases.tolist():
                own = two ** exponents[place + 1][len(units)]
                entries = zip(block.inputs.tolist(), block.weights.tolist(), strict=True)
                row = {u: factor * w * own / two ** exponents[place][u] for u, w in entries}
                units.append((row, factor * bias * own))
        layers.append(units)
    return layers


def by_hand(network: IntegerLayers, point: tuple[Fraction, ...]) -> list[Fraction]:
    values = list(point)
    layers = flat_layers(network)
    for place, units in enumerate(layers):
        sums = [sum((w * values[u] for u, w in row.items()), bias) for row, bias in units]
        values = sums if place == len(layers) - 1 else [max(entry, Fraction(0)) for entry in sums]
    return values


def grid(dim: int, bits: int, domain: str, count: int = 40) -> tuple[np.ndarray, list[tuple[Fraction, ...]]]:
    """Some indices, both ends among them, and the points they stand for."""
    rng = np.random.default_rng(dim + bits)
    corners = list(product((0, 2**bits), repeat=dim))
    indices = np.concatenate((np.array(corners), rng.integers(0, 2**bits + 1, (count, dim))))
    low, width = (0, 1) if domain == DOMAINS[0] else (-1, 2)
    return indices, [tuple(low + width * Fraction(entry, 2**bits) for entry in row) for row in indices.tolist()]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("bits", [0, 1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_grid_values_are_those_of_the_definition(seed: int, bits: int, domain: str) -> None:
    network = random_exponents(random_network(seed, first=2 ** (seed % 4)), seed)
    indices, points = grid(network.dim, bits, domain)
    integers, scale = network.grid_values(indices, bits, domain)
    assert integers.dtype == np.int64
    expected = [by_hand(network, point) for point in points]
    assert [[int(entry) * scale for entry in row] for row in integers] == expected


@pytest.mark.parametrize("seed", range(4))
def test_large_integers_do_not_wrap(seed: int) -> None:
    network = random_network(seed, size=2**61)
    indices, points = grid(network.dim, 3, DOMAINS[1], 4)
    integers, scale = network.grid_values(indices, 3, DOMAINS[1])
    assert [[int(entry) * scale for entry in row] for row in integers] == [by_hand(network, p) for p in points]
    assert integers.dtype == object


def test_integers_beyond_64_bits_are_kept() -> None:
    network = IntegerLayers(
        1,
        ((Block([0], [2**70], [-(2**70)]), Block([0], [1], [0])),),
        (None,),
        (OutputRow([0, 1], [1, 2**65], 3),),
        Fraction(1),
    )
    values, scale = network.grid_values(np.array([[0], [4]]), 2, DOMAINS[0])
    assert [int(entry) * scale for entry in values[:, 0]] == [3, 3 + 2**65]
    assert network.max_weight == network.max_integer == 2**70
    assert network.sparse_layers()[0][0].toarray().tolist() == [[2.0**70], [1.0]]
    with pytest.raises(BadInput, match="found:  an integer of 71 bits\n  needed: integers below 2\\^62"):
        network.integer_layers()
    assert json.loads(json.dumps(network.to_json())) == IntegerLayers.from_json(network.to_json()).to_json()


def test_four_equal_neurons_do_not_cancel_modulo_a_power_of_two() -> None:
    units = Block([0], [1], [0, 0, 0, 0])
    network = IntegerLayers(1, ((units,),), (None,), (OutputRow(range(4), [2**61] * 4, 0),), Fraction(1))
    values, _ = network.grid_values(np.array([[1]]), 0, DOMAINS[0])
    assert values.tolist() == [[2**63]]


@pytest.mark.parametrize("seed", range(6))
def test_float_and_sparse_evaluation_agree_with_the_integers(seed: int) -> None:
    network = random_exponents(random_network(seed), seed + 50)
    indices, points = grid(network.dim, 4, DOMAINS[1])
    integers, scale = network.grid_values(indices, 4, DOMAINS[1])
    expected = [[float(int(entry) * scale) for entry in row] for row in integers]
    array = np.array(points, dtype=np.float64)
    assert network.float64_exact_on_grid(4, DOMAINS[1])
    assert network(array).tolist() == expected
    values = array.T
    for place, (weights, biases) in enumerate(network.sparse_layers()):
        assert weights.has_sorted_indices
        values = np.maximum(values, 0) if place else values
        values = weights @ values + biases[:, np.newaxis]
    assert values.T.tolist() == expected


def test_many_points_are_evaluated_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(3)
    indices, _ = grid(network.dim, 6, DOMAINS[0])
    whole, scale = network.grid_values(indices, 6, DOMAINS[0])
    points = network(indices / 64)
    monkeypatch.setattr("depthsep.networks.integer_layers._NUMBERS_AT_ONCE", 50)
    assert np.array_equal(network.grid_values(indices, 6, DOMAINS[0])[0], whole)
    assert np.array_equal(network(indices / 64), points)
    none, _ = network.grid_values(np.zeros((0, network.dim), dtype=int), 6, DOMAINS[0])
    assert none.shape == network(np.zeros((0, network.dim))).shape == (0, len(network.outputs))
    assert scale == network.scale / 2**6


@pytest.mark.parametrize("seed", range(8))
def test_counts_and_maxima_are_those_of_the_definition(seed: int) -> None:
    network = random_exponents(random_network(seed, scale=Fraction(-7, 3)), seed)
    layers = flat_layers(network)
    weights = [abs(w) for units in layers for row, _ in units for w in row.values()]
    biases = [abs(bias) for units in layers for _, bias in units]
    assert network.max_weight == max(weights + biases)
    assert network.weights_count == len(weights)
    assert network.nonzeros == len(weights) + sum(bias != 0 for bias in biases)
    assert network.widths == tuple(len(units) for units in layers[:-1])
    assert network.neurons == sum(network.widths)
    assert network.depth == len(layers)
    blocks = [block for layer in (*network.layers, network.outputs) for block in layer]
    assert network.stored_numbers == sum(len(block.weights) + len(block.biases) for block in blocks)
    assert network.max_integer == max(int(abs(n)) for b in blocks for n in (*b.weights, *b.biases))
    plain = network.integer_layers()
    assert [matrix.shape[0] for matrix, _ in plain] == [*network.widths, len(network.outputs)]
    assert sum(matrix.nnz for matrix, _ in plain) == len(weights)


@pytest.mark.parametrize("seed", range(6))
def test_json_and_back(seed: int) -> None:
    network = random_network(seed, scale=Fraction(1, 3))
    for form in (network, random_exponents(network, seed)):
        text = json.dumps(form.to_json())
        assert json.dumps(IntegerLayers.from_json(json.loads(text)).to_json()) == text


# ------------------------------------------------------------------------------------------------------ exactness


def sums_on_grid(network: IntegerLayers, points: list[tuple[Fraction, ...]]) -> Fraction:
    """The largest sum |w| z + |b| met at some points, exponents and scale left aside."""
    most, plain = Fraction(0), network.with_exponents([None] * len(network.widths))
    layers = flat_layers(plain)
    for point in points:
        values = list(point)
        for place, units in enumerate(layers):
            factor = abs(network.scale) if place == len(layers) - 1 else 1
            reach = (sum((abs(w) * abs(values[u]) for u, w in row.items()), abs(b)) for row, b in units)
            most = max(most, *(entry / factor for entry in reach))
            sums = [sum((w * values[u] for u, w in row.items()), bias) for row, bias in units]
            values = [max(entry, Fraction(0)) for entry in sums]
    return most


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("size", [9, 2**25, 2**58])
def test_no_sum_exceeds_the_accumulators(size: int, domain: str) -> None:
    for seed in range(6):
        network = random_network(seed, size=size, first=16)
        _, points = grid(network.dim, 4, domain, 10)
        assert sums_on_grid(network, points) < 2 ** network.accumulator_bits(4, domain)


def test_huge_weights_of_units_that_are_always_off() -> None:
    off = Block([0], [1], [-5])
    network = IntegerLayers(
        1, ((off,), (Block([0], [2**80], [1]),)), (None, None), (OutputRow([0], [2**70], 0),), Fraction(1)
    )
    assert network._largest_sums(0, DOMAINS[0], ()) == [6, 1, 2**70]


def staircase(steps: int, height: int = 1) -> IntegerLayers:
    """Steps of one height at odd multiples of 1 / 2^8, then a pass, then a factor: the ranges do not pile up."""
    places = [(2 * step + 1) * 2**4 for step in range(steps)]
    ramps = Block([0], [2**12], [-place + shift for place in places for shift in (1, 0)])
    read = Block(range(2 * steps), [height, -height] * steps, [0])
    return IntegerLayers(1, ((ramps,), (read,)), (None, None), (OutputRow([0], [2**20], 0),), Fraction(1))


def test_a_difference_of_ramps_has_the_range_of_a_step() -> None:
    network = staircase(16)
    # unit 2 is at most 16 in spite of ramps up to 2^12: the output stays at 2^24, and layer 2 is the widest sum
    assert network.accumulator_bits(8, DOMAINS[0]) == 25
    assert network.float64_exact_on_grid(8, DOMAINS[0])
    assert network.float_obstacle(FLOAT32, 8, DOMAINS[0]) == (
        "sums reach 2^24, and float32 holds the integers up to 2^24"
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_range_of_what_is_read_of_one_block_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    biases = rng.integers(-20, 8, 6)  # in any order, some kinks outside 0..16, some twice
    read = Block(range(6), rng.integers(1, 6, 6) * rng.choice([-1, 1], 6), [3])
    network = IntegerLayers(
        1, ((Block([0], [16], biases),), (read,)), (None, None), (OutputRow([0], [1], 0),), Fraction(1)
    )
    highest = max(int(read.weights @ np.maximum(v + biases, 0)) + 3 for v in range(17))
    assert network._largest_sums(4, DOMAINS[0], ())[2] == max(highest, 0)


def test_a_mask_is_never_above_its_digit() -> None:
    gates = Block([0], [1], [0, 0, 0])
    masks = Block([0, 1, 2], [5, 5, 5], [-5])  # relu(5 (s_1 + s_2 + s_3) - 5), where one s at most is 1
    network = IntegerLayers(1, ((gates,), (masks,)), (None, None), (OutputRow([0], [2**50], 0),), Fraction(1))
    assert network.accumulator_bits(0, DOMAINS[0]) == 54
    assert network.accumulator_bits(0, DOMAINS[0], masked=(2,)) == 53
    assert network.float64_exact_on_grid(0, DOMAINS[0], masked=(2,))
    assert not network.float64_exact_on_grid(0, DOMAINS[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scale": Fraction(1, 3)}, "the scale 1/3 is no float64 number"),
        ({"scale": Fraction(2**53 + 1)}, "sums reach 2^"),
        ({"exponents": ([-1100, 0],)}, "the exponents leave the range of float64"),
        ({"exponents": ([1010, 0],)}, "the exponents leave the range of float64"),
        ({"layers": ((Block([0], [2**54 + 1], [-(2**60), 0]),),)}, "sums reach 2^6"),
        ({"outputs": (OutputRow([0], [2**54 + 1], 0),), "layers": ((Block([0], [1], [-1, 0]),),)}, "more than the 53"),
    ],
)
def test_what_floating_point_may_get_wrong(change: dict[str, Any], reason: str) -> None:
    parts: dict[str, Any] = {
        "dim": 1,
        "layers": ((Block([0], [8], [-3, -4]),),),
        "exponents": (None,),
        "outputs": (OutputRow([0, 1], [1, -1], 0),),
        "scale": Fraction(5, 4),
    }
    assert IntegerLayers(**parts).float_obstacle(FLOAT64, 3, DOMAINS[0]) == ""
    assert reason in IntegerLayers(**(parts | change)).float_obstacle(FLOAT64, 3, DOMAINS[0])


def test_fine_grids_need_longer_floats() -> None:
    network = IntegerLayers(1, ((Block([0], [2**30], [0]),),), (None,), (OutputRow([], [], 1),), Fraction(1))
    assert (
        network.float_obstacle(FLOAT32, 24, DOMAINS[0]) == "sums reach 2^30, and float32 holds the integers up to 2^24"
    )
    fine = IntegerLayers(1, ((Block([], [], [0]),),), (None,), (OutputRow([], [], 1),), Fraction(1))
    assert fine.float32_exact_on_grid(24, DOMAINS[0])
    assert fine.float_obstacle(FLOAT32, 25, DOMAINS[0]) == (
        "a weight or a grid point has more than the 24 digits of float32"
    )


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 0}, "needed: a dimension of at least 1, a hidden layer and an output"),
        ({"layers": (), "exponents": ()}, "a hidden layer and an output"),
        ({"outputs": ()}, "a hidden layer and an output"),
        ({"scale": Fraction(0)}, "found:  the scale 0\n  needed: one other than 0, of at most 300 digits"),
        ({"scale": Fraction(10**300)}, "of at most 300 digits"),
        (
            {"layers": ((Block([0], [1], [1]), Block([0], [1], [])),)},
            "layer 1, block 1 has no bias\n  needed: at least one block",
        ),
        ({"layers": ((),)}, "layer 1, block list is empty"),
        ({"layers": ((Block([], [], [0]), Block([0, 1], [1, 1], [0])),)}, "layer 1, block 1: input 1 with weight 1"),
        ({"layers": ((Block([-1], [1], [0, 1]),),)}, "input -1 with weight 1\n  needed: inputs from 0 to 0"),
        (
            {"outputs": (OutputRow([1, 1], [2, 1], 0),)},
            "output 0: input 1 with weight 1\n  needed: inputs that increase",
        ),
        ({"outputs": (OutputRow([0], [0], 0),)}, "output 0: input 0 with weight 0\n  needed: weights other than 0"),
        ({"outputs": (OutputRow([0], [1], 10**100),)}, "output list with an integer of more than 100 digits"),
        ({"exponents": ([0],)}, "lists of exponents of lengths \\[1\\]\n  needed: .*\\[2\\]"),
        ({"exponents": ()}, "lists of exponents of lengths \\[\\]"),
        ({"exponents": ([0, 2001],)}, "needed: exponents from -2000 to 2000"),
    ],
)
def test_what_is_no_network(change: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {
        "dim": 1,
        "layers": ((Block([0], [8], [-3, -4]),),),
        "exponents": (None,),
        "outputs": (OutputRow([0, 1], [1, -1], 0),),
        "scale": Fraction(5),
    }
    with pytest.raises(BadInput, match="(?s)a network of integers with . hidden layers.*" + message):
        IntegerLayers(**(parts | change))


def test_rows_of_two_lengths() -> None:
    with pytest.raises(BadInput, match="found:  2 inputs and 1 weights"):
        Block([0, 1], [1], [0])


def test_arrays_are_copied_and_read_only() -> None:
    inputs = np.array([0])
    block = Block(inputs, [1], [0])
    inputs[0] = 5
    assert block.inputs.tolist() == [0]
    assert not any(array.flags.writeable for array in (block.inputs, block.weights, block.biases))
    with pytest.raises(TypeError):
        Block([0], [1.5], [0])


@pytest.mark.parametrize(
    ("indices", "bits", "domain", "message"),
    [
        (np.array([[5]]), 2, DOMAINS[0], "found:  indices from 5 to 5\n  needed: indices from 0 to 4"),
        (np.array([[0.5]]), 2, DOMAINS[0], "needed: integers of shape \\(n, 1\\)"),
        (np.array([0]), 2, DOMAINS[0], "needed: integers of shape \\(n, 1\\)"),
        (np.array([[0]]), 61, DOMAINS[0], "needed: between 0 and 60 bits"),
        (np.array([[0]]), 2, "ball", "the domain 'ball'"),
    ],
)
def test_what_is_no_grid_point(indices: np.ndarray, bits: int, domain: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        staircase(1).grid_values(indices, bits, domain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": Fraction(1, 3)}, "the scale 1/3\n  needed: a power of two as its denominator"),
        (
            {"outputs": (OutputRow([0], [2**53 + 1], 0),)},
            "the integer 45035996273704965\n  needed: numbers of at most 53",
        ),
        ({"outputs": (OutputRow([0], [2**80 + 1], 0),)}, "the integer 6044629098073145873530885"),
        ({"exponents": ([-1100, 0],)}, "found:  8.0 times 2\\^-1100\n  needed: numbers in the range of float64"),
        ({"exponents": ([1022, 0],)}, "needed: numbers in the range of float64"),
        ({"outputs": (OutputRow([0], [10**99], 0),), "scale": Fraction(10**299)}, "an integer of 1323 bits"),
    ],
)
def test_layers_that_no_float_holds(change: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {
        "dim": 1,
        "layers": ((Block([0], [8], [-3, -4]),),),
        "exponents": (None,),
        "outputs": (OutputRow([0, 1], [1, -1], 0),),
        "scale": Fraction(5),
    }
    with pytest.raises(BadInput, match="(?s)the layers of a network in float64.*" + message):
        IntegerLayers(**(parts | change)).sparse_layers()
