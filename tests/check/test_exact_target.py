"""Exact networks: what the checker proves is true at every point that is tried, and nothing false is proved."""

import copy
import json
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import pytest

from depthsep_check import Status, check
from depthsep_check.compositions import cantor_intervals
from depthsep_check.document import encode
from depthsep_check.equalities.exact_target import TARGETS

Obj = dict[str, Any]
Layers = list[tuple[list[list[Any]], list[Any]]]


def document(kind: str, size: int, layers: Layers, **changes: Any) -> Obj:
    key, domain, relation = TARGETS[kind]
    dim = size if kind in ("parity", "maximum") else 1
    texts = [
        {"weights": [[str(w) for w in row] for row in weights], "biases": [str(b) for b in biases]}
        for weights, biases in layers
    ]
    claim = {"kind": "exact-target", "dim": dim, "domain": domain, "arithmetic": "real", "relation": relation}
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "a test",
        "function": {"kind": kind, key: size},
        "claim": {**claim, **changes},
        "network": {"kind": "relu-network", "dim": dim, "layers": texts},
        "witness": {"kind": "structure"},
    }


def verdict(kind: str, size: int, layers: Layers, **changes: Any) -> Any:
    return check(encode(document(kind, size, layers, **changes)))


SAWTOOTH: Layers = [([[2], [2]], [0, -1]), ([[2, -4], [2, -4]], [0, -1]), ([[1, -2]], [0])]
CANTOR: Layers = [
    ([[1], [1]], [1, "-1/2"]),
    ([[3, -6], [3, -6]], [-2, "-7/2"]),
    ([[3, -6], [3, -6]], [-2, "-7/2"]),
    ([[3, -6]], [-3]),
]
PARITY: Layers = [([[1] * 4] * 4, [0, -1, -2, -3]), ([[1, -2, 2, -2]], [0])]
MAX_OF_THREE: Layers = [
    ([[1, -1, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], [0] * 5),
    ([[1, 1, -1, -1, 1], [0, 0, 0, 1, -1], [0, 0, 0, -1, 1]], [0] * 3),
    ([[1, 1, -1]], [0]),
]
CASES: dict[str, tuple[int, Layers]] = {
    "sawtooth": (2, SAWTOOTH),
    "cantor": (2, CANTOR),
    "parity": (4, PARITY),
    "maximum": (3, MAX_OF_THREE),
}


def value(layers: Layers, point: list[Fraction]) -> Fraction:
    for depth, (weights, biases) in enumerate(layers, 1):
        sums = [
            sum((Fraction(w) * x for w, x in zip(row, point, strict=True)), Fraction(bias))
            for row, bias in zip(weights, biases, strict=True)
        ]
        point = sums if depth == len(layers) else [max(Fraction(0), entry) for entry in sums]
    return point[0]


def in_cantor_set(x: Fraction, level: int) -> bool:
    for _ in range(level):
        if not 0 <= x <= 1:
            return False
        x = 3 * min(x, 1 - x)
    return 0 <= x <= 1


def holds(kind: str, size: int, layers: Layers, points: int = 400) -> bool:
    """By evaluation at many points, those of a fine grid and random ones."""
    rng = random.Random(3)
    if kind == "parity":
        return all(value(layers, [Fraction(b) for b in bits]) == sum(bits) % 2 for bits in product((0, 1), repeat=size))
    if kind == "maximum":
        found = [[Fraction(rng.randint(-9, 9), 4) for _ in range(size)] for _ in range(points)]
        return all(value(layers, x) == max(x) for x in found)
    if kind == "sawtooth":
        grid = [Fraction(j, 8 << size) for j in range((8 << size) + 1)]
        return all(value(layers, [x]) == abs((2**size * x + 1) % 2 - 1) for x in grid)
    ends = [Fraction(j, 4 * 3**size) for j in range(-(3**size), 5 * 3**size + 1)]
    ends += [Fraction(rng.randint(-900, 900), 7 * 4**4) for _ in range(points)]
    return all((value(layers, [x]) >= 0) == in_cantor_set(x, size) for x in ends)


@pytest.mark.parametrize("kind", CASES)
def test_a_true_document_is_verified(kind: str) -> None:
    size, layers = CASES[kind]
    assert holds(kind, size, layers)
    assert verdict(kind, size, layers).ok


def test_statements() -> None:
    assert verdict("cantor", *CASES["cantor"]).text == (
        "N(x) >= 0 exactly at the points of level 2 of the Cantor set, for all real x (exact arithmetic); depth 4, "
        "widths (2, 2, 2); for any ReLU network with this property the product of all (width + 1) is at least 2^3"
    )
    assert verdict("maximum", *CASES["maximum"]).text == (
        "N(x) = max(x_1, ..., x_3) for all x in R^3 (exact arithmetic); depth 3, widths (5, 3)"
    )


@pytest.mark.parametrize("kind", CASES)
def test_every_changed_number_is_judged_soundly(kind: str) -> None:
    """A change is refused, or what it computes is still the function."""
    size, layers = CASES[kind]
    refused = 0
    for place, (weights, biases) in enumerate(layers):
        for row in range(len(biases)):
            for column in range(-1, len(weights[row])):
                for change in (Fraction(1, 3), -1, 2, Fraction(1, 2**40)):
                    changed = copy.deepcopy(layers)
                    target = changed[place][1] if column < 0 else changed[place][0][row]
                    index = row if column < 0 else column
                    target[index] = Fraction(target[index]) + change
                    found = verdict(kind, size, changed)
                    refused += not found.ok
                    assert not found.ok or holds(kind, size, changed)
    assert refused > 40


@pytest.mark.parametrize("kind", CASES)
def test_another_size_or_function_is_refused(kind: str) -> None:
    size, layers = CASES[kind]
    for other in (size - 1, size + 1, size + 5):
        assert not verdict(kind, other, layers).ok
    for wrong in set(CASES) - {kind}:
        assert not verdict(wrong, size, layers).ok


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"relation": "nearly"}, Status.UNSUPPORTED),
        ({"domain": "unit-ball"}, Status.UNSUPPORTED),
        ({"arithmetic": "float64"}, Status.UNSUPPORTED),
        ({"dim": 2}, Status.MALFORMED),
        ({"dim": True}, Status.MALFORMED),
        ({"error": "0"}, Status.MALFORMED),
    ],
)
def test_the_words_of_the_claim(kind: str, change: Obj, status: Status) -> None:
    assert verdict(kind, *CASES[kind], **change).status is status


@pytest.mark.parametrize("size", [0, -1, 2**13, "2", None, True])
def test_sizes(size: Any) -> None:
    found = document("sawtooth", 2, SAWTOOTH)
    found["function"]["folds"] = size
    assert check(encode(found)).status is Status.MALFORMED


FORGERIES: dict[str, tuple[str, int, Layers]] = {
    "bent on the way": ("sawtooth", 1, [([[2], [4], [4]], [0, -1, -2]), ([["1/2", "1/2", "-5/4"]], [0])]),
    "a break at the wrong place": ("sawtooth", 1, [([["5/2"], ["25/6"]], [0, "-5/3"]), ([[1, -1]], [0])]),
    "upside down": ("sawtooth", 2, [*SAWTOOTH[:2], ([[-1, 2]], [1])]),
    "twice as high": ("sawtooth", 2, [*SAWTOOTH[:2], ([[2, -4]], [0])]),
    "shifted": ("sawtooth", 2, [*SAWTOOTH[:2], ([[1, -2]], ["1/1000000"])]),
    "three parts": ("sawtooth", 2, [([[3], [3], [3]], [0, -1, -2]), ([[1, -2, 2]], [0])]),
    "rows that are no multiples": ("sawtooth", 2, [SAWTOOTH[0], ([[2, -4], [2, -3]], [0, -1]), SAWTOOTH[2]]),
    "a constant": ("sawtooth", 2, [SAWTOOTH[0], ([[0, 0]], [1])]),
    "the whole half line": ("cantor", 0, [([[1]], [0]), ([[1]], [0])]),
    "the whole line": ("cantor", 0, [([[1]], [0]), ([[0]], [0])]),
    "an empty set": ("cantor", 0, [([[1], [-1]], [0, 0]), ([[-1, -1]], [-1])]),
    "a point": ("cantor", 0, [([[1], [-1]], [0, 0]), ([[-1, -1]], [0])]),
    "an interval too many": ("cantor", 0, [([[1], [1], [1], [1]], [1, "-1/2", -3, -4]), ([[3, -6, 9, -12]], [-3])]),
    "an isolated point besides": ("cantor", 0, [([[1], [1], [1], [1]], [1, "-1/2", -2, -3]), ([[3, -6, 6, -6]], [-3])]),
    "zero below": ("cantor", 0, [([[1], [-1], [1]], [-1, 0, 0]), ([[-1, 0, 0]], [0])]),
    "a first row that tells the bits apart": ("parity", 2, [([[1, 1], [2, 0]], [0, -1]), ([[1, -2]], [0])]),
    "the sum": ("parity", 4, [([[1] * 4], [0]), ([[1]], [0])]),
    "the negative part forgotten": ("maximum", 2, [([[1, -1], [0, 1]], [0, 0]), ([[1, 1]], [0])]),
    "the minimum": ("maximum", 2, [([[1, -1], [1, 0], [-1, 0]], [0] * 3), ([[-1, 1, -1]], [0])]),
    "one input forgotten": ("maximum", 3, [([[1, -1, 0], [0, 1, 0], [0, -1, 0]], [0] * 3), ([[1, 1, -1]], [0])]),
    "a constant besides": ("maximum", 2, [([[1, -1], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [1])]),
    "a tiny bias": ("maximum", 2, [([[1, -1], [0, 1], [0, -1]], ["1/1000000000", 0, 0]), ([[1, 1, -1]], [0])]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(name: str) -> None:
    assert verdict(*FORGERIES[name]).status is Status.REFUTED


@pytest.mark.parametrize(
    ("kind", "size", "layers"),
    [
        ("sawtooth", 2, [([[4]] * 4, [0, -1, -2, -3]), ([[1, -2, 2, -2]], [0])]),
        ("sawtooth", 1, [([[2], [2], [-1]], [0, -1, -5]), ([[1, -2, 7]], [0])]),
        # The first map is 1 - tri, the second one turns it back.
        ("sawtooth", 2, [SAWTOOTH[0], ([[-2, 4], [-2, 4]], [2, 1]), SAWTOOTH[2]]),
        # All of level 1 in the last map.
        ("cantor", 1, [([[3], [3], [3]], [1, -1, -2]), ([[1, "-5/2", "5/2"]], [-1])]),
        ("maximum", 2, [([[1, 1], [-1, -1], [1, -1], [-1, 1]], [0] * 4), ([["1/2", "-1/2", "1/2", "1/2"]], [0])]),
        ("maximum", 1, [([[1]], [0])]),
    ],
)
def test_other_networks_of_the_same_function(kind: str, size: int, layers: Layers) -> None:
    assert verdict(kind, size, layers).ok == holds(kind, size, layers)


def test_levels_of_the_cantor_set() -> None:
    intervals = cantor_intervals(3)
    assert len(intervals) == 8
    for left, right in intervals:
        for end in (left, right):
            assert in_cantor_set(Fraction(int(end.p), int(end.q)), 3)


def random_layers(rng: random.Random, kind: str, dim: int, make: Callable[[], int]) -> Layers:
    sizes = [dim, rng.randint(1, 3), rng.randint(1, 3), 1]
    return [([[make() for _ in range(a)] for _ in range(b)], [make() for _ in range(b)]) for a, b in pairwise(sizes)]


@pytest.mark.parametrize("kind", CASES)
def test_random_small_networks(kind: str) -> None:
    """Whatever is verified is true."""
    rng = random.Random(5)
    for _ in range(400):
        size = rng.randint(1, 2)
        layers = random_layers(rng, kind, size if kind in ("parity", "maximum") else 1, lambda: rng.randint(-2, 2))
        if verdict(kind, size, layers).ok:
            assert holds(kind, size, layers, 60)


def test_numbers_that_are_too_long_end_the_work() -> None:
    rng = random.Random(1)
    long = [[f"1/{rng.getrandbits(1300) | 1}"] for _ in range(200)]
    layers: Layers = [(long, ["1"] * 200), ([["1"] * 200], [0])]
    assert verdict("sawtooth", 2, layers).status is Status.EXHAUSTED
    assert json.loads(encode(document("sawtooth", 2, layers)))["claim"]["kind"] == "exact-target"
