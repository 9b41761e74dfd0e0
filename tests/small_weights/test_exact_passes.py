"""Tidying, clearing denominators, padding, splitting: equal everywhere, verified, and smaller in what they promise."""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.balance import balance
from depthsep.small_weights.padding import pad
from depthsep.small_weights.splitting import split
from depthsep.small_weights.tidy import clear_denominators, tidy
from depthsep_check import check
from depthsep_check.document import encode


def random_network(rng: np.random.Generator) -> ReluNetwork:
    """Rational weights; many zeros, repeated and multiplied rows, and neurons that are never positive."""
    widths = [int(rng.integers(1, 4)), *rng.integers(1, 6, rng.integers(0, 4)).tolist(), int(rng.integers(1, 3))]
    layers = []
    for columns, width in itertools.pairwise(widths):
        numbers = rng.integers(-9, 10, (width, columns + 1)) * (rng.random((width, columns + 1)) < 0.7)
        if width > 2:
            numbers[1] = -np.abs(numbers[1])
            numbers[2] = numbers[0] * rng.integers(-1, 4)
        entries = [
            [Fraction(int(n), int(rng.integers(1, 4)) if row != 2 else 2) for n in numbers[row]] for row in range(width)
        ]
        layers.append(([row[:-1] for row in entries], [row[-1] for row in entries]))
    return ReluNetwork.from_arrays(layers)


def document(source: ReluNetwork, network: ReluNetwork) -> str:
    claim = {
        "kind": "same-function",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": "R^d",
        "arithmetic": "real",
        "max_weight": str(network.max_weight),
        "rescaling_lower": None,
    }
    witness = {"kind": "canonical-forms", "critical_path": None}
    parts = {"function": source.to_json(), "claim": claim, "network": network.to_json(), "witness": witness}
    return encode({"format": "depthsep", "version": 1, "made_by": "a test", **parts})


def require_equal(source: ReluNetwork, network: ReluNetwork, rng: np.random.Generator) -> None:
    for point in rng.integers(-50, 51, (8, source.dim)):
        exact = [Fraction(int(entry), 9) for entry in point]
        assert network.evaluate_exact(exact) == source.evaluate_exact(exact)
    assert check(document(source, network)).ok, check(document(source, network)).line


PASSES: dict[str, Callable[[ReluNetwork], ReluNetwork]] = {
    "tidy": tidy,
    "clear": clear_denominators,
    "pad": lambda net: pad(net, net.depth + 3),
    "pad by one": lambda net: pad(net, net.depth + 1),
    "pad with copies": lambda net: pad(net, net.depth + 2, copies=3),
    "split": lambda net: split(net, Fraction(3, 2)),
    "all": lambda net: balance(split(pad(clear_denominators(tidy(net)), net.depth + 2), Fraction(9))).network,
    "all, tidied last": lambda net: tidy(split(pad(net, net.depth + 2, copies=2), Fraction(1, 2))),
}


@pytest.mark.parametrize("name", PASSES)
def test_equal_everywhere(name: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(25):
        source = random_network(rng)
        require_equal(source, PASSES[name](source), rng)


@pytest.mark.parametrize("name", ["tidy", "pad with copies", "split"])
def test_an_edit_after_a_pass_is_refused(name: str) -> None:
    """The documents above are not accepted for want of looking."""
    rng = np.random.default_rng(6)
    source = ReluNetwork.from_arrays([(rng.integers(1, 9, (3, 2)), [1, 2, 3]), ([[1, -2, 3]], [0])])
    layers = [([list(row) for row in layer.weights], list(layer.biases)) for layer in PASSES[name](source).layers]
    layers[-1][0][0][0] += Fraction(1, 10**9)
    found = check(document(source, ReluNetwork.from_arrays(layers)))
    assert found.line.startswith("REFUTED canonical forms")


# Tidying


def tidied(*layers: tuple[Any, Any]) -> list[tuple[list[list[str]], list[str]]]:
    network = tidy(ReluNetwork.from_arrays(layers))
    return [([list(map(str, row)) for row in layer.weights], list(map(str, layer.biases))) for layer in network.layers]


def test_constant_neurons_move_into_biases() -> None:
    assert tidied(([[1], [0], [0]], [0, 5, -5]), ([[1, 2, 4]], [1])) == [([["1"]], ["0"]), ([["1"]], ["11"])]


def test_multiples_become_one() -> None:
    first, last = tidied(([[2], [-1], [3]], [4, -2, 6]), ([[1, 10, 2]], [0]))
    assert first == ([["2"], ["-1"]], ["4", "-2"])
    assert last == ([["4", "10"]], ["0"])


def test_dead_neurons_go_only_over_hidden_ones() -> None:
    first = ([[-1], [1]], [-1, 0])
    assert tidied(first, ([[1, 1]], [0]))[0][0] == [["-1"], ["1"]]
    assert tidied(first, ([[-1, -2], [1, 0]], [0, 0]), ([[7, 1]], [0]))[1] == ([["1"]], ["0"])
    assert tidied(first, ([[-1, -2], [1, 0]], [1, 0]), ([[7, 1]], [0]))[1][1] == ["1", "0"]


def test_what_nobody_reads_goes_with_what_only_it_reads() -> None:
    layers = ([[1], [2]], [0, 1]), ([[1, 0], [0, 1]], [1, 1]), ([[0, 3]], [0])
    assert [len(rows) for rows, _ in tidied(*layers)] == [1, 1, 1]


def test_cancelling_weights_leave_empty_layers() -> None:
    assert tidied(([[1], [2]], [1, 2]), ([[2, -1]], [7])) == [([], []), ([[]], ["7"])]


def test_tidy_is_done_at_once() -> None:
    rng = np.random.default_rng(9)
    for _ in range(40):
        once = tidy(random_network(rng))
        assert tidy(once) == once


# Denominators


def test_cleared_rows_are_primitive_integers() -> None:
    rng = np.random.default_rng(10)
    for _ in range(20):
        for layer in clear_denominators(random_network(rng)).layers[:-1]:
            for row in zip(layer.weights, layer.biases, strict=True):
                numbers = [*row[0], row[1]]
                assert all(number.denominator == 1 for number in numbers)
                assert np.gcd.reduce([int(number) for number in numbers]) in (0, 1)


# Padding


def test_padding_shares_a_path_among_copies() -> None:
    network = ReluNetwork.from_arrays([([[1, -2], [3, 4]], [5, 6])])
    deep = pad(network, 4, copies=2)
    assert deep.widths == (8, 8, 8)
    assert {abs(entry) for layer in deep.layers[1:] for row in layer.weights for entry in row} == {0, Fraction(1, 2)}
    assert pad(network, 1) is network


@pytest.mark.parametrize(("depth", "copies"), [(0, 1), (65, 1), (2, 0)])
def test_padding_out_of_range(depth: int, copies: int) -> None:
    with pytest.raises(BadInput) as caught:
        pad(ReluNetwork.from_arrays([([[1]], [0])]), depth, copies)
    needed = "at least one copy" if copies == 0 else "a depth between 1 and 64"
    assert str(caught.value) == (f"pad a network of depth 1 to depth {depth} with {copies} copies\n  needed: {needed}")


def test_padding_beyond_a_document() -> None:
    with pytest.raises(OutOfReach) as caught:
        pad(ReluNetwork.from_arrays([([[1]], [0])]), 3, copies=400)
    assert caught.value.reached == 2 * 800 * 801
    assert str(caught.value) == (
        "pad a network of depth 1 to depth 3 with 400 copies\n"
        "  found:  1281600 weights and biases in the new layers of 800 neurons each\n"
        "  needed: at most 1000000\n"
        "  do:     ask for fewer layers or copies"
    )


# Splitting


def test_split_weights_are_at_most_the_bound() -> None:
    rng = np.random.default_rng(12)
    bound = Fraction(4)
    for _ in range(20):
        source = random_network(rng)
        for layer in split(source, bound).layers[1:]:
            assert max((abs(entry) for row in layer.weights for entry in row), default=0) <= bound


def test_split_makes_as_few_copies_as_it_can() -> None:
    network = ReluNetwork.from_arrays([([[100], [1]], [50, 0]), ([[10, 4], [-3, 4]], [99, 0])])
    result = split(network, Fraction(4))
    assert result.widths == (4,)
    assert result.layers[1].weights == ((4, 4, 2, 4), (-3, 0, 0, 4))
    assert result.layers[0].biases == (50, 50, 50, 0)
    assert split(network, Fraction(10)) == network


def test_split_keeps_floats() -> None:
    network = ReluNetwork.from_arrays([([[0.1]], [0.3]), ([[1234.5678]], [0.7])])
    assert split(network, Fraction(256)).is_float64


def test_split_refuses() -> None:
    network = ReluNetwork.from_arrays([([[1]], [0]), ([[10**6]], [0])])
    with pytest.raises(BadInput, match="split the neurons for a bound of 0\n  needed: a positive bound"):
        split(network, Fraction(0))
    with pytest.raises(OutOfReach) as caught:
        split(network, Fraction(100), max_neurons=9999)
    assert caught.value.reached == 10**4
    assert str(caught.value) == (
        "split the neurons for a bound of 100\n"
        "  found:  10000 neurons in place of 1, and 30001 weights and biases\n"
        "  needed: at most 9999 neurons and 1000000 weights and biases\n"
        "  do:     balance the weights first, pad the network, or allow a larger bound"
    )
