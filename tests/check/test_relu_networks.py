"""The reader of relu-network objects and the exact bounds of their values."""

import random
from itertools import product
from typing import Any

import pytest
from flint import fmpq

from depthsep_check.relu_networks import (
    DOMAINS,
    SYMMETRIC_CUBE,
    UNIT_CUBE,
    ReluNetwork,
    grid_range,
    integer_form,
    largest_weight,
    linear_pieces,
    output_bounds,
    read_relu_network,
)
from depthsep_check.verdict import Budget, Exhausted, Malformed, Unsupported

LAYERS = [
    {"weights": [["1", "0x1p-1"], ["-1/3", "2"]], "biases": ["0", "1/7"]},
    {"weights": [["1", "-1"]], "biases": ["-5"]},
]


def read(layers: Any = LAYERS, **other: Any) -> ReluNetwork:
    return read_relu_network({"kind": "relu-network", "dim": 2, "layers": layers, **other}, "function")


def value_at(network: ReluNetwork, point: list[fmpq]) -> list[fmpq]:
    values = point
    for place, layer in enumerate(network.layers):
        values = [max(value, fmpq(0)) for value in values] if place else values
        pairs = zip(layer.weights, layer.biases, strict=True)
        values = [b + sum((w * z for w, z in zip(row, values, strict=True)), fmpq(0)) for row, b in pairs]
    return values


def random_network(generator: random.Random) -> ReluNetwork:
    widths = [generator.randint(1, 4) for _ in range(generator.randint(0, 3))] + [generator.randint(1, 2)]
    layers, columns = [], 2
    for width in widths:
        numbers = [
            [f"{generator.randint(-9, 9)}/{generator.randint(1, 6)}" for _ in range(columns + 1)] for _ in range(width)
        ]
        layers.append({"weights": [row[:-1] for row in numbers], "biases": [row[-1] for row in numbers]})
        columns = width
    return read(layers)


def test_read() -> None:
    network = read()
    assert (network.depth, network.widths, network.neurons, network.outputs) == (2, (2,), 2, 1)
    assert network.layers[0].weights == ((fmpq(1), fmpq(1, 2)), (fmpq(-1, 3), fmpq(2)))
    assert largest_weight(network) == 5
    assert linear_pieces(network) == 3
    empty = read([{"weights": [], "biases": []}, {"weights": [[]], "biases": ["-5"]}])
    assert output_bounds(empty, UNIT_CUBE) == ((fmpq(-5), fmpq(-5)),)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": "separable"}, Unsupported),
        ({"dim": 0}, Malformed),
        ({"dim": True}, Malformed),
        ({"bias": 1}, Malformed),
        ({"layers": []}, Malformed),
        ({"layers": {}}, Malformed),
        ({"layers": [{"weights": [], "biases": []}]}, Malformed),
        ({"layers": [{"weights": [["1"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1", "1"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1"]], "biases": ["0", "1"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1"], ["1", "1"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", 1]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "nan"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1e3"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1/0"]], "biases": ["0"]}]}, Malformed),
        ({"layers": [{"weights": [["1", "1"]], "biases": ["0"], "activation": "relu"}]}, Malformed),
        ({"layers": LAYERS[:1] * 65}, Malformed),
        ({"dim": 10**6, "layers": [{"weights": [["0"]], "biases": ["0"]}]}, Malformed),
    ],
)
def test_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(**change)


@pytest.mark.parametrize("domain", DOMAINS)
def test_bounds_and_range(domain: str) -> None:
    """Every grid point lies in the intervals, and the range is the largest value among them."""
    generator = random.Random(7)
    for _ in range(25):
        network = random_network(generator)
        steps = [fmpq(x, 4) for x in range(5)] if domain == UNIT_CUBE else [fmpq(x, 2) - 1 for x in range(5)]
        values = [value_at(network, list(point)) for point in product(steps, repeat=2)]
        bounds = output_bounds(network, domain)
        for value in values:
            assert all(low <= y <= high for y, (low, high) in zip(value, bounds, strict=True))
        assert grid_range(network, domain, 2, Budget(10**6)) == max(abs(y) for value in values for y in value)


def test_bounds_of_one_layer_are_attained() -> None:
    network = read([{"weights": [["2", "-3/2"]], "biases": ["1"]}])
    assert output_bounds(network, UNIT_CUBE) == ((fmpq(-1, 2), fmpq(3)),)
    assert output_bounds(network, SYMMETRIC_CUBE) == ((fmpq(-5, 2), fmpq(9, 2)),)


def test_integer_form() -> None:
    layers, denominator = integer_form(read(), "step", 8)
    assert layers[0].rows == (((0, 42), (1, 21)), ((0, -14), (1, 84)))
    assert (layers[0].biases, layers[1].rows, layers[1].biases) == ((0, 48), (((0, 1), (1, -1)),), (-5 * 8 * 42,))
    assert denominator == 8 * 42


def test_at_most_a_million_numbers() -> None:
    wide = {"weights": [["0"] * (10**6 - 1)], "biases": ["0"]}
    one_more = [wide, {"weights": [["0"]], "biases": ["0"]}]
    with pytest.raises(Malformed, match=r"function.layers\[1\].biases: 1 entries, at most 0 are allowed"):
        read(one_more, dim=10**6 - 1)


def test_work_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exhausted, match="more than 2"):
        grid_range(read(), UNIT_CUBE, 21, Budget(10**9))
    with pytest.raises(Exhausted, match="work limit of 1000 units"):
        grid_range(read(), UNIT_CUBE, 6, Budget(1000))
    monkeypatch.setattr("depthsep_check.relu_networks._MAX_STORED_BITS", 20)
    with pytest.raises(Exhausted, match="step: the weights over their common denominators do not fit"):
        integer_form(read(), "step")
