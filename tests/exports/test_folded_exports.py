"""Files of folded networks: the checker compares them with the document, and runtimes compute the same."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.constructions import folding
from depthsep.exports import onnx, safetensors
from depthsep.functions import InnerProduct, Radial
from depthsep.networks import FoldedNetwork, Folds, Knots
from depthsep_check import check_model
from depthsep_check.document import encode

PROFILE = {"bias": 0.875, "thresholds": (0.125, 0.875), "sides": ("right", "right"), "weights": (-2.25, 2.25)}
FREE = {"bias": -0.5, "thresholds": (0.5, 2.0), "sides": ("left", "right"), "weights": (1.0, -2.0)}
SQUARES = [Knots((0.125, 0.375), (3.0, 4.0)), Folds(0.9375, (3,), 0.125), Folds(0.5, (1, 2, 3), 0.25)]


def networks() -> list[FoldedNetwork]:
    found = []
    for reads in ("norm", "sphere-pair", "ball-pair"):
        for squares in SQUARES:
            common = {"dim": 2, "reads": reads, "squares": squares, "shift": 0.75}
            plain = FoldedNetwork(**common, radices=(), **FREE)
            folded = FoldedNetwork(**common, radices=(3, 2), repeats=3, **PROFILE)
            found += [plain, folded, folded.scaled_to(Fraction(1))]
    return found


@pytest.mark.parametrize("network", networks())
def test_the_checker_writes_out_the_same_layers(network, tmp_path):
    path = tmp_path / "net.safetensors"
    _write(network, path)
    verdict = check_model(_document(network), path)
    assert verdict.ok, verdict.line
    changed = network.dense_layers()
    for place, (rows, biases) in enumerate(changed):
        for part in (rows, biases):
            flat = part.reshape(-1)
            flat[-1] += 0.5
            _save(changed, path)
            assert not check_model(_document(network), path).ok, place
            flat[-1] -= 0.5


def _document(network: FoldedNetwork) -> str:
    """A document whose proof nobody replays here."""
    parts = {"function": {}, "claim": {"kind": "folded-error"}, "network": network.to_json(), "witness": {}}
    return encode({"format": "depthsep", "version": 1, "made_by": "tests", **parts})


def _write(network: FoldedNetwork, path) -> None:
    _save(network.dense_layers(), path)


def _save(layers, path) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    names = [*(f"hidden{place}" for place in range(1, len(layers))), "output"]
    tensors = {f"{name}.weight": rows for name, (rows, _) in zip(names, layers, strict=True)}
    tensors |= {f"{name}.bias": biases for name, (_, biases) in zip(names, layers, strict=True)}
    numpy_files.save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)


CASES = {
    "pairs of unit vectors, depth 5": (InnerProduct("sin(4*pi*t)", 3), 5),
    "pairs of the ball, depth 4": (InnerProduct("cos(3*t)", 2, "ball-pairs"), 4),
    "radial, depth 6": (Radial("1 - r", 3), 6),
}


@pytest.mark.parametrize("case", CASES)
def test_files_of_proved_networks(case, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    function, depth = CASES[case]
    certified = folding.search(function, Fraction(1, 5), depth)
    document = certified.save(tmp_path / "net.json")
    exported = onnx.write(certified, tmp_path / "net.onnx")
    safetensors.write(certified, tmp_path / "net.safetensors")
    for name in ("net.onnx", "net.safetensors"):
        assert check_model(document, tmp_path / name).ok
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, certified.network.inputs))
    halves = np.split(x, 2, axis=1) if certified.network.inputs > function.dim else [x]
    x = np.hstack([half / np.linalg.norm(half, axis=1, keepdims=True) for half in halves])
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    values = session.run(None, {"x": x})[0][:, 0]
    evaluation = certified.evaluate(x)
    allowed = float(exported.rounding_error_upper + evaluation.rounding_error_upper)
    assert np.abs(values - evaluation.values).max() <= allowed
    assert np.abs(evaluation.values - function(x)).max() <= float(certified.sup_error_upper) + 1e-9
