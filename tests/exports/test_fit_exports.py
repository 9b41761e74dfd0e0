"""Fits of one variable, and deep smooth networks, for other programs: what onnxruntime computes is the network."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.certificates.document import load
from depthsep.cli.app import run
from depthsep.constructions.univariate_fit import fit
from depthsep.errors import BadInput
from depthsep.exports import onnx as onnx_export
from depthsep.exports import safetensors as safetensors_export
from depthsep.imports import read_network
from depthsep.networks import SmoothSeparableNetwork
from depthsep.own_activations import forget_activation, register_activation

pytest.importorskip("onnx")
UNIT = ("-1", "1")


def values(path: Path, rows: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": rows})[0][:, 0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_fit_is_stored_loaded_and_exported(name: str, tmp_path: Path) -> None:
    found = fit("abs(t)", UNIT, "0.1", name)
    again = load(found.save(tmp_path / "fit.json"))
    assert again.summary() | {"method": found.method, "eps": str(found.eps)} == found.summary()
    t = np.linspace(-1, 1, 501)[:, None]
    assert again.evaluate(t).values == pytest.approx(found(t[:, 0]), abs=1e-13)
    written = onnx_export.write(again, tmp_path / "fit.onnx")
    assert written.parameters == 3 * found.widths[0] + 1
    got, exact = values(tmp_path / "fit.onnx", t), []
    for place in t[:, 0].tolist():
        exact.append(again.network.evaluate_exact([Fraction(place)]))
    errors = [abs(Fraction(a) - b) for a, b in zip(got.tolist(), exact, strict=True)]
    bound = written.rounding_error_upper
    assert max(errors) <= (Fraction(1, 10**12) if bound is None else bound)
    assert (bound is None) == (name not in ("relu", "leaky_relu", "hard_tanh"))


def test_points_outside_the_interval_are_marked() -> None:
    found = fit("t", ("-1/3", "1/3"), "1/10", "relu")
    third = float(Fraction(1, 3))
    points = [[-third], [third], [np.nextafter(third, 1)], [-1.0], [0.0]]
    assert (Fraction(third) > Fraction(1, 3)) is False
    assert found.evaluate(points).outside_ball.tolist() == [False, False, True, True, False]
    with pytest.raises(BadInput, match="one row per point"):
        found.evaluate([0.0])


def test_a_formula_of_ones_own_is_read_again(tmp_path: Path) -> None:
    register_activation("softsign_of_a_test", "t/(1+abs(t))")
    try:
        found = fit("abs(t)", UNIT, "0.2", "softsign_of_a_test")
        path = found.save(tmp_path / "own.json")
        assert load(path).activation.name == "softsign_of_a_test"
    finally:
        forget_activation("softsign_of_a_test")
    again = load(path)
    assert again.activation.name == "t/(1+abs(t))"
    assert again(0.25) == pytest.approx(found(0.25))
    with pytest.raises(BadInput, match="export to safetensors"):
        onnx_export.to_onnx(again)
    pytest.importorskip("safetensors")
    safetensors_export.write(again, tmp_path / "own.safetensors")
    assert run(["check", str(path), "--against", str(tmp_path / "own.safetensors")]) == 0


def test_only_relu_is_read_as_a_rational_network(tmp_path: Path) -> None:
    relu = fit("abs(t)", UNIT, "0.2", "relu").save(tmp_path / "relu.json")
    assert read_network(relu).widths == (3,)
    gelu = fit("abs(t)", UNIT, "0.2", "gelu").save(tmp_path / "gelu.json")
    with pytest.raises(BadInput, match="a network with the activation gelu"):
        read_network(gelu)


@pytest.mark.parametrize("domain", ["line", "interval"])
def test_evaluate(domain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit("abs(t)", UNIT, "0.1", "relu", domain=domain).save(tmp_path / "fit.json")
    (tmp_path / "t.csv").write_text("0.5\n-3\n")
    arguments = ["evaluate", str(tmp_path / "fit.json"), "--points", str(tmp_path / "t.csv")]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert "on [-1, 1], besides the proved error" in shown.err
    assert ("nothing is proved outside [-1, 1]" in shown.err) == (domain == "interval")
    assert ("holds for all t" in shown.err) == (domain == "line")
    assert run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outside_interval"] == [1]


@pytest.mark.parametrize("activation", ["softplus", "sigmoid", "tanh"])
def test_deep_smooth_networks_in_onnxruntime(activation: str, tmp_path: Path) -> None:
    numbers = (0.25, 0.5, 128.0, 1.0, -16.0, 1.0, (1.0, 2.0), (0.0, -0.25), (0.5, 3.0))
    network = SmoothSeparableNetwork(3, activation, *numbers)
    certified = SimpleNamespace(network=network, sup_error_upper=Fraction(1, 10), digest="0123")
    onnx_export.write(certified, tmp_path / "model.onnx")
    rows = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 3))
    assert values(tmp_path / "model.onnx", rows) == pytest.approx(network(rows), rel=1e-12, abs=1e-11)
