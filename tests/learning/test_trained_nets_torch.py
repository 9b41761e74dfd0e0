"""Trained networks against the automatic differentiation and the optimizers of torch."""

from typing import Any

import numpy as np
import pytest

from depthsep.learning.trained_nets import Adam, Momentum, Nets, NetShape, initial_weights

torch = pytest.importorskip("torch")


def module(shape: NetShape, nets: Nets) -> Any:
    """The same network in torch."""
    activation = torch.nn.ReLU if shape.activation == "relu" else torch.nn.Sigmoid
    parts, at, flat = [], 0, torch.from_numpy(nets.parameters[0].copy())
    for inputs, outputs in shape.layers(nets.dim):
        linear = torch.nn.Linear(inputs, outputs, dtype=torch.float64)
        cut = at + inputs * outputs
        with torch.no_grad():
            linear.weight.copy_(flat[at:cut].reshape(inputs, outputs).T)
            linear.bias.copy_(flat[cut : cut + outputs])
        at = cut + outputs
        parts += [linear, activation()]
    return torch.nn.Sequential(*parts[:-1])


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize("shape", [NetShape((20, 6)), NetShape((20,), "sigmoid")], ids=lambda shape: shape.text)
def test_training_follows_that_of_torch(shape: NetShape, optimizer: str) -> None:
    rng = np.random.default_rng(9)
    nets = Nets(shape, 5, initial_weights(shape, 5, rng, bias_range=1)[np.newaxis])
    start = nets.parameters.copy()
    theirs = module(shape, nets)
    if optimizer == "adam":
        adam, their_descent = Adam(nets.parameters), torch.optim.Adam(theirs.parameters(), lr=0.01)
    else:
        momentum, their_descent = Momentum(nets.parameters, 0.9), torch.optim.SGD(theirs.parameters(), 0.01, 0.9)
    for _ in range(50):
        points, labels = rng.standard_normal((16, 5)), rng.random(16)
        gradient = nets.gradient(points, labels)
        if optimizer == "adam":
            adam.update(gradient, np.array([[0.01]]))
        else:
            momentum.update(gradient, 0.01)
        their_descent.zero_grad()
        torch.nn.functional.mse_loss(theirs(torch.from_numpy(points))[:, 0], torch.from_numpy(labels)).backward()
        their_descent.step()
    points = rng.standard_normal((30, 5))
    expected = theirs(torch.from_numpy(points)).detach().numpy()[:, 0]
    np.testing.assert_allclose(nets.outputs(points)[0], expected, rtol=1e-9, atol=1e-11)
    assert np.abs(nets.outputs(points) - Nets(shape, 5, start).outputs(points)).max() > 0.05
