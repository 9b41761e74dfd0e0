"""Exact ReLU networks: one value by three ways of computing it, enclosures, the float door, and every refusal."""

import itertools
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks import DOMAINS, AffineLayer, ReluNetwork
from depthsep.networks.exact_numbers import exact_number, format_number, is_float64
from depthsep_check.relu_networks import read_relu_network

Layers = list[tuple[list[list[Fraction]], list[Fraction]]]


def brute(network: ReluNetwork, point: list[Fraction]) -> list[Fraction]:
    """The definition, in Fractions, one product after the other."""
    values = point
    for place, layer in enumerate(network.layers):
        if place:
            values = [max(Fraction(0), value) for value in values]
        rows = zip(layer.weights, layer.biases, strict=True)
        values = [sum((w * v for w, v in zip(row, values, strict=True)), bias) for row, bias in rows]
    return values


def random_network(rng: random.Random, draw: Callable[[random.Random], Any], sizes: list[int]) -> ReluNetwork:
    pairs = [
        ([[draw(rng) for _ in range(before)] for _ in range(after)], [draw(rng) for _ in range(after)])
        for before, after in itertools.pairwise(sizes)
    ]
    return ReluNetwork.from_arrays(pairs)


DRAWS: dict[str, Callable[[random.Random], Any]] = {
    "integers": lambda rng: rng.randint(-9, 9),
    "thirds": lambda rng: Fraction(rng.randint(-20, 20), rng.choice([1, 2, 3, 7])),
    "floats": lambda rng: rng.gauss(0, 1),
    "60 bits": lambda rng: rng.choice([0, rng.randint(-(2**60), 2**60)]),
    "powers": lambda rng: rng.choice([-1, 1]) * Fraction(2) ** rng.randint(-70, 70),
    "texts": lambda rng: rng.choice(["1/3", "-0.1", "2.5e-3", "0x1.8p-3", "7"]),
    "mostly dead": lambda rng: rng.choice([0, 0, 0, -5, 1]),
}
SIZES = [[1, 3, 1], [2, 4, 4, 2], [3, 2], [2, 1, 5, 3, 1]]


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("domain", DOMAINS)
def test_three_exact_evaluations_agree_on_the_grid(name: str, domain: str) -> None:
    rng = random.Random(f"{name} {domain}")
    for sizes, bits in itertools.product(SIZES, (0, 3)):
        network = random_network(rng, DRAWS[name], sizes)
        indices = np.array([[rng.randint(0, 2**bits) for _ in range(sizes[0])] for _ in range(12)])
        numerators, denominator = network.grid_values(indices, bits, domain)
        assert numerators.shape == (12, sizes[-1])
        for index, row in zip(indices.tolist(), numerators.tolist(), strict=True):
            low, width = (0, 1) if domain == "[0,1]^d" else (-1, 2)
            point = [low + width * Fraction(entry, 2**bits) for entry in index]
            exact = brute(network, point)
            assert [Fraction(int(top), denominator) for top in row] == exact
            assert list(network.evaluate_exact(point)) == exact


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("domain", DOMAINS)
def test_intervals_contain_every_value_and_are_tight_for_one_layer(name: str, domain: str) -> None:
    rng = random.Random(f"intervals {name} {domain}")
    low = 0 if domain == "[0,1]^d" else -1
    for sizes in SIZES:
        network = random_network(rng, DRAWS[name], sizes)
        enclosures = network.preactivation_intervals(domain)
        assert [len(layer) for layer in enclosures] == sizes[1:]
        assert enclosures[-1] == network.output_interval(domain)
        corners = [list(map(Fraction, corner)) for corner in itertools.product((low, 1), repeat=sizes[0])]
        inside = [[Fraction(rng.randint(64 * low, 64), 64) for _ in range(sizes[0])] for _ in range(10)]
        for place, layer in enumerate(enclosures, 1):
            start = ReluNetwork(network.dim, network.layers[:place])
            values = [brute(start, point) for point in corners + inside]
            for row, (least, most) in enumerate(layer):
                assert least <= min(value[row] for value in values)
                assert most >= max(value[row] for value in values)
                if place == 1:  # linear, so the extremes are taken at corners
                    ends = [value[row] for value in values[: len(corners)]]
                    assert (least, most) == (min(ends), max(ends))


def test_cancellation_that_float64_loses_is_kept() -> None:
    huge = 2**60
    network = ReluNetwork.from_arrays([([[huge], [huge]], [1, 0]), ([[1, -1]], [0])])
    indices = np.arange(9)[:, None]
    numerators, denominator = network.grid_values(indices, 3, "[0,1]^d")
    assert [Fraction(int(top), denominator) for top in numerators[:, 0]] == [1] * 9
    assert network(indices / 8)[:, 0].tolist() != [1.0] * 9


def test_int64_is_left_exactly_when_a_sum_could_reach_the_bound() -> None:
    below = ReluNetwork.from_arrays([([[2**61 - 1, 2**60]], [2**60])])
    above = ReluNetwork.from_arrays([([[2**61, 2**60]], [2**60])])
    point = np.array([[1, 1]])
    assert below.grid_values(point, 0, "[0,1]^d")[0].dtype == np.int64
    values, denominator = above.grid_values(point, 0, "[0,1]^d")
    assert values.dtype == object
    assert (values.tolist(), denominator) == ([[2**62]], 1)


def test_a_weight_too_large_for_int64_on_a_unit_that_is_0() -> None:
    network = ReluNetwork.from_arrays([([[1]], [-5]), ([[2**80]], [3])])
    assert network.grid_values(np.array([[1]]), 0, "[0,1]^d")[0].tolist() == [[3]]


def test_points_in_several_blocks_and_none_at_all() -> None:
    network = random_network(random.Random(5), DRAWS["integers"], [2, 3, 1])
    indices = np.random.default_rng(5).integers(0, 2**40, size=(400_000, 2), endpoint=True)
    numerators, denominator = network.grid_values(indices, 40, "[-1,1]^d")
    assert len(numerators) == len(indices)
    for place in (0, 349_524, 349_525, 399_999):  # around the first cut
        point = [Fraction(2 * entry, 2**40) - 1 for entry in indices[place].tolist()]
        assert [Fraction(int(top), denominator) for top in numerators[place]] == brute(network, point)
    assert network.grid_values(np.zeros((0, 2), dtype=int), 3, "[0,1]^d")[0].shape == (0, 1)


def test_a_network_in_numbers() -> None:
    network = ReluNetwork.from_arrays([([["1/2", 0], [-3, 1], [0, 0]], [0, 0, -7]), ([[1, 2, 0]], ["-1/3"])])
    assert (network.depth, network.widths, network.neurons, network.outputs) == (2, (3,), 3, 1)
    assert (network.nonzeros, network.parameters, network.max_weight) == (7, 13, 7)
    assert not network.is_float64
    assert ReluNetwork.from_arrays([([[0.1]], [2.0**-1074])]).is_float64
    assert network.linear_pieces() == 4
    assert random_network(random.Random(1), DRAWS["integers"], [2, 3, 4, 1]).linear_pieces() == 20
    assert ReluNetwork.from_arrays([([[1]], [1])]).linear_pieces() == 1


def test_a_hidden_layer_without_units_is_a_constant() -> None:
    network = ReluNetwork.from_arrays([(np.zeros((0, 3)), np.zeros(0)), (np.zeros((1, 0)), [2.5])])
    assert (network.dim, network.widths, network.evaluate_exact([Fraction(1)] * 3)) == (3, (0,), (Fraction(5, 2),))
    assert network.grid_values(np.zeros((2, 3), dtype=int), 4, "[0,1]^d")[0].tolist() == [[80], [80]]
    assert network.output_interval("[-1,1]^d") == ((Fraction(5, 2), Fraction(5, 2)),)
    assert network(np.ones((2, 3))).tolist() == [[2.5], [2.5]]
    assert ReluNetwork.from_json(network.to_json()) == network


def test_float_types_are_taken_exactly() -> None:
    for kind in (np.float16, np.float32, np.float64, np.longdouble, np.int8, np.uint64):
        array = np.array([[3, 5]]).astype(kind) / np.array(7).astype(kind) if np.dtype(kind).kind == "f" else [[3, 5]]
        array = np.asarray(array, dtype=kind)
        network = ReluNetwork.from_arrays([(array, np.array([1], dtype=kind))])
        expected = tuple(Fraction(*entry.as_integer_ratio()) for entry in array.astype(np.longdouble)[0])
        assert network.layers[0].weights == (expected,)


def test_integers_of_numpy_do_not_wrap_around() -> None:
    big = np.int64(2**62)
    network = ReluNetwork.from_arrays([([[big]], [Fraction(big)]), ([[big]], [np.uint64(1)])])
    assert network.evaluate_exact([Fraction(8)]) == (9 * 2**124 + 1,)
    with pytest.raises(BadInput, match="no Fraction of Python's integers"):
        ReluNetwork(1, (AffineLayer(((Fraction(big),),), (Fraction(0),)),))


def test_layers_compose_exactly() -> None:
    rng = random.Random(8)
    for name in ("thirds", "60 bits", "floats"):
        network = random_network(rng, DRAWS[name], [3, 4, 2])
        first, second = network.layers
        one = ReluNetwork(3, (second.after(first),))
        for _ in range(5):
            point = [Fraction(rng.randint(-9, 9), 7) for _ in range(3)]
            middle = brute(ReluNetwork(3, (first,)), point)
            assert brute(one, point) == brute(ReluNetwork(4, (second,)), middle)


def test_the_float_network_is_near_the_exact_one() -> None:
    network = random_network(random.Random(3), DRAWS["floats"], [3, 8, 8, 2])
    points = np.random.default_rng(3).uniform(-1, 1, size=(20, 3))
    values = network(points)
    assert values.shape == (20, 2)
    for point, value in zip(points.tolist(), values, strict=True):
        exact = network.evaluate_exact([Fraction(entry) for entry in point])
        assert np.allclose(value, [float(entry) for entry in exact], rtol=0, atol=1e-13)
    assert all(weights.dtype == np.float64 for weights, _ in network.dense_layers())


@pytest.mark.parametrize("name", DRAWS)
def test_json_keeps_every_number_and_is_what_the_checker_reads(name: str) -> None:
    network = random_network(random.Random(name), DRAWS[name], [2, 4, 3, 1])
    obj = network.to_json()
    assert ReluNetwork.from_json(obj) == network
    read = read_relu_network(obj, "function")
    for ours, theirs in zip(network.layers, read.layers, strict=True):
        assert [[str(entry) for entry in row] for row in ours.weights] == [
            list(map(str, row)) for row in theirs.weights
        ]
        assert [str(entry) for entry in ours.biases] == [str(entry) for entry in theirs.biases]


def test_how_numbers_are_written() -> None:
    assert format_number(Fraction(-1, 3), "here") == "-1/3"
    assert format_number(Fraction(0.1), "here") == "3602879701896397/36028797018963968"
    assert format_number(Fraction(1e-300), "here") == (1e-300).hex()
    long = Fraction(10**150 + 1, 3)
    assert format_number(long, "here") == str(long)
    with pytest.raises(BadInput) as error:
        format_number(Fraction(10**400 + 1, 3), "a weight of layer 2")
    assert str(error.value) == (
        "write a weight of layer 2 into a document\n"
        "  found:  a fraction with a numerator and a denominator of up to 1329 bits\n"
        "  needed: a text of at most 400 characters, or a float64\n"
        "  do:     round the weights to fewer digits first"
    )


def test_which_numbers_are_float64() -> None:
    largest = Fraction((2**53 - 1) * 2**971)
    for yes in (0, 1, -1, 2**53, 2**60, largest, Fraction(1, 2**1074), Fraction(3, 2**1074), Fraction(2.0**-1022)):
        assert is_float64(Fraction(yes))
        assert is_float64(-Fraction(yes))
    halfway = Fraction(2**53 + 1, 2**1075)
    for no in (2**53 + 1, largest + 1, 2**1024, Fraction(1, 2**1075), Fraction(1, 3), halfway):
        assert not is_float64(Fraction(no))


@pytest.mark.parametrize(
    ("value", "found", "needed"),
    [
        (float("inf"), "inf", "a finite number"),
        (np.float32("nan"), "nan", "a finite number"),
        (1 + 2j, "(1+2j), a complex", "a real number: an integer, a float, a Fraction or a text"),
        (True, "True, a bool", "a real number: an integer, a float, a Fraction or a text"),
        (None, "NoneType", "a real number: an integer, a float, a Fraction or a text"),
        ("1/0", "'1/0'", "a text such as"),
        ("nan", "'nan'", "a text such as"),
        ("1e9999", "'1e9999'", "a text such as"),
        ("1_0", "'1_0'", "a text such as"),
        ("0x1.00000000000001p0", "'0x1.00000000000001p0'", "a text such as"),
        ("1" * 900, "'" + "1" * 56 + "...", "a text such as"),
    ],
)
def test_what_is_no_number(value: Any, found: str, needed: str) -> None:
    with pytest.raises(BadInput) as error:
        ReluNetwork.from_arrays([([[1, 2]] * 4, [0] * 4), ([[0, 0, 0, 0]] * 3 + [[0, 0, value, 0]], [0] * 4)])
    assert error.value.asked == "read layer 2, weight [3, 2]"
    assert error.value.found == found
    assert error.value.needed.startswith(needed)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.1", "1/10"), ("-.5", "-1/2"), ("+2.", "2"), ("1e3", "1000"), ("-6/4", "-3/2"), ("0X1.8P+1", "3")],
)
def test_texts_that_are_numbers(text: str, value: str) -> None:
    assert exact_number(text, "here") == Fraction(value)


ONE = AffineLayer(((Fraction(1),),), (Fraction(0),))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: ReluNetwork.from_arrays([([[1, 2], [3]], [0, 0])]),
            "a network of 1 layers in dimension 2\n  found:  layer 1, row 1 has 1 weights\n"
            "  needed: 2, as many as there are inputs",
        ),
        (
            lambda: ReluNetwork.from_arrays([([[1]], [0]), ([[1, 2]], [0])]),
            "a network of 2 layers in dimension 1\n  found:  layer 2, row 0 has 2 weights\n"
            "  needed: 1, one for each unit of layer 1",
        ),
        (
            lambda: ReluNetwork.from_arrays([([[1]], [0, 1])]),
            "a network of 1 layers in dimension 1\n  found:  layer 1 has 1 rows of weights and 2 biases\n"
            "  needed: one bias for each row",
        ),
        (
            lambda: ReluNetwork.from_arrays([]),
            "a network from 0 layers\n  needed: at least one pair of weights and biases",
        ),
        (
            lambda: ReluNetwork(1, ()),
            "a network of 0 layers in dimension 1\n"
            "  needed: a dimension of at least 1, at least one layer and at least one output",
        ),
        (
            lambda: ReluNetwork.from_arrays([([], [])]),
            "a network of 1 layers in dimension 0\n"
            "  needed: a dimension of at least 1, at least one layer and at least one output",
        ),
        (
            lambda: ReluNetwork(1, (AffineLayer(((1.0,),), (Fraction(0),)),)),  # type: ignore[arg-type]
            "a network of 1 layers in dimension 1\n"
            "  found:  layer 1 has entries that are no Fraction of Python's integers\n"
            "  do:     use from_arrays",
        ),
        (
            lambda: ReluNetwork.from_arrays([np.zeros((3, 1))]),  # type: ignore[list-item]
            "read layer 1\n  found:  ndarray\n  needed: a pair: weights and biases",
        ),
        (
            lambda: ReluNetwork.from_arrays([(np.zeros((1, 1), dtype=complex), [0])]),
            "read layer 1\n  found:  an array of complex128 with shape (1, 1)\n"
            "  needed: a matrix of real numbers and a list of biases",
        ),
        (
            lambda: ReluNetwork.from_arrays([([1, 2], [0])]),
            "read layer 1, weight row 0\n  found:  1\n  needed: a matrix of real numbers and a list of biases",
        ),
        (
            lambda: ReluNetwork(1, (ONE,)).evaluate_exact([Fraction(1)] * 2),
            "evaluate at a point of 2 coordinates\n  needed: 1 coordinates",
        ),
        (
            lambda: ReluNetwork(1, (ONE,)).output_interval("R^d"),
            "the domain 'R^d'\n  needed: [0,1]^d or [-1,1]^d",
        ),
        (
            lambda: ReluNetwork(1, (ONE,)).grid_values(np.array([[9]]), 3, "[0,1]^d"),
            "evaluate at indices of type int64 and shape (1, 1) of a grid of 3 bits\n"
            "  found:  indices from 9 to 9\n  needed: indices from 0 to 8",
        ),
        (
            lambda: ReluNetwork(1, (ONE,)).grid_values(np.array([[0.5]]), 3, "[0,1]^d"),
            "evaluate at indices of type float64 and shape (1, 1) of a grid of 3 bits\n"
            "  needed: integers of shape (n, 1): one row per point",
        ),
        (
            lambda: ReluNetwork(1, (ONE,)).grid_values(np.array([[1]]), 61, "[0,1]^d"),
            "evaluate at indices of type int64 and shape (1, 1) of a grid of 61 bits\n  needed: between 0 and 60 bits",
        ),
        (
            lambda: ReluNetwork.from_arrays([([[2**1024]], [0])])([[1.0]]),
            "the layers in float64\n  found:  a weight of 1025 bits\n  needed: numbers below 2^1024",
        ),
    ],
)
def test_refusals(build: Callable[[], object], message: str) -> None:
    with pytest.raises(BadInput) as error:
        build()
    assert str(error.value) == message


def json_network(**changes: Any) -> dict[str, Any]:
    return {"kind": "relu-network", "dim": 1, "layers": [{"weights": [["1/2"]], "biases": [3]}], **changes}


def test_json_with_integers_and_texts() -> None:
    network = ReluNetwork.from_json(json_network())
    assert network.layers == (AffineLayer(((Fraction(1, 2),),), (Fraction(3),)),)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (
            json_network(layers=[{"weights": [["1/2"]], "biases": [0.1]}]),
            "read layer 1 from JSON\n  found:  the JSON number 0.1\n"
            '  needed: an integer, or a text, which is exact\n  do:     write it as "0.1"',
        ),
        (
            json_network(extra=1),
            "read the relu-network object from JSON\n  found:  the keys kind, dim, layers, extra\n"
            "  needed: an object with the keys kind, dim, layers",
        ),
        (
            json_network(kind="separable"),
            "read a network from JSON\n  found:  kind 'separable', dim 1, layers: a list\n"
            "  needed: 'relu-network', an integer and a list",
        ),
        (
            json_network(layers=[[["1/2"], [3]]]),
            "read layer 1 from JSON\n  found:  a list\n  needed: an object with the keys weights, biases",
        ),
        (
            json_network(layers=[{"weights": [[True]], "biases": [3]}]),
            "read layer 1, weight [0, 0]\n  found:  True, a bool\n"
            "  needed: a real number: an integer, a float, a Fraction or a text",
        ),
        (
            json_network(dim=2),
            "a network of 1 layers in dimension 2\n  found:  layer 1, row 0 has 1 weights\n"
            "  needed: 2, as many as there are inputs",
        ),
        (
            json_network(layers=[{"weights": "1/2", "biases": [3]}]),
            "read layer 1\n  found:  '1/2'\n  needed: a matrix of real numbers and a list of biases",
        ),
    ],
)
def test_json_refusals(obj: object, message: str) -> None:
    with pytest.raises(BadInput) as error:
        ReluNetwork.from_json(obj)
    assert str(error.value) == message
