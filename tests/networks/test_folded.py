"""Folded networks: structure, flat layers and the definition agree, and every count is that of the flat layers."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks import FoldedNetwork, Folds, Knots, network_from_json
from depthsep.networks.folded import NORM_SLACK

DIM = 2
KNOTS = Knots((0.125, 0.375, 0.625, 0.875), (3.0, 4.0, 4.5, 4.0))
PROFILE = {"bias": 0.875, "thresholds": (0.125, 0.875), "sides": ("right", "right"), "weights": (-2.25, 2.25)}
FREE = {"bias": -0.5, "thresholds": (0.5, 2.0, 1.25), "sides": ("left", "right", "right"), "weights": (1.0, -2.0, 0.5)}
SQUARES = {
    "knots": KNOTS,
    "one fold": Folds(0.9375, (5,), 0.125),
    "two folds": Folds(0.9375, (3, 4), 0.0625),
    "three folds": Folds(0.9375, (1, 2, 3), 0.25),
}
PHASES = {
    "plain": ((), 1, FREE),
    "repeated": ((), 5, PROFILE),
    "folded": ((3, 2), 1, FREE),
    "folded and repeated": ((2, 3), 4, PROFILE),
}


def made(reads: str, squares: str, phase: str, **more) -> FoldedNetwork:
    radices, repeats, profile = PHASES[phase]
    return FoldedNetwork(
        dim=DIM, reads=reads, squares=SQUARES[squares], shift=0.75, radices=radices, repeats=repeats, **profile, **more
    )


def all_networks():
    for reads in ("norm", "sphere-pair", "ball-pair"):
        for squares in SQUARES:
            for phase in PHASES:
                yield pytest.param(made(reads, squares, phase), id=f"{reads}, {squares}, {phase}")


def points(network: FoldedNetwork, count: int, seed: int = 0) -> np.ndarray:
    """Points of the domain and far outside it."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal((count, network.inputs))
    for part in (slice(0, DIM), slice(DIM, None)):
        size = np.linalg.norm(found[:, part], axis=1, keepdims=True) if network.inputs > DIM or part.start == 0 else 1
        found[:, part] /= size
    if network.reads != "sphere-pair":
        found *= rng.uniform(0, 1, (count, 1))
    found[: count // 5] *= 3
    return found


def flat_value(layers, point) -> Fraction:
    values = [Fraction(float(x)) for x in point]
    for index, (rows, biases) in enumerate(layers):
        values = [
            sum((Fraction(c) * v for c, v in zip(row.tolist(), values, strict=True)), Fraction(float(bias)))
            for row, bias in zip(rows, biases, strict=True)
        ]
        if index < len(layers) - 1:
            values = [max(value, Fraction(0)) for value in values]
    return values[0]


@pytest.mark.parametrize("network", list(all_networks()))
def test_structure_flat_layers_and_exact_values_agree(network):
    x = points(network, 10)
    layers = network.dense_layers()
    values = network(x)
    for point, value in zip(x, values, strict=True):
        exact = network.evaluate_exact([Fraction(float(entry)) for entry in point])
        assert exact == flat_value(layers, point)
        assert abs(Fraction(float(value)) - exact) <= 1e-9 * (1 + abs(exact))


@pytest.mark.parametrize("network", list(all_networks()))
def test_rounding_bounds_hold_on_the_domain(network):
    x = points(network, 40, seed=1)
    found = network.evaluate(x)
    inside = np.flatnonzero(~found.outside_ball)
    assert len(inside) >= 20
    layers = network.dense_layers()
    flat = x
    for index, (rows, biases) in enumerate(layers):
        flat = flat @ rows.T + biases
        flat = np.maximum(flat, 0) if index < len(layers) - 1 else flat
    for index in inside:
        exact = network.evaluate_exact([Fraction(float(entry)) for entry in x[index]])
        assert abs(Fraction(float(found.values[index])) - exact) <= network.rounding_error_upper
        assert abs(Fraction(float(flat[index, 0])) - exact) <= network.flat_rounding_error_upper
    assert network.rounding_error_upper < Fraction(1, 10**9)
    assert network.flat_rounding_error_upper < Fraction(1, 10**7)


@pytest.mark.parametrize("network", list(all_networks()))
def test_counts_are_those_of_the_flat_layers(network):
    for scaled in (network, made_scaled(network, seed=3)):
        layers = scaled.dense_layers()
        assert scaled.widths == tuple(len(rows) for rows, _ in layers[:-1])
        assert scaled.depth == len(layers)
        assert scaled.max_weight == max(float(np.abs(part).max()) for layer in layers for part in layer)
        assert scaled.nonzeros == sum(np.count_nonzero(part) for layer in layers for part in layer)
        assert scaled.parameters == sum(part.size for layer in layers for part in layer)
        paths = np.linalg.norm(layers[0][0], axis=1)
        for rows, _ in layers[1:]:
            paths = np.abs(rows) @ paths
        assert scaled.path_norm == pytest.approx(paths[0], rel=1e-12)
        assert network_from_json(scaled.to_json()) == scaled


def made_scaled(network: FoldedNetwork, seed: int) -> FoldedNetwork:
    rng = random.Random(seed)
    changed = network.to_json()
    changed["scaling"] = {"exponents": [rng.randint(-4, 4) for _ in range(network.depth - 1)], "copies": 4}
    return FoldedNetwork.from_json(changed)


@pytest.mark.parametrize("network", list(all_networks()))
@pytest.mark.parametrize("bound", [Fraction(1), Fraction(7, 3), Fraction(100)])
def test_small_weights_change_no_value(network, bound):
    small = network.scaled_to(bound)
    assert small is not None
    assert max(abs(part).max() for layer in small.dense_layers() for part in layer) <= bound
    point = [Fraction(float(entry)) for entry in points(network, 1, seed=5)[0]]
    assert small.evaluate_exact(point) == network.evaluate_exact(point)
    if small.copies > 1:
        fewer = FoldedNetwork.from_json(
            {**small.to_json(), "scaling": {**small.to_json()["scaling"], "copies": small.copies // 2}}
        )
        assert fewer.max_weight > bound


def test_a_bias_above_the_bound_cannot_be_scaled():
    assert made("norm", "knots", "repeated").scaled_to(Fraction(1, 2)) is None


def test_which_points_lie_outside():
    pair = made("sphere-pair", "knots", "plain")
    slightly = 1 + 2.0**-41
    x = [[1, 0, 0.6, 0.8], [1, 0, 0.5, 0], [slightly, 0, 0, 1], [1 + 2.0**-35, 0, 0, 1]]
    assert pair.evaluate(x).outside_ball.tolist() == [False, True, False, True]
    balls = made("ball-pair", "knots", "plain")
    assert balls.evaluate([[1, 0, 0.5, 0], [1, 0, 1, 0.1]]).outside_ball.tolist() == [False, True]
    assert Fraction(1, 2**40) == NORM_SLACK


def test_pairs_have_twice_as_many_inputs():
    network = made("ball-pair", "knots", "plain")
    with pytest.raises(BadInput, match=r"shape \(n, 4\)"):
        network([[0.0, 0.0]])


def test_millions_of_units_are_never_expanded():
    network = FoldedNetwork(
        dim=100, reads="sphere-pair", squares=KNOTS, shift=0.0, radices=(), repeats=2_000_000, **PROFILE
    )
    assert network.widths == (800, 4_000_000)
    x = np.random.default_rng(0).standard_normal((50, 200)) / math.sqrt(100)
    assert np.isfinite(network(x)).all()


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        ({"reads": "sum"}, "one of norm"),
        ({"exponents": (0,)}, "an exponent for every hidden layer"),
        ({"weights": (1.0,)}, "of one length"),
        ({"copies": 3}, "a power of two"),
        ({"shift": math.nan}, "finite"),
    ],
)
def test_what_a_network_cannot_be(changed, needed):
    fields = {"dim": 2, "reads": "norm", "squares": KNOTS, "shift": 0.0, "radices": (), **PROFILE, **changed}
    with pytest.raises(BadInput, match=needed):
        FoldedNetwork(**fields)


def test_a_sum_that_is_no_float_is_not_expanded():
    network = FoldedNetwork(dim=2, reads="norm", squares=KNOTS, shift=0.1, radices=(), repeats=4, **PROFILE)
    assert math.isfinite(network([[0.5, 0.5]])[0])
    with pytest.raises(BadInput, match="is no float64 number"):
        network.dense_layers()
