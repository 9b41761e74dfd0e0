"""Equal at every real input: what the canonical forms accept, and one forgery per rule."""

import copy
import random
from fractions import Fraction
from typing import Any

import pytest

from depthsep_check import check
from depthsep_check.document import encode

Rows = list[list[Any]]
Layers = list[tuple[Rows, list[Any]]]

# Two inputs, three neurons, two outputs: 5 relu(x + 2 y + 1) - relu(3 x - y), 2 relu(3 x - y) + relu(-y) - 1/3.
SOURCE: Layers = [
    ([[1, 2], [3, -1], [0, -1]], [1, 0, 0]),
    ([[5, -1, 0], [0, 2, 1]], [0, "-1/3"]),
]
# The same with neurons permuted, rescaled, doubled and added: two copies of the first, a constant, an unread one.
EQUAL: Layers = [
    ([[6, -2], ["1/2", 1], [0, -8], [2, 4], [0, 0], [7, 7]], [0, "1/2", 0, 2, 3, 7]),
    ([["-1/2", 6, 0, 1, 2, 0], [1, 0, "1/8", 0, 1, 0]], [-6, "-10/3"]),
]


def padded(layers: Layers, depth: int) -> Layers:
    """The layers of a network with two outputs, continued by identities that use scales of their own."""
    rows, biases = layers[-1]
    values = [Fraction(b) for b in biases]
    numbers = [[Fraction(w) for w in row] for row in rows]
    both = [*numbers, *([-w for w in row] for row in numbers)], [*values, *(-b for b in values)]
    identity = [[Fraction(int(i == j), 1) for j in range(4)] for i in range(4)], [0] * 4
    twice = [[Fraction(2 * int(i == j), 1) for j in range(4)] for i in range(4)], [0] * 4
    inner = [twice, *[identity] * (depth - len(layers) - 2)] if depth > len(layers) + 1 else []
    share = Fraction(1, 2) if inner else Fraction(1)
    return [*layers[:-1], both, *inner, ([[share, 0, -share, 0], [0, share, 0, -share]], [0, 0])]


def as_json(layers: Layers, dim: int = 2) -> dict[str, Any]:
    obj = [{"weights": [list(map(str, row)) for row in rows], "biases": list(map(str, b))} for rows, b in layers]
    return {"kind": "relu-network", "dim": dim, "layers": obj}


def document(
    network: Layers = EQUAL, source: Layers = SOURCE, path: list[int] | None = None, **claim: Any
) -> dict[str, Any]:
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "a test",
        "function": as_json(source),
        "claim": {
            "kind": "same-function",
            "dim": 2,
            "outputs": 2,
            "domain": "R^d",
            "arithmetic": "real",
            "max_weight": "100",
            "rescaling_lower": None,
            **claim,
        },
        "network": as_json(network),
        "witness": {"kind": "canonical-forms", "critical_path": path},
    }


def edited(layers: Layers, layer: int, row: int, column: int | None, value: Any) -> Layers:
    """A copy with another weight, or another bias where `column` is None."""
    result = copy.deepcopy(layers)
    rows, biases = result[layer]
    if column is None:
        biases[row] = value
    else:
        rows[row][column] = value
    return result


def line(obj: dict[str, Any]) -> str:
    return check(encode(obj)).line


def value_at(layers: Layers, point: list[Fraction]) -> list[Fraction]:
    values = point
    for place, (rows, biases) in enumerate(layers):
        if place:
            values = [max(value, Fraction(0)) for value in values]
        values = [
            Fraction(b) + sum(Fraction(w) * z for w, z in zip(row, values, strict=True))
            for row, b in zip(rows, biases, strict=True)
        ]
    return values


@pytest.mark.parametrize("network", [SOURCE, EQUAL, padded(SOURCE, 3), padded(EQUAL, 4), padded(EQUAL, 7)])
def test_equal_networks(network: Layers) -> None:
    assert line(document(network)).startswith("VERIFIED")


def test_statement() -> None:
    text = (
        "N(x) = f(x) for all x in R^2 (exact arithmetic), f the ReLU network of depth 2 with 3 neurons and 2 outputs "
        "of the document; N has depth 2, 6 neurons, every weight and bias at most 8 in absolute value"
    )
    assert check(encode(document(max_weight="8"))).text == text
    bounded = document(max_weight="8", rescaling_lower="244/100", path=[0, 0, 1])
    rescaled = "; any positive rescaling of its neurons leaves a weight or bias of at least 61/25"
    assert check(encode(bounded)).text == text + rescaled


def test_neurons_that_cancel() -> None:
    """Two neurons that are added and taken away again, before the other neurons and before the outputs."""
    (rows, biases), (last, offsets) = SOURCE
    first: tuple[Rows, list[Any]] = ([[1, 1], [2, 2], *rows], [1, 2, *biases])
    assert line(document([first, ([[4, -2, *row] for row in last], offsets)])).startswith("VERIFIED")
    copies = [[2, -1, *(int(i == j) for j in range(3))] for i in range(3)]
    deep: Layers = [first, (copies, [0] * 3), SOURCE[1]]
    same: Layers = [SOURCE[0], ([row[2:] for row in copies], [0] * 3), SOURCE[1]]
    assert line(document(deep, source=same)).startswith("VERIFIED")


def test_equal_functions_in_other_words_are_refused() -> None:
    """The canonical form is sound, not complete: relu(relu(y) - relu(-y)) is relu(y), which it does not see."""
    assert line(document(padded(padded(EQUAL, 4), 6))).startswith("REFUTED canonical forms")


def test_dead_and_empty_layers() -> None:
    zero: Layers = [([], []), ([[], []], [1, 2])]
    dead: Layers = [
        ([[1, 1], [1, -1]], [0, 0]),
        ([[-1, -2], [0, 0]], [0, -5]),
        ([[9, 9], [3, 4]], [1, 2]),
    ]
    assert line(document(dead, source=zero)).startswith("VERIFIED")
    assert line(document(zero, source=zero)).startswith("VERIFIED")
    assert "output 0" in line(document(edited(dead, 1, 0, None, 1), source=zero))


# What changes the function, or a scale that is not positive.
DIFFERENT = {
    "a weight": edited(EQUAL, 0, 0, 0, "6000001/1000000"),
    "a bias": edited(EQUAL, 0, 1, None, "1/3"),
    "an output bias": edited(EQUAL, 1, 0, None, 0),
    "a sign": edited(EQUAL, 0, 2, 1, 8),
    "a missing neuron": edited(EQUAL, 1, 0, 3, 0),
    "an extra neuron": edited(EQUAL, 1, 1, 5, 1),
    "swapped outputs": [EQUAL[0], (EQUAL[1][0][::-1], EQUAL[1][1][::-1])],
    "a negative scale": edited(edited(edited(EQUAL, 0, 2, 1, 1), 1, 1, 2, -1), 0, 2, 0, 0),
    "a scale of 0": edited(edited(EQUAL, 0, 2, 1, 0), 1, 1, 2, 0),
    "a negative constant folded without its ReLU": edited(edited(EQUAL, 0, 4, None, -3), 1, 0, None, 6),
    "an extra layer that doubles": [*EQUAL[:1], *padded(EQUAL, 3)[1:2], ([[2, 0, -2, 0], [0, 2, 0, -2]], [0, 0])],
    "an extra layer that clips": [*EQUAL[:1], EQUAL[1], ([[1, 0], [0, 1]], [0, 0])],
    "a padded layer with a wrong sign": edited(padded(EQUAL, 5), 3, 2, 2, -1),
    "a padded layer with a bias": edited(padded(EQUAL, 5), 3, 2, None, "1/1000000"),
    "a padded layer with a crossing": edited(padded(EQUAL, 5), 3, 2, 3, "1/1000000"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_networks(name: str) -> None:
    found = line(document(DIFFERENT[name]))
    assert found.startswith("REFUTED canonical forms: output ")


def test_units_that_only_look_dead() -> None:
    """relu(-x) reads an input, which can be negative; relu(u - v) is positive where v is 0."""
    zero: Layers = [([], []), ([[], []], [0, 0])]
    first: Layers = [([[-1, -1]], [0]), ([[1], [0]], [0, 0])]
    assert "output 0" in line(document(first, source=zero))
    difference: Layers = [([[1, 0], [0, 1]], [0, 0]), ([[1, -9]], [-1]), ([[1], [0]], [0, 0])]
    assert "output 0" in line(document(difference, source=zero))


# The path [0, 1, 1] of SOURCE has the product 3 * 2; [0, 1] of EQUAL at its output 1 the bias 10/3.
RESCALING = {
    "a root": (document(SOURCE, rescaling_lower="2449489742/1000000000", path=[0, 1, 1]), None),
    "too large by 10^-9": (document(SOURCE, rescaling_lower="2449489743/1000000000", path=[0, 1, 1]), "too small"),
    "an output bias": (document(rescaling_lower="10/3", path=[1]), None),
    "more than an output bias": (document(rescaling_lower="10000000001/3000000000", path=[1]), "too small"),
    "a hidden bias": (document(rescaling_lower="2", path=[4, 0]), None),
    "a bias of 0": (document(rescaling_lower="1/1000", path=[0, 0]), "too small"),
    "a weight of 0": (document(SOURCE, rescaling_lower="1/1000", path=[0, 2, 1]), "too small"),
    "another path": (document(SOURCE, rescaling_lower="2", path=[1, 1, 1]), "too small"),
    "no entries": (document(rescaling_lower="1", path=[]), "between 1 and 3 entries, not 0"),
    "too long": (document(rescaling_lower="1", path=[0, 0, 0, 0]), "between 1 and 3 entries, not 4"),
    "no such input": (document(rescaling_lower="1", path=[2, 0, 0]), "no neuron 2 in layer 0"),
    "no such neuron": (document(rescaling_lower="1", path=[6, 0]), "no neuron 6 in layer 1"),
    "no such output": (document(rescaling_lower="1", path=[2]), "no neuron 2 in layer 2"),
}


@pytest.mark.parametrize("name", RESCALING)
def test_rescaling(name: str) -> None:
    obj, reason = RESCALING[name]
    found = line(obj)
    if reason is None:
        assert found.startswith("VERIFIED")
    else:
        assert found.startswith("REFUTED rescaling_lower: ")
        assert reason in found


OTHER = {
    "a larger weight": (document(max_weight="7999/1000"), "REFUTED max_weight: a weight or bias of the network is 8"),
    "a larger bias": (document(edited(EQUAL, 0, 5, None, -101)), "REFUTED max_weight"),
    "a dimension": (document(dim=3), "MALFORMED function.dim: 2, but the claim is about dimension 3"),
    "the number of outputs": (document(outputs=1), "MALFORMED function.layers: 2 outputs, but the claim is about 1"),
    "fewer outputs": (document([*EQUAL[:1], ([[0] * 6], [0])]), "MALFORMED network.layers: 1 outputs"),
    "a shallower network": (document(EQUAL[1:], source=SOURCE), "MALFORMED network.layers[0].weights[0]"),
    "fewer layers": (
        document([([[1, 2], [0, 0]], [0, 0])]),
        "MALFORMED network.layers: 1 layers, but the source has 2",
    ),
    "a bound without a path": (document(rescaling_lower="1"), "MALFORMED witness.critical_path"),
    "a path without a bound": (document(path=[0]), "MALFORMED witness.critical_path"),
    "a bound of 0": (document(rescaling_lower="0", path=[1]), "MALFORMED claim.rescaling_lower: must be positive"),
    "a negative bound": (document(rescaling_lower="-9", path=[0, 0]), "MALFORMED claim.rescaling_lower"),
    "a negative index": (document(rescaling_lower="1", path=[-1]), "MALFORMED witness.critical_path[0]"),
    "another domain": (document(domain="[0,1]^d"), "UNSUPPORTED claim.domain"),
    "another arithmetic": (document(arithmetic="float64"), "UNSUPPORTED claim.arithmetic"),
    "an unknown key": (document(grid_bits=3), 'MALFORMED claim: unknown key "grid_bits"'.replace('"', "'")),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_refusals(name: str) -> None:
    obj, start = OTHER[name]
    assert line(obj).startswith(start)


def test_numbers_that_are_too_long() -> None:
    """Denominators of thousands of different primes have a common multiple that nobody wants to compute with."""
    generator = random.Random(5)
    row = [f"1/{generator.randrange(10**300, 10**301) | 1}" for _ in range(300)]
    source: Layers = [([[1, 0]] * 300, [0] * 300), ([row, row], [0, 0])]
    assert line(document(source, source=source)).startswith("EXHAUSTED canonical forms: common denominators")


def test_random_edits() -> None:
    """One number up or down: refused, or the functions are equal at every one of many points."""
    generator = random.Random(20)
    points = [[Fraction(generator.randint(-40, 40), 4) for _ in range(2)] for _ in range(60)]
    values = [value_at(SOURCE, point) for point in points]
    accepted = 0
    for network in (EQUAL, padded(EQUAL, 4)):
        places = [
            (layer, row, column)
            for layer, (rows, _) in enumerate(network)
            for row in range(len(rows))
            for column in (None, *range(len(rows[row])))
        ]
        for layer, row, column in places:
            old = network[layer][1][row] if column is None else network[layer][0][row][column]
            for step in (-1, 1):
                other = edited(network, layer, row, column, Fraction(old) + step)
                found = line(document(other))
                equal = all(value_at(other, point) == value for point, value in zip(points, values, strict=True))
                assert equal or found.startswith("REFUTED canonical forms")
                accepted += found.startswith("VERIFIED")
    assert 0 < accepted < 40
