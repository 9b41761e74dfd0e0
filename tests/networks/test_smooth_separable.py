"""Networks of smooth units at depth 3: structure, flat layers and balls agree; counts are recounted."""

import math
from fractions import Fraction

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput
from depthsep.networks import SmoothSeparableNetwork, network_from_json


def _some(activation: str) -> SmoothSeparableNetwork:
    lists = ((2.0, -0.5), (0.25, 0.0), (1.5, -0.75))
    return SmoothSeparableNetwork(4, activation, 0.5, -0.25, 2.0, 0.125, -3.0, 0.5, *lists)


@pytest.mark.parametrize("activation", ["softplus", "sigmoid", "tanh"])
def test_structure_flat_layers_and_balls_agree(activation: str) -> None:
    network = _some(activation)
    points = np.random.default_rng(3).uniform(-0.5, 0.5, (20, 4))
    layers = network.dense_layers()
    hidden = points
    for rows, biases in layers[:-1]:
        hidden = ACTIVATIONS[activation].function(hidden @ rows.T + biases)
    flat = (hidden @ layers[-1][0].T + layers[-1][1])[:, 0]
    assert np.allclose(network(points), flat, rtol=0, atol=1e-13)
    assert network.rounding_error_estimate(points) < 1e-14
    assert network.widths == tuple(len(biases) for _, biases in layers[:-1])
    assert network.max_weight == max(np.abs(part).max() for layer in layers for part in layer)
    assert network.nonzeros == sum(np.count_nonzero(part) for layer in layers for part in layer)
    lengths = np.linalg.norm(layers[0][0], axis=1)
    path = (np.abs(layers[2][0]) @ np.abs(layers[1][0]) @ lengths).item()
    assert math.isclose(network.path_norm, path)
    assert network.path_norm >= path * (1 - 1e-15)
    assert network.rounding_error_upper is None
    assert network.flat_rounding_error_upper is None
    assert network_from_json(network.to_json()) == network
    assert abs(float(network.evaluate_exact([Fraction(0)] * 4)) - network(np.zeros((1, 4)))[0]) < 1e-14


def test_refusals() -> None:
    with pytest.raises(BadInput, match="needed: one of softplus, sigmoid, tanh"):
        _some("relu")
    with pytest.raises(BadInput, match="lists of one length"):
        SmoothSeparableNetwork(1, "tanh", 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, (1.0,), (), (1.0,))
    with pytest.raises(BadInput, match="a dimension of at least 1"):
        SmoothSeparableNetwork(0, "tanh", 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, (), (), ())
    with pytest.raises(BadInput, match="no float64 equals"):
        SmoothSeparableNetwork(1, "tanh", 1.0, 0.0, 0.1, 1.0, 1.0, 0.0, (0.1,), (0.0,), (1.0,)).dense_layers()
