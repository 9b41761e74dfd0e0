"""Networks of any activation as torch modules."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.exports import torch
from depthsep.networks import ActivationGroup, ActivationNetwork, Orbit

library = pytest.importorskip("torch")

MODULES = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "softplus": "Softplus",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hard_tanh": "Hardtanh",
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_torch_computes_the_network(activation: str, tmp_path: Path) -> None:
    group = ActivationGroup(Orbit((1, 1), 3), (2.0, 32.0, 0.5), (0.25, 1.0, -1.0), (0.75, -1.25, 0.5))
    net = ActivationNetwork(3, activation, 0.5, (group,))
    certified = SimpleNamespace(network=net, sup_error_upper=Fraction(1, 10), digest="0123")
    result = torch.write(certified, tmp_path / "model.pt")
    model = torch.to_torch(net)
    assert all(parameter.dtype == library.float64 for parameter in model.parameters())
    assert type(model[1]).__name__ == MODULES.get(activation, "Elementwise")
    model.load_state_dict(library.load(tmp_path / "model.pt", weights_only=True))
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(100, 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) * rng.uniform(1.0, 4.0, size=(100, 1))
    with library.no_grad():
        values = model(library.from_numpy(rows)).numpy()[:, 0]
    assert values == pytest.approx(net(rows), abs=1e-13)
    assert result.rounding_error_upper == net.flat_rounding_error_upper
    assert (result.rounding_error_upper is None) == (activation not in ("relu", "leaky_relu", "hard_tanh"))
