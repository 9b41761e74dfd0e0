"""The crossover: both sides, and that the depth-3 network with small weights is the same function."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from depthsep.cli.app import run
from depthsep.crossover import (
    Row,
    _power_of_two_below,
    _widths_with_small_weights,
    crossover,
    depth_two_bound,
    source_width,
)
from depthsep.errors import BadInput
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep.networks import Orbit, RidgeGroup, SeparableNetwork, ShallowNetwork

Matrix = list[list[Fraction]]
Layers = list[tuple[Matrix, list[Fraction]]]


def network(largest: float = 1.0, extra: bool = True) -> SeparableNetwork:
    """A network of dimension 3, q(x) a little like 2 ||x||^2."""
    first = 0.0 if extra else 0.125
    return SeparableNetwork(
        dim=3,
        thresholds=(first, 0.25, 0.5, 0.75),
        weights=(0.25, 1.0, 1.25, 0.75),
        affine_offset=0.5 if extra else None,
        bias=-0.375,
        second_thresholds=(0.5, 1.0, 1.5, 2.0),
        sides=("right", "left", "right", "left"),
        second_weights=(largest, -0.5 * largest, -0.75 * largest, 0.25),
    )


def exact_layers(net: SeparableNetwork) -> Layers:
    """The flat layers as rationals, on the pair (x, x') in place of y = (x + x')/2."""
    layers: Layers = [
        ([[Fraction(float(entry)) for entry in row] for row in matrix], [Fraction(float(entry)) for entry in bias])
        for matrix, bias in net.dense_layers()
    ]
    halved = [[entry / 2 for entry in row] * 2 for row in layers[0][0]]
    return [(halved, layers[0][1]), *layers[1:]]


def scaled(layers: Layers, first: Fraction, second: Fraction, copies: int) -> Layers:
    """The first layer times `first`, the second times `second`, its units `copies` times, the output put right."""
    (w1, b1), (w2, b2), (w3, b3) = layers
    return [
        ([[first * e for e in row] for row in w1], [first * e for e in b1]),
        ([[second / first * e for e in row] for row in w2] * copies, [second * e for e in b2] * copies),
        ([[e / (second * copies) for e in row] * copies for row in w3], b3),
    ]


def value(layers: Layers, point: list[Fraction]) -> Fraction:
    for depth, (matrix, bias) in enumerate(layers):
        point = [sum((w * p for w, p in zip(row, point, strict=True)), b) for row, b in zip(matrix, bias, strict=True)]
        if depth < len(layers) - 1:
            point = [max(entry, Fraction(0)) for entry in point]
    return point[0]


def largest(layers: Layers) -> Fraction:
    return max(abs(e) for matrix, bias in layers for row in [*matrix, bias] for e in row)


def scales(layers: Layers, bound: Fraction) -> tuple[Fraction, Fraction, int]:
    """The largest powers of two that the first two layers may be multiplied by, and the copies that are then needed."""
    (w1, b1), (w2, b2), (w3, _) = layers
    first = _power_of_two_below(bound / max(abs(e) for row in [*w1, b1] for e in row))
    top = max(abs(e) for row in w2 for e in row)
    second = _power_of_two_below(min(bound * first / top, bound / max(abs(e) for e in b2)))
    copies = 1
    while max(abs(e) for e in w3[0]) > bound * second * copies:
        copies *= 2
    return first, second, copies


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("size", [1.0, 16.0, 33.0])
@pytest.mark.parametrize("bound", [Fraction(2), Fraction(8), Fraction(7, 3)])
def test_an_equal_network_of_small_weights_has_the_widths_that_are_counted(
    bound: Fraction, size: float, extra: bool
) -> None:
    net = network(size, extra)
    layers = exact_layers(net)
    small = scaled(layers, *scales(layers, bound))
    assert largest(small) <= bound
    found = _widths_with_small_weights(net, bound)
    assert found == (len(small[0][0]), len(small[1][0]))
    assert found[0] == net.widths[0]

    rng = random.Random(7)
    for _ in range(3):
        pair = [Fraction(rng.randint(-40, 40), 64) for _ in range(6)]
        middle = [(a + b) / 2 for a, b in zip(pair[:3], pair[3:], strict=True)]
        assert value(small, pair) == value(layers, pair) == net.evaluate_exact(middle)


def test_splitting_is_needed_and_not_overdone() -> None:
    counts = [_widths_with_small_weights(network(size), Fraction(8)) for size in (1.0, 64.0, 65.0, 1e6)]
    widths = [found[1] for found in counts if found is not None]
    assert len(widths) == 4
    assert widths[0] == 4
    assert widths == sorted(widths)
    assert all(width % 4 == 0 and math.log2(width // 4).is_integer() for width in widths)
    assert widths[-1] > 1000


def test_a_bias_of_the_output_cannot_be_scaled_away() -> None:
    assert _widths_with_small_weights(network(), Fraction(1, 4)) is None


def test_only_separable_networks_are_scaled() -> None:
    shallow = ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1,), 2), (0.5,), (1.0,)),))
    with pytest.raises(TypeError, match="not a depth-3 network"):
        _widths_with_small_weights(shallow, Fraction(8))


@pytest.mark.parametrize(
    ("value", "power"),
    [(Fraction(1), 1), (Fraction(8), 8), (Fraction(9), 8), (Fraction(1, 3), Fraction(1, 4)), (Fraction(3, 4), 0.5)],
)
def test_powers_of_two(value: Fraction, power: Fraction) -> None:
    assert _power_of_two_below(value) == power


def test_the_crossover_of_the_source_function_is_dimension_4() -> None:
    seen: list[str] = []
    dim, found = crossover("pi*d^3", "2^d", "0.35", progress=lambda text, _: seen.append(text))
    assert dim == 4
    assert seen == ["dimension 3", "dimension 4"]
    assert [(row.dim, row.weights, row.separated) for row in found] == [(3, 8, False), (4, 16, True)]
    for row in found:
        assert isinstance(row.shallow, LowerBound)
        assert row.shallow.verdict.ok
        assert row.deep.verdict.ok
        assert (row.shallow.eps, row.deep.eps) == (Fraction(35, 100), Fraction(35, 100))
        assert row.deep.sup_error_upper <= row.shallow.eps
        assert row.deep_widths is not None
        assert row.separated == (row.shallow.width_lower > sum(row.deep_widths))
        _same_function_with_small_weights(row)


def _same_function_with_small_weights(row: Row) -> None:
    """The widths that a row prints are those of a network that was built: its entries and its values are looked at."""
    net = row.deep.network
    assert isinstance(net, SeparableNetwork)
    layers = exact_layers(net)
    first, second, copies = scales(layers, row.weights)
    assert row.deep_widths == (net.widths[0], net.widths[1] * copies)
    (w1, b1), (w2, b2), (w3, b3) = layers
    sizes = [max(abs(e) for line in lines for e in line) for lines in ([*w1, b1], w2, [b2], w3, [b3])]
    factors = [first, second / first, second, 1 / (second * copies), Fraction(1)]
    assert all(size * factor <= row.weights for size, factor in zip(sizes, factors, strict=True))
    rng = np.random.default_rng(3)
    x, other = (v / np.linalg.norm(v) for v in rng.standard_normal((2, row.dim)))
    wanted = math.sin(math.pi * row.dim**3 * float(x @ other))
    assert abs(float(net([(x + other) / 2])[0]) - wanted) <= 0.35 + 1e-9


def test_depth_two_says_why_it_knows_nothing() -> None:
    nothing = depth_two_bound("pi*d^3", "2^d", "0.8", 4)
    assert isinstance(nothing, NoBound)
    assert "trivially approximated by a constant" in nothing.reason


def test_no_separation_for_a_slow_wave() -> None:
    dim, found = crossover("2", "2^d", "0.35", last_dim=3)
    assert dim is None
    assert [row.separated for row in found] == [False]


@pytest.mark.parametrize(
    ("omega", "weights", "eps", "text"),
    [
        ("pi*d^3", "0", "0.35", "the bound of the weights '0'"),
        ("pi*d^3", "2^r", "0.35", "cannot read the expression"),
        ("foo", "2^d", "0.35", "cannot read the expression"),
        ("pi*d^3", "2^d", "seed", "eps = 'seed'"),
        ("pi*d^3", "2^d", "0", "needed: an accuracy above 0"),
    ],
)
def test_nonsense_is_refused(omega: str, weights: str, eps: str, text: str) -> None:
    with pytest.raises(BadInput, match=text.replace("(", r"\(")):
        crossover(omega, weights, eps, last_dim=3)


def test_the_formula_of_the_source() -> None:
    assert source_width("pi*d^3", 4, "0.5") == pytest.approx(16 * 16 * math.pi * 64 / 0.5)


OPTIONS = ["crossover", "--omega", "2", "--weights", "2^d", "--eps", "0.8", "--last-dim", "3"]


def test_the_command_says_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(OPTIONS) == 0
    out = capsys.readouterr().out
    assert "nothing is known" in out
    assert "dimension 3, depth 2: eps = 4/5 is not below the L2 distance of the function from its mean" in out
    assert out.endswith("no certified separation up to dimension 3\n")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--last-dim", "2"], "2 is not in the range x>=3"),
        (["--figure", "x.gif"], "--figure needs a name that ends in .svg or .png, not x.gif"),
    ],
)
def test_wrong_usage_is_found_before_the_work(capsys: pytest.CaptureFixture[str], more: list[str], text: str) -> None:
    assert run([*OPTIONS, *more]) == 2
    captured = capsys.readouterr()
    assert (captured.out, text in captured.err) == ("", True)
    assert "dimension 3" not in captured.err
