"""Networks of any activation as ONNX and safetensors files: what onnxruntime computes is the network."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special

from depthsep.activations import ACTIVATIONS
from depthsep.exports import named_tensors, onnx, safetensors
from depthsep.networks import ActivationGroup, ActivationNetwork, CodeCube, Orbit

ARITHMETIC = ("relu", "leaky_relu", "hard_tanh")


def network(activation: str) -> ActivationNetwork:
    groups = (
        ActivationGroup(Orbit((1, 1), 3), (2.0, 0.5), (0.25, 1.0), (0.75, -1.25)),
        ActivationGroup(CodeCube(2, (0, 1, 2)), (4.0,), (0.5,), (1.0,)),
    )
    return ActivationNetwork(3, activation, 0.5, groups)


def certified(net: ActivationNetwork) -> SimpleNamespace:
    return SimpleNamespace(network=net, sup_error_upper=Fraction(1, 10), digest="0123")


def points() -> np.ndarray:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(200, 3))
    rows *= rng.uniform(size=(200, 1)) / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.concatenate([rows, np.zeros((1, 3)), np.eye(3)])


def run(path: Path, rows: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {"x": rows})
    assert values.dtype == np.float64
    assert values.shape == (len(rows), 1)
    return np.asarray(values[:, 0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_computes_the_network(activation: str, tmp_path: Path) -> None:
    library = pytest.importorskip("onnx")
    net, path, rows = network(activation), tmp_path / "model.onnx", points()
    result = onnx.write(certified(net), path)
    library.checker.check_model(str(path), full_check=True)
    values = run(path, rows)
    for row, value in zip(rows.tolist(), values.tolist(), strict=True):
        low, high = net.enclose([Fraction(entry) for entry in row])
        slack = Fraction(1, 10**13) if result.rounding_error_upper is None else result.rounding_error_upper
        assert low - slack <= Fraction(value) <= high + slack
    assert (result.rounding_error_upper is None) == (activation not in ARITHMETIC)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_nodes_far_from_zero(activation: str, tmp_path: Path) -> None:
    """One unit alone, from tiny arguments to huge ones: accurate, and never NaN."""
    pytest.importorskip("onnx")
    net = ActivationNetwork(1, activation, 0.0, (ActivationGroup(Orbit((1,), 1), (1.0,), (0.0,), (1.0,)),))
    onnx.write(certified(net), tmp_path / "model.onnx")
    sizes = np.concatenate([np.linspace(0, 12, 4001), np.logspace(-300, 300, 121)])
    rows = np.concatenate([sizes, -sizes])[:, None]
    values, expected = run(tmp_path / "model.onnx", rows), net(rows)
    assert np.isfinite(values).all()
    assert values == pytest.approx(expected, rel=1e-14, abs=2e-15)


def test_the_error_function_of_the_graph(tmp_path: Path) -> None:
    """Odd units cancel in a pair; with a bias of their own they do not."""
    pytest.importorskip("onnx")
    net = ActivationNetwork(1, "erf", 0.0, (ActivationGroup(Orbit((1,), 1), (1.0,), (-8.0,), (1.0,)),))
    onnx.write(certified(net), tmp_path / "model.onnx")
    rows = np.linspace(-16, 16, 3001)[:, None]
    expected = special.erf(rows[:, 0] + 8) + special.erf(8 - rows[:, 0])
    assert np.abs(run(tmp_path / "model.onnx", rows) - expected).max() < 1e-15


@pytest.mark.parametrize("activation", ["gelu", "relu", "step"])
def test_files_say_what_is_proved(activation: str, tmp_path: Path) -> None:
    library, reader = pytest.importorskip("onnx"), pytest.importorskip("safetensors")
    net = network(activation)
    onnx.write(certified(net), tmp_path / "m.onnx")
    safetensors.write(certified(net), tmp_path / "m.safetensors")
    stored = {entry.key: entry.value for entry in library.load(tmp_path / "m.onnx").metadata_props}
    bound = net.flat_rounding_error_upper
    expected = {
        "depthsep.document": "0123",
        "depthsep.sup_error_upper": "1/10",
        "depthsep.rounding_error_upper": "not proved" if bound is None else repr(float(bound)),
        "depthsep.domain": "unit-ball",
    }
    if activation != "relu":
        expected["depthsep.activation"] = activation
    assert stored == expected
    with reader.safe_open(tmp_path / "m.safetensors", "numpy") as file:
        assert file.metadata() == expected


def test_safetensors_hold_the_flat_layers(tmp_path: Path) -> None:
    reader = pytest.importorskip("safetensors.numpy")
    net = network("sigmoid")
    safetensors.write(certified(net), tmp_path / "m.safetensors")
    loaded, tensors = reader.load_file(tmp_path / "m.safetensors"), named_tensors(net)
    assert loaded.keys() == tensors.keys()
    hidden = points() @ loaded["hidden1.weight"].T + loaded["hidden1.bias"]
    values = special.expit(hidden) @ loaded["output.weight"][0] + loaded["output.bias"][0]
    assert values == pytest.approx(network("sigmoid")(points()), abs=1e-14)
