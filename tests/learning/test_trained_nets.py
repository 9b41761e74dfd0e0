"""Trained networks: gradients by differences, stacks against single runs, examples, what has infinite risk."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, Bessel, Gaussian, RadialLaw, Student, UniformBall
from depthsep.learning.trained_nets import (
    Adam,
    Momentum,
    Nets,
    NetShape,
    draw_examples,
    example_batches,
    initial_weights,
)

SHAPES = [NetShape((5,)), NetShape((4, 3)), NetShape((5,), "sigmoid"), NetShape((3, 2, 4), "sigmoid")]


def stack(shape: NetShape, dim: int, runs: int = 2) -> Nets:
    """Networks in float64, with biases everywhere."""
    rng = np.random.default_rng(11)
    rows = [initial_weights(shape, dim, rng) + 0.1 * rng.standard_normal(shape.parameters(dim)) for _ in range(runs)]
    return Nets(shape, dim, np.stack(rows))


def by_hand(shape: NetShape, parameters: NDArray[np.float64], point: NDArray[np.float64]) -> float:
    """One network at one point, unit by unit."""
    values, at = list(point), 0
    for layer, (inputs, outputs) in enumerate(shape.layers(len(point))):
        weights = parameters[at : at + inputs * outputs].reshape(inputs, outputs)
        at += inputs * outputs
        sums = [sum(values[i] * weights[i, o] for i in range(inputs)) + parameters[at + o] for o in range(outputs)]
        at += outputs
        if layer == len(shape.widths):
            return float(sums[0])
        values = [max(s, 0.0) if shape.activation == "relu" else 1 / (1 + math.exp(-s)) for s in sums]
    raise ValueError("no output layer")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.text)
def test_outputs_are_those_of_the_formula(shape: NetShape) -> None:
    nets = stack(shape, 3)
    points = np.random.default_rng(2).standard_normal((7, 3))
    expected = [[by_hand(shape, row, point) for point in points] for row in nets.parameters]
    np.testing.assert_allclose(nets.outputs(points), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("own_points", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.text)
def test_the_gradient_is_that_of_the_mean_squared_error(shape: NetShape, own_points: bool) -> None:
    nets = stack(shape, 3)
    rng = np.random.default_rng(3)
    points = rng.standard_normal((2, 9, 3) if own_points else (9, 3))
    labels = rng.integers(0, 2, (2, 9) if own_points else 9).astype(float)
    gradient = nets.gradient(points, labels).copy()

    def losses() -> NDArray[np.float64]:
        return np.asarray(np.mean((nets.outputs(points) - labels) ** 2, axis=1))

    differences = np.empty_like(gradient)
    for place in range(gradient.shape[1]):
        kept = nets.parameters[:, place].copy()
        nets.parameters[:, place] = kept + 1e-6
        above = losses()
        nets.parameters[:, place] = kept - 1e-6
        differences[:, place] = (above - losses()) / 2e-6
        nets.parameters[:, place] = kept
    assert np.abs(gradient).max() > 0.01
    np.testing.assert_allclose(gradient, differences, atol=2e-9)


def test_a_stack_is_its_runs_one_by_one() -> None:
    shape, rng = NetShape((6, 4)), np.random.default_rng(4)
    together = stack(shape, 3, runs=3)
    alone = [together.only(run) for run in range(3)]
    rates = np.array([[0.01], [0.02], [0.04]])
    all_at_once = Adam(together.parameters)
    one_by_one = [Adam(nets.parameters) for nets in alone]
    for _ in range(20):
        points, labels = rng.standard_normal((8, 3)), rng.random(8)
        all_at_once.update(together.gradient(points, labels), rates)
        for nets, adam, rate in zip(alone, one_by_one, rates, strict=True):
            adam.update(nets.gradient(points, labels), rate[np.newaxis])
    np.testing.assert_allclose(together.parameters, np.concatenate([n.parameters for n in alone]), rtol=1e-10)


def test_the_first_step_of_adam_has_the_length_of_the_rate() -> None:
    parameters = np.zeros((2, 3))
    Adam(parameters).update(np.array([[1.0, -2.0, 1e-3], [5.0, 0.0, -1.0]]), np.array([[0.1], [0.2]]))
    np.testing.assert_allclose(parameters, [[-0.1, 0.1, -0.1], [-0.2, 0.0, 0.2]], rtol=2e-5)


def test_momentum_adds_up() -> None:
    parameters = np.zeros((1, 1))
    descent = Momentum(parameters, 0.5)
    for _ in range(3):
        descent.update(np.array([[1.0]]), 0.1)
    assert parameters[0, 0] == pytest.approx(-0.1 * (1 + 1.5 + 1.75))


def test_one_network_out_of_a_stack_is_a_copy() -> None:
    nets = stack(NetShape((5,)), 3)
    second = nets.only(1)
    nets.parameters[:] = 0
    assert np.abs(second.parameters).max() > 0.1
    assert second.outputs(np.ones((4, 3))).shape == (1, 4)


def test_the_mean_squared_error_is_that_of_all_points() -> None:
    nets, rng = stack(NetShape((5,)), 3), np.random.default_rng(5)
    points, labels = rng.standard_normal((9001, 3)), rng.random(9001)
    expected = np.mean((nets.outputs(points) - labels) ** 2, axis=1)
    np.testing.assert_allclose(nets.mse(points, labels), expected, rtol=1e-12)


def test_initial_weights_have_their_variances() -> None:
    relu, sigmoid = NetShape((400, 50)), NetShape((400,), "sigmoid")
    first, second, last = layers_of(relu, initial_weights(relu, 30, np.random.default_rng(6)), 30)
    assert np.var(first[:-1]) == pytest.approx(2 / 30, rel=0.05)
    assert np.var(second[:-1]) == pytest.approx(2 / 400, rel=0.05)
    assert np.var(last[:-1]) == pytest.approx(1 / 50, rel=0.6)
    assert not first[-1].any()
    assert not second[-1].any()
    first, last = layers_of(sigmoid, initial_weights(sigmoid, 30, np.random.default_rng(6), bias_range=2), 30)
    assert np.var(first[:-1]) == pytest.approx(1 / 30, rel=0.05)
    assert 1.9 < np.abs(first[-1]).max() <= 2
    assert not last[-1].any()


def layers_of(shape: NetShape, flat: NDArray[np.float64], dim: int) -> list[NDArray[np.float64]]:
    """Weights and biases of each layer as one matrix, the biases last."""
    ends = np.cumsum([(inputs + 1) * outputs for inputs, outputs in shape.layers(dim)])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(-1, outputs) for part, (_, outputs) in zip(parts, shape.layers(dim), strict=True)]


@pytest.mark.parametrize("law", [UniformBall(10), Bessel(3), Gaussian(2)], ids=lambda law: law.name)
def test_examples_are_rescaled_and_labelled(law: RadialLaw) -> None:
    target = BallTarget(law, 0.3)
    points, labels = draw_examples(target, 20_000, np.random.default_rng(7))
    norms = np.linalg.norm(points.astype(float), axis=1)
    assert points.dtype == labels.dtype == np.float32
    assert np.median(norms) == pytest.approx(math.sqrt(law.dim), rel=0.03)
    assert labels.mean() == pytest.approx(0.3, abs=0.015)
    clear = np.abs(norms / law.scale / target.radius - 1) > 1e-6
    np.testing.assert_array_equal(labels[clear], (norms / law.scale <= target.radius)[clear])


def test_batches_are_fresh() -> None:
    batches = list(example_batches(BallTarget(Gaussian(4)), 100, 90, np.random.default_rng(8)))
    assert [points.shape for points, _ in batches] == [(100, 4)] * 90
    assert [labels.shape for _, labels in batches] == [(100,)] * 90
    assert len(np.unique(np.concatenate([points for points, _ in batches]), axis=0)) == 9000


@pytest.mark.parametrize(
    ("law", "index"), [(Bessel(4), "1"), (Student(4, 1.5), "1.5"), (Student(4, 2), "2"), (Student(4, 2.5), "")]
)
def test_relu_has_infinite_risk_without_a_second_moment(law: RadialLaw, index: str) -> None:
    reason = NetShape((9,)).infinite_risk(law)
    assert reason == NetShape((100, 20)).infinite_risk(law)
    assert reason.endswith(f"(tail index {index})") if index else reason == ""
    assert NetShape((9,), "sigmoid").infinite_risk(law) == ""


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(BadInput, match=r"hidden layers of the widths \(\)\n  needed: at least one, each with a unit"):
        NetShape(())
    with pytest.raises(BadInput, match=r"widths \(3, 0\)"):
        NetShape((3, 0))
    with pytest.raises(BadInput, match="the activation 'tanh'\n  needed: one of relu, sigmoid"):
        NetShape((3,), "tanh")
