"""Reading torch modules: the values that torch computes, and refusals by name and class."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.exports.torch import to_torch
from depthsep.imports import read_network
from depthsep.networks import SeparableNetwork

torch = pytest.importorskip("torch")
nn = torch.nn


def seeded(*modules: Any) -> Any:
    torch.manual_seed(11)
    built = nn.Sequential(*modules)
    for parameter in built.parameters():
        nn.init.normal_(parameter)
    return built.eval()


def refusal(module: Any) -> str:
    with pytest.raises(BadInput) as error:
        read_network(module)
    return str(error.value)


@pytest.mark.parametrize(("kind", "accuracy"), [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_modules_compute_what_was_read(kind: Any, accuracy: float) -> None:
    inner = nn.Sequential(nn.Linear(6, 5, bias=False), nn.Identity(), nn.Dropout(0.5), nn.ReLU(inplace=True))
    module = seeded(nn.Flatten(), nn.Linear(3, 6), nn.ReLU(), inner, nn.Linear(5, 4), nn.Linear(4, 2)).to(kind)
    network = read_network(module)
    assert (network.dim, network.widths, network.outputs) == (3, (6, 5), 2)
    points = np.random.default_rng(2).normal(size=(30, 3)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(points).to(kind)).numpy()
    exact = [[float(entry) for entry in network.evaluate_exact(list(map(Fraction, row)))] for row in points.tolist()]
    np.testing.assert_allclose(expected, exact, rtol=0, atol=accuracy)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_short_floats_are_taken_exactly(kind: Any) -> None:
    module = seeded(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).to(kind)
    assert [[float(entry) for entry in row] for row in read_network(module).layers[0].weights] == (
        module[0].weight.tolist()
    )


def test_a_module_that_stands_there_twice_counts_twice() -> None:
    shared, relu = nn.Linear(2, 2), nn.ReLU()
    network = read_network(seeded(shared, relu, shared, relu, nn.Linear(2, 1)))
    assert network.widths == (2, 2)
    assert network.layers[0] == network.layers[1]


def test_a_relu_at_the_end_and_a_single_layer() -> None:
    module = seeded(nn.Linear(2, 3), nn.ReLU())
    network = read_network(module)
    assert network.widths == (3,)
    points = np.random.default_rng(3).normal(size=(20, 2))
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(points)).numpy()
    np.testing.assert_allclose(network(points), expected, rtol=0, atol=1e-12)
    assert read_network(nn.Linear(2, 3)).depth == 1


def test_what_depthsep_exported_comes_back() -> None:
    network = SeparableNetwork(3, (0.2, 0.5), (1.0, 2.0), None, 1.0, (0.1, 0.5), ("right", "left"), (-1.0, 300.0))
    assert read_network(to_torch(network)) == read_network(network)


class Doubled(nn.Module):  # type: ignore[misc, name-defined]
    def forward(self, x: Any) -> Any:
        return 2 * x


class DoubledSequential(nn.Sequential):  # type: ignore[misc, name-defined]
    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


SUPPORTED = "  needed: nothing but Linear, ReLU, Identity, Dropout in eval mode and Flatten(1, -1), in Sequential"


def test_all_other_modules_are_listed_by_name_and_class() -> None:
    module = seeded(nn.Conv1d(1, 1, 1), nn.ReLU(), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), Doubled()))
    module.append(nn.Flatten(0)).append(DoubledSequential(nn.Linear(1, 1)))
    assert refusal(module) == (
        "read a torch module\n  found:  0 (Conv1d); 2.1 (BatchNorm1d); 2.2 (Doubled); 3 (Flatten(0, -1)); "
        "4 (DoubledSequential)\n" + SUPPORTED
    )
    assert refusal(Doubled()) == "read a torch module\n  found:  the module (Doubled)\n" + SUPPORTED


def test_modules_that_are_more_than_their_weights() -> None:
    hooked = nn.Linear(1, 1)
    hooked.register_forward_hook(lambda *_: None)
    patched = nn.Linear(1, 1)
    patched.forward = lambda x: x
    constrained = nn.utils.parametrizations.weight_norm(nn.Linear(1, 1))
    text = refusal(nn.Sequential(hooked, patched, constrained, nn.Dropout()))
    assert text == (
        "read a torch module\n  found:  0 (Linear with hooks or a forward of its own); "
        "1 (Linear with hooks or a forward of its own); 2 (ParametrizedLinear); "
        "3 (Dropout in training mode: call eval() first)\n" + SUPPORTED
    )


def test_modules_without_numbers() -> None:
    assert refusal(nn.Sequential()) == (
        "read a torch module\n  found:  no layer with weights\n  needed: at least one affine layer"
    )
    assert refusal(nn.Linear(2, 1, device="meta")) == (
        "read module the module\n  found:  a tensor without data\n  needed: dense numbers of type float16 to float64"
    )
    assert refusal(nn.Sequential(nn.Linear(2, 1, dtype=torch.complex64))) == (
        "read module 0\n  found:  complex64\n  needed: dense numbers of type float16 to float64"
    )
    module = seeded(nn.Linear(2, 1))
    module[0].bias.data[0] = float("inf")
    assert refusal(module) == "read module 0, bias [0]\n  found:  inf\n  needed: a finite number"
    assert refusal(nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1))) == (
        "read a torch module\n  found:  module 1 takes 2 values\n  needed: 3, as many as come before it"
    )
