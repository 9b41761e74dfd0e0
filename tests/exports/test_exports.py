"""Exports: other programs stay within the stated bound, the checker accepts the files, a refusal leaves no file."""

import os
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput, DocumentExists, MissingExtra, OutOfReach
from depthsep.exports import ExportResult, named_tensors, onnx, safetensors, torch
from depthsep.networks import (
    AffineUnit,
    CodeCube,
    ExplicitDirections,
    Network,
    Orbit,
    RidgeGroup,
    SeparableNetwork,
    ShallowNetwork,
)
from depthsep_check import check_model
from depthsep_check.document import encode

NETWORKS: dict[str, Network] = {
    "orbits": ShallowNetwork(
        4,
        1.0,
        (
            RidgeGroup(Orbit((1,), 4), (0.1, 0.4), (30.0, -70.0)),
            RidgeGroup(Orbit((2, 1), 4), (0.0, 0.3), (1.5, -0.1)),
        ),
        AffineUnit((-0.3, 0.2, 0.0, 0.1), 1.0, 2.5),
    ),
    "code": ShallowNetwork(5, 0.1, (RidgeGroup(CodeCube(4, (1, 2, 4, 8, 15)), (0.5, 1.25), (0.3, -0.7)),)),
    "explicit": ShallowNetwork(2, 0.1, (RidgeGroup(ExplicitDirections(((0.6, 0.8), (-0.1, 0.7))), (0.5,), (1e-3,)),)),
    "constant": ShallowNetwork(3, 0.5, ()),
    "deep": SeparableNetwork(3, (0.2, 0.5), (1.0, 2.0), None, 1.0, (0.1, 0.5), ("right", "left"), (-1.0, 300.0)),
    "deep with an extra unit": SeparableNetwork(3, (0.0, 0.5), (0.1, 0.2), 0.3, 0.7, (0.25,), ("left",), (2.0,)),
    "deep constant": SeparableNetwork(3, (), (), None, 0.5, (), (), ()),
}
FORMATS = {"onnx": onnx, "safetensors": safetensors, "torch": torch}


def certified(network: Network) -> Any:
    """What exports read of a certified network; `document_text` is well formed, its proof is not replayed here."""
    groups = len(getattr(network, "groups", ()))
    pair = {"upper": ["0x0p+0"], "lower": ["0x0p+0"]}
    sandwich = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": [pair] * groups}]}
    lines = {"kind": "support-lines", "upper_slopes": [], "lower_slopes": []}
    claim = {"kind": "sup-error", "dim": network.dim, "domain": "unit-ball", "arithmetic": "real", "error": "1/10"}
    text = encode(
        {
            "format": "depthsep",
            "version": 1,
            "made_by": "a test",
            "function": {"kind": "radial", "expression": "1 - r"},
            "claim": claim,
            "network": network.to_json(),
            "witness": sandwich if network.depth == 2 else lines,
        }
    )
    return SimpleNamespace(network=network, sup_error_upper=Fraction(1, 10), digest="0123", document_text=text)


def points(dim: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(60, dim))
    rows *= rng.uniform(size=(60, 1)) / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.concatenate((rows, np.eye(dim), np.zeros((1, dim))))


def assert_within_bounds(network: Network, result: ExportResult, values: np.ndarray) -> None:
    """The model's values are within the stated bound of the exact ones, and so are they of the structured ones."""
    rows = points(network.dim)
    structured = network.evaluate(rows)
    for row, value, other in zip(rows.tolist(), values.tolist(), structured.values.tolist(), strict=True):
        exact = network.evaluate_exact([Fraction(entry) for entry in row])
        assert abs(Fraction(value) - exact) <= result.rounding_error_upper
        distance = abs(Fraction(value) - Fraction(other))
        assert distance <= result.rounding_error_upper + structured.rounding_error_upper


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runs_within_the_bound_and_is_the_document(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    library = pytest.importorskip("onnx")
    network, path = NETWORKS[name], tmp_path / "model.onnx"
    result = onnx.write(certified(network), path)
    library.checker.check_model(str(path), full_check=True)
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {"x": points(network.dim)})
    assert values.dtype == np.float64
    assert values.shape == (len(points(network.dim)), 1)
    assert_within_bounds(network, result, values[:, 0])
    verdict = check_model(certified(network).document_text, path)
    assert verdict.ok, verdict.line


@pytest.mark.parametrize("name", NETWORKS)
def test_safetensors_hold_the_flat_layers_and_are_the_document(name: str, tmp_path: Path) -> None:
    numpy_reader = pytest.importorskip("safetensors.numpy")
    network, path = NETWORKS[name], tmp_path / "model.safetensors"
    safetensors.write(certified(network), path)
    loaded, expected = numpy_reader.load_file(path), named_tensors(network)
    assert loaded.keys() == expected.keys()
    assert all(np.array_equal(loaded[key], expected[key]) and loaded[key].dtype == np.float64 for key in expected)
    verdict = check_model(certified(network).document_text, path)
    assert verdict.ok, verdict.line


@pytest.mark.parametrize("name", NETWORKS)
def test_torch_runs_within_the_bound(name: str, tmp_path: Path) -> None:
    library = pytest.importorskip("torch")
    network, path = NETWORKS[name], tmp_path / "model.pt"
    result = torch.write(certified(network), path)
    model = torch.to_torch(network)
    assert all(parameter.dtype == library.float64 for parameter in model.parameters())
    model.load_state_dict(library.load(path, weights_only=True))
    with library.no_grad():
        values = model(library.from_numpy(points(network.dim))).numpy()[:, 0]
    assert_within_bounds(network, result, values)


def test_the_result_describes_the_file(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    network = NETWORKS["deep"]
    result = onnx.write(certified(network), tmp_path / "m.onnx")
    assert result == ExportResult(tmp_path / "m.onnx", 77, network.flat_rounding_error_upper)
    assert 0 < result.rounding_error_upper < Fraction(1, 10**10)


def test_metadata_says_what_is_proved(tmp_path: Path) -> None:
    library = pytest.importorskip("onnx")
    reader = pytest.importorskip("safetensors")
    network = NETWORKS["orbits"]
    onnx.write(certified(network), tmp_path / "m.onnx")
    safetensors.write(certified(network), tmp_path / "m.safetensors")
    model = library.load(tmp_path / "m.onnx")
    with reader.safe_open(tmp_path / "m.safetensors", "numpy") as file:
        assert file.metadata() == {entry.key: entry.value for entry in model.metadata_props}
        assert file.metadata() == {
            "depthsep.document": "0123",
            "depthsep.sup_error_upper": "1/10",
            "depthsep.rounding_error_upper": repr(float(network.flat_rounding_error_upper)),
            "depthsep.domain": "unit-ball",
        }


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_overwritten_unasked(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    path = tmp_path / "model"
    path.write_text("precious")
    with pytest.raises(DocumentExists, match="that file already exists"):
        FORMATS[form].write(certified(NETWORKS["deep"]), path)
    assert path.read_text() == "precious"
    FORMATS[form].write(certified(NETWORKS["deep"]), path, force=True)
    assert path.stat().st_size > 500
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS)
def test_networks_that_are_too_wide_leave_no_file(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    with pytest.raises(OutOfReach, match="they take 616 bytes\n  needed: at most 615 bytes"):
        FORMATS[form].write(certified(NETWORKS["deep"]), tmp_path / "model", limit_bytes=615)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_that_is_not_there(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    with pytest.raises(BadInput, match="a folder that exists and may be written to"):
        FORMATS[form].write(certified(NETWORKS["deep"]), tmp_path / "none" / "model")


@pytest.mark.parametrize(("form", "extra"), [("onnx", "export"), ("safetensors", "export"), ("torch", "torch")])
def test_a_missing_package_names_the_extra(
    form: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == form]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, form, None)
    with pytest.raises(MissingExtra) as caught:
        FORMATS[form].write(certified(NETWORKS["deep"]), tmp_path / "model")
    assert caught.value.do == f"pip install 'depthsep[{extra}]'"
    assert f"the package {form!r} is not installed" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    mask = os.umask(0o022)
    try:
        safetensors.write(certified(NETWORKS["deep"]), tmp_path / "model")
    finally:
        os.umask(mask)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o644


def test_names_follow_the_layers() -> None:
    assert list(named_tensors(NETWORKS["deep"])) == [
        "hidden1.weight",
        "hidden1.bias",
        "hidden2.weight",
        "hidden2.bias",
        "output.weight",
        "output.bias",
    ]
