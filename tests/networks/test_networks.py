"""Shallow and deep networks: three evaluations agree within the proved bounds, and the counts match the flat layers."""

import math
from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks import (
    AffineUnit,
    CodeCube,
    ExplicitDirections,
    Network,
    Orbit,
    RidgeGroup,
    SeparableNetwork,
    ShallowNetwork,
    network_from_json,
)
from depthsep.networks.layers import outside_ball

RNG = np.random.default_rng(20)


def floats(*values: float) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def weights(count: int, scale: float = 1.0) -> tuple[float, ...]:
    return tuple((scale * RNG.normal(size=count)).tolist())


def thresholds(count: int, zero: bool = False) -> tuple[float, ...]:
    return ((0.0,) if zero else ()) + tuple(np.sort(RNG.uniform(0.01, 0.9, size=count - zero)).tolist())


def unit_affine(dim: int) -> AffineUnit:
    return AffineUnit(weights(dim), 2.0, 0.5)


SHALLOW = {
    "constant": ShallowNetwork(3, 0.25, ()),
    "axes": ShallowNetwork(3, 1.0, (RidgeGroup(Orbit((1,), 3), thresholds(4), weights(4, 100.0)),)),
    "zero threshold": ShallowNetwork(2, -1.0, (RidgeGroup(Orbit((2, 1), 2), (0.0,), (0.7,)),), unit_affine(2)),
    "mixed": ShallowNetwork(
        4,
        0.1,
        (
            RidgeGroup(Orbit((1, 1), 4), thresholds(3, zero=True), weights(3)),
            RidgeGroup(CodeCube(3, (1, 2, 4, 7)), thresholds(2), weights(2, 1e6)),
            RidgeGroup(ExplicitDirections((weights(4), weights(4))), thresholds(3), weights(3, 1e-3)),
        ),
        unit_affine(4),
    ),
    "tiny weights": ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1, 1), 2), (0.1, 0.2), (1e-320, -3e-310)),)),
    "thresholds beyond the ball": ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1,), 2), (0.5, 7.0), (1.0, 1e9)),)),
    "empty group": ShallowNetwork(2, 0.5, (RidgeGroup(Orbit((1,), 2), (), ()),)),
}
DEEP = {
    "constant": SeparableNetwork(3, (), (), None, 0.5, (), (), ()),
    "no second layer": SeparableNetwork(2, (0.0, 0.5), (0.1, 0.2), 1.0, 0.5, (), (), ()),
    "plain": SeparableNetwork(3, thresholds(4), weights(4), None, 1.0, (0.3, -0.2), ("right", "left"), (-2.0, 30.0)),
    "extra unit": SeparableNetwork(
        4, thresholds(5, zero=True), weights(5), 0.01, -1.0, (0.3, 0.2, 0.3), ("right", "right", "left"), weights(3)
    ),
    "steep": SeparableNetwork(5, thresholds(6), weights(6), None, 0.0, (0.05,), ("right",), (1e7,)),
}
NETWORKS: list[Network] = [*SHALLOW.values(), *DEEP.values()]
IDS = [f"shallow {name}" for name in SHALLOW] + [f"deep {name}" for name in DEEP]


def ball_points(dim: int, count: int) -> np.ndarray:
    """Points of the ball: random radii, axes, the centre, the sphere rounded inwards, tiny numbers."""
    points = RNG.normal(size=(count, dim))
    points *= RNG.uniform(size=(count, 1)) / np.linalg.norm(points, axis=1, keepdims=True)
    corner = np.full(dim, dim**-0.5 * (1 - 1e-15))
    return np.concatenate((points, [np.zeros(dim), np.eye(dim)[0], -np.eye(dim)[-1], np.full(dim, 1e-310), corner]))


def flat(network: Network, points: np.ndarray) -> np.ndarray:
    hidden = points
    layers = network.dense_layers()
    for index, (matrix, bias) in enumerate(layers):
        hidden = hidden @ matrix.T + bias
        if index < len(layers) - 1:
            hidden = np.maximum(hidden, 0.0)
    return hidden[:, 0]


def flat_exact(network: Network, point: list[Fraction]) -> Fraction:
    hidden = point
    layers = network.dense_layers()
    for index, (matrix, bias) in enumerate(layers):
        rows = [[Fraction(entry) for entry in row] for row in matrix.tolist()]
        sums = [sum((a * b for a, b in zip(row, hidden, strict=True)), Fraction(0)) for row in rows]
        hidden = [total + Fraction(shift) for total, shift in zip(sums, bias.tolist(), strict=True)]
        if index < len(layers) - 1:
            hidden = [max(value, Fraction(0)) for value in hidden]
    return hidden[0]


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_structured_and_flat_evaluation_are_within_their_proved_bounds(network: Network) -> None:
    points = ball_points(network.dim, 40)
    assert not outside_ball(points).any()
    evaluation = network.evaluate(points)
    assert np.array_equal(network(points), evaluation.values)
    for point, value, other in zip(points.tolist(), evaluation.values.tolist(), flat(network, points), strict=True):
        exact = network.evaluate_exact([Fraction(entry) for entry in point])
        assert abs(Fraction(value) - exact) <= evaluation.rounding_error_upper
        assert abs(Fraction(float(other)) - exact) <= network.flat_rounding_error_upper


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_the_flat_layers_are_the_network_everywhere(network: Network) -> None:
    for scale in (1, 10):
        point = [scale * Fraction(int(n), 64) for n in RNG.integers(-64, 64, size=network.dim)]
        assert flat_exact(network, point) == network.evaluate_exact(point)


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_the_structured_evaluation_is_the_network_outside_the_ball_too(network: Network) -> None:
    points = 10 * ball_points(network.dim, 10)
    for point, value in zip(points.tolist(), network(points).tolist(), strict=True):
        exact = float(network.evaluate_exact([Fraction(entry) for entry in point]))
        assert value == pytest.approx(exact, rel=1e-9, abs=1e-9 * (1 + network.path_norm))


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_counts_match_the_flat_layers(network: Network) -> None:
    layers = network.dense_layers()
    assert network.widths == tuple(len(bias) for _, bias in layers[:-1])
    assert network.depth == len(layers)
    assert network.parameters == sum(matrix.size + bias.size for matrix, bias in layers)
    assert network.nonzeros == sum(np.count_nonzero(part) for layer in layers for part in layer)
    assert network.max_weight == max(np.abs(part).max() for layer in layers for part in layer if part.size)
    norms = np.linalg.norm(layers[0][0], axis=1)
    for matrix, _ in layers[1:]:
        norms = np.abs(matrix) @ norms
    assert norms[0] * (1 - 1e-12) <= network.path_norm <= norms[0] * (1 + 1e-12)
    assert all(matrix.dtype == np.float64 and bias.dtype == np.float64 for matrix, bias in layers)


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_json_round_trip(network: Network) -> None:
    assert network_from_json(network.to_json()) == network


def test_flat_order_of_a_shallow_network() -> None:
    group = RidgeGroup(Orbit((1,), 2), (0.0, 0.5), (3.0, 4.0))
    (inner, biases), (outer, last) = ShallowNetwork(2, 7.0, (group,), AffineUnit((8.0, 9.0), 1.0, 2.0)).dense_layers()
    assert inner.tolist() == [[1, 0], [1, 0], [-1, 0], [0, 1], [0, 1], [0, -1], [8, 9]]
    assert biases.tolist() == [0, -0.5, -0.5, 0, -0.5, -0.5, 1]
    assert outer.tolist() == [[6, 4, 4, 6, 4, 4, 2]]
    assert last.tolist() == [7]


def test_flat_order_of_a_deep_network() -> None:
    net = SeparableNetwork(2, (0.0, 0.5), (3.0, 4.0), 5.0, 7.0, (0.25, 0.5), ("right", "left"), (1.0, 2.0))
    (inner, biases), (middle, shifts), (outer, last) = net.dense_layers()
    assert inner.tolist() == [[1, 0], [1, 0], [-1, 0], [0, 1], [0, 1], [0, -1], [-3, -3]]
    assert biases.tolist() == [0, -0.5, -0.5, 0, -0.5, -0.5, 5]
    assert middle.tolist() == [[6, 4, 4, 6, 4, 4, 1], [-6, -4, -4, -6, -4, -4, -1]]
    assert shifts.tolist() == [-0.25, 0.5]
    assert outer.tolist() == [[1, 2]]
    assert last.tolist() == [7]


def test_flat_weights_are_free_of_negative_zeros() -> None:
    net = SHALLOW["zero threshold"]
    assert not any(np.signbit(part[part == 0]).any() for layer in net.dense_layers() for part in layer)


def test_wide_networks_are_not_expanded() -> None:
    wide = ShallowNetwork(100, 0.0, (RidgeGroup(Orbit((1, 1, 1), 100), (0.5,), (1.0,)),))
    assert wide.widths == (1293600,)
    with pytest.raises(OutOfReach, match="they take 1055577608 bytes") as caught:
        wide.dense_layers()
    assert caught.value.reached == {"bytes": 1055577608}
    with pytest.raises(OutOfReach, match="at most 10 bytes"):
        SHALLOW["axes"].dense_layers(limit_bytes=10)


def test_wide_evaluation_stays_within_its_bound() -> None:
    """More than one block of directions, several blocks of points."""
    code = CodeCube(15, tuple(int(c) for c in RNG.integers(0, 2**15, size=9)))
    groups = (RidgeGroup(code, (0.2, 1.1), (1e-4, -2e-4)), RidgeGroup(Orbit((1,) * 6, 9), (1.0,), (1e-3,)))
    net = ShallowNetwork(9, 0.5, groups)
    points = ball_points(9, 60)
    evaluation = net.evaluate(points)
    for index in (0, 64):
        exact = net.evaluate_exact([Fraction(entry) for entry in points[index].tolist()])
        assert abs(Fraction(evaluation.values[index]) - exact) <= evaluation.rounding_error_upper
    assert evaluation.rounding_error_upper < Fraction(1, 10**7)


def test_an_empty_list_of_points() -> None:
    evaluation = SHALLOW["axes"].evaluate(np.zeros((0, 3)))
    assert evaluation.values.shape == evaluation.outside_ball.shape == (0,)


def test_outside_ball_is_decided_exactly() -> None:
    above = math.nextafter(1.0, 2.0)
    third = Fraction(3, 5)
    exactly_one = [0.0, 1.0]
    rows = np.array([exactly_one, [0.0, above], [1.0, 5e-324], [0.6, 0.8], [1e200, 0.0], [0.5, 0.5]])
    expected = [sum(Fraction(e) ** 2 for e in row) > 1 for row in rows.tolist()]
    assert Fraction(0.6) != third
    assert expected == [False, True, True, True, True, False]
    assert outside_ball(rows).tolist() == expected


def test_random_points_of_the_sphere_are_decided_exactly() -> None:
    rows = RNG.normal(size=(300, 7))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = [sum(Fraction(e) ** 2 for e in row) > 1 for row in rows.tolist()]
    assert 0 < sum(expected) < 300
    assert outside_ball(rows).tolist() == expected


def test_points_outside_are_flagged_not_refused() -> None:
    for far in (1.0, 1e308):
        evaluation = SHALLOW["axes"].evaluate([[1.0, 0.0, 0.0], [far, far, far]])
        assert evaluation.outside_ball.tolist() == [False, True]


def test_narrow_types_are_converted_exactly() -> None:
    points = ball_points(3, 5).astype(np.float32)
    net = SHALLOW["axes"]
    assert np.array_equal(net(points), net(points.astype(np.float64)))
    assert net(points).dtype == np.float64
    assert net([[0, 0, 1]]).tolist() == net([[0.0, 0.0, 1.0]]).tolist()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([0.0, 0.0, 0.0], "shape \\(n, 3\\)"),
        ([[0.0, 0.0]], "shape \\(n, 3\\)"),
        ([[0.0, math.nan, 0.0]], "nan in row 0, column 1"),
        ([[0.0, 0.0, 0.0], [0.0, 0.0, -math.inf]], "-inf in row 1, column 2"),
        (np.zeros((1, 3), dtype=np.longdouble), "real numbers that float64 holds exactly"),
        (np.zeros((1, 3), dtype=complex), "real numbers that float64 holds exactly"),
        ([["a", "b", "c"]], "real numbers that float64 holds exactly"),
    ],
)
def test_points_that_are_refused(points: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        SHALLOW["axes"](points)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("places", "factors"),
    [((0.2, 0.1), (1.0, 1.0)), ((0.1, 0.1), (1.0, 1.0)), ((-0.1,), (1.0,)), ((0.1,), ()), ((0.1,), (1.0, 2.0))],
)
def test_thresholds_that_are_refused(places: tuple[float, ...], factors: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="strictly increasing thresholds from 0 on"):
        RidgeGroup(Orbit((1,), 2), places, factors)
    with pytest.raises(BadInput, match="strictly increasing thresholds from 0 on"):
        SeparableNetwork(2, places, factors, None, 0.0, (), (), ())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite(bad: float) -> None:
    for make in (
        lambda: RidgeGroup(Orbit((1,), 2), (0.1,), (bad,)),
        lambda: RidgeGroup(Orbit((1,), 2), (bad,), (0.1,)),
        lambda: AffineUnit((bad,), 0.0, 0.0),
        lambda: ShallowNetwork(2, bad, ()),
        lambda: SeparableNetwork(2, (), (), None, 0.0, (bad,), ("left",), (1.0,)),
        lambda: SeparableNetwork(2, (0.0,), (1.0,), bad, 0.0, (), (), ()),
    ):
        with pytest.raises(BadInput, match="a weight that is not finite"):
            make()


def test_parts_of_another_dimension() -> None:
    with pytest.raises(BadInput, match=r"parts of dimensions \[2, 3\]"):
        ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1,), 3), (), ()),), AffineUnit((1.0, 0.0), 0.0, 0.0))
    with pytest.raises(BadInput, match="needed: parts of that dimension"):
        ShallowNetwork(0, 0.0, ())


def test_deep_networks_that_are_refused() -> None:
    with pytest.raises(BadInput, match="at least 1"):
        SeparableNetwork(0, (), (), None, 0.0, (), (), ())
    for places, offset in (((0.0,), None), ((0.5,), 1.0)):
        with pytest.raises(BadInput, match="exactly when the first threshold is 0"):
            SeparableNetwork(2, places, (1.0,), offset, 0.0, (), (), ())
    for sides in ((), ("up",)):
        with pytest.raises(BadInput, match='sides "left" or "right"'):
            SeparableNetwork(2, (), (), None, 0.0, (0.0,), sides, (1.0,))


def test_weights_that_could_overflow() -> None:
    net = ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1,), 2), (0.1,), (1e305,)),))
    with pytest.raises(BadInput, match="near the overflow threshold"):
        net([[0.5, 0.5]])
    deep = SeparableNetwork(2, (0.5,), (1e200,), None, 0.0, (0.0,), ("right",), (1e200,))
    with pytest.raises(BadInput, match="near the overflow threshold"):
        deep([[0.5, 0.5]])


def test_unknown_kind() -> None:
    with pytest.raises(BadInput, match="a network of kind 'tree'"):
        network_from_json({"kind": "tree"})
