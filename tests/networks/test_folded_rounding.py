"""Rounding bounds of folded networks where they are most at risk, and what the classes refuse."""

import math
from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks import FoldedNetwork, Folds, Knots
from depthsep.networks.layers import norm_signs

PROFILE = {"bias": 0.875, "thresholds": (0.125, 0.875), "sides": ("right", "right"), "weights": (-2.25, 2.25)}
KNOTS = Knots((0.125, 0.375, 0.625, 0.875), (3.0, 4.0, 4.5, 4.0))


def made(**changed) -> FoldedNetwork:
    fields = {"dim": 2, "reads": "norm", "squares": KNOTS, "shift": 0.75, "radices": (), **PROFILE, **changed}
    return FoldedNetwork(**fields)


NETWORKS = {
    "many repeats": made(squares=Folds(1 - 2.0**-20, (40,), 1.0), repeats=1700),
    "repeats above z": made(repeats=1000),
    "z above all repeats": made(squares=Folds(0.5, (16,), 1.0), repeats=3),
    "deep": made(squares=Folds(1 - 2.0**-20, (3, 3, 3), 0.5), radices=(3, 2, 3, 5), repeats=4),
    "pairs": made(reads="sphere-pair", squares=Folds(1 - 2.0**-20, (4, 5), 1.0), radices=(7, 5), repeats=11),
    "knots outside": made(squares=Knots((0.5, 3.0), (200.0, 1.0)), radices=(5,), repeats=3),
    "signed knots": made(reads="ball-pair", squares=Knots((0.25, 0.5), (-3.0, 4.0)), shift=2.0, repeats=4),
    "small scale": made(squares=Folds(2.0**-30, (4, 3), 2.0**60), radices=(2, 3), exponents=(-9, 30, -40, 3, 12)),
    "gain above 1": made(reads="sphere-pair", squares=Folds(1.0, (4, 3), 0.125), repeats=20),
}


def near_breaks(network: FoldedNetwork) -> np.ndarray:
    """Random points, and points with few bits and their neighbours, where floors are decided by the last digit."""
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((60, network.inputs))
    grid = rng.integers(-8, 9, (60, network.inputs)) / 16
    rows = np.vstack([rows, grid, np.nextafter(grid, 2), np.nextafter(grid, -2)])
    for half in np.split(np.arange(network.inputs), network.inputs // network.dim):
        size = np.linalg.norm(rows[:, half], axis=1, keepdims=True)
        size[size == 0] = 1
        if network.reads == "sphere-pair":
            rows[:, half[0]] += np.all(rows[:, half] == 0, axis=1)
            rows[:, half] /= size
        else:
            rows[:, half] /= np.maximum(size, 1 + 2.0**-50)
    return rows


def flat_values(layers, rows: np.ndarray, order) -> np.ndarray:
    """Every sum in a random order of its terms, one after the other."""
    for index, (weights, biases) in enumerate(layers):
        total = np.zeros((len(rows), len(weights)))
        for column in order.permutation(weights.shape[1]):
            total += rows[:, column : column + 1] * weights[:, column]
        total += biases
        rows = np.maximum(total, 0) if index < len(layers) - 1 else total
    return rows[:, 0]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_bounds_hold_where_floors_are_close(network):
    rows = near_breaks(network)
    found = network.evaluate(rows)
    inside = np.flatnonzero(~found.outside_ball)
    assert len(inside) >= 100
    flat = flat_values(network.dense_layers(), rows, np.random.default_rng(1))
    exact = [network.evaluate_exact([Fraction(entry) for entry in row]) for row in rows.tolist()]
    for index in inside:
        assert abs(Fraction(float(found.values[index])) - exact[index]) <= found.rounding_error_upper
        assert abs(Fraction(float(flat[index])) - exact[index]) <= network.flat_rounding_error_upper


def test_the_bounds_of_many_folds_do_not_multiply():
    deep = made(squares=Folds(1 - 2.0**-20, (3, 3), 0.5), radices=(2,) * 12)
    assert deep.rounding_error_upper < Fraction(1, 10**9)
    assert deep.flat_rounding_error_upper < Fraction(1, 10**8)


def test_nothing_is_proved_where_integers_are_not_exact():
    network = made(radices=(2**30, 2**30))
    assert network.rounding_error_upper is None
    assert network.evaluate([[0.5, 0.5]]).rounding_error_upper is None


def test_overflowing_weights_are_refused():
    for network in (made(bias=1e308), made(exponents=(1100, 0)), made(squares=Knots((1e200,), (1e200,)))):
        with pytest.raises(BadInput, match="near the overflow threshold"):
            network([[0.5, 0.5]])
    with pytest.raises(BadInput, match="larger than every float64"):
        _ = made(exponents=(1100, 0)).max_weight


@pytest.mark.parametrize(
    "changed", [{"exponents": (1100, 0)}, {"exponents": (-1100, 0)}, {"bias": 1.0, "exponents": (-1074, -1074)}]
)
def test_scaling_that_float64_does_not_hold_is_not_expanded(changed):
    with pytest.raises(BadInput, match="is no float64"):
        made(**changed).dense_layers()


def test_products_that_float64_does_not_hold_are_not_expanded():
    with pytest.raises(BadInput, match="is no float64"):
        made(dim=1, squares=Folds(0.5, (2,), 1e308)).dense_layers()


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        ({"repeats": 2, "weights": (1.0, -2.0)}, "whose sum is 0"),
        ({"repeats": 2, "thresholds": (0.875, 0.125)}, "increase strictly"),
        ({"repeats": 2, "thresholds": (0.125, 1.0)}, r"inside \(0, 1\)"),
        ({"repeats": 2, "sides": ("left", "right")}, "hinges to the right"),
        ({"sides": ("up", "right")}, '"left" or "right"'),
        ({"radices": (1,)}, "at least 2 each"),
        ({"radices": (2**40, 2**30)}, f"at most {2**60}"),
        ({"exponents": (5000, 0)}, "at most 4096"),
    ],
)
def test_networks_that_are_refused(changed, needed):
    with pytest.raises(BadInput, match=needed):
        made(**changed)


@pytest.mark.parametrize(
    ("make", "needed"),
    [
        (lambda: Knots((), ()), "a weight for every knot"),
        (lambda: Knots((0.0, 1.0), (1.0, 1.0)), "positive and increase"),
        (lambda: Knots((0.5, 0.5), (1.0, 1.0)), "positive and increase"),
        (lambda: Knots((0.5,), (math.inf,)), "finite"),
        (lambda: Folds(0.0, (2,), 1.0), "positive ones"),
        (lambda: Folds(1.0, (), 1.0), "a first radix"),
        (lambda: Folds(1.0, (2, 1), 1.0), "a first radix"),
        (lambda: Folds(1.0, (2**31, 2**30), 1.0), "a product"),
    ],
)
def test_squares_that_are_refused(make, needed):
    with pytest.raises(BadInput, match=needed):
        make()


def test_norms_are_compared_exactly():
    slack = Fraction(1, 2**40)
    edge, above = 1 + 2.0**-40, math.nextafter(1 + 2.0**-40, 2)
    rows = np.array([[edge, 0.0], [above, 0.0], [math.nextafter(edge, 0), 0.0], [1e200, 0.0], [0.0, 0.0]])
    assert norm_signs(rows, 1 + slack).tolist() == [0, 1, -1, 1, -1]
    assert norm_signs(np.array([[0.6, 0.8]]), Fraction(1)).tolist() == [1]  # both decimals are rounded up
    assert norm_signs(np.array([[1 - 2.0**-40, 0.0]]), 1 - slack).tolist() == [0]


def test_unit_vectors_of_many_dimensions_are_inside():
    dim = 10_000
    rows = np.random.default_rng(0).standard_normal((2, 2, dim))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    assert not made(dim=dim, reads="sphere-pair").evaluate(rows.reshape(2, -1)).outside_ball.any()
